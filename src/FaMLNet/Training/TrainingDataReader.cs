using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Training;

/// <summary>Reads features, key-typed labels and weights of an <see cref="IDataView"/> into memory, and refuses what cannot be trained on.</summary>
internal static class TrainingDataReader
{
    /// <summary>Reads all usable rows.</summary>
    /// <param name="data">The training data; types already checked.</param>
    /// <param name="features">Its features, a vector of known size.</param>
    /// <param name="label">Its label, a key.</param>
    /// <param name="weight">Its example weight, if any.</param>
    /// <param name="channel">Receives how many rows were left out and why, and advice on unscaled features.</param>
    /// <param name="checkCancelled">Called every few rows; throws to stop.</param>
    /// <exception cref="InvalidOperationException">There is nothing to train on, or a feature is infinite, or a weight is negative.</exception>
    public static TrainingData Read(IDataView data, DataViewSchema.Column features, DataViewSchema.Column label, DataViewSchema.Column? weight, IChannel channel, Action checkCancelled)
    {
        int classes = CountClasses(label);
        int width = ((VectorDataViewType)features.Type).Size;
        TrainingData rows = new(width, classes, data.GetRowCount());
        Counts counts = new();
        float largest = 0;

        DataViewSchema.Column[] columns = weight is { } w ? [features, label, w] : [features, label];
        using (DataViewRowCursor cursor = data.GetRowCursor(columns))
        {
            ValueGetter<VBuffer<float>> getFeatures = cursor.GetGetter<VBuffer<float>>(features);
            ValueGetter<uint> getLabel = cursor.GetGetter<uint>(label);
            ValueGetter<float>? getWeight = weight is { } column ? RowCursorUtils.GetGetterAs<float>(NumberDataViewType.Single, cursor, column.Index) : null;
            VBuffer<float> buffer = default;
            uint key = 0;
            float value = 1;
            while (cursor.MoveNext())
            {
                if ((counts.Read++ & 255) == 0)
                    checkCancelled();
                getLabel(ref key);
                getWeight?.Invoke(ref value);
                if (key == 0 || key > (uint)classes)
                    counts.MissingLabel++;
                else if (float.IsNaN(value))
                    counts.MissingWeight++;
                else
                {
                    CheckWeight(value, weight, counts.Read);
                    getFeatures(ref buffer);
                    Span<float> row = rows.Next();
                    buffer.CopyTo(row);
                    float magnitude = LargestMagnitude(row);
                    if (float.IsNaN(magnitude))
                        counts.MissingFeature++;
                    else
                    {
                        if (float.IsInfinity(magnitude))
                            throw Infinite(features, row, counts.Read);
                        largest = Math.Max(largest, magnitude);
                        rows.Commit((int)key - 1, getWeight == null ? null : value);
                    }
                }
            }
        }
        CheckUsable(rows, counts, features, label, weight);
        Report(rows, counts, largest, features, channel);
        rows.NormalizeWeights();
        return rows;
    }

    /// <summary>The largest |x| of a row: NaN if any is, else ∞ if any is.</summary>
    internal static float LargestMagnitude(ReadOnlySpan<float> row)
    {
        // Magnitudes compare as integers, infinity above all numbers and NaN above infinity.
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(row);
        Vector<int> mask = new(0x7FFF_FFFF), largest = Vector<int>.Zero;
        int i = 0;
        for (; i <= bits.Length - Vector<int>.Count; i += Vector<int>.Count)
            largest = Vector.Max(largest, new Vector<int>(bits[i..]) & mask);
        int result = 0;
        for (int lane = 0; lane < Vector<int>.Count; lane++)
            result = Math.Max(result, largest[lane]);
        for (; i < bits.Length; i++)
            result = Math.Max(result, bits[i] & 0x7FFF_FFFF);
        return BitConverter.Int32BitsToSingle(result);
    }

    private static int CountClasses(DataViewSchema.Column label)
    {
        ulong count = ((KeyDataViewType)label.Type).Count;
        if (count < 2)
            throw new InvalidOperationException(
                $"Label column '{label.Name}' has {count} class; at least 2 are needed to learn anything. Check that the label column is the one meant, and that the data holds more than one of its values.");
        if (count > MlpDefinition.MaximumUnits)
            throw new InvalidOperationException(
                $"Label column '{label.Name}' has {count} classes; at most {MlpDefinition.MaximumUnits} are possible. Was an identifier mapped to keys instead of a class?");
        return (int)count;
    }

    private static void CheckWeight(float value, DataViewSchema.Column? column, long row)
    {
        if (value < 0 || float.IsInfinity(value))
            throw new InvalidOperationException($"Example weight column '{column?.Name}', row {row}: weights must be finite and at least 0; found {value}. Correct the weight or filter the row out.");
    }

    private static InvalidOperationException Infinite(DataViewSchema.Column features, ReadOnlySpan<float> row, long number)
    {
        int slot = 0;
        while (!float.IsInfinity(row[slot]))
            slot++;
        return new InvalidOperationException(
            $"Feature column '{features.Name}', row {number}, slot {slot}: features must be finite; found {row[slot]}. "
            + "Correct the value or filter the row out (mlContext.Data.FilterRowsByColumn), or turn it into a missing value and replace it (mlContext.Transforms.ReplaceMissingValues).");
    }

    private static void CheckUsable(TrainingData rows, Counts counts, DataViewSchema.Column features, DataViewSchema.Column label, DataViewSchema.Column? weight)
    {
        if (counts.Read == 0)
            throw new InvalidOperationException("The training data has no rows. Check the file or filter that it comes from.");
        if (rows.Count == 0)
        {
            string found = counts.MissingLabel == counts.Read ? $"all {counts.Read} rows have a missing label in column '{label.Name}'. Check that MapValueToKey was fitted on the label's values and that the column is read from the right place"
                : counts.MissingFeature == counts.Read ? $"all {counts.Read} rows have missing (NaN) features in column '{features.Name}'. Fill them in with mlContext.Transforms.ReplaceMissingValues(\"{features.Name}\")"
                : $"all {counts.Read} rows lack something: {counts.Describe(features, label, weight)}";
            throw new InvalidOperationException($"No row of the training data can be used: {found}.");
        }
        int first = rows.Labels[0];
        if (rows.Labels.IndexOfAnyExcept(first) < 0)
            throw new InvalidOperationException(
                $"All {rows.Count} usable rows have the same label in column '{label.Name}' (key {first + 1}); at least 2 classes are needed to learn anything. Check the label column and how the data was split.");
        if (rows.Weights.Length > 0 && rows.Weights.IndexOfAnyExcept(0f) < 0)
            throw new InvalidOperationException($"All weights in example weight column '{weight?.Name}' are 0: no row counts. Give at least one row a weight above 0, or no weight column.");
    }

    private static void Report(TrainingData rows, Counts counts, float largest, DataViewSchema.Column features, IChannel channel)
    {
        long skipped = counts.Read - rows.Count;
        if (skipped > 0)
            channel.Warning($"Left out {skipped} of {counts.Read} rows: {counts.Describe()}.");
        channel.Info($"Read {rows.Count} rows of {rows.Features} features and {rows.Classes} classes.");
        if (largest > 100)
            channel.Warning(
                $"Feature column '{features.Name}' has values up to {largest:G4} in magnitude. Neural networks learn slowly or not at all from unscaled features: "
                + $"add mlContext.Transforms.NormalizeMeanVariance(\"{features.Name}\") before the trainer.");
    }

    private sealed class Counts
    {
        public long Read { get; set; }

        public long MissingLabel { get; set; }

        public long MissingFeature { get; set; }

        public long MissingWeight { get; set; }

        public string Describe() => $"{MissingFeature} with missing (NaN) features, {MissingLabel} with a missing label, {MissingWeight} with a missing (NaN) weight";

        public string Describe(DataViewSchema.Column features, DataViewSchema.Column label, DataViewSchema.Column? weight) =>
            $"{MissingFeature} with missing (NaN) features in column '{features.Name}', {MissingLabel} with a missing label in column '{label.Name}'"
            + (weight is { } column ? $", {MissingWeight} with a missing (NaN) weight in column '{column.Name}'" : "");
    }
}
