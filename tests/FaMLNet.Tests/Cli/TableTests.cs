using System.Text;
using FaMLNet.Cli.Pipelines;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Tables as people have them: exports of spreadsheets and databases, in other languages, with quotes and gaps.</summary>
public sealed class TableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-tables").FullName;
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("\uFEFFa,b,Label\r\n1.5,x,u\r\n2,y,v\r\n")]
    [InlineData("a,b,Label\n1.5,x,u\n2,y,v")]
    [InlineData("a;b;Label\n1.5;x;u\n2;y;v\n\n")]
    [InlineData("a\tb\tLabel\n1.5\tx\tu\n2\ty\tv\n")]
    [InlineData("\"a\",\"b\",\"Label\"\n\"1.5\",\"x\",\"u\"\n\"2\",\"y\",\"v\"\n")]
    [InlineData("a;b;Label\n1,5;x;u\n2;y;v\n")]
    public void One_table_in_many_dresses(string content)
    {
        DataSource data = Open(content);
        Assert.Equal(["a"], data.Numbers);
        Assert.Equal(["b"], data.Texts);
        Assert.Equal([1.5f, 2], data.View.GetColumn<double>("a"));
        Assert.Equal(["x", "y"], Texts(data, "b"));
        Assert.Equal(["u", "v"], Texts(data, "Label"));
    }

    [Fact]
    public void Quotes_hold_separators_line_breaks_and_quotes_to_every_reader()
    {
        DataSource data = Open("name,note,Label\nA,\"one, two\",u\nB,\"line\nbreak\",v\nC,\"say \"\"hi\"\"\",u\nD,\"\",v\n");
        Assert.Equal(["one, two", "line\nbreak", "say \"hi\"", ""], Texts(data, "note"));
        Assert.Equal(["u", "v", "u", "v"], Texts(data, "Label"));
    }

    [Fact]
    public void Sentences_are_told_from_categories_names_and_identifiers()
    {
        string[] animals = ["cat", "dog", "horse", "mouse", "cow"];
        string Row(int i) => string.Join(',', i, animals[i % 5], $"Person{i}", Guid.NewGuid(),
            $"The {animals[i % 5]} number {i} sat on the mat today", $"同じ猫が{i}回も庭で昼寝をしていました",
            i % 3 == 0 ? "not much to say about this one here" : "nothing to say about that other one there", "u");
        string table = "id,animal,name,guid,note,comment,fixed,Label\n" + string.Join('\n', Enumerable.Range(0, 60).Select(Row));
        DataSource data = Open(table);
        Assert.Equal(["note", "comment"], data.Prose);
        Assert.Equal(["animal", "fixed"], data.Texts);
        Assert.Empty(data.Numbers);
        Assert.Equal(["it counts the rows", "", "it has a different text in every row", "it has a different text in every row"],
            data.Columns.Take(4).Select(column => column.Remark));
        Assert.Equal(2, data.Columns.Count(column => column.Remark.Contains("holds sentences", StringComparison.Ordinal)));
        // Too few rows to tell.
        Assert.Empty(Open(string.Join('\n', table.Split('\n').Take(15))).Prose);
    }

    [Fact]
    public void Names_need_not_be_ascii()
    {
        DataSource data = Open("Größe;Straße, lang;Änderung\n1;x;ja\n2;y;nein\n", "Änderung");
        Assert.Equal(["Größe"], data.Numbers);
        Assert.Equal(["Straße, lang"], data.Texts);
    }

    [Fact]
    public void Missing_values_are_missing_however_they_are_written()
    {
        DataSource data = Open("a,b,Label\n1,x,u\n,?,u\n?,,v\nNA,NA,u\nNaN,z,?\n");
        Assert.Equal([1, float.NaN, float.NaN, float.NaN, float.NaN], data.View.GetColumn<double>("a"));
        // NA may be a category: only --missing says otherwise.
        Assert.Equal(["x", "", "", "NA", "z"], Texts(data, "b"));
        Assert.Equal(["u", "u", "v", "u", ""], Texts(data, "Label"));
    }

    /// <summary>A decimal comma is told by a column that is one of numbers only so, and only where no column has decimal points.</summary>
    [Fact]
    public void Decimal_commas_are_told_from_texts_and_said()
    {
        Assert.Equal(["a", "b"], Open("a;b;Label\n1,5;3;u\n-2,25e1;4;v\n").Numbers);
        Assert.Equal("with a decimal comma", Open("a;b;Label\n1,5;3;u\n-2,25e1;4;v\n").Columns[0].Remark);
        Assert.Equal([1.5f, -22.5f], Open("a;b;Label\n1,5;3;u\n-2,25e1;4;v\n").View.GetColumn<double>("a"));
        _said.Clear();
        DataSource mixed = Open("a;b;Label\n1,5;3.5;u\n2,5;4;v\n");
        // Each column by its own witness.
        Assert.Equal([1.5, 2.5], mixed.View.GetColumn<double>("a"));
        Assert.Equal([3.5, 4], mixed.View.GetColumn<double>("b"));
        // Whole numbers tell nothing, and are read the same.
        Assert.Equal([1, 2], Open("a;Label\n1;u\n2;v\n").View.GetColumn<double>("a"));
    }

    [Fact]
    public void A_file_without_a_header_is_recognised_and_read_when_told()
    {
        const string content = "M,0.455,0.365,15\nF,0.53,0.42,9\nM,0.44,0.365,10\n";
        FormatException error = Assert.Throws<FormatException>(() => Open(content));
        Assert.Contains("looks like data", error.Message, StringComparison.Ordinal);
        Assert.Contains("--no-header", error.Message, StringComparison.Ordinal);
        Assert.Contains("--no-header", Assert.Throws<FormatException>(() => Open("1,1,2\n1,2,3\n")).Message, StringComparison.Ordinal);
        DataSource data = Open(content, "4", hasHeader: false);
        Assert.Equal(["2", "3"], data.Numbers);
        Assert.Equal(["1"], data.Texts);
        Assert.Equal(["15", "9", "10"], Texts(data, "4"));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("a,b,Label\n1,2,u\n1,2,3,4\n", "row 2: 4 values, but there are 3 columns")]
    [InlineData("a,b,c\n1,2,u\n", "has no column 'Label'. Its columns are a, b, c")]
    [InlineData("Label\nu\n", "nothing to learn from")]
    public void What_is_wrong_with_a_table_is_said_with_file_and_row(string content, string expected)
    {
        FormatException error = Assert.Throws<FormatException>(() => Open(content).View.GetColumn<double>("a").Count());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("table.csv", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_another_encoding_is_named()
    {
        string path = Path.Combine(_folder, "latin.csv");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes("Größe,Label\n1,u\n2,v\n"));
        FormatException error = Assert.Throws<FormatException>(() => DataSource.ForTraining(_mlContext, path, "Label", hasHeader: true, _said.Add));
        Assert.Contains("not in UTF-8", error.Message, StringComparison.Ordinal);
    }

    /// <summary>One wrong value in ten thousand makes no categories of a column of numbers.</summary>
    [Fact]
    public void Text_among_many_numbers_is_missing_and_named_with_its_row()
    {
        StringBuilder content = new("a,b,Label\n");
        for (int i = 0; i < 10_000; i++)
            content.Append("1,2,u\n");
        DataSource data = Open(content.Append("1,many,v\n").ToString());
        Assert.Equal(["a", "b"], data.Numbers);
        Assert.Equal(double.NaN, data.View.GetColumn<double>("b").Last());
        Assert.Equal("1 value is no number and counts as missing: 'many' in row 10001", data.Columns[1].Remark);
    }

    private DataSource Open(string content, string label = "Label", bool hasHeader = true)
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, content);
        return DataSource.ForTraining(_mlContext, path, label, hasHeader, _said.Add);
    }

    private static string[] Texts(DataSource data, string column) =>
        [.. data.View.GetColumn<ReadOnlyMemory<char>>(column).Select(text => text.ToString())];
}
