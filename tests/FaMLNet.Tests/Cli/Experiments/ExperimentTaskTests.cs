using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Peers;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Cli.Experiments;

/// <summary>Experiments, sweeps and peers on labels of every kind.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class ExperimentTaskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-tasks").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The case x-price: prices that are nearly a line of the size.</summary>
    [Fact]
    public void A_number_is_a_regression_with_the_measures_of_one()
    {
        WritePrices();
        Write("data: {dataset: csv, dataset_path: price.csv, label: price, validation: 0.1}", "bp", epochs: 200);
        string output = Tool("benchmark", "x.yaml");
        Assert.Contains("Task: regression", output, StringComparison.Ordinal);
        Assert.Matches(@"last epoch \(200\): root mean squared error \d+.*, mean absolute error \d+.*, R² 0\.9", output);
        ExperimentResult result = ExperimentResult.Read(At("results/x/result.json"));
        Assert.Equal("regression", result.Task);
        Assert.Null(result.Last!.Top1);
        Assert.InRange(result.Last.RSquared!.Value, 0.9, 1);
        Assert.InRange(result.Best!.RSquared!.Value, 0.9, 1);
        Assert.NotNull(result.BestValidationRootMeanSquaredError);
        Assert.Null(result.TrainingAccuracy);
        Assert.Contains("root mean squared error", Tool("evaluate", "results/x/model.zip", "price.csv").ReplaceLineEndings(" "),
            StringComparison.Ordinal);
        Write("data: {dataset: csv, dataset_path: price.csv, label: price, validation: 0.1}", "bp", epochs: 2,
            sweep: "sweep: {over: {rule: [bp, fa], seed: [1, 2]}}\n", name: "many");
        output = Tool("sweep", "x.yaml");
        Assert.Contains("| root mean squared error, last epoch |", output, StringComparison.Ordinal);
        Assert.Contains("last_rmse,last_mae,last_r_squared", File.ReadLines(At("results/many/results.csv")).First(), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_values_are_a_binary_task_whose_model_can_be_saved_measured_and_started_from()
    {
        File.Copy(Tables.PathOf("breast-cancer"), At("table.csv"));
        Write("data: {dataset: csv, dataset_path: table.csv}", "bp", epochs: 30);
        string output = Tool("benchmark", "x.yaml");
        Assert.Contains("Task: binary", output, StringComparison.Ordinal);
        ExperimentResult result = ExperimentResult.Read(At("results/x/result.json"));
        Assert.Equal("binary", result.Task);
        Assert.InRange(result.Last!.AreaUnderRoc!.Value, 0.95, 1);
        Assert.InRange(result.Last.Accuracy!.Value, 0.9, 1);
        Assert.InRange(result.Last.LogLoss!.Value, 0.001, 0.5);
        Assert.Contains("area under ROC", Tool("evaluate", "results/x/model.zip", "table.csv").ReplaceLineEndings(" "), StringComparison.Ordinal);
        string model = At("results/x/model.zip");
        File.WriteAllText(At("x.yaml"), $$$"""
            experiment: {name: saved, output_dir: results}
            data: {dataset: csv, dataset_path: table.csv}
            model: {checkpoint: '{{{model}}}'}
            evaluation: {robustness: {attacks: [fgsm], eps: [0.1], rows: 20}}
            """);
        Assert.Matches(@"saved model: accuracy 9\d\.\d\d %.*area under ROC", Tool("benchmark", "x.yaml"));
        Assert.Equal(result.Best! with { Epoch = 0 }, ExperimentResult.Read(At("results/saved/result.json")).Last);
        Write("data: {dataset: csv, dataset_path: table.csv, task: multiclass}", "bp", epochs: 1, name: "other", model: $", checkpoint: '{model}'");
        Fails("is a model of the task binary, and the data has the task multiclass", "benchmark", "x.yaml");
        // Asked for as classes it is one, as before.
        Write("data: {dataset: csv, dataset_path: table.csv, task: multiclass}", "bp", epochs: 30, name: "classes");
        Assert.Matches(@"last epoch \(30\): top-1 9\d", Tool("benchmark", "x.yaml"));
    }

    [Theory]
    [InlineData("data: {dataset: csv, dataset_path: price.csv, label: price, task: regression}", "loss_function: {name: cross_entropy}",
        "model.loss_function.name: cross_entropy is a loss of classes")]
    [InlineData("data: {dataset: csv, dataset_path: price.csv, label: price}", "loss_function: {label_smoothing: 0.1}",
        "model.loss_function.label_smoothing: it is for classes")]
    [InlineData("data: {dataset: csv, dataset_path: price.csv, label: price, task: multiclass}", "loss_function: {name: huber}",
        "huber is a loss of a regression")]
    [InlineData("data: {dataset: csv, dataset_path: price.csv, label: price, task: binary}", "pretrained: false", "data.task: binary needs a "
        + "label of two values")]
    [InlineData("data: {dataset: mnist, task: regression}", "pretrained: false", "data.task: 'mnist' has images in classes")]
    [InlineData("data: {dataset: csv, dataset_path: price.csv, label: price, task: regresion}", "pretrained: false", "Did you mean 'regression'?")]
    public void What_has_no_meaning_for_the_task_is_refused_before_it_trains(string data, string model, string message)
    {
        WritePrices();
        File.WriteAllText(At("x.yaml"), $"experiment: {{name: x, output_dir: results}}\n{data}\nmodel: {{architecture: \"mlp:4\", {model}, mode: "
            + "{type: fa}}\ntraining: {}\n");
        Fails(message, "benchmark", "x.yaml");
        Assert.False(Directory.Exists(At("results")));
    }

    public static TheoryData<string, string> Losses() => new()
    {
        { "squared", "Squared" }, { "absolute", "Absolute" }, { "huber", "Huber(1)" }, { "poisson", "Poisson" },
    };

    [Theory, MemberData(nameof(Losses))]
    public void Losses_of_a_regression_are_named_in_the_file(string name, string loss)
    {
        WritePrices();
        File.WriteAllText(At("x.yaml"), $"experiment: {{name: x}}\ndata: {{dataset: csv, dataset_path: price.csv, label: price, task: regression}}\n"
            + $"model: {{architecture: \"mlp:4\", loss_function: {{name: {name}}}, mode: {{type: fa}}}}\ntraining: {{}}\n");
        Assert.Equal(loss, $"{((FeedbackAlignmentRegressionTrainer.Options)ExperimentSettings.Read(YamlFile.Read(At("x.yaml")))
            .ToOptions(TaskKind.Regression)).Loss}");
    }

    /// <summary>Every trainer of every task is measured, by the task's measures.</summary>
    [Theory, InlineData("iris", "Multiclass", "accuracy, %", 60.0), InlineData("breast-cancer", "Binary", "accuracy, %", 80.0),
        InlineData("price", "Regression", "R²", 0.3)]
    public void Peers_are_those_of_the_task(string table, string task, string measure, double least)
    {
        WritePrices(unit: 100_000); // of the size that the linear trainer ends soon with
        MLContext mlContext = new(1);
        if (table != "price")
        {
            int step = table == "iris" ? 1 : 3;
            File.WriteAllLines(At($"{table}.csv"), File.ReadLines(Tables.PathOf(table)).Where((_, i) => i % step == 0));
        }
        DataSource data = DataSource.ForTraining(mlContext, At($"{table}.csv"), table == "price" ? "price" : "Label",
            hasHeader: true, _ => { }, task: null);
        Assert.Equal(task, $"{data.Task.Kind}");
        IReadOnlyList<Peer> peers = Peer.Of(data.Task.Kind);
        Assert.Equal(4, peers.Count(peer => !peer.Name.StartsWith("FaMLNet", StringComparison.Ordinal)));
        List<PeerMeasures> all = [.. peers.Where(peer => !peer.Name.StartsWith("FaMLNet", StringComparison.Ordinal) || peer.Name == "FaMLNet bp")
            .Select(peer => peer.Measure(mlContext, data, folds: 2, epochs: 40, _ => { }))];
        Assert.All(all, one => Assert.Equal(measure, one.Measures[0].Title));
        Assert.InRange(all.Single(one => one.Trainer == "FaMLNet bp").Measures[0].Mean, least, 100);
        string[] lines = PeerTable.Markdown(all).TrimEnd().Split('\n');
        Assert.Equal(7, lines.Length);
        Assert.Contains($"| trainer | {measure} |", lines[0], StringComparison.Ordinal);
        Assert.Single(lines.Select(line => line.Count(letter => letter == '|')).Distinct());
    }

    /// <summary>ML.NET gives it in bits for this task alone; what the tool records is in nats, as for classes.</summary>
    [Fact]
    public void The_log_loss_of_a_binary_task_is_the_mean_of_the_natural_logarithms()
    {
        MLContext mlContext = new(1);
        IDataView rows = mlContext.Data.LoadFromEnumerable([new Scored { Label = true, PredictedLabel = true },
            new Scored { Label = false, PredictedLabel = true }]);
        Assert.Equal(Math.Log(2), mlContext.BinaryClassification.Evaluate(rows).LogLoss * Math.Log(2), 6);
    }

    private void WritePrices(double unit = 1)
    {
        Random random = new(1);
        File.WriteAllLines(At("price.csv"), Enumerable.Range(40, 120).Select(size =>
            FormattableString.Invariant($"{size},{(size * 3600 + random.Next(20_000)) / unit}")).Prepend("sqm,price"));
    }

    private void Write(string data, string rule, int epochs, string sweep = "", string name = "x", string model = "") =>
        File.WriteAllText(At("x.yaml"), $$$"""
            experiment: {name: {{{name}}}, output_dir: results}
            {{{data}}}
            model: {architecture: "mlp:16", mode: {type: {{{rule}}}}{{{model}}}}
            training: {hyperparameters: {epochs: {{{epochs}}}, batch_size: 16}}
            infrastructure: {threads: 1}
            evaluation: {tensorboard: false, report: false}
            {{{sweep}}}
            """);

    private string At(string name) => Path.Combine(_folder, name);

    private void Fails(string expected, params string[] arguments) => Assert.Contains(expected,
        Assert.Throws<InvalidOperationException>(() => Tool(arguments)).Message, StringComparison.Ordinal);

    private string Tool(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);

    private sealed class Scored
    {
        public bool Label { get; set; }

        public bool PredictedLabel { get; set; }

        public float Score { get; set; }

        public float Probability { get; set; } = 0.5f;
    }
}
