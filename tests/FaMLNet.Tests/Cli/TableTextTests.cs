using System.Text;
using CsCheck;
using FaMLNet.Cli.Tables;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>What no text has, and what the library that reads tables cannot read: refused with row, column and cure, wherever it stands.</summary>
public sealed class TableTextTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-table-text").FullName;

    public TableTextTests() => PathOf = Path.Combine(_folder, "table.csv");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Every control character, at any place of any value of a long or a short table, whatever the quotes.</summary>
    [Fact]
    public void Control_characters_are_refused_with_row_and_column_wherever_they_stand()
    {
        char[] controls = [.. Enumerable.Range(0, 32).Append(127).Select(code => (char)code).Where(code => !char.IsWhiteSpace(code))];
        Gen.Select(Gen.OneOfConst(controls), Gen.OneOfConst(20, 3000), Gen.Double[0, 0.999], Gen.Int[0, 1], Gen.Int[0, 3],
            Gen.OneOfConst<QuoteStyle?>(null, QuoteStyle.None, QuoteStyle.Double)).Sample((control, rows, share, column, place, quote) =>
            {
                int row = (int)(share * rows);
                StringBuilder content = new("first,second\n");
                for (int i = 0; i < rows; i++)
                {
                    string value = i == row ? "123".Insert(place, control.ToString()) : "123";
                    content.Append(column == 0 ? $"{value},456\n" : $"456,{value}\n");
                }
                string message = Refused(content.ToString(), new TableFormat(Quote: quote));
                Assert.Contains($"row {row + 1}, column '{(column == 0 ? "first" : "second")}': expected text; found ", message,
                    StringComparison.Ordinal);
                Assert.Contains(control < 2 ? "a byte of 0 or 1" : $"U+{(int)control:X4}", message, StringComparison.Ordinal);
                Assert.Contains("CSV UTF-8", message, StringComparison.Ordinal);
            }, iter: 60);
    }

    [Fact]
    public void Control_characters_in_the_header_are_refused()
    {
        string message = Refused("a,b\u0002\n1,2\n", new TableFormat());
        Assert.Contains("the first line, column 2: expected text; found the control character U+0002", message, StringComparison.Ordinal);
        Assert.Contains("--separator", Refused("a\u0001b\n1\u00012\n", new TableFormat()) + Refused("a\u001Fb\n1\u001F2\n", new TableFormat()),
            StringComparison.Ordinal);
        Write("a\u001Fb\n1\u001F2\n");
        Assert.Equal(["a", "b"], TableFile.Open(PathOf, new TableFormat(Separator: '\u001F')).Names);
    }

    [Fact]
    public void Text_of_two_bytes_without_a_mark_is_named_as_such()
    {
        File.WriteAllBytes(PathOf, Encoding.Unicode.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat("1,2\n", 2000))));
        Assert.Contains("UTF-16 without a byte-order mark", Assert.Throws<FormatException>(() => TableFile.Open(PathOf, new TableFormat())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Blanks_line_breaks_and_form_feeds_in_values_are_text()
    {
        Write("a,b\n\"x\ty\",\"x\vy\"\n\"x\fy\",\"x\ny\"\n");
        Assert.Equal(2, TableFile.Open(PathOf, new TableFormat()).Rows);
    }

    public static TheoryData<string, string> Unreadable => new()
    {
        { "\"1\"x,2\n", "row 3001, column 'a': expected a comma or the end of the line behind a value in quotes; found other text" },
        { "1,\"2\n3,4\n", "row 3001, column 'b': a value begins with \", and no \" ends it before the end of the file" },
        { $"1,{new string('x', CsvRecords.MostCharacters)}\n", "row 3001, column 'b': expected at most 16,777,216 characters in a row; found more" },
    };

    /// <summary>The library's own words, and advice about its settings, never reach the user.</summary>
    [Theory]
    [MemberData(nameof(Unreadable), DisableDiscoveryEnumeration = true)]
    public void What_cannot_be_read_is_put_into_words_of_ours(string row, string expected)
    {
        // Behind the lines by which the layout is told.
        string message = Refused("a,b\n" + string.Concat(Enumerable.Repeat("1,2\n", 3000)) + row, new TableFormat(Separator: ',',
            Quote: QuoteStyle.Double));
        Assert.Contains("table.csv', " + expected, message, StringComparison.Ordinal);
        Assert.Contains("--quote none", message, StringComparison.Ordinal);
        Assert.DoesNotContain("MaxBufferSize", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_one_file_of_the_tool_knows_the_library()
    {
        string tool = Path.Combine(Interop.ProcessRunner.Metadata("RepositoryRoot"), "src", "FaMLNet.Cli");
        string[] files = [.. Directory.EnumerateFiles(tool, "*.cs", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file).Contains("using Sylvan", StringComparison.Ordinal)).Select(file => Path.GetFileName(file))];
        Assert.Equal(["CsvRecords.cs"], files);
    }

    private string PathOf { get; }

    private void Write(string content) => File.WriteAllText(PathOf, content);

    private string Refused(string content, TableFormat format)
    {
        // Properties are tried on several threads.
        string path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, $"{Guid.NewGuid():N}")).FullName, "table.csv");
        File.WriteAllText(path, content);
        return Assert.Throws<FormatException>(() => TableFile.Open(path, format)).Message;
    }
}
