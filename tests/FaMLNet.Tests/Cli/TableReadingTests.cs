using System.IO.Compression;
using System.Text;
using CsCheck;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>How a file is laid out: separators, quotes, names, rows that end early, pipes.</summary>
[Trait("Speed", "Slow")]
public sealed class TableReadingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-reading").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("01-hash-rows.csv", 60, "tag,x,Label")]
    [InlineData("13-blanks.csv", 60, "age,job,income")]
    [InlineData("20-trailing.csv", 60, "a,Label")]
    [InlineData("20-twice.csv", 60, "a,a_2,Label")]
    [InlineData("21-short.csv", 60, "Label,a,b")]
    [InlineData("22-sep.csv", 60, "a,Label")]
    public void A_table_of_the_cases_is_read_whole(string name, int rows, string names)
    {
        TableFile file = TableFile.Open(Case(name), new TableFormat());
        Assert.Equal(rows, file.Rows);
        Assert.Equal(names.Split(','), file.Names);
    }

    [Theory]
    [InlineData("18-reviews.txt", 62)]
    [InlineData("18-open-quote.txt", 42)]
    public void Reviews_behind_tabs_are_read_whole(string name, int rows)
    {
        foreach (QuoteStyle? quote in new QuoteStyle?[] { null, QuoteStyle.None })
        {
            TableFile file = TableFile.Open(Case(name), new TableFormat(HasHeader: false, Quote: quote));
            Assert.Equal(rows, file.Rows);
            Assert.Equal(["1", "2"], file.Names);
        }
    }

    [Theory]
    [InlineData("#a,b\n#1,2\n3,#4\n", "#a|b", "#1|2", "3|#4")] // no sign makes a comment
    [InlineData("a, b\n 1 ,\t2\t\n", "a|b", "1|2")]
    [InlineData("a,b\n\" x \",y\n", "a|b", "x|y")]
    [InlineData("\"a\", \"b\"\n\"x\", \"y, z\"\n\"1\", \"say \"\"hi\"\", twice\"\n", "a|b", "x|y, z", "1|say \"hi\", twice")]
    [InlineData("a|b\n1|2\n", "a|b", "1|2")]
    [InlineData("text\tn\none, two, three\t1\nfour, five, six\t2\n", "text|n", "one, two, three|1", "four, five, six|2")]
    [InlineData("a;b\n1,5;2,5\n3,5;4,5\n", "a|b", "1,5|2,5", "3,5|4,5")]
    [InlineData("\n\na,b\n\n1,2\n\n\n3,4\n\n", "a|b", "1|2", "3|4")]
    [InlineData("a,b\r1,2\r3,4", "a|b", "1|2", "3|4")]
    [InlineData("SEP=\t\r\na\tb\r\n1\t2\r\n", "a|b", "1|2")]
    [InlineData("\uFEFFsep=;\na;b\n1;2\n", "a|b", "1|2")]
    [InlineData("separate,b\n1,2\n", "separate|b", "1|2")]
    [InlineData("a,b\n1,2,\n3,4,\n", "a|b", "1|2", "3|4")] // separators at the end of rows alone
    [InlineData("a,b,\n1,2,\n", "a|b", "1|2")]
    [InlineData("a,b,\n1,2,3\n", "a|b|Column3", "1|2|3")]
    [InlineData(",a,b\n0,1,2\n1,3,4\n", "Column1|a|b", "0|1|2", "1|3|4")] // pandas' index
    [InlineData("a,b\nr1,1,2\nr2,3,4\n", "Column1|a|b", "r1|1|2", "r2|3|4")] // R's names of rows
    [InlineData("a,a,a_2,,\n1,2,3,4,5\n", "a|a_3|a_2|Column4|Column5", "1|2|3|4|5")]
    [InlineData("a,b,c\n1\n1,2\n1,2,3\n", "a|b|c", "1||", "1|2|", "1|2|3")]
    [InlineData("a,b\n\"x\ny\",2\n", "a|b", "x\ny|2")]
    [InlineData("a\n1\n2\n", "a", "1", "2")]
    [InlineData("a\n1\n\n3\n\"\"\n5\n\n\n", "a", "1", "", "3", "", "5")] // of one column an empty line is a row
    [InlineData("a,b\n1,2\n   \n3,4\n", "a|b", "1|2", "3|4")]
    [InlineData("i,tags|set,n,c\n0,x|y\n1,x|y,1,a\n2,x|y,2,a\n3,x|y,0,a\n", "i~tags|set~n~c", "0~x|y~~", "1~x|y~1~a", "2~x|y~2~a", "3~x|y~0~a")]
    [InlineData("t\tn\tc\na, b\nc, d\t1\tx\ne, f\t2\ty\ng, h\t3\tz\n", "t|n|c", "a, b||", "c, d|1|x", "e, f|2|y", "g, h|3|z")]
    [InlineData("it's,\"b\"\nrock 'n' roll,2\n", "it's|b", "rock 'n' roll|2")]
    public void Layouts_that_people_have_are_understood(string content, params string[] expected)
    {
        char between = expected[0].Contains('~', StringComparison.Ordinal) ? '~' : '|';
        Assert.Equal(expected, Read(content, new TableFormat(), between));
        // Compressed, and in UTF-16 with its mark, it is the same table.
        using (GZipStream zip = new(File.Create(Path.Combine(_folder, "table.data")), CompressionLevel.Fastest))
            zip.Write(Encoding.UTF8.GetBytes(content));
        Assert.Equal(expected, Read(TableFile.Open(Path.Combine(_folder, "table.data"), new TableFormat()), between));
        File.WriteAllText(Path.Combine(_folder, "wide.csv"), content.TrimStart('\uFEFF'), Encoding.Unicode);
        Assert.Equal(expected, Read(TableFile.Open(Path.Combine(_folder, "wide.csv"), new TableFormat()), between));
    }

    [Theory]
    [InlineData("a,b,c\n1\n1,2\n", "2 rows end early (the first is row 1, with 1 of 3 values)")]
    [InlineData("a,b\n1,2\n3\n", "1 row ends early (the first is row 2, with 1 of 2 values)")]
    [InlineData("a,a\n1,2\n", "the same name as an earlier one, 'a', and is called 'a_2'")]
    [InlineData(",b\n1,2\n", "column 1 has no name in the header and is called 'Column1'")]
    [InlineData("a,b,,\n1,2,,\n", "2 columns without a name and without values at the end of the rows are left out")]
    [InlineData("a,b\nr,1,2\ns,1,2\n", "as R writes it")]
    public void Assumptions_are_said(string content, string note)
    {
        File.WriteAllText(Path.Combine(_folder, "table.csv"), content);
        Assert.Contains(note, string.Join('\n', TableFile.Open(Path.Combine(_folder, "table.csv"), new TableFormat()).Notes),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'a','b'\n'x, y','1'\n'it''s','2'\n", "a|b", "x, y|1", "it's|2")]
    [InlineData("a,b\n1,'x'\n2,'y'\n\n3, 'z' \n", "a|b", "1|x", "2|y", "3|z")]
    [InlineData("a;b\r\n'1,5';'u'\r\n'2,5';'v'\r\n", "a|b", "1,5|u", "2,5|v")]
    [InlineData("a,b\n'x;y','1'\n'z;w','2'", "a|b", "x;y|1", "z;w|2")]
    [InlineData("a,b\n'x\ny',1\n'z',2\n", "a|b", "x\ny|1", "z|2")]
    public void Single_quotes_are_told_where_the_whole_file_shows_them(string content, params string[] expected)
    {
        Assert.Equal(expected, Read(content, new TableFormat()));
        Assert.Contains("are in ' and are read without it. --quote none keeps it", string.Join('\n',
            TableFile.Open(Path.Combine(_folder, "table.csv"), new TableFormat()).Notes), StringComparison.Ordinal);
        Assert.DoesNotContain("are in '", string.Join('\n', TableFile.Open(Path.Combine(_folder, "table.csv"),
            new TableFormat(Quote: QuoteStyle.Single))
            .Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a,b\n'90s,x\n'80s,y\n")] // apostrophes before a word
    [InlineData("a,b\n'x','y'\n'x',it's\n")]
    [InlineData("a,b\n'x','y'\n'x',\"y\"\n")]
    [InlineData("a,b\n'x','y'\n1,2\n")] // a row without
    [InlineData("a,b\n'x'n'y','z'\n'x','y'\n")]
    [InlineData("a,b\n'x','y'\n")] // one row
    [InlineData("a,b\n'x',1\n'y',2\n'z,3\n")]
    public void Single_quotes_are_apostrophes_where_anything_speaks_against_them(string content)
    {
        string[] rows = Read(content, new TableFormat());
        Assert.Contains(rows, row => row.Contains("'x'", StringComparison.Ordinal) || row.Contains("'90s", StringComparison.Ordinal));
    }

    /// <summary>One row behind a million others decides: the whole file is looked at.</summary>
    [Fact]
    public void An_apostrophe_at_the_end_of_a_long_file_keeps_the_others()
    {
        string content = "a,b\n" + string.Concat(Enumerable.Repeat("'some words',1\n", 100_000));
        Assert.Equal("some words|1", Read(content, new TableFormat())[1]);
        Assert.Equal("'some words'|1", Read(content + "o'clock,2\n", new TableFormat())[1]);
    }

    [Fact]
    public void Ordinary_tables_give_no_notes()
    {
        foreach (string name in new[] { "iris", "wine", "digits" })
            Assert.Empty(TableFile.Open(Tables.PathOf(name), new TableFormat()).Notes);
    }

    [Theory]
    [InlineData("a,b\n1,2,3\n", "row 1: 3 values, but there are 2 columns")]
    [InlineData("a,b\n1,2,3\n1,3,3\n", "row 1: 3 values, but there are 2 columns")]
    [InlineData("a,b\n1,2,3\n1,2\n1,2\n", "row 1: 3 values, but there are 2 columns. Values are separated by a comma")]
    [InlineData("a;b\n1;2\n1;2;3\n", "row 2: 3 values, but there are 2 columns. Values are separated by a semicolon")]
    [InlineData("1.5,2\n2.5,3\n", "looks like data")]
    [InlineData("i,s\n1,\"a\n2,b\n3,c\n4,d\"\n5,e\n", "row 1: a value in quotes goes over 4 lines that look like rows")]
    [InlineData("1,1,2\n1,2,3\n", "--no-header")]
    [InlineData("PK\u0003\u0004 [Content_Types].xml xl/workbook.xml", "is an Excel workbook (.xlsx)")]
    [InlineData("PK\u0003\u0004 other", "is a zip archive")]
    [InlineData("PAR1\u0015", "is a Parquet file")]
    [InlineData("%PDF-1.7", "is a PDF file")]
    [InlineData("SQLite format 3\0", "is an SQLite database")]
    [InlineData("<!doctype html><html>", "is a web page")]
    [InlineData(" {\"a\": 1}", "is a JSON file")]
    [InlineData("a,b\n1,\0\n", "zero bytes")]
    [InlineData("name,value\n1,2\n3,4\n5,6\n7,\08\n", "row 4, column 'value': expected text; found a byte of 0")]
    public void Files_that_are_no_such_table_are_refused_with_the_cause(string content, string expected)
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(content));
        FormatException error = Assert.Throws<FormatException>(() => TableFile.Open(path, new TableFormat()));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("table.csv", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quote_that_never_closes_behind_the_looked_at_lines_names_the_option()
    {
        StringBuilder content = new("a,b\n");
        for (int i = 0; i < 400_000; i++)
            content.Append("1,2\n");
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, content.Append("\"3,4\n5,6\n").ToString());
        FormatException error = Assert.Throws<FormatException>(() => TableFile.Open(path, new TableFormat()));
        Assert.Contains("row 400001", error.Message, StringComparison.Ordinal);
        Assert.Contains("--quote none", error.Message, StringComparison.Ordinal);
        Assert.Equal(400_002, TableFile.Open(path, new TableFormat(Quote: QuoteStyle.None)).Rows);
    }

    [Fact]
    public void A_damaged_archive_is_named()
    {
        string path = Path.Combine(_folder, "table.csv.gz");
        using (GZipStream zip = new(File.Create(path), CompressionLevel.NoCompression))
            zip.Write(Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat("1,2\n", 5000))));
        byte[] bytes = File.ReadAllBytes(path);
        bytes[5000] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.Contains("damaged", Assert.Throws<FormatException>(() => TableFile.Open(path, new TableFormat())).Message, StringComparison.Ordinal);
    }

    /// <summary>Any values, written with any separator in quotes, are read as they were.</summary>
    [Fact]
    public void Tables_are_read_as_they_were_written()
    {
        Gen<string> value = Gen.OneOf(Gen.Int[-99, 99].Select(number => $"{number}"), Gen.OneOfConst("x", "a b", "é,ü", "1;2", "q\"q", "l\nb", "#",
            "'", "|", "\t.", ""));
        Gen.Select(value.Array[2, 5].Array[2, 8], Gen.OneOfConst(',', ';', '\t', '|')).Where((rows, _) => rows.Length > 0).Sample((rows, separator) =>
        {
            int width = rows[0].Length;
            string[][] cells = [.. rows.Select(row => Enumerable.Range(0, width).Select(i => row[i % row.Length].Trim()).ToArray())];
            string header = string.Join(separator, Enumerable.Range(0, width).Select(i => $"name{i}"));
            string content = header + "\n" + string.Join("\n", cells.Select(row => string.Join(separator,
                row.Select(cell => $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))));
            string path = Path.Combine(_folder, $"{Guid.NewGuid():N}.csv");
            File.WriteAllText(path, content);
            Assert.Equal(cells.Select(row => string.Join('\u0001', row)),
                Read(TableFile.Open(path, new TableFormat()), '\u0001').Skip(1));
        }, iter: 300);
    }

    [Theory]
    [InlineData(",", ',')]
    [InlineData("Tab", '\t')]
    [InlineData("\\t", '\t')]
    [InlineData("pipe", '|')]
    [InlineData("space", ' ')]
    [InlineData("~", '~')]
    public void A_separator_is_named(string text, char separator) => Assert.Equal(separator, TableFormat.ParseSeparator(text));

    [Theory]
    [InlineData("--separator", "x")]
    [InlineData("--separator", "")]
    [InlineData("--separator", ";;")]
    [InlineData("--separator", "\"")]
    [InlineData("--quote", "maybe")]
    public void A_separator_or_quote_that_cannot_be_is_refused(string option, string text)
    {
        FormatException error = Assert.Throws<FormatException>(() => option == "--quote" ? (object?)TableFormat.ParseQuote(text)
            : TableFormat.ParseSeparator(text));
        Assert.Contains(option, error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_overrule_the_file()
    {
        Assert.Equal(["a,b", "1,2", "3,4"], Read("a,b\n1,2\n3,4\n", new TableFormat(Separator: ';')));
        Assert.Equal(["'a|b'", "1|2"], Read("'a,b'\n1,2\n", new TableFormat()));
        Assert.Equal(["a,b|c", "1|2"], Read("'a,b',c\n1,2\n", new TableFormat(Quote: QuoteStyle.Single)));
        Assert.Equal(["a|b", "it's|x"], Read("a,b\n'it''s','x'\n", new TableFormat(Quote: QuoteStyle.Single)));
        Assert.Equal(["\"a|b\"", "\"1|2\""], Read("\"a,b\"\n\"1,2\"\n", new TableFormat(Quote: QuoteStyle.None)));
    }

    [Fact]
    public void Twenty_thousand_columns_are_read()
    {
        string[] names = [.. Enumerable.Range(0, 20_000).Select(i => $"gene{i}"), "Label"];
        string path = Path.Combine(_folder, "genes.csv");
        File.WriteAllLines(path, [string.Join(',', names), .. Enumerable.Range(0, 50).Select(row =>
            string.Join(',', Enumerable.Range(0, 20_000).Select(i => (row * i % 100).ToString(System.Globalization.CultureInfo.InvariantCulture))
                .Append("uv"[row % 2].ToString())))]);
        TableFile file = TableFile.Open(path, new TableFormat());
        Assert.Equal(50, file.Rows);
        Assert.Equal(names, file.Names);
    }

    [Fact]
    public void A_pipe_and_standard_input_are_read_like_files()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("The shell's <(…) is Unix's.");
        File.Copy(Case("04-pipe.csv"), Path.Combine(_folder, "table.csv"));
        ProcessRunner.Tool(_folder, "train", "table.csv", "--epochs", "2");
        ProcessRunner.Tool(_folder, "predict", "model.zip", "table.csv", "--output", "file.csv");
        string tool = ProcessRunner.Metadata("Cli");
        ProcessRunner.Run("bash", _folder, "-c", $"dotnet '{tool}' predict model.zip <(cat table.csv) --output pipe.csv");
        ProcessRunner.Run("bash", _folder, "-c", $"gzip -c table.csv | dotnet '{tool}' predict model.zip - --output input.csv");
        ProcessRunner.Run("bash", _folder, "-c", $"mkfifo fifo; (cat table.csv > fifo &) ; dotnet '{tool}' predict model.zip fifo --output fifo.csv");
        // The columns are looked up and the rows read: two readers of one pipe.
        ProcessRunner.Run("bash", _folder, "-c", $"cat table.csv | dotnet '{tool}' train - --number x,x --epochs 1 --output both.zip");
        ProcessRunner.Run("bash", _folder, "-c", $"cat table.csv | dotnet '{tool}' train - --epochs 2 --output input.zip");
        string expected = File.ReadAllText(Path.Combine(_folder, "file.csv"));
        Assert.Equal(61, File.ReadAllLines(Path.Combine(_folder, "file.csv")).Length);
        foreach (string name in new[] { "pipe", "input", "fifo" })
            Assert.Equal(expected, File.ReadAllText(Path.Combine(_folder, name + ".csv")));
        Assert.True(File.Exists(Path.Combine(_folder, "input.zip")));
    }

    private static string Case(string name) => Path.Combine(AppContext.BaseDirectory, "Data", "Cases", name);

    private string[] Read(string content, TableFormat format, char between = '|')
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, content);
        return Read(TableFile.Open(path, format), between);
    }

    private static string[] Read(TableFile file, char between = '|')
    {
        List<string> rows = [string.Join(between, file.Names)];
        using TableReader reader = file.Read();
        while (reader.Read())
            rows.Add(string.Join(between, Enumerable.Range(0, file.Names.Count).Select(reader.Text)));
        return [.. rows];
    }
}
