using System.Numerics;
using System.Runtime.InteropServices;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Rows;

/// <summary>Rows read, and those left out, by reason.</summary>
internal sealed class RowCounts
{
    public long Read { get; set; }

    public long MissingLabel { get; set; }

    public long MissingFeature { get; set; }

    public long MissingWeight { get; set; }

    public string Describe() =>
        $"{MissingFeature} with missing (NaN) features, {MissingLabel} with a missing label, {MissingWeight} with a missing (NaN) weight";

    public string Describe(RowColumns columns) =>
        $"{MissingFeature} with missing (NaN) features in column '{columns.Features.Name}', {MissingLabel} with a missing label in column "
            + $"'{columns.Label.Name}'"
        + (columns.Weight is { } weight ? $", {MissingWeight} with a missing (NaN) weight in column '{weight.Name}'" : "");
}

/// <summary>Reads the usable rows of a view, one by one: leaves out rows that lack something, refuses what cannot be trained on.</summary>
internal sealed class RowReader : IDisposable
{
    private readonly RowColumns _columns;
    private readonly Action _checkCancelled;
    private readonly DataViewRowCursor _cursor;
    private readonly ValueGetter<VBuffer<float>> _getFeatures;
    private readonly Func<bool> _tryGetLabel;
    private readonly int[] _label;
    private readonly ValueGetter<float>? _getWeight;
    private VBuffer<float> _buffer;

    /// <param name="data">The view.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="checkCancelled">Called at every row; throws to stop.</param>
    public RowReader(IDataView data, RowColumns columns, Action checkCancelled)
    {
        _columns = columns;
        _checkCancelled = checkCancelled;
        DataViewSchema.Column[] wanted = columns.Weight is { } weight ? [columns.Features, columns.Label, weight] : [columns.Features, columns.Label];
        _cursor = data.GetRowCursor(wanted);
        _getFeatures = _cursor.GetGetter<VBuffer<float>>(columns.Features);
        _label = new int[columns.LabelWidth];
        _tryGetLabel = LabelGetter();
        _getWeight = columns.Weight is { } column ? RowCursorUtils.GetGetterAs<float>(NumberDataViewType.Single, _cursor, column.Index) : null;
    }

    public RowCounts Counts { get; } = new();

    /// <summary>The largest magnitude of a feature so far.</summary>
    public float Largest { get; private set; }

    /// <summary>The features of the row at hand; if they are sparse, in rising order and within the column's size.</summary>
    public ref readonly VBuffer<float> Features => ref _buffer;

    /// <summary>Reads the next usable row's label and weight; its <see cref="Features"/> are at hand until the next.</summary>
    /// <param name="label">The label, as its <see cref="LabelKind"/> says; to be read before the next row.</param>
    /// <param name="weight">The example weight; 1 without a column.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidOperationException">A feature or label is infinite, a weight negative or infinite, a count negative.</exception>
    public bool Read(out ReadOnlySpan<int> label, out float weight)
    {
        label = _label;
        weight = 1;
        while (_cursor.MoveNext())
        {
            Counts.Read++;
            // A row may be a photograph to decode.
            _checkCancelled();
            bool labelled = _tryGetLabel();
            _getWeight?.Invoke(ref weight);
            if (!labelled)
                Counts.MissingLabel++;
            else if (float.IsNaN(weight))
                Counts.MissingWeight++;
            else
            {
                if (weight < 0 || float.IsInfinity(weight))
                    throw new InvalidOperationException(InvariantText.Of(
                        $"Example weight column '{_columns.Weight?.Name}'{OfSet}, row {Counts.Read}: weights must be finite and at least 0; found "
                            + $"{weight}. Correct the weight or filter the row out."));
                _getFeatures(ref _buffer);
                if (VectorForm.Fault(_buffer, _columns.Width) is { } fault)
                    throw new InvalidOperationException(InvariantText.Of($"Feature column '{_columns.Features.Name}'{OfSet}, row "
                        + $"{Counts.Read}: the vector is malformed: {fault}. Correct the code that makes the vectors."));
                float magnitude = LargestMagnitude(_buffer.GetValues());
                if (float.IsNaN(magnitude))
                    Counts.MissingFeature++;
                else
                {
                    if (float.IsInfinity(magnitude))
                        throw Infinite();
                    Largest = Math.Max(Largest, magnitude);
                    return true;
                }
            }
        }
        return false;
    }

    public void Dispose() => _cursor.Dispose();

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

    /// <summary>Puts the present row's label into its place; false if it is missing.</summary>
    private Func<bool> LabelGetter()
    {
        switch (_columns.Kind)
        {
            case LabelKind.Class:
                ValueGetter<uint> getKey = _cursor.GetGetter<uint>(_columns.Label);
                int[]? map = _columns.ClassMap;
                uint key = 0, most = (uint)(map?.Length ?? _columns.Classes);
                return () =>
                {
                    getKey(ref key);
                    int label = (int)key - 1;
                    if (key == 0 || key > most)
                        return false;
                    if (map != null)
                        label = map[label];
                    _label[0] = label;
                    return label >= 0 ? true : throw Unknown((int)key - 1);
                };
            case LabelKind.Boolean:
                ValueGetter<bool> getTruth = _cursor.GetGetter<bool>(_columns.Label);
                bool truth = false;
                return () =>
                {
                    getTruth(ref truth);
                    _label[0] = truth ? 1 : 0;
                    return true;
                };
            case LabelKind.Booleans:
                ValueGetter<VBuffer<bool>> getTruths = _cursor.GetGetter<VBuffer<bool>>(_columns.Label);
                VBuffer<bool> truths = default;
                return () =>
                {
                    getTruths(ref truths);
                    CheckForm(truths);
                    Array.Clear(_label);
                    foreach ((int slot, bool value) in truths.Items())
                        _label[slot] = value ? 1 : 0;
                    return true;
                };
            case LabelKind.Numbers:
                ValueGetter<VBuffer<float>> getNumbers = _cursor.GetGetter<VBuffer<float>>(_columns.Label);
                VBuffer<float> numbers = default;
                return () =>
                {
                    getNumbers(ref numbers);
                    CheckForm(numbers);
                    Array.Clear(_label);
                    foreach ((int slot, float value) in numbers.Items())
                    {
                        if (float.IsInfinity(value))
                            throw OutOfRange(value, slot);
                        // One NaN for all, so that hashes know no other.
                        _label[slot] = LabelBits.OfNumber(float.IsNaN(value) ? float.NaN : value);
                    }
                    return Array.Exists(_label, label => !LabelBits.IsMissing(label));
                };
            default:
                ValueGetter<float> getNumber = _cursor.GetGetter<float>(_columns.Label);
                float number = 0;
                return () =>
                {
                    getNumber(ref number);
                    _label[0] = LabelBits.OfNumber(number);
                    return float.IsNaN(number) ? false
                        : float.IsInfinity(number) || number < _columns.LeastLabel ? throw OutOfRange(number) : true;
                };
        }
    }

    private void CheckForm<T>(in VBuffer<T> label)
    {
        if (VectorForm.Fault(label, _columns.LabelWidth) is { } fault)
            throw new InvalidOperationException($"Label column '{_columns.Label.Name}'{OfSet}, row {Counts.Read}: the vector is malformed: {fault}. "
                + "Correct the code that makes the vectors.");
    }

    private InvalidOperationException Unknown(int key) => new($"Label column '{_columns.Label.Name}'{OfSet}, row {Counts.Read}: the training data "
        + $"does not know the class '{_columns.Names.Classes![key]}'; it knows {ColumnNames.Text(_columns.Training!.Names.Classes!)}. Leave out "
        + "rows of other classes.");

    /// <summary>For messages: rows of the training data go without saying.</summary>
    private string OfSet => _columns.Training == null ? "" : " of the validation data";

    private InvalidOperationException OutOfRange(float label, int? slot = null) => new($"Label column '{_columns.Label.Name}'{OfSet}, row "
        + $"{Counts.Read}{(slot is { } place ? InvariantText.Of($", slot {place}") : "")}: "
        + (float.IsInfinity(label) ? InvariantText.Of($"labels must be finite; found {label}. Correct the value or filter the row out.")
            : InvariantText.Of($"counts must be {_columns.LeastLabel} or more for the Poisson loss; found {label}. Correct the value, or choose ")
                + "another RegressionLoss."));

    private InvalidOperationException Infinite()
    {
        ReadOnlySpan<float> row = _buffer.GetValues();
        int place = 0;
        while (!float.IsInfinity(row[place]))
            place++;
        int slot = _buffer.IsDense ? place : _buffer.GetIndices()[place];
        return new InvalidOperationException(InvariantText.Of(
            $"Feature column '{_columns.Features.Name}'{OfSet}, row {Counts.Read}, slot {slot}: features must be finite; found {row[place]}. ")
            + "Correct the value or filter the row out (mlContext.Data.FilterRowsByColumn), or turn it into a missing value and replace it "
            + "(mlContext.Transforms.ReplaceMissingValues).");
    }
}
