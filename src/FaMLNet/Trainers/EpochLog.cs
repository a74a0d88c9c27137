using System.Diagnostics;
using System.Globalization;

namespace FaMLNet;

/// <summary>The line that the log gets after each epoch.</summary>
internal sealed class EpochLog(int epochs)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private int _first;

    public string Line(EpochMetrics metrics)
    {
        if (_first == 0)
            _first = metrics.Epoch;
        TimeSpan left = _watch.Elapsed / (metrics.Epoch - _first + 1) * (epochs - metrics.Epoch);
        string training = Measure("", metrics.Accuracy, metrics.RootMeanSquaredError);
        string validation = metrics.ValidationLoss is { } loss ? string.Create(CultureInfo.InvariantCulture, $", validation loss {loss:F4}")
            + Measure("validation ", metrics.ValidationAccuracy, metrics.ValidationRootMeanSquaredError) : "";
        string top = metrics.ValidationTopKAccuracy is { } accuracy
            ? string.Create(CultureInfo.InvariantCulture, $", validation top-k accuracy {accuracy:F4}") : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"Epoch {metrics.Epoch}/{epochs}: loss {metrics.Loss:F4}{training}{validation}{top}, learning rate "
                + $"{metrics.LearningRate:G4}, {metrics.SamplesPerSecond:F0} samples/s, {left:hh\\:mm\\:ss} left.");
    }

    /// <summary>A classifier's accuracy, or how far a regression is off.</summary>
    private static string Measure(string prefix, double? accuracy, double? error) => error is { } distance
        ? string.Create(CultureInfo.InvariantCulture, $", {prefix}RMSE {distance:G4}")
        : string.Create(CultureInfo.InvariantCulture, $", {prefix}accuracy {accuracy:F4}");
}
