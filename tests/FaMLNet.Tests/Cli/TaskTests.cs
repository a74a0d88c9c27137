using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>The tool tells from a table's label what there is to learn, says so, and does that task from training to prediction.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class TaskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-tasks").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_label_of_two_values_is_a_yes_or_no_in_the_tables_own_words()
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("breast-cancer"));
        // Some rows are not labelled: neither is what they are.
        Write("train.csv", rows.Select((row, i) => i > 0 && i % 10 == 0 ? row[..(row.LastIndexOf(',') + 1)] : row));
        string output = Run("train", "train.csv", "--rule", "bp", "--network", "mlp:16", "--epochs", "20", "--report", "report.html");
        Assert.Contains("Task: binary, for the label, column 'Label', has the two values benign and malignant.", output, StringComparison.Ordinal);
        Assert.Contains("malignant counts as true, benign as false", output, StringComparison.Ordinal);
        Assert.Contains("epoch 20/20", output, StringComparison.Ordinal);

        output = Run("evaluate", "model.zip", "train.csv");
        Assert.Matches(@"9\d\.\d\d %", output);
        Assert.Contains("Positive: malignant; negative: benign.", output, StringComparison.Ordinal);
        string[] labels = [.. File.ReadLines(Path.Combine(_folder, "train.csv")).Skip(1).Select(row => row.Split(',')[^1])];
        Assert.Contains($"{labels.Count(label => label == "malignant")}.0+{labels.Count(label => label == "benign")}.0))", output,
            StringComparison.Ordinal);

        // New data has no label.
        Write("new.csv", rows.Take(6).Select(row => row[..row.LastIndexOf(',')]));
        Run("predict", "model.zip", "new.csv", "--output", "predicted.csv");
        string[] predicted = File.ReadAllLines(Path.Combine(_folder, "predicted.csv"));
        Assert.Equal("PredictedLabel,Score,Probability", predicted[0]);
        Assert.Equal(6, predicted.Length);
        Assert.All(predicted.Skip(1), row => Assert.Matches(@"^(malignant|benign),-?\d+(\.\d+)?,[01](\.\d+)?(E-\d+)?$", row));

        Write("wrong.csv", [rows[0], rows[1], rows[2].Replace("malignant", "malign", StringComparison.Ordinal)]);
        output = Run("evaluate", "model.zip", "wrong.csv");
        Assert.Contains("1 row has a label that the model does not know (row 2: 'malign'); it knows benign, malignant. They count as wrong.", output,
            StringComparison.Ordinal);
        Assert.Contains("50.00 %", output, StringComparison.Ordinal);
        output = Run("attack", "model.zip", "train.csv", "--attacks", "fgsm,noise", "--eps", "1", "--seed", "3");
        double[] robust = [.. output.Split('\n').Where(line => line.StartsWith("FGSM", StringComparison.Ordinal)
            || line.StartsWith("Noise", StringComparison.Ordinal)).Select(line => double.Parse(
                System.Text.RegularExpressions.Regex.Match(line, @"0\.\d{3}").Value, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.True(robust.Length == 2 && robust[0] < robust[1] - 0.2, output);

        output = Run("train", "train.csv", "--task", "multiclass", "--network", "mlp:4", "--epochs", "2");
        Assert.DoesNotContain("Task:", output, StringComparison.Ordinal);
        Run("predict", "model.zip", "new.csv", "--output", "predicted.csv");
        Assert.Equal("PredictedLabel,malignant,benign", File.ReadAllLines(Path.Combine(_folder, "predicted.csv"))[0]);

    }

    [Fact]
    public void Sentences_beside_numbers_are_trained_on_and_predicted_for()
    {
        string[] moods = ["wonderful", "terrible"], things = ["film", "book", "play", "song", "dinner", "hotel", "journey"];
        string Row(int i) => $"\"It was a {moods[i % 2]} {things[i % 7]}, number {i * 37 % 101} of my list\",{i % 13},"
            + (i % 2 == 0 ? "good" : "bad");
        string table = "review,stars,Label\n" + string.Join('\n', Enumerable.Range(0, 140).Select(Row));
        Write("reviews.csv", table.Split('\n'));
        Assert.Matches("review +text .* it holds sentences", Run("train", "reviews.csv", "--epochs", "8", "--rule", "dfa"));
        Assert.Matches("100.00 %|99.. %", Run("evaluate", "model.zip", "reviews.csv"));
        Write("new.csv", ["stars,review", "3,What a wonderful thing", ",A terrible thing", "5,"]);
        Run("predict", "model.zip", "new.csv", "--output", "predicted.csv");
        Assert.Equal(["good", "bad"], File.ReadLines(Path.Combine(_folder, "predicted.csv")).Skip(1).Take(2).Select(line => line.Split(',')[0]));

        // A column of a few short words, or of numbers, if the user says so; and what does not go.
        Assert.DoesNotContain("holds sentences", Run("train", "reviews.csv", "--epochs", "1", "--text", "stars", "--text", "review"),
            StringComparison.Ordinal);
        Fails("--text names the column 'stern', which 'reviews.csv' does not have.", "train", "reviews.csv", "--text",
            "stern");
        Fails("--text names the column 'Label', which is the label", "train", "reviews.csv", "--text", "Label");
    }

    [Fact]
    public void Numbers_are_predicted_where_the_label_holds_them_decimal_commas_and_gaps_included()
    {
        // y = 1000 + 200·x, as a spreadsheet of another country writes it.
        string Price(int i) => i % 20 == 0 ? "" : FormattableString.Invariant($"{1000.5 + 20 * (i % 50)}");
        string[] rows = [.. Enumerable.Range(0, 200).Select(i =>
            FormattableString.Invariant($"{i % 50 / 10.0};{(i % 2 == 0 ? "a" : "b")};{Price(i)}").Replace('.', ','))];
        Write("house.csv", rows.Prepend("size;kind;price"));
        string output = Run("train", "house.csv", "--label", "price", "--rule", "bp", "--epochs", "60", "--csv", "history.csv", "--tensorboard",
            "board");
        Assert.Contains("Task: regression, for the label, column 'price', holds numbers with fractions.", output, StringComparison.Ordinal);
        Assert.Contains("train ±", output, StringComparison.Ordinal);
        output = Run("evaluate", "model.zip", "house.csv");
        Assert.Matches(@"0\.9\d\d\d|1\.0000", output);
        Run("predict", "model.zip", "house.csv", "--keep", "size", "--output", "predicted.csv");
        string[] predicted = File.ReadAllLines(Path.Combine(_folder, "predicted.csv"));
        Assert.Equal("size,Score", predicted[0]);
        Assert.Equal(201, predicted.Length);
        double score = double.Parse(predicted[1].Split(',')[^1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(score, 950, 1080);
        Fails("is of the task regression, which sees nothing rightly or wrongly", "attack", "model.zip", "house.csv");

        IReadOnlyList<EpochMetrics> history = FaMLNet.Reporting.HistoryFile.Read(Path.Combine(_folder, "history.csv"));
        Assert.All(history, epoch => Assert.True(epoch.Accuracy == null && epoch.RootMeanSquaredError > 0
            && epoch.ValidationRootMeanSquaredError > 0));
        Assert.Contains("3 trainings", Run("report", "model.zip", "history.csv", "board", "--pictures", "pictures"), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_folder, "pictures", "rmse.png")));
        Assert.False(File.Exists(Path.Combine(_folder, "pictures", "accuracy.png")));
        Assert.Contains("RMSE", File.ReadAllText(Path.Combine(_folder, "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_chosen_is_said_and_may_be_chosen_otherwise()
    {
        Is(TaskKind.Multiclass, i => i % 5, "Task: multiclass, for the label, column 'y', holds whole numbers of 5 values.");
        Is(TaskKind.Multiclass, i => "abc"[i % 3], "holds texts of 3 values");
        Is(TaskKind.Regression, i => i, "holds whole numbers of more than 20 values");
        Is(TaskKind.Regression, i => i < 59 ? i % 2 : 0.5, "holds numbers with fractions"); // in the last row
        Is(TaskKind.Regression, i => 1 + i / 2.0, "holds numbers with fractions"); // the first two values are 1 and 1.5
        Is(TaskKind.Regression, i => 0.5 + i % 3, "holds numbers with fractions");
        Is(TaskKind.Binary, i => 0.5 + i % 2, "1.5 counts as true, 0.5 as false");
        Is(TaskKind.Binary, i => i % 2, "1 counts as true, 0 as false");
        Is(TaskKind.Binary, i => i % 2 == 0 ? "Yes" : "no", "Yes counts as true, no as false");
        Is(TaskKind.Binary, i => i % 3 == 0 ? "?" : i % 3 == 1 ? "cat" : "dog", "dog counts as true, cat as false");
        Is(TaskKind.Regression, i => i % 5, "", TaskKind.Regression);
        Refuses("--task binary needs a label of two values, but column 'y' has 5", i => i % 5, TaskKind.Binary);
        Refuses("--task regression predicts a number, but column 'y' holds texts", i => "ab"[i % 2], TaskKind.Regression);
        Assert.Null(LabelTask.Parse("AUTO"));
        Assert.Contains("auto, multiclass, binary or regression; found '1'", Assert.Throws<ArgumentException>(() => LabelTask.Parse("1")).Message,
            StringComparison.Ordinal);
    }

    private void Refuses(string expected, Func<int, object> label, TaskKind asked) => Assert.Contains(expected,
        Assert.Throws<FormatException>(() => Choose(label, asked)).Message, StringComparison.Ordinal);

    private void Is(TaskKind expected, Func<int, object> label, string said, TaskKind? asked = null)
    {
        (LabelTask task, string all) = Choose(label, asked);
        Assert.Equal(expected, task.Kind);
        Assert.Contains(said, all, StringComparison.Ordinal);
    }

    private (LabelTask Task, string Said) Choose(Func<int, object> label, TaskKind? asked)
    {
        Write("table.csv", Enumerable.Range(0, 60).Select(i => FormattableString.Invariant($"{i % 7},{label(i)}")).Prepend("x,y"));
        TableFile file = TableFile.Open(Path.Combine(_folder, "table.csv"), new TableFormat());
        List<string> said = [];
        ColumnScan scan = TableColumns.Decide(file, new TableChoices()).Scans[1];
        return (LabelTask.Of("table.csv", "y", scan, false, asked, null, said.Add), string.Join('\n', said));
    }

    private void Write(string name, IEnumerable<string> lines) => File.WriteAllLines(Path.Combine(_folder, name), lines);

    private void Fails(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => Run(arguments)).Message, StringComparison.Ordinal);

    private string Run(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
