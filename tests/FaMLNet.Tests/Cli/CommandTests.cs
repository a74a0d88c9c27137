using FaMLNet.Tests.Interop;
using FaMLNet.Tests.Persistence;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>The tool, run as users run it: as a process.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-cli").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_table_is_trained_on_measured_and_predicted()
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("iris"));
        // A label of another name, a column of texts, a missing number, another separator.
        File.WriteAllLines(Path.Combine(_folder, "flowers.csv"),
            rows.Select((row, i) => $"{row.Replace(',', ';')};{(i == 0 ? "Colour" : i % 2 == 0 ? "\"white; or so\"" : "blue")}".Replace("Label",
            "Species", StringComparison.Ordinal)));
        string output = Run("train", "flowers.csv", "--label", "Species", "--rule", "bp", "--network", "mlp:16", "--epochs", "150", "--patience",
            "0", "--output",
            "flowers.zip");
        Assert.Contains("Backpropagation: epoch 150/150", output, StringComparison.Ordinal);
        output = Run("evaluate", "flowers.zip", "flowers.csv", "--label", "Species");
        Assert.Matches(@"9\d\.\d\d %", output);
        Assert.Contains("versicolor", output, StringComparison.Ordinal);

        // New data has no label.
        File.WriteAllLines(Path.Combine(_folder, "new.csv"),
            ["SepalLength;SepalWidth;PetalLength;PetalWidth;Colour", "5.1;3.5;1.4;0.2;blue", "6.3;3.3;6.0;2.5;\"white; or so\""]);
        Run("predict", "flowers.zip", "new.csv", "--label", "Species", "--output", "predicted.csv");
        string[] predicted = File.ReadAllLines(Path.Combine(_folder, "predicted.csv"));
        Assert.Equal(3, predicted.Length);
        Assert.StartsWith("PredictedLabel,setosa,versicolor,virginica", predicted[0], StringComparison.Ordinal);
        Assert.StartsWith("setosa,", predicted[1], StringComparison.Ordinal);
        Assert.StartsWith("virginica,", predicted[2], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder, "*.tmp"));
    }

    /// <summary>What columns are is what they were in training, whatever a new file makes them look like.</summary>
    [Fact]
    public void New_files_are_read_with_the_columns_of_the_training()
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("iris"));
        // Post codes, some with letters: text in training, nothing but digits in new files.
        Write("train.csv", rows.Select((row, i) => i == 0 ? "Code," + row : (i % 5 == 0 ? "D-101" : i % 2 == 0 ? "10115" : "20095") + "," + row));
        Run("train", "train.csv", "--rule", "bp", "--network", "mlp:16", "--epochs", "60", "--output", "model.zip");

        // Another order, columns that nobody asked for, a code never seen, a missing number, no label; and nothing said of the label.
        Write("new.csv", ["id;PetalWidth;PetalLength;Extra;SepalWidth;SepalLength;Code;name", "7;0,2;1,4;x;3,5;5,1;99999;\"Lee; \"\"Q\"\"\"",
            "8;2,5;6,0;y;;6,3;10115;Ann"]);
        Run("predict", "model.zip", "new.csv", "--keep", "id,name,Code", "--output", "predicted.csv");
        string[] predicted = File.ReadAllLines(Path.Combine(_folder, "predicted.csv"));
        Assert.Equal("id,name,Code,PredictedLabel,setosa,versicolor,virginica", predicted[0]);
        Assert.StartsWith("7,\"Lee; \"\"Q\"\"\",99999,setosa,0.", predicted[1], StringComparison.Ordinal);
        Assert.StartsWith("8,Ann,10115,virginica,", predicted[2], StringComparison.Ordinal);
        Assert.Equal(3, predicted.Length);

        // No rows; nothing at all.
        Write("header.csv", ["SepalLength,SepalWidth,PetalLength,PetalWidth,Code"]);
        File.WriteAllText(Path.Combine(_folder, "empty.csv"), "");
        // An empty export is a fault somewhere else, and must not pass for predictions.
        Fails("'header.csv' has a header and no rows", "predict", "model.zip", "header.csv", "--output", "none.csv");
        Fails("'empty.csv' is empty", "predict", "model.zip", "empty.csv", "--output", "none.csv");
        Assert.False(File.Exists(Path.Combine(_folder, "none.csv")));

        // Measured, too, with nothing said of the label.
        Write("digits-only.csv", rows.Select((row, i) => i == 0 ? row + ",Code" : row + ",10115"));
        Assert.Matches(@"9\d\.\d\d %", Run("evaluate", "model.zip", "digits-only.csv"));

        Write("short.csv", ["SepalLength,PetalLength,PetalWidth,Code", "1,2,3,4"]);
        Fails("'short.csv' has no column 'SepalWidth', which the model was trained on", "predict", "model.zip", "short.csv");
        Write("text.csv", ["SepalLength,SepalWidth,PetalLength,PetalWidth,Code", "1,2,3,4,5", "1,tall,3,4,5"]);
        Fails("'text.csv', row 2, column 'SepalWidth': a number is expected, found 'tall'", "predict", "model.zip", "text.csv", "--output",
            "text.out");
        Assert.False(File.Exists(Path.Combine(_folder, "text.out")));
        Fails("which --keep names", "predict", "model.zip", "text.csv", "--keep", "Nothing");
        Fails("has no column 'Label', the label's", "evaluate", "model.zip", "text.csv");
    }

    [Fact]
    public void A_table_without_header_and_one_too_small_for_validation_are_trained_on()
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("iris"));
        Write("bare.csv", rows.Skip(1));
        Fails("give --no-header", "train", "bare.csv", "--label", "5");
        Run("train", "bare.csv", "--no-header", "--label", "5", "--epochs", "30", "--output", "bare.zip");
        Assert.Matches(@"9\d\.\d\d %", Run("evaluate", "bare.zip", "bare.csv", "--no-header"));
        Write("small.csv", ["a,Label", "1,x", "2,y"]);
        Assert.Contains("too small to keep a share of 0.1", Run("train", "small.csv", "--epochs", "2", "--patience", "1"), StringComparison.Ordinal);
        Fails("--validation", "train", "small.csv", "--epochs", "2", "--validation", "0.1");
    }

    [Theory, InlineData("dense", 3), InlineData("convolutional", 4), InlineData("custom", 5)]
    public void A_damaged_model_is_said_to_be_one(string kind, int step)
    {
        File.Copy(Tables.PathOf("digits"), Path.Combine(_folder, "digits.csv"));
        byte[] zip = DamagedModelTests.Sound(kind);
        foreach ((string entry, Func<byte[], byte[]?> damage, string expected) in DamagedModelTests.EveryModelHas.Where((_, i) => i % step == 0))
        {
            File.WriteAllBytes(Path.Combine(_folder, "damaged.zip"), DamagedModelTests.Damage(zip, entry, damage));
            Exception failure = Assert.Throws<InvalidOperationException>(() => Run("evaluate", "damaged.zip", "digits.csv"));
            Assert.Contains("'damaged.zip' is no model that this tool can load: ", failure.Message, StringComparison.Ordinal);
            // The tool cannot build a custom network, which it finds before it comes to the weights.
            if (kind != "custom" || !failure.Message.Contains("no factory of the network 'chain' is registered", StringComparison.Ordinal))
                Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("target of an invocation", failure.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The tool cannot know the class that builds it.</summary>
    [Fact]
    public void A_model_of_a_custom_network_is_refused_by_name()
    {
        File.Copy(Tables.PathOf("digits"), Path.Combine(_folder, "digits.csv"));
        File.WriteAllBytes(Path.Combine(_folder, "custom.zip"), DamagedModelTests.Sound("custom"));
        Fails("'custom.zip' is no model that this tool can load: ", "evaluate", "custom.zip", "digits.csv");
        Fails("no factory of the network 'chain' is registered", "evaluate", "custom.zip", "digits.csv");
    }

    /// <summary>What a training leaves, and a report of all of it: models, tables, JSON lines and event files.</summary>
    [Fact]
    public void A_training_leaves_files_of_what_it_showed_and_they_make_a_report()
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        Run("train", "iris.csv", "--rule", "dfa", "--epochs", "4", "--network", "mlp:8,6", "--csv", "tables/dfa.csv", "--tensorboard", "runs/dfa",
            "--report", "dfa.html", "--output", "dfa.zip");
        Assert.Contains("angle ", Run("train", "iris.csv", "--rule", "fa", "--epochs", "3", "--network", "mlp:8,6", "--csv", "tables/fa.jsonl",
            "--output", "fa.zip"), StringComparison.Ordinal);
        IReadOnlyList<EpochMetrics> table = FaMLNet.Reporting.HistoryFile.Read(Path.Combine(_folder, "tables", "dfa.csv")),
            model = Tables.ModelOf(new Microsoft.ML.MLContext().Model.Load(Path.Combine(_folder, "dfa.zip"), out _)).History,
            events = Assert.Single(FaMLNet.Reporting.TensorBoard.EventHistory.Read(Path.Combine(_folder, "runs", "dfa")));
        Reporting.HistoryFileTests.Same(model, table);
        Assert.Equal(4, events.Count);
        foreach ((EpochMetrics exact, EpochMetrics single) in model.Zip(events))
        {
            Assert.Equal((float)exact.Loss, single.Loss);
            Assert.Equal((float?)exact.ValidationAccuracy, (float?)single.ValidationAccuracy);
            Assert.Equal(exact.UpdateAngle.ToDictionary(pair => pair.Key, pair => (float)pair.Value),
                single.UpdateAngle.ToDictionary(pair => pair.Key, pair => (float)pair.Value));
            Assert.NotEmpty(single.DeadUnits);
        }
        Assert.Contains("<td class=\"text\">4</td>", File.ReadAllText(Path.Combine(_folder, "dfa.html")), StringComparison.Ordinal); // NumberOfEpochs

        Assert.Contains("5 trainings: all.html.", Run("report", "dfa.zip", "fa.zip", "tables", "runs", "--output", "all.html", "--title", "Iris <i>",
            "--pictures", "pictures"), StringComparison.Ordinal);
        string page = File.ReadAllText(Path.Combine(_folder, "all.html"));
        Assert.Contains("<h1>Iris &lt;i&gt;</h1>", page, StringComparison.Ordinal);
        foreach (string name in new[] { "tables/dfa", "tables/fa", "runs/dfa" })
            Assert.Contains($">{name}</th>", page, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_folder, "pictures", "update-angle.svg")));

        Fails("There is no file or folder 'missing'", "report", "missing");
        Directory.CreateDirectory(Path.Combine(_folder, "empty"));
        Fails("Nothing to report on in 'empty'", "report", "empty");
        Fails("'iris.csv' is no history: it has no column 'Epoch'", "report", "iris.csv");
        File.WriteAllText(Path.Combine(_folder, "no.zip"), "no zip");
        Fails("'no.zip' is no model", "report", "no.zip");
        // Said before the training, not after it.
        Fails("cannot be written: ", "train", "iris.csv", "--csv", "iris.csv/history.csv");
        Fails("cannot be written: ", "train", "iris.csv", "--report", "iris.csv/report.html");
        Fails("cannot be written: ", "train", "iris.csv", "--tensorboard", "iris.csv/run");
        Fails("the extension says how", "train", "iris.csv", "--csv", "history.txt");
    }

    /// <summary>A process that is killed between an epoch's checkpoint and its line leaves a history that lacks it.</summary>
    [Fact]
    public void A_history_is_whole_when_the_training_is_over_whatever_happened_before()
    {
        const string name = "history.jsonl";
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        string[] command = ["train", "iris.csv", "--epochs", "4", "--network", "mlp:8", "--csv", name, "--checkpoints", "state"];
        Run(command);
        string path = Path.Combine(_folder, name);
        IReadOnlyList<EpochMetrics> whole = FaMLNet.Reporting.HistoryFile.Read(path);
        Assert.Equal([1, 2, 3, 4], whole.Select(epoch => epoch.Epoch));
        string[] lines = File.ReadAllLines(path);
        File.WriteAllLines(path, [.. lines[..^2], lines[^1]]);
        Run(command);
        Reporting.HistoryFileTests.Same(whole, FaMLNet.Reporting.HistoryFile.Read(path));
    }

    [Fact]
    public void The_same_command_goes_on_from_its_checkpoints()
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        string[] command = ["train", "iris.csv", "--network", "mlp:8", "--epochs", "5", "--checkpoints", "state", "--log"];
        Assert.Contains("Epoch 5/5: loss", Run(command), StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_folder, "state")));
        Assert.Contains("The training in 'state' is complete", Run(command), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_names_no_network_gets_the_rules_and_who_names_one_gets_that()
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        string Trained(params string[] more) => Run(["train", "iris.csv", "--rule", "drtp", "--epochs", "1", "--log", .. more]);
        Assert.Contains("Training Mlp(128, 64), Tanh", Trained(), StringComparison.Ordinal);
        Assert.Contains("Training Mlp(128, 64), ReLU", Trained("--network", "mlp:128,64"), StringComparison.Ordinal);
        Assert.Contains("Training Mlp(9), Tanh", Trained("--network", "mlp:9+tanh"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train missing.csv", "missing.csv")]
    [InlineData("train iris.csv --label Kind", "SepalLength, SepalWidth, PetalLength, PetalWidth, Label; name the one to predict with --label")]
    [InlineData("train iris.csv --rule xyz", "bp, fa, dfa, usf, brsf, frsf")]
    [InlineData("train iris.csv --network mlp:0", "--network 'mlp:0'")]
    [InlineData("train iris.csv --network mlp:+skip", "--network 'mlp:+skip'")]
    [InlineData("train iris.csv --network mlp:8+tan", "--network 'mlp:8+tan'")]
    [InlineData("train iris.csv --network mlp:8+1", "--network 'mlp:8+1'")]
    [InlineData("train iris.csv --network lenet+skip", "--network 'lenet+skip'")]
    [InlineData("train iris.csv --network +tanh", "--network '+tanh'")]
    [InlineData("train iris.csv --network lenet --batch-size 0", "--batch-size must be")]
    [InlineData("train iris.csv --epochs 0", "--epochs must be")]
    [InlineData("train .", "train-images-idx3-ubyte")]
    [InlineData("train long.csv", "row 1: 4 values, but there are 3 columns")]
    [InlineData("evaluate missing.zip iris.csv", "There is no model 'missing.zip'")]
    [InlineData("evaluate iris.csv iris.csv", "'iris.csv' is no model")]
    public void What_is_wrong_is_said_without_a_trace_and_leaves_nothing_behind(string command, string expected)
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        File.WriteAllText(Path.Combine(_folder, "long.csv"), "A,B,Label\n1,2,x,9\n");
        int before = Directory.GetFileSystemEntries(_folder).Length;
        Exception failure = Assert.Throws<InvalidOperationException>(() => Run(command.Split(' ')));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder).Length);
    }

    private void Write(string name, IEnumerable<string> lines) => File.WriteAllLines(Path.Combine(_folder, name), lines);

    [Fact]
    public void A_saved_model_is_attacked()
    {
        File.Copy(Tables.PathOf("digits"), Path.Combine(_folder, "digits.csv"));
        foreach (string rule in new[] { "bp", "dfa" })
            Run("train", "digits.csv", "--label", "Label", "--rule", rule, "--network", "mlp:32", "--epochs", "10", "--output", rule + ".zip");
        string output = Run("attack", "bp.zip", "digits.csv", "--attacks", "noise,fgsm,PGD,deepfool", "--eps", "0.1,0.4", "--rows", "200", "-o",
            "a/robustness.csv");
        Assert.Contains("200 rows, clean accuracy 0.9", output, StringComparison.Ordinal);
        Assert.Contains("PGD L∞ ≤ 0.4, 20 steps", output, StringComparison.Ordinal);
        string[] lines = File.ReadAllLines(Path.Combine(_folder, "a", "robustness.csv"));
        Assert.Equal(8, lines.Length);
        Assert.Equal(["Noise", "Noise", "FGSM", "FGSM", "PGD", "PGD", "DeepFool"], lines.Skip(1).Select(line => line.Split(',')[0]));
        int robust = Array.IndexOf(lines[0].Split(','), "RobustAccuracy");
        double At(int line) => double.Parse(lines[line].Split(',')[robust], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(At(6) < At(5) && At(6) <= At(4) && At(4) < At(2), output);

        Assert.Contains("feedback gradient", Run("attack", "dfa.zip", "digits.csv", "-a", "pgd,fewpixel,square", "-e", "0.5", "--norm", "l2",
            "--rows",
            "30", "--feedback", "--range", "-20,20", "-o", "robustness.json"), StringComparison.Ordinal);
        Assert.StartsWith("{", File.ReadAllText(Path.Combine(_folder, "robustness.json")), StringComparison.Ordinal);
        Assert.Contains("crafted on a surrogate", Run("attack", "dfa.zip", "digits.csv", "-a", "pgd", "-e", "0.5", "--rows", "30", "--surrogate",
            "bp.zip"), StringComparison.Ordinal);

        Fails("--attacks: the attack 'fgms' is none of", "attack", "bp.zip", "digits.csv", "-a", "fgms");
        Fails("--eps must be numbers with a point", "attack", "bp.zip", "digits.csv", "-e", "0,1;x");
        Fails("--norm must be linf or l2", "attack", "bp.zip", "digits.csv", "--norm", "l1");
        Fails("--range must be two numbers", "attack", "bp.zip", "digits.csv", "--range", "1");
        Fails("--range: attack One pixel draws", "attack", "bp.zip", "digits.csv", "-a", "fewpixel");
        Fails("Attack FGSM: epsilon must be at least 0", "attack", "bp.zip", "digits.csv", "-a", "fgsm", "-e", "-1");
        Fails("There is no model 'none.zip'", "attack", "none.zip", "digits.csv");
    }

    private void Fails(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => Run(arguments)).Message, StringComparison.Ordinal);

    private string Run(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
