namespace FaMLNet.Tests.Reporting;

/// <summary>Histories made up for tests: every measurement, all values different.</summary>
internal static class Histories
{
    public static EpochMetrics[] Make(int epochs, string[]? layers = null, double shift = 0, bool validates = true) =>
        [.. Enumerable.Range(1, epochs).Select(epoch => Epoch(epoch, layers ?? ["conv1", "dense1", "dense2"], shift, validates))];

    public static EpochMetrics Epoch(int epoch, string[] layers, double shift, bool validates)
    {
        Dictionary<string, double> By(double start, double step) =>
            layers.Select((layer, i) => (layer, value: start + shift + i * step + 1.0 / (epoch + 7 * i + 3)))
                .ToDictionary(pair => pair.layer, pair => pair.value);
        return new EpochMetrics
        {
            Epoch = epoch,
            Loss = 2.3 / epoch + shift,
            Accuracy = 1 - 0.9 / (epoch + 1),
            ValidationLoss = validates ? 2.4 / epoch + shift : null,
            ValidationAccuracy = validates ? 1 - 0.95 / (epoch + 1) : null,
            LearningRate = 0.01 / epoch,
            SamplesPerSecond = 1000.5 + epoch,
            AlignmentAngle = By(60, -5),
            NormRatio = By(1, 0.2),
            WeightNorm = By(7, 1),
            GradientNorm = By(0.1, 0.5),
            UpdateRatio = By(0.001, 0.003),
            DeadUnits = By(0.01, 0.05),
            UpdateAngle = By(40, -11),
            TotalUpdateAngle = 33 + shift + 1.0 / epoch,
        };
    }
}
