using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace FaMLNet.Rows;

/// <summary>Reads the usable rows of an <see cref="IDataView"/> into memory, and refuses data that cannot be trained on.</summary>
internal static class TrainingDataReader
{
    private const float LargestUnscaled = 100, MostPixel = 255;

    /// <summary>Reads all usable rows.</summary>
    /// <param name="data">The training data; types already checked.</param>
    /// <param name="features">Its features, a vector of known size.</param>
    /// <param name="label">Its label, a key.</param>
    /// <param name="weight">Its example weight, if any.</param>
    /// <param name="channel">Receives how many rows were left out and why, and advice on unscaled features.</param>
    /// <param name="checkCancelled">Called every few rows; throws to stop.</param>
    /// <exception cref="InvalidOperationException">There is nothing to train on, or a feature is infinite, or a weight is negative.</exception>
    public static TrainingData Read(IDataView data, DataViewSchema.Column features, DataViewSchema.Column label, DataViewSchema.Column? weight,
        IChannel channel, Action checkCancelled)
    {
        RowColumns columns = new(features, label, weight);
        columns.CheckClasses();
        return TryRead(data, columns, channel, checkCancelled, long.MaxValue)!;
    }

    /// <summary>Reads all usable rows, or gives up.</summary>
    /// <param name="data">The training data.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="channel">Receives messages.</param>
    /// <param name="checkCancelled">Called every few rows; throws to stop.</param>
    /// <param name="mostBytes">Bytes of rows above which reading is given up.</param>
    /// <param name="isTraining">Whether the rows must allow learning: two classes and a weight above 0.</param>
    /// <returns>Null if the rows need more memory than allowed.</returns>
    public static TrainingData? TryRead(IDataView data, RowColumns columns, IChannel channel, Action checkCancelled, long mostBytes,
        bool isTraining = true)
    {
        // What is sparse is known when some rows are read: until then they are taken for it.
        TrainingData rows = new(columns.Width, columns.Classes, data.GetRowCount(), kind: columns.Kind, sparse: columns.MayBeSparse,
            labelWidth: columns.LabelWidth);
        using RowReader reader = new(data, columns, checkCancelled);
        while (reader.Read(out ReadOnlySpan<int> label, out float weight))
        {
            rows.Add(reader.Features, label, columns.Weight == null ? null : weight);
            if (rows.IsSparse && (rows.Count & (rows.Count - 1)) == 0 && rows.Count >= RowColumns.RowsThatDecide && columns.IsDense(rows.Share))
                rows = rows.ToDense(data.GetRowCount());
            if ((rows.Count & 1023) == 0 && rows.Bytes > mostBytes)
                return null;
        }
        if (rows.IsSparse && columns.IsDense(rows.Share))
            rows = rows.ToDense(rows.Count);
        long[] counts = new long[columns.Classes];
        TargetMoments targets = new(columns.LabelWidth);
        for (int row = 0; row < rows.Count; row++)
        {
            counts[rows.ClassOf(row)]++;
            targets.Add(rows.Kind, rows.LabelOf(row));
        }
        CheckUsable(columns, reader.Counts, counts, targets, anyWeight: rows.Weights.Length == 0 || rows.Weights.IndexOfAnyExcept(0f) >= 0,
            isTraining);
        Report(columns, reader, rows.Count, channel, arePixels: rows.IsPacked);
        if (isTraining)
            TargetChecks.Warn(columns, targets, channel);
        return rows;
    }

    /// <summary>Refuses rows from which nothing can be learnt.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="read">What was read and left out.</param>
    /// <param name="counts">Usable rows of each class.</param>
    /// <param name="targets">Of labels that are numbers or vectors.</param>
    /// <param name="anyWeight">Whether any row counts.</param>
    /// <param name="isTraining">False for a validation set, which may have a single label.</param>
    public static void CheckUsable(RowColumns columns, RowCounts read, ReadOnlySpan<long> counts, TargetMoments targets, bool anyWeight,
        bool isTraining)
    {
        string set = columns.Set;
        if (read.Read == 0)
            throw new InvalidOperationException($"The {set} data has no rows. Check the file or filter that it comes from.");
        int classes = 0, last = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] > 0)
                (classes, last) = (classes + 1, i);
        }
        if (classes == 0)
        {
            string found = read.MissingLabel == read.Read ? $"all {read.Read} rows have a missing label in column '{columns.Label.Name}'. Check "
                + (columns.Kind == LabelKind.Class ? "that MapValueToKey was fitted on the label's values and " : "")
                + "that the column is read from the right place"
                : read.MissingFeature == read.Read ? $"all {read.Read} rows have missing (NaN) features in column '{columns.Features.Name}'. Fill "
                    + $"them in with mlContext.Transforms.ReplaceMissingValues(\"{columns.Features.Name}\")"
                : $"all {read.Read} rows lack something: {read.Describe(columns)}";
            throw new InvalidOperationException($"No row of the {set} data can be used: {found}.");
        }
        if (isTraining && columns.Kind.IsVector())
            TargetChecks.Check(columns, targets);
        if (isTraining && columns.Kind == LabelKind.Number && !targets.Varies(0))
            throw new InvalidOperationException($"All {counts[0]} usable rows have the same label in column '{columns.Label.Name}': there is nothing "
                + "to learn. Check the label column and how the data was split.");
        if (isTraining && columns.Kind == LabelKind.Boolean && classes == 1)
            throw new InvalidOperationException($"All {counts[last]} usable rows have the label {(last == 1 ? "true" : "false")} in column "
                + $"'{columns.Label.Name}'; both are needed to learn anything. Check the label column and how the data was split.");
        if (isTraining && columns.Kind == LabelKind.Class && classes == 1)
            throw new InvalidOperationException(
                $"All {counts[last]} usable rows have the same label in column '{columns.Label.Name}' (key {last + 1}); at least 2 classes are "
                    + $"needed to learn anything. Check the label column and how the data was split.");
        if (!anyWeight)
            throw new InvalidOperationException($"All weights in example weight column '{columns.Weight?.Name}'"
                + $"{(isTraining ? "" : " of the validation data")} are 0: no row counts. Give at "
                + $"least one row a weight above 0, or no weight column.");
    }

    /// <summary>Tells what was read, and what features need that are too large.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="reader">What has read them.</param>
    /// <param name="usable">How many rows can be used.</param>
    /// <param name="channel">Receives messages.</param>
    /// <param name="arePixels">Whether all values are known to be those of pixels.</param>
    public static void Report(RowColumns columns, RowReader reader, long usable, IChannel channel, bool arePixels)
    {
        long skipped = reader.Counts.Read - usable;
        if (skipped > 0)
            channel.Warning($"Left out {skipped} of {reader.Counts.Read} rows: {reader.Counts.Describe()}, in the {columns.Set} data.");
        channel.Info($"Read {usable} rows of {columns.Describe()} ({columns.Set} data).");
        // Pixels need no scaling: convolutional networks standardise them, and dense ones learn from them as well as from scaled ones.
        arePixels |= columns.AreImages && reader.Largest <= MostPixel;
        if (reader.Largest <= LargestUnscaled || columns.Training != null || columns.AreStandardized || (arePixels && !columns.AreForOwnModule))
            return;
        if (arePixels)
            channel.Warning(InvariantText.Of($"Feature column '{columns.Features.Name}' has pixels up to {reader.Largest:G4}, and a network of ")
                + "your own gets them as they are. Scale them, by scaleImage: 1 / 255f of ExtractPixels or in the module.");
        else
            channel.Warning(
                InvariantText.Of($"Feature column '{columns.Features.Name}' has values up to {reader.Largest:G4} in magnitude. Neural networks "
                    + $"learn slowly or not at all from unscaled features: ")
                + $"add mlContext.Transforms.NormalizeMeanVariance(\"{columns.Features.Name}\") before the trainer.");
    }
}
