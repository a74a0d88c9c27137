using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Rows;

/// <summary>The columns of a training, their types checked, with the sizes that follow from them.</summary>
internal sealed record RowColumns(DataViewSchema.Column Features, DataViewSchema.Column Label, DataViewSchema.Column? Weight)
{
    public int Width { get; } = ((VectorDataViewType)Features.Type).Size;

    public LabelKind Kind { get; } = KindOf(Label.Type);

    /// <summary>Values per label: 1, or the size of a label that is a vector.</summary>
    public int LabelWidth { get; } = Label.Type is VectorDataViewType vector ? vector.Size : 1;

    /// <summary>Outputs of a network that learns the label.</summary>
    public int Outputs => Kind == LabelKind.Class ? Classes : LabelWidth;

    /// <summary>The classes of the label; 1 for numbers and vectors. Of a validation set, those of the training data.</summary>
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
    public string Describe() => Kind switch
    {
        LabelKind.Number => $"{Width} features and a number to predict",
        LabelKind.Numbers => $"{Width} features and {LabelWidth} numbers to predict",
        LabelKind.Booleans => $"{Width} features and {LabelWidth} labels",
        _ => $"{Width} features and {Classes} classes",
    };

    private static LabelKind KindOf(DataViewType type) => type switch
    {
        KeyDataViewType => LabelKind.Class,
        BooleanDataViewType => LabelKind.Boolean,
        VectorDataViewType { ItemType: BooleanDataViewType } => LabelKind.Booleans,
        VectorDataViewType => LabelKind.Numbers,
        _ => LabelKind.Number,
    };

    /// <summary>Refuses a label of which no classifier can be learnt.</summary>
    public void CheckClasses()
    {
        if (LabelWidth > MlpDefinition.MaximumUnits)
            throw new InvalidOperationException($"Label column '{Label.Name}' has {LabelWidth} values per row; at most {MlpDefinition.MaximumUnits} "
                + "are possible. Check that the label column is the one meant.");
        if (Kind != LabelKind.Class)
            return;
        if (Classes < 2)
            throw new InvalidOperationException(
                $"Label column '{Label.Name}' has {Classes} class; at least 2 are needed to learn anything. Check that the label column is the one "
                    + $"meant, and that the data holds more than one of its values.");
        if (Classes > MlpDefinition.MaximumUnits)
            throw new InvalidOperationException(
                $"Label column '{Label.Name}' has {CountClasses(Label)} classes; at most {MlpDefinition.MaximumUnits} are possible. Was an "
                    + $"identifier mapped to keys instead of a class?");
    }

    /// <summary>These columns of a validation set, compared with the training data's: classes and features by name where they have names.</summary>
    /// <param name="training">The training data's.</param>
    /// <param name="warn">Receives what is taken for granted.</param>
    /// <exception cref="InvalidOperationException">They do not go together.</exception>
    public RowColumns AsValidationOf(RowColumns training, Action<string> warn)
    {
        int[]? map = ColumnNames.Map(Names.Classes, training.Names.Classes);
        // Numbers up to the largest label of a file: which classes there are was never said.
        bool areNumbered = Classes != training.Classes && Names.AreNumbers && training.Names.AreNumbers;
        if (Width != training.Width || areNumbered || (map == null && Classes != training.Classes)
            || LabelWidth != training.LabelWidth)
            throw new InvalidOperationException($"The validation data has {Describe()}; the training data has {training.Describe()}. "
                + (areNumbered ? "The classes of a file read by LoadFromIdx are 0, 1, … up to the largest label in that file. Give LoadFromIdx the "
                + $"same labelNames for both, of all {Math.Max(Classes, training.Classes)} classes."
                : "Transform both with the transformers fitted on the training data."));
        if (!VectorDimensions.Agree([.. Dimensions], [.. training.Dimensions]))
            throw new InvalidOperationException($"Feature column '{Features.Name}' of the validation data has the dimensions "
                + $"{VectorDimensions.Text(Dimensions)}; that of the training data has {VectorDimensions.Text(training.Dimensions)}. Give both the "
                + "same shape.");
        CheckFeatures(training.Names, "validation", "the training data", warn);
        CheckTargets(training.Label, "validation", "the training data", warn);
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

    /// <summary>Refuses labels that are vectors whose values bear the names of others.</summary>
    /// <param name="expected">The label column that they should be like; null where it is not known.</param>
    /// <param name="set">Which set this is.</param>
    /// <param name="other">What they are compared with.</param>
    /// <param name="warn">Receives a warning where all names are others.</param>
    /// <exception cref="InvalidOperationException">They come in another order, or some of them are others.</exception>
    public void CheckTargets(DataViewSchema.Column? expected, string set, string other, Action<string> warn)
    {
        if (!Kind.IsVector() || expected is not { } column || ColumnNames.Compare(column, Label) is not { } difference)
            return;
        if (difference.IsSameKind)
            throw new InvalidOperationException($"Label column '{Label.Name}' of the {set} data: slot {difference.Slot} is '{difference.Found}', but "
                + $"'{difference.Expected}' in {other}. Give the labels in the same order (mlContext.Transforms.Concatenate).");
        warn($"The labels of the {set} data have other names than those of {other} (slot {difference.Slot}: '{difference.Found}', "
            + $"'{difference.Expected}'). They are taken to be the same, in the same order.");
    }

    private IReadOnlyList<int> Dimensions => ((VectorDataViewType)Features.Type).Dimensions;

    private static int CountClasses(DataViewSchema.Column label) => (int)Math.Min(((KeyDataViewType)label.Type).Count, int.MaxValue);
}
