using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary>The tool's commands.</summary>
internal static class CommandList
{
    /// <summary>By the name that users type.</summary>
    public static IReadOnlyDictionary<string, Type> All { get; } = new Dictionary<string, Type>
    {
        ["train"] = typeof(TrainCommand),
        ["evaluate"] = typeof(EvaluateCommand),
        ["predict"] = typeof(PredictCommand),
        ["attack"] = typeof(AttackCommand),
        ["report"] = typeof(ReportCommand),
        ["benchmark"] = typeof(BenchmarkCommand),
        ["sweep"] = typeof(SweepCommand),
        ["data"] = typeof(DataCommand),
    };

    /// <summary>Describes the commands, with examples, to the parser.</summary>
    public static void Configure(IConfigurator config)
    {
        config.AddCommand<TrainCommand>("train").WithDescription("Trains a network on a table or on images and saves the pipeline as one zip.")
            .WithExample("train", "iris.csv", "--label", "species", "--rule", "dfa");
        config.AddCommand<EvaluateCommand>("evaluate").WithDescription("Measures a saved model on other data.")
            .WithExample("evaluate", "model.zip", "test.csv");
        config.AddCommand<PredictCommand>("predict").WithDescription("Writes a saved model's predictions to a file.")
            .WithExample("predict", "model.zip", "new.csv", "--output", "predictions.csv");
        config.AddCommand<AttackCommand>("attack").WithDescription("Measures how a saved model stands up to adversarial attacks.")
            .WithExample("attack", "model.zip", "test.csv", "--attacks", "fgsm,pgd,square", "--eps", "0.02,0.05", "--rows", "1000", "--output",
            "robustness.csv");
        config.AddCommand<ReportCommand>("report").WithDescription("Makes one HTML file of trainings that are over.")
            .WithExample("report", "dfa.zip", "fa.zip", "--output", "report.html");
        config.AddCommand<BenchmarkCommand>("benchmark").WithDescription("Runs one experiment from a YAML file: training, measures, report.")
            .WithExample("benchmark", "experiment.yaml").WithExample("benchmark", "experiment.yaml", "--data", "datasets/mnist");
        config.AddCommand<SweepCommand>("sweep").WithDescription("Runs many experiments from a YAML file, and goes on where it stopped.")
            .WithExample("sweep", "sweep.yaml").WithExample("sweep", "sweep.yaml", "--collect");
        config.AddCommand<DataCommand>("data").WithDescription("Compares the files of a data set with what its owners publish; downloads nothing.")
            .WithExample("data", "check", "mnist", "datasets/mnist").WithExample("data", "list");
    }
}
