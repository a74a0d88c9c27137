using System.Globalization;
using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Pipelines;

/// <summary>What a model must be better than: always the commonest class, or always the mean.</summary>
internal static class Baseline
{
    /// <summary>The share of the variance that a model explains at least if it has learnt something.</summary>
    private const double LeastRSquared = 0.01;

    /// <summary>A sentence for a model that has learnt nothing; null for another.</summary>
    /// <param name="data">The data that it was trained on.</param>
    /// <param name="history">Its epochs.</param>
    /// <param name="validationShare">The share of the rows that was kept aside.</param>
    public static string? Warning(DataSource data, IReadOnlyList<EpochMetrics> history, double validationShare)
    {
        if (history.Count == 0)
            return null;
        bool isValidated = history[^1].ValidationLoss != null;
        string rows = isValidated ? "validation" : "training";
        if (data.Task.HasSeveral)
            return OfSeveral(data, history, isValidated, rows);
        if (data.Task.Kind == TaskKind.Regression)
        {
            double deviation = Deviation(data);
            double? error = history.Min(epoch => isValidated ? epoch.ValidationRootMeanSquaredError : epoch.RootMeanSquaredError);
            return error * error > (1 - LeastRSquared) * deviation * deviation ? string.Create(CultureInfo.InvariantCulture,
                $"The model is no better than the mean: its root mean squared error on the "
                + $"{rows} rows is {error:G4} at best, and always predicting the mean has about {deviation:G4}.") : null;
        }
        (string name, double share, long count) = Commonest(data, data.Label);
        double? accuracy = history.Max(epoch => isValidated ? epoch.ValidationAccuracy : epoch.Accuracy);
        // What chance alone can add is no proof: one standard error of the share of as many rows.
        double measured = Math.Max(1, count * (isValidated ? validationShare : 1)), margin = Math.Sqrt(share * (1 - share) / measured);
        return accuracy <= share + margin ? string.Create(CultureInfo.InvariantCulture,
            $"The model is no better than the commonest class: its accuracy on the {rows} "
            + $"rows is {100 * accuracy:F1} % at best, and always predicting '{name}' has {100 * share:F1} %.") : null;
    }

    /// <summary>Of several numbers, the error is in standard deviations; of several labels, the accuracy is the mean over them.</summary>
    private static string? OfSeveral(DataSource data, IReadOnlyList<EpochMetrics> history, bool isValidated, string rows)
    {
        if (data.Task.Kind == TaskKind.Regression)
        {
            double? error = history.Min(epoch => isValidated ? epoch.ValidationRootMeanSquaredError : epoch.RootMeanSquaredError);
            return error >= 1 ? string.Create(CultureInfo.InvariantCulture,
                $"The model is no better than the means: its root mean squared error on the {rows} rows is {error:G4} "
                + $"standard deviations at best, and always predicting the means has about 1.") : null;
        }
        double share = data.Task.Parts.Average(part => Commonest(data, part.Name).Share);
        double? accuracy = history.Max(epoch => isValidated ? epoch.ValidationAccuracy : epoch.Accuracy);
        return accuracy <= share ? string.Create(CultureInfo.InvariantCulture,
            $"The model is no better than the commonest value of each label: {100 * accuracy:F1} % of the labels of the {rows} rows "
            + $"are right at best, and always predicting the commonest value has {100 * share:F1} %.") : null;
    }

    private static double Deviation(DataSource data)
    {
        double sum = 0, squares = 0;
        long count = 0;
        foreach (float value in data.View.GetColumn<float>(data.Label).Where(float.IsFinite))
        {
            double distance = value - sum;
            sum += distance / ++count;
            squares += distance * (value - sum);
        }
        return Math.Sqrt(squares / Math.Max(count, 1));
    }

    private static (string Name, double Share, long Count) Commonest(DataSource data, string column)
    {
        DataViewSchema.Column label = data.View.Schema[column];
        Dictionary<string, long> counts = [];
        using DataViewRowCursor cursor = data.View.GetRowCursor([label]);
        Func<string> read = Reader(cursor, label);
        while (cursor.MoveNext())
        {
            string name = read();
            if (name.Length > 0)
                counts[name] = counts.GetValueOrDefault(name) + 1;
        }
        return counts.Count == 0 ? ("", 0, 0)
            : (counts.MaxBy(pair => pair.Value).Key, (double)counts.Values.Max() / counts.Values.Sum(), counts.Values.Sum());
    }

    /// <summary>Reads the present row's class: a text, or the name of a key.</summary>
    private static Func<string> Reader(DataViewRowCursor cursor, DataViewSchema.Column label)
    {
        if (label.Type is TextDataViewType)
        {
            ValueGetter<ReadOnlyMemory<char>> getText = cursor.GetGetter<ReadOnlyMemory<char>>(label);
            ReadOnlyMemory<char> text = default;
            return () =>
            {
                getText(ref text);
                return text.ToString();
            };
        }
        VBuffer<ReadOnlyMemory<char>> names = default;
        label.GetKeyValues(ref names);
        string[] classes = [.. names.DenseValues().Select(name => name.ToString())];
        ValueGetter<uint> getKey = cursor.GetGetter<uint>(label);
        uint key = 0;
        return () =>
        {
            getKey(ref key);
            return key == 0 ? "" : classes[key - 1];
        };
    }
}
