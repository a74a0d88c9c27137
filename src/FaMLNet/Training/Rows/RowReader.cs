using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Training;

/// <summary>The columns of a training, their types checked, with the sizes that follow from them.</summary>
internal sealed record RowColumns(DataViewSchema.Column Features, DataViewSchema.Column Label, DataViewSchema.Column? Weight)
{
    public int Width { get; } = ((VectorDataViewType)Features.Type).Size;

    public LabelKind Kind { get; } = KindOf(Label.Type);

    /// <summary>The classes of the label; 1 for numbers. Of a validation set, those of the training data.</summary>
    public int Classes { get; init; } = KindOf(Label.Type) switch { LabelKind.Class => CountClasses(Label), LabelKind.Boolean => 2, _ => 1 };

    /// <summary>Of a validation set whose keys number the classes otherwise: the training data's number of each, −1 where it has none.</summary>
    public int[]? ClassMap { get; init; }

    /// <summary>The training data's columns, of a validation set; else null.</summary>
    public RowColumns? Training { get; private init; }

    /// <summary>What the columns call classes and features.</summary>
    public ColumnNames Names { get; } = new(Features, Label);

    /// <summary>Which set it is, for messages.</summary>
    public string Set => Training == null ? "training" : "validation";

    /// <summary>Whether the features are images whose pixels the network standardises itself, so that their size does not matter.</summary>
    public bool AreStandardized { get; init; }

    /// <summary>Whether the features are known to be an image.</summary>
    public bool AreImages { get; init; }

    /// <summary>Whether a module of the user's own gets them as they are.</summary>
    public bool AreForOwnModule { get; init; }

    /// <summary>How rows are to be kept: <see cref="FeatureStorage.Auto"/> where the data may decide.</summary>
    public FeatureStorage Storage { get; init; } = FeatureStorage.Dense;

    /// <summary>The least number that a label may be.</summary>
    public float LeastLabel { get; init; } = float.NegativeInfinity;

    /// <summary>Rows after which it is decided, for the first time, how rows are kept.</summary>
    public const int RowsThatDecide = 512;

    private const int LeastWidth = 256;
    private const double MostShare = 0.05;

    /// <summary>Whether rows are or may turn out to be sparse.</summary>
    public bool MayBeSparse => Storage == FeatureStorage.Sparse || (Storage == FeatureStorage.Auto && Width >= LeastWidth);

    /// <summary>Whether rows of which this share of values is not 0 are kept with all values.</summary>
    public bool IsDense(double share) => Storage != FeatureStorage.Sparse && share > MostShare;

    /// <summary>Width and label, for messages.</summary>
    public string Describe() => Kind == LabelKind.Number ? $"{Width} features and a number to predict" : $"{Width} features and {Classes} classes";

    private static LabelKind KindOf(DataViewType type) => type switch
    {
        KeyDataViewType => LabelKind.Class,
        BooleanDataViewType => LabelKind.Boolean,
        _ => LabelKind.Number,
    };

    /// <summary>Refuses a label of which no classifier can be learnt.</summary>
    public void CheckClasses()
    {
        if (Kind != LabelKind.Class)
            return;
        if (Classes < 2)
            throw new InvalidOperationException(
                $"Label column '{Label.Name}' has {Classes} class; at least 2 are needed to learn anything. Check that the label column is the one "
                    + $"meant, and that the data holds more than one of its values.");
        if (Classes > MlpDefinition.MaximumUnits)
            throw new InvalidOperationException(
                $"Label column '{Label.Name}' has {CountClasses(Label)} classes; at most {MlpDefinition.MaximumUnits} are possible. Was an identifier "
                    + $"mapped to keys instead of a class?");
    }

    /// <summary>These columns of a validation set, compared with the training data's: classes and features by name where they have names.</summary>
    /// <param name="training">The training data's.</param>
    /// <param name="warn">Receives what is taken for granted.</param>
    /// <exception cref="InvalidOperationException">They do not go together.</exception>
    public RowColumns AsValidationOf(RowColumns training, Action<string> warn)
    {
        int[]? map = ColumnNames.Map(Names.Classes, training.Names.Classes);
        if (Width != training.Width || (map == null && Classes != training.Classes))
            throw new InvalidOperationException($"The validation data has {Describe()}; the training data has {training.Describe()}. "
                + "Transform both with the transformers fitted on the training data.");
        if (!VectorDimensions.Agree([.. Dimensions], [.. training.Dimensions]))
            throw new InvalidOperationException($"Feature column '{Features.Name}' of the validation data has the dimensions "
                + $"{VectorDimensions.Text(Dimensions)}; that of the training data has {VectorDimensions.Text(training.Dimensions)}. Give both the "
                + "same shape.");
        CheckFeatures(training.Names, "validation", "the training data", warn);
        return this with
        {
            Training = training,
            Classes = training.Classes,
            ClassMap = map,
            LeastLabel = training.LeastLabel,
            Storage = training.Storage
        };
    }

    /// <summary>Refuses features that bear the names of others.</summary>
    /// <param name="expected">What they should be called.</param>
    /// <param name="set">Which set this is.</param>
    /// <param name="other">What they are compared with.</param>
    /// <param name="warn">Receives a warning where all names are others.</param>
    /// <exception cref="InvalidOperationException">They come in another order, or some of them are others.</exception>
    public void CheckFeatures(ColumnNames expected, string set, string other, Action<string> warn)
    {
        if (ColumnNames.Compare(expected.FeatureColumn, Features) is not { } difference)
            return;
        if (difference.IsSameKind)
            throw new InvalidOperationException($"Feature column '{Features.Name}' of the {set} data: slot {difference.Slot} is "
                + $"'{difference.Found}', but '{difference.Expected}' in {other}. Give the features in the same order "
                + $"(mlContext.Transforms.Concatenate), or transform both sets with the transformers fitted on the first.");
        warn($"The features of the {set} data have other names than those of {other} (slot {difference.Slot}: '{difference.Found}', "
            + $"'{difference.Expected}'). They are taken to be the same, in the same order.");
    }

    private IReadOnlyList<int> Dimensions => ((VectorDataViewType)Features.Type).Dimensions;

    private static int CountClasses(DataViewSchema.Column label) => (int)Math.Min(((KeyDataViewType)label.Type).Count, int.MaxValue);
}

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
    private readonly TryGetLabel _tryGetLabel;
    private readonly ValueGetter<float>? _getWeight;
    private VBuffer<float> _buffer;

    /// <param name="data">The view.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="checkCancelled">Called every few rows; throws to stop.</param>
    public RowReader(IDataView data, RowColumns columns, Action checkCancelled)
    {
        _columns = columns;
        _checkCancelled = checkCancelled;
        DataViewSchema.Column[] wanted = columns.Weight is { } weight ? [columns.Features, columns.Label, weight] : [columns.Features, columns.Label];
        _cursor = data.GetRowCursor(wanted);
        _getFeatures = _cursor.GetGetter<VBuffer<float>>(columns.Features);
        _tryGetLabel = LabelGetter();
        _getWeight = columns.Weight is { } column ? RowCursorUtils.GetGetterAs<float>(NumberDataViewType.Single, _cursor, column.Index) : null;
    }

    public RowCounts Counts { get; } = new();

    /// <summary>The largest magnitude of a feature so far.</summary>
    public float Largest { get; private set; }

    /// <summary>The features of the row at hand; if they are sparse, in rising order and within the column's size.</summary>
    public ref readonly VBuffer<float> Features => ref _buffer;

    /// <summary>Reads the next usable row's label and weight; its <see cref="Features"/> are at hand until the next.</summary>
    /// <param name="label">The label, as its <see cref="LabelKind"/> says.</param>
    /// <param name="weight">The example weight; 1 without a column.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidOperationException">A feature or label is infinite, a weight negative or infinite, a count negative.</exception>
    public bool Read(out int label, out float weight)
    {
        label = 0;
        weight = 1;
        while (_cursor.MoveNext())
        {
            if ((Counts.Read++ & 255) == 0)
                _checkCancelled();
            bool labelled = _tryGetLabel(out label);
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
                    throw new InvalidOperationException(InvariantText.Of($"Feature column '{_columns.Features.Name}'{OfSet}, row {Counts.Read}: the vector "
                        + $"is malformed: {fault}. Correct the code that makes the vectors."));
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

    /// <summary>The present row's label; false if it is missing.</summary>
    private delegate bool TryGetLabel(out int label);

    private TryGetLabel LabelGetter()
    {
        switch (_columns.Kind)
        {
            case LabelKind.Class:
                ValueGetter<uint> getKey = _cursor.GetGetter<uint>(_columns.Label);
                int[]? map = _columns.ClassMap;
                uint key = 0, most = (uint)(map?.Length ?? _columns.Classes);
                return (out int label) =>
                {
                    getKey(ref key);
                    label = (int)key - 1;
                    if (key == 0 || key > most)
                        return false;
                    if (map == null)
                        return true;
                    label = map[label];
                    return label >= 0 ? true : throw Unknown((int)key - 1);
                };
            case LabelKind.Boolean:
                ValueGetter<bool> getTruth = _cursor.GetGetter<bool>(_columns.Label);
                bool truth = false;
                return (out int label) =>
                {
                    getTruth(ref truth);
                    label = truth ? 1 : 0;
                    return true;
                };
            default:
                ValueGetter<float> getNumber = _cursor.GetGetter<float>(_columns.Label);
                float number = 0;
                return (out int label) =>
                {
                    getNumber(ref number);
                    label = Labels.OfNumber(number);
                    return float.IsNaN(number) ? false
                        : float.IsInfinity(number) || number < _columns.LeastLabel ? throw OutOfRange(number) : true;
                };
        }
    }

    private InvalidOperationException Unknown(int key) => new($"Label column '{_columns.Label.Name}'{OfSet}, row {Counts.Read}: the training data "
        + $"does not know the class '{_columns.Names.Classes![key]}'; it knows {ColumnNames.Text(_columns.Training!.Names.Classes!)}. Leave out rows of "
        + "other classes.");

    /// <summary>For messages: rows of the training data go without saying.</summary>
    private string OfSet => _columns.Training == null ? "" : " of the validation data";

    private InvalidOperationException OutOfRange(float label) => new(InvariantText.Of($"Label column '{_columns.Label.Name}'{OfSet}, row {Counts.Read}: ")
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
