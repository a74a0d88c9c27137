using FaMLNet;
using FaMLNet.Reporting;
using FaMLNet.Views;
using Microsoft.ML;
using Spectre.Console;

namespace Alignment;

/// <summary>Trains what has not been trained, and keeps each history as a file: a second run goes on where the first was stopped.</summary>
internal static class Runs
{
    /// <param name="task">What is learnt.</param>
    /// <param name="configurations">The trainings.</param>
    /// <param name="epochs">Passes over the data.</param>
    /// <param name="seeds">Each with seeds 1 to this.</param>
    /// <param name="folder">Where the histories are.</param>
    /// <returns>By configuration, one history a seed.</returns>
    public static Dictionary<Configuration, IReadOnlyList<EpochMetrics>[]> Complete(LearningTask task, Configuration[] configurations, int epochs,
        int seeds, string folder)
    {
        Dictionary<Configuration, IReadOnlyList<EpochMetrics>[]> histories = configurations
            .ToDictionary(configuration => configuration, _ => new IReadOnlyList<EpochMetrics>[seeds]);
        TrainingView.Run(AnsiConsole.Console, view =>
        {
            for (int seed = 1; seed <= seeds; seed++)
            {
                foreach (Configuration configuration in configurations)
                {
                    string path = Path.Combine(folder, $"{configuration.Name.Replace(' ', '-')}-{seed}.csv");
                    if (!File.Exists(path))
                        HistoryFile.Write(path, Train(task, configuration, epochs, seed, view.Add($"{configuration.Name}, seed {seed}", epochs)));
                    histories[configuration][seed - 1] = HistoryFile.Read(path);
                }
            }
        });
        return histories;
    }

    private static IReadOnlyList<EpochMetrics> Train(LearningTask task, Configuration configuration, int epochs, int seed,
        Action<EpochMetrics> epochDone)
    {
        MLContext mlContext = new(seed);
        return mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = configuration.Rule,
            Network = task.Network,
            ImageShape = task.Shape,
            Optimizer = configuration.OptimizerFor(task),
            InitialWeightScale = configuration.Scale,
            FeedbackScale = configuration.Scale,
            NumberOfEpochs = epochs,
            BatchSize = task.BatchSize,
            Seed = seed,
            Diagnostics = LayerDiagnostics.Alignment | LayerDiagnostics.UpdateAngle | LayerDiagnostics.Norms,
            MetricsCallback = epochDone,
        }).Fit(task.Train).Model.History;
    }
}
