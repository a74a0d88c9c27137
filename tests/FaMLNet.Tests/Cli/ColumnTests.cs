using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>What the columns of a table are taken for, and what becomes of values that do not fit.</summary>
[Trait("Speed", "Slow")]
public sealed class ColumnTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-columns").FullName;
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("1", false, 1)]
    [InlineData("-2.5e3", false, -2500)]
    [InlineData("1,234", false, 1234)]
    [InlineData("1,234,567.5", false, 1234567.5)]
    [InlineData("12,34,567", false, 1234567)] // as India writes it
    [InlineData("1 234", false, 1234)]
    [InlineData("1\u00A0234,5", true, 1234.5)]
    [InlineData("1'234.5", false, 1234.5)] // as Switzerland does
    [InlineData("1.234", true, 1234)]
    [InlineData("1.234,5", true, 1234.5)]
    [InlineData("0,5", true, 0.5)]
    [InlineData("$1,234.50", false, 1234.5)]
    [InlineData("-$5", false, -5)]
    [InlineData("$-5", false, -5)]
    [InlineData("5 €", false, 5)]
    [InlineData("EUR 5", false, 5)]
    [InlineData("7 USD", false, 7)]
    [InlineData("12 %", false, 12)]
    [InlineData("12.5%", false, 12.5)]
    [InlineData("(1,234)", false, -1234)] // as bookkeepers do
    [InlineData("\u22125", false, -5)]
    [InlineData("+3", false, 3)]
    public void Numbers_are_read_as_tables_write_them(string text, bool hasDecimalComma, double expected)
    {
        Assert.True(NumberText.TryParse(text, hasDecimalComma, out double value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a1")]
    [InlineData("1a")]
    [InlineData("1,23")] // neither thousands nor, with a point, a fraction
    [InlineData("1,2345")]
    [InlineData("12.30.45")]
    [InlineData("0,5")]
    [InlineData("1 23")]
    [InlineData("Infinity")]
    [InlineData("NaN")]
    [InlineData("1e999")]
    [InlineData("--5")]
    [InlineData("<1.0")]
    [InlineData("2024-01-05")]
    [InlineData("$")]
    [InlineData("%")]
    [InlineData("()")]
    [InlineData("0x1F")]
    [InlineData("E5")]
    public void Texts_that_are_no_numbers_are_none(string text) => Assert.False(NumberText.TryParse(text, hasDecimalComma: false, out _));

    [Theory]
    [InlineData("2024-01-05", "year-month-day", "2024 1 5 5 0")]
    [InlineData("2024-01-07 06:30", "year-month-day", "2024 1 7 7 6.5")]
    [InlineData("2024-01-05T18:00:00Z", "year-month-day", "2024 1 5 5 18")]
    [InlineData("2024-01-05T18:00:00.25+05:00", "year-month-day", "2024 1 5 5 18.00")]
    [InlineData("5.1.2024", "day.month.year", "2024 1 5 5 0")]
    [InlineData("1/31/2024 1:30 PM", "month/day/year", "2024 1 31 3 13.5")]
    [InlineData("31/1/2024", "day/month/year", "2024 1 31 3 0")]
    [InlineData("5 Jan 2024", "month in letters", "2024 1 5 5 0")]
    [InlineData("January 5, 2024", "month in letters", "2024 1 5 5 0")]
    public void Dates_become_numbers(string text, string order, string expected)
    {
        Assert.True(DateText.TryParse(text, order, out DateTime date));
        Assert.Equal(expected.Split(' ').Select(part => double.Parse(part, System.Globalization.CultureInfo.InvariantCulture)),
            DateText.Parts.Select(part => DateText.PartOf(date, part)), (x, y) => Math.Abs(x - y) < 1e-3);
    }

    [Theory]
    [InlineData("1|2|3|x", "Category")] // too few rows to call one a mistake
    [InlineData("1|NA|N/A|NULL|None|n/a|#N/A|<NA>|-|.|2", "Number")]
    [InlineData("$1|$2|$3", "Number")]
    [InlineData("1%|2%|3%", "Number")]
    [InlineData("1%|2|3%", "Category", "some of its numbers have a per cent sign and some have not")]
    [InlineData("1.5|2,5|1.5|2,5", "Category", "its decimal signs are mixed: '1.5' in row 1 beside '2,5' in row 2")]
    [InlineData("NA|EU|NA|EU", "Category")]
    [InlineData("|||", "LeftOut", "it has no values")]
    [InlineData("Yes|yes|no|no", "Category", "'Yes' (row 1) and 'yes' (row 2) differ by case or blanks alone")]
    [InlineData("2024-01-05|2024-02-28|2023-12-31", "Date", "year-month-day; becomes year, month, day, weekday, hour")]
    [InlineData("01/13/2024|02/03/2024", "Date", "month/day/year")]
    [InlineData("13/01/2024|02/03/2024", "Date", "day/month/year")]
    [InlineData("01/02/2024|02/03/2024", "Date", "day/month/year would fit as well")]
    [InlineData("NA|NA|NA|NA", "LeftOut", "it has no values: 'NA' counts as missing")]
    [InlineData("NA||NULL|-", "LeftOut", "it has no values: 'NULL', '-', 'NA' count as missing")]
    [InlineData("7|7.0|7|7", "Number", "it is constant: '7' in every row")]
    [InlineData("7||NA|7", "Number", "it is constant: '7' in every row that has a value")]
    [InlineData("a|a|a|a", "Category", "it is constant: 'a' in every row")]
    [InlineData("a||a|a", "Category", "its one value is 'a'; other rows have none")]
    [InlineData("13/02/2024|02/13/2024|01/02/2024|13/02/2024", "Category",
        "its dates are of mixed orders: '13/02/2024' in row 1 is day/month/year, '02/13/2024' in row 2 is month/day/year")]
    [InlineData("2024-01-05|5.1.2024|2024-01-05|5.1.2024", "Category",
        "'2024-01-05' in row 1 is year-month-day, '5.1.2024' in row 2 is day.month.year. Write all as year-month-day; --category")]
    public void Kinds_are_told_and_what_stood_against_another_is_said(string values, string kind, string remark = "")
    {
        TableColumn column = Open("x,k,Label\n" + string.Join('\n', values.Split('|').Select((value, i)
            => $"{(value.Contains(',', StringComparison.Ordinal) ? $"\"{value}\"" : value)},{i % 7 % 3},{"uv"[i % 2]}")))
            .Columns[0];
        Assert.Equal(kind, column.Kind.ToString());
        Assert.Contains(remark, column.Remark, StringComparison.Ordinal);
    }

    /// <summary>Also where one order is rare, or begins late: every row is looked at.</summary>
    [Theory]
    [InlineData(2, 1)]
    [InlineData(10, 9)]
    [InlineData(1000, 700)]
    public void Dates_of_mixed_orders_are_named_with_a_row_of_each(int every, int at)
    {
        string[] dates = [.. Enumerable.Range(0, 2000).Select(i => new DateTime(2000, 1, 20).AddMonths(i % 12).AddYears(i / 12 % 100)
            .ToString(i % every == at ? "MM/dd/yyyy" : "dd/MM/yyyy", System.Globalization.CultureInfo.InvariantCulture)
                + $" {i / 60 % 24}:{i % 60:00}")];
        TableColumn column = Open("x,k,Label\n" + string.Join('\n', dates.Select((date, i) => $"{date},{i % 5},{"uv"[i % 2]}"))).Columns[0];
        if (every == 1000)
        {
            // Two of two thousand are mistakes.
            Assert.Equal((ColumnKind.Date, 2L), (column.Kind, column.Missing));
            Assert.Contains($"'{dates[700]}' in row 701", column.Remark, StringComparison.Ordinal);
            return;
        }
        Assert.Equal(ColumnKind.LeftOut, column.Kind);
        System.Text.RegularExpressions.MatchCollection rows = System.Text.RegularExpressions.Regex.Matches(column.Remark,
            "'([^']*)' in row (\\d+) is (month/day|day/month)/year");
        Assert.Equal(["day/month", "month/day"], rows.Select(row => row.Groups[3].Value).Order());
        Assert.All(rows, row =>
        {
            int number = int.Parse(row.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(dates[number - 1], row.Groups[1].Value);
            Assert.Equal((number - 1) % every == at ? "month/day" : "day/month", row.Groups[3].Value);
        });
    }

    [Fact]
    public void A_label_whose_distances_are_lost_in_single_precision_is_said_with_its_range()
    {
        string Table(double offset, double step) => "x,Label\n" + string.Join('\n', Enumerable.Range(0, 60).Select(i => string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{i % 7},{offset + i * step}")));
        Open(Table(10_000_000_000_000, 3), task: TaskKind.Regression);
        Assert.Contains(_said, note => note.Contains("Label 'Label': its values go from 10000000000000 to 10000000000177.", StringComparison.Ordinal)
            && note.Contains("1.04858E+06 apart", StringComparison.Ordinal) && note.Contains("Subtract a constant", StringComparison.Ordinal));
        _said.Clear();
        Open(Table(1e300, 1e290), task: TaskKind.Regression);
        Assert.Contains(_said, note => note.Contains("cannot hold", StringComparison.Ordinal));
        _said.Clear();
        Open(Table(1990, 1), task: TaskKind.Regression);
        Open(Table(-0.5, 1e-3), task: TaskKind.Regression);
        Open(Table(10_000_000_000_000, 1_000_000_000), task: TaskKind.Regression);
        Assert.DoesNotContain(_said, note => note.Contains("single precision", StringComparison.Ordinal));
    }

    [Fact]
    public void A_mistake_among_many_numbers_is_missing_and_many_make_categories()
    {
        string Table(int rows, int wrong) => "x,k,Label\n" + string.Join('\n', Enumerable.Range(0, rows).Select(i =>
            $"{(i % (rows / wrong) == 3 ? "n.k." : $"{i}.5")},{i % 5},{"uv"[i % 2]}"));
        TableColumn one = Open(Table(50, 1)).Columns[0];
        Assert.Equal((ColumnKind.Number, 1L), (one.Kind, one.Missing));
        Assert.Equal("1 value is no number and counts as missing: 'n.k.' in row 4", one.Remark);
        TableColumn many = Open(Table(100, 10)).Columns[0];
        Assert.Equal(ColumnKind.Category, many.Kind);
        Assert.StartsWith("10 values are no numbers: 'n.k.' in row 4", many.Remark, StringComparison.Ordinal);
        Assert.Equal(10, Open(Table(100, 10), choices: new TableChoices { Numbers = ["x"] }).Columns[0].Missing);
    }

    [Fact]
    public void A_repeated_header_units_and_a_total_are_left_out_and_named()
    {
        string Rows(string middle, string end) => "name,size,weight,Label\n" + middle + string.Concat(Enumerable.Range(0, 20).Select(i
            => $"{"ab"[i % 2]},{i},{i * 2},{"uv"[i % 2]}\n"))
            + end;
        DataSource data = Open(Rows(",m,kg,\n", "name,size,weight,Label\na,7,7,u\nTotal,190,380,\n"));
        Assert.Equal(21, data.View.GetColumn<double>("size").Count());
        Assert.Equal(["size", "weight"], data.Numbers);
        Assert.Contains(_said, note => note.Contains("row 1 has no number where all others have (m, kg): it is taken for units",
            StringComparison.Ordinal));
        Assert.Contains(_said, note => note.Contains("row 22 repeats the header and is left out", StringComparison.Ordinal));
        Assert.Contains(_said, note => note.Contains("row 24 has 'Total' in column", StringComparison.Ordinal));
        _said.Clear();
        Assert.Equal(20, Open(Rows("", "")).View.GetColumn<double>("size").Count());
        Assert.DoesNotContain(_said, note => note.Contains("left out", StringComparison.Ordinal));
    }

    [Fact]
    public void Options_overrule_what_the_rows_suggest()
    {
        string table = "a,b,c,d,Label\n" + string.Join('\n', Enumerable.Range(0, 30).Select(i => $"{i % 3},{i},key{i},-999,{"uv"[i % 2]}"));
        DataSource data = Open(table, choices: new TableChoices { Categories = ["a", "c"], Texts = ["b"], Missing = ["-999"] });
        Assert.Equal([ColumnKind.Category, ColumnKind.Text, ColumnKind.Category, ColumnKind.LeftOut], data.Columns.Take(4).Select(column
            => column.Kind));
        Assert.Equal(ColumnKind.LeftOut, Open(table, choices: new TableChoices { Ignored = ["a"] }).Columns[0].Kind);
        Fails("--ignore names the column 'e', which", table, new TableChoices { Ignored = ["e"] });
        Fails("--number names the column 'Label', which is the label", table, new TableChoices { Numbers = ["Label"] });
        Fails("is named by --number and by --ignore", table, new TableChoices { Numbers = ["a"], Ignored = ["a"] });
        Fails("--number names the column 'c' of", table, new TableChoices { Numbers = ["c"] });
        Fails("no column is left to learn from", "c,Label\n" + string.Join('\n', Enumerable.Range(0, 30).Select(i => $"key{i},{"uv"[i % 2]}")),
            new TableChoices());
        Fails("--positive must be one of the label's two values, u and v; found 'w'", table, new TableChoices { Positive = "w" }, null);
        Assert.Equal([1.5, 2.5], Open("a;k;Label\n1,5;x;u\n2,5;y;v\n",
            choices: new TableChoices { HasDecimalComma = true }).View.GetColumn<double>("a"));
        Assert.Equal(ColumnKind.Category, Open("a;k;Label\n1,5;x;u\n2,5;y;v\n",
            choices: new TableChoices { HasDecimalComma = false }).Columns[0].Kind);
    }

    [Theory]
    [InlineData("+|-|-", "+", "by its meaning")]
    [InlineData("no|yes|yes|no", "yes", "by its meaning")]
    [InlineData("sick|well|well|well", "sick", "the rarer value")]
    [InlineData("sick|sick|well|sick", "well", "the rarer value")]
    [InlineData("1|1.0|0|0.0|0", "1", "by its meaning")]
    [InlineData("2|2.0|5", "5", "the rarer value")]
    public void One_of_two_values_counts_as_true(string labels, string positive, string why)
    {
        DataSource data = Open("x,k,Label\n" + string.Join('\n', labels.Split('|').Select((label, i) => $"{i}.5,{i % 2},{label}")), task: null);
        Assert.Equal(positive, data.Task.True);
        Assert.Contains(_said, note => note.Contains($"{positive} counts as true", StringComparison.Ordinal) && note.Contains(why,
            StringComparison.Ordinal));
        Assert.Equal(labels.Split('|').Length, data.View.GetColumn<string>("Label").Count());
        string other = data.Task.False;
        Assert.Equal(other, Open(File.ReadAllText(Path.Combine(_folder, "table.csv")), choices: new TableChoices { Positive = other },
            task: null).Task.True);
    }

    // The cases that were found by strangers, as they ran them.

    [Fact]
    public void NA_is_a_class()
    {
        Assert.Contains("holds texts of 3 values", Train("02-na-class.csv", "-l", "region", "-e", "60"), StringComparison.Ordinal);
        Assert.Contains("has the two values APAC and EU", Train("02-na-class.csv", "-l", "region", "-e", "2", "--missing", "NA"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_labels_are_named_and_count_as_wrong()
    {
        Train("06-train.csv", "-e", "60");
        string output = Evaluate("06-dot.csv");
        Assert.Contains("20 rows have labels that the model does not know (row 3: 'w.'", output, StringComparison.Ordinal);
        Assert.Contains("it knows u, v, w. They count as wrong.", output, StringComparison.Ordinal);
        Assert.Contains("66.67 %", output, StringComparison.Ordinal);
        output = Assert.Throws<InvalidOperationException>(() => Evaluate("06-all-dot.csv")).Message;
        Assert.Contains("60 rows have labels", output, StringComparison.Ordinal);
        Assert.Contains("0.00 %", output, StringComparison.Ordinal);
        Assert.DoesNotContain("0.0000", output, StringComparison.Ordinal);
    }

    [Fact]
    public void One_and_one_point_zero_are_one_class()
    {
        Train("08-int.csv", "-e", "60");
        Assert.Contains("100.00 %", Evaluate("08-float.csv"), StringComparison.Ordinal);
        string mixed = Train("08-mixed.csv", "-e", "2");
        Assert.Contains("holds whole numbers of 3 values", mixed, StringComparison.Ordinal);
        Assert.Matches("Label +label +3 ", mixed);
    }

    [Fact]
    public void Missing_words_thousands_and_dates_are_no_categories()
    {
        Assert.Matches("income +number .* 'NULL' counts? as missing|income +number .*'NULL' count", Train("10-null.csv", "-e", "60"));
        Assert.Matches(@"(9\d|100)\.\d\d %", Evaluate("10-new.csv"));
        Assert.Matches("price +number .*'4,502' in row 1 is read as 4502", Train("12-thousands.csv", "-e", "60"));
        Assert.Matches(@"(9\d|100)\.\d\d %", Evaluate("12-new.csv"));
        Assert.Matches("when +date .*year-month-day", Train("45-dates.csv", "-l", "busy", "-e", "60"));
        Assert.Matches(@"(8|9|10)\d\.\d\d %", Evaluate("45-dates.csv"));
    }

    [Fact]
    public void Repeated_headers_are_named_and_the_rest_is_as_without_them()
    {
        string both = Train("11-both.csv", "-e", "20");
        Assert.Contains("repeats the header and is left out", both, StringComparison.Ordinal);
        Assert.Contains("holds texts of 3 values", both, StringComparison.Ordinal);
        string measured = Evaluate("11-clean.csv");
        Train("11-clean.csv", "-e", "20");
        Assert.Equal(measured, Evaluate("11-clean.csv"));
    }

    [Fact]
    public void Plus_counts_as_true_and_minus_by_choice()
    {
        Assert.Contains("+ counts as true, - as false", Train("14-plusminus.csv", "-l", "y", "-e", "2"), StringComparison.Ordinal);
        Assert.Contains("- counts as true, + as false (by --positive)", Train("14-plusminus.csv", "-l", "y", "-e", "2", "--positive", "-"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Values_below_a_limit_in_a_label_of_numbers_are_named()
    {
        string message = Assert.Throws<InvalidOperationException>(() => Train("23-below.csv", "-l", "y", "-e", "2")).Message;
        Assert.Contains("2 of its", message, StringComparison.Ordinal);
        Assert.Contains("'<1.0' in row 4, '<1.0' in row 51", message, StringComparison.Ordinal);
        Assert.Contains("Task: regression", Train("23-below.csv", "-l", "y", "-e", "2", "--missing", "<1.0"), StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_are_shown_without_training()
    {
        string output = Train("13-blanks.csv", "-l", "income", "--columns");
        Assert.Matches(@"job +category", output);
        Assert.Matches(@"income +label", output);
        Assert.False(File.Exists(Path.Combine(_folder, "model.zip")));
    }

    [Fact]
    public void A_model_that_has_learnt_nothing_says_so()
    {
        Random random = new(3);
        File.WriteAllLines(Path.Combine(_folder, "dice.csv"), Enumerable.Range(0, 300).Select(i => FormattableString.Invariant(
            $"{random.NextDouble():F3},{(random.Next(10) < 8 ? "u" : "v")},{random.NextDouble():F3}")).Prepend("x,Label,y"));
        Assert.Contains("no better than the commonest class", ProcessRunner.Tool(_folder, "train", "dice.csv", "-e", "3"), StringComparison.Ordinal);
        string output = ProcessRunner.Tool(_folder, "train", "dice.csv", "-l", "y", "-e", "3", "--ignore", "Label");
        Assert.Contains("no better than the mean", output, StringComparison.Ordinal);
        Assert.DoesNotContain("no better", ProcessRunner.Tool(_folder, "train", Tables.PathOf("iris"), "-e", "20"), StringComparison.Ordinal);
    }

    /// <summary>The decisions of the training hold for every new file: whatever a column looks like there.</summary>
    [Fact]
    public void A_model_reads_new_tables_by_what_was_decided_when_it_was_trained()
    {
        string[] rows = [.. Enumerable.Range(0, 60).Select(i => $"{i % 3},{2020 + i % 4}-0{1 + i % 9}-1{i % 9},-7,{"uvw"[i % 3]}")];
        File.WriteAllLines(Path.Combine(_folder, "train.csv"), rows.Prepend("code,when,x,Label"));
        ProcessRunner.Tool(_folder, "train", "train.csv", "-e", "60", "--category", "code", "--missing", "-7", "--missing", "w");
        File.WriteAllLines(Path.Combine(_folder, "new.csv"), ["when,code", "2021-03-12,0", "2021-03-12,1"]);
        ProcessRunner.Tool(_folder, "predict", "model.zip", "new.csv");
        Assert.Equal(["u", "v"], File.ReadLines(Path.Combine(_folder, "predictions.csv")).Skip(1).Select(line => line.Split(',')[0]));
        File.WriteAllLines(Path.Combine(_folder, "new.csv"), ["when,code", "yesterday,0"]);
        Assert.Contains("row 1, column 'when': a date (year-month-day) is expected, found 'yesterday'", Assert.Throws<InvalidOperationException>(() =>
            ProcessRunner.Tool(_folder, "predict", "model.zip", "new.csv")).Message, StringComparison.Ordinal);
        Assert.Contains("20 rows have no label and are left out", ProcessRunner.Tool(_folder, "evaluate", "model.zip", "train.csv"),
            StringComparison.Ordinal);
    }

    private static string Case(string name) => Path.Combine(AppContext.BaseDirectory, "Data", "Cases", name);

    private string Train(string name, params string[] arguments) => ProcessRunner.Tool(_folder, ["train", Case(name), .. arguments]);

    private string Evaluate(string name) => ProcessRunner.Tool(_folder, "evaluate", "model.zip", Case(name));

    private void Fails(string expected, string table, TableChoices choices, TaskKind? task = TaskKind.Multiclass) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => Open(table, choices, task)).Message, StringComparison.Ordinal);

    private DataSource Open(string table, TableChoices? choices = null, TaskKind? task = TaskKind.Multiclass)
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, table);
        return DataSource.ForTraining(_mlContext, path, "Label", hasHeader: true, _said.Add, task, choices);
    }
}
