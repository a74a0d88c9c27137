using System.Globalization;
using FaMLNet.Rows;
using FaMLNet.Tasks;
using FaMLNet.Tests.Training;
using FaMLNet.Training;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>What each flag of <see cref="LayerDiagnostics"/> costs: whole epochs with it and with none, in turn.</summary>
internal static class DiagnosticsBenchmark
{
    private static readonly LayerDiagnostics[] Flags =
    [
        LayerDiagnostics.None, LayerDiagnostics.Alignment, LayerDiagnostics.UpdateAngle, LayerDiagnostics.Norms, LayerDiagnostics.DeadUnits,
        LayerDiagnostics.Histograms, LayerDiagnostics.All,
    ];

    public static void Run(int rounds)
    {
        Table table = new Table().Title("Cost of an epoch's measurements, % of the epoch").AddColumns(["network", "rule", "steps an epoch",
            .. Flags.Skip(1).Select(flag => $"{flag}")]);
        foreach ((string name, NetworkDefinition network, ImageShape? image, int features, int batch, int steps) in
            new (string, NetworkDefinition, ImageShape?, int, int, int)[]
        {
            ("MLP 64-128-64-10", NetworkDefinition.Mlp(128, 64), null, 64, 64, 28),
            ("MLP 784-500-500-10", NetworkDefinition.Mlp(500, 500), null, 784, 128, 80),
            ("LeNet", NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), 784, 64, 50),
        })
        {
            TrainingData data = new(features, 10, batch * steps);
            RandomGenerator random = new(1, "benchmark");
            for (int row = 0; row < batch * steps; row++)
            {
                random.FillUniform(data.Next(), 0, 1);
                data.Commit(random.NextInt32(10), null);
            }
            foreach (FeedbackRule rule in new[] { FeedbackRule.FeedbackAlignment, FeedbackRule.DirectFeedbackAlignment })
            {
                using InMemoryRows source = new(data, validationFraction: 0, seed: 1);
                double[] medians = Interleaved.Medians(rounds, 400, [.. Flags.Select(flag => (Action)(() => Fit(flag)))]);
                table.AddRow([name, rule.ShortName, $"{steps}",
                    .. medians.Skip(1).Select(median => (100 * (median / medians[0] - 1)).ToString("F1", CultureInfo.InvariantCulture))]);

                void Fit(LayerDiagnostics flag) => Trainings.Run(new TrainingRequest
                {
                    Task = new MulticlassTask(),
                    Rule = rule,
                    Network = network,
                    ImageShape = image,
                    DefaultOptimizer = new OptimizerOptions.Adam(),
                    InitialWeightScale = 1,
                    FeedbackScale = 1,
                    NumberOfEpochs = 5,
                    BatchSize = batch,
                    Seed = 1,
                    Diagnostics = flag,
                    CenterFeatures = false,
                }, source);
            }
        }
        AnsiConsole.Write(table);
    }
}
