using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Evaluation;

/// <summary>Compares predictions that are vectors with labels that are vectors.</summary>
internal static class VectorEvaluation
{
    /// <summary>Several numbers.</summary>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">There is no row, or a vector is not as long as its column says.</exception>
    public static VectorRegressionMetrics Numbers(IDataView data, string labelColumn, string scoreColumn)
    {
        DataViewSchema.Column label = Find(data, labelColumn, "labelColumnName", NumberDataViewType.Single, null),
            score = Find(data, scoreColumn, "scoreColumnName", NumberDataViewType.Single, label);
        VectorRegressionMetrics.Sums[] sums = [.. Enumerable.Range(0, WidthOf(label)).Select(_ => new VectorRegressionMetrics.Sums())];
        using DataViewRowCursor cursor = data.GetRowCursor([label, score]);
        RowOf<float> labels = new(cursor, label), scores = new(cursor, score);
        long rows = 0;
        for (; cursor.MoveNext(); rows++)
        {
            ReadOnlySpan<float> targets = labels.Values(), predicted = scores.Values();
            for (int i = 0; i < sums.Length; i++)
                sums[i].Add(targets[i], predicted[i]);
        }
        CheckRows(rows);
        IReadOnlyList<string>? names = ColumnNames.SlotNamesOf(label);
        return new VectorRegressionMetrics([.. sums.Select((sum, i) => new VectorRegressionMetrics.OutputMetrics(names?[i], sum))]);
    }

    /// <summary>Several labels.</summary>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">There is no row with scores, or a vector is not as long as its column says.</exception>
    public static MultiLabelMetrics Labels(IDataView data, string labelColumn, string scoreColumn, string predictedColumn)
    {
        DataViewSchema.Column label = Find(data, labelColumn, "labelColumnName", BooleanDataViewType.Instance, null),
            score = Find(data, scoreColumn, "scoreColumnName", NumberDataViewType.Single, label),
            predicted = Find(data, predictedColumn, "predictedLabelColumnName", BooleanDataViewType.Instance, label);
        int width = WidthOf(label);
        long[] hits = new long[width], extra = new long[width], missed = new long[width];
        List<(float Score, bool Label)>[] ranked = [.. Enumerable.Range(0, width).Select(_ => new List<(float, bool)>())];
        using DataViewRowCursor cursor = data.GetRowCursor([label, score, predicted]);
        RowOf<bool> labels = new(cursor, label), predictions = new(cursor, predicted);
        RowOf<float> scores = new(cursor, score);
        long rows = 0, right = 0, missing = 0;
        while (cursor.MoveNext())
        {
            ReadOnlySpan<bool> truth = labels.Values(), guess = predictions.Values();
            ReadOnlySpan<float> values = scores.Values();
            if (HasNaN(values))
            {
                missing++;
                continue;
            }
            rows++;
            right += truth.SequenceEqual(guess) ? 1 : 0;
            for (int i = 0; i < width; i++)
            {
                ranked[i].Add((values[i], truth[i]));
                hits[i] += truth[i] && guess[i] ? 1 : 0;
                extra[i] += !truth[i] && guess[i] ? 1 : 0;
                missed[i] += truth[i] && !guess[i] ? 1 : 0;
            }
        }
        CheckRows(rows);
        IReadOnlyList<string>? names = ColumnNames.SlotNamesOf(label);
        return new MultiLabelMetrics([.. Enumerable.Range(0, width).Select(i => new MultiLabelMetrics.LabelMetrics(names?[i], hits[i], extra[i],
            missed[i], AveragePrecision(ranked[i])))], rows, right, missing);
    }

    /// <summary>Σ (recall − recall before)·precision, one term per score that rows have.</summary>
    private static double AveragePrecision(List<(float Score, bool Label)> rows)
    {
        rows.Sort((a, b) => b.Score.CompareTo(a.Score));
        long positives = rows.Count(row => row.Label), found = 0, before = 0;
        double sum = 0;
        for (int i = 0; i < rows.Count; i++)
        {
            found += rows[i].Label ? 1 : 0;
            if (i + 1 < rows.Count && rows[i + 1].Score == rows[i].Score)
                continue;
            sum += (found - before) * ((double)found / (i + 1));
            before = found;
        }
        return positives == 0 ? double.NaN : sum / positives;
    }

    private static bool HasNaN(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (float.IsNaN(value))
                return true;
        }
        return false;
    }

    private static int WidthOf(DataViewSchema.Column column) => ((VectorDataViewType)column.Type).Size;

    private static void CheckRows(long rows)
    {
        if (rows == 0)
            throw new InvalidOperationException("The data has no row to evaluate. Check the file or filter that it comes from.");
    }

    private static DataViewSchema.Column Find(IDataView data, string name, string argument, DataViewType item, DataViewSchema.Column? label)
    {
        DataViewSchema.Column column = data.Schema.GetColumnOrNull(name) ?? throw OptionError.Argument(argument,
            $"the data has no column '{name}'. It has: {string.Join(", ", data.Schema.Select(other => $"'{other.Name}'"))}.");
        if (column.Type is not VectorDataViewType { Size: > 0 } type || !type.ItemType.Equals(item))
            throw OptionError.Argument(argument, $"column '{name}' must be a vector of {item} of known size; found {column.Type}. Give the data that "
                + $"the fitted pipeline's Transform returns, and the label that it was trained with.");
        if (label is { } other && WidthOf(other) != type.Size)
            throw OptionError.Argument(argument, $"column '{name}' has {type.Size} values per row, but the label column '{other.Name}' has "
                + $"{WidthOf(other)}. Give the label that the model was trained with.");
        return column;
    }

    /// <summary>Reads a vector column row by row.</summary>
    private sealed class RowOf<T>(DataViewRow row, DataViewSchema.Column column)
    {
        private readonly ValueGetter<VBuffer<T>> _get = row.GetGetter<VBuffer<T>>(column);
        private readonly T[] _values = new T[WidthOf(column)];
        private VBuffer<T> _buffer;

        public ReadOnlySpan<T> Values()
        {
            _get(ref _buffer);
            if (VectorForm.Fault(_buffer, _values.Length) is { } fault)
                throw new InvalidOperationException($"Column '{column.Name}': a vector is malformed: {fault}. "
                    + "Correct the code that makes the vectors.");
            _buffer.CopyTo(_values);
            return _values;
        }
    }
}
