using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet;

/// <summary>Checks the columns that a trainer reads, before any work starts, with errors that say what to do.</summary>
internal static class InputColumns
{
    private static readonly Role FeatureRole = new("Feature", "FeatureColumnName"), LabelRole = new("Label", "LabelColumnName"),
        WeightRole = new("Example weight", "ExampleWeightColumnName");

    /// <summary>The columns of predictions, which hide columns of the same names.</summary>
    public static IReadOnlyList<string> OutputsOf(LabelKind kind) => kind switch
    {
        LabelKind.Class => [DefaultColumnNames.Score, DefaultColumnNames.PredictedLabel],
        LabelKind.Boolean or LabelKind.Booleans => [DefaultColumnNames.Score, DefaultColumnNames.Probability, DefaultColumnNames.PredictedLabel],
        _ => [DefaultColumnNames.Score],
    };

    public static void Check(SchemaShape schema, string features, string label, LabelKind kind, string? weight)
    {
        CheckClash(LabelRole, label, kind);
        if (weight != null)
            CheckClash(WeightRole, weight, kind);
        if (weight == label)
            throw new ArgumentOutOfRangeException(WeightRole.Option, $"{WeightRole.Name} column '{weight}' is the label column, too. Name the column "
                + "that says how much each row counts, or none.");
        SchemaShape.Column column = Find(schema, FeatureRole, features);
        if (column.Kind == SchemaShape.Column.VectorKind.VariableVector)
            throw Mismatch(FeatureRole, features, "a vector of Single of known size", column,
                "Give the vector a size: [VectorType(n)] on the class's property, or a size in TextLoader.Options");
        if (column.Kind != SchemaShape.Column.VectorKind.Vector)
            throw Mismatch(FeatureRole, features, "a vector of Single of known size", column,
                $"Collect the feature columns with mlContext.Transforms.Concatenate(\"{features}\", …)");
        if (column.IsKey || !column.ItemType.Equals(NumberDataViewType.Single))
            throw Mismatch(FeatureRole, features, "a vector of Single of known size", column,
                column.ItemType is NumberDataViewType
                    ? $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{features}\", outputKind: DataKind.Single)"
                : $"Turn it into numbers first, for example with mlContext.Transforms.Categorical.OneHotEncoding or "
                    + $"mlContext.Transforms.Text.FeaturizeText");

        if (kind.IsVector())
            CheckVectorLabel(Find(schema, LabelRole, label), label, kind);
        else
            CheckLabel(Find(schema, LabelRole, label), label, kind);

        if (weight == null)
            return;
        column = Find(schema, WeightRole, weight);
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || column.IsKey || !column.ItemType.Equals(NumberDataViewType.Single))
            throw Mismatch(WeightRole, weight, "Single", column,
                $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{weight}\", outputKind: DataKind.Single)");
    }

    private static void CheckLabel(SchemaShape.Column column, string label, LabelKind kind)
    {
        (DataViewType type, bool isKey, string expected) = kind switch
        {
            LabelKind.Class => ((DataViewType)NumberDataViewType.UInt32, true, "a key (UInt32)"),
            LabelKind.Boolean => (BooleanDataViewType.Instance, false, "Boolean"),
            _ => (NumberDataViewType.Single, false, "Single"),
        };
        bool isScalar = column.Kind == SchemaShape.Column.VectorKind.Scalar;
        if (isScalar && column.IsKey == isKey && column.ItemType.Equals(type))
            return;
        string convert = $"mlContext.Transforms.Conversion.ConvertType(\"{label}\", outputKind: DataKind."
            + (kind == LabelKind.Boolean ? "Boolean)" : "Single)");
        throw Mismatch(LabelRole, label, expected, column, !isScalar ? "Use a column with one label a row" : kind switch
        {
            LabelKind.Class => $"Append mlContext.Transforms.Conversion.MapValueToKey(\"{label}\") before the trainer",
            LabelKind.Boolean when column.IsKey || column.ItemType is TextDataViewType => "Say which value is true: append "
                + $"mlContext.Transforms.Conversion.MapValue(\"{label}\", new Dictionary<…, bool> {{ … }}) before the trainer, or use the multiclass "
                + "trainer for more than two classes",
            LabelKind.Number when column.IsKey => "A key is a class, not a quantity: use the multiclass trainer, or the column that the key was "
                + "made of",
            LabelKind.Number when column.ItemType is TextDataViewType => $"Read it as a number, or convert it: append {convert} before the trainer",
            _ => $"Append {convert} before the trainer",
        });
    }

    private static void CheckVectorLabel(SchemaShape.Column column, string label, LabelKind kind)
    {
        bool areNumbers = kind == LabelKind.Numbers;
        DataViewType type = areNumbers ? NumberDataViewType.Single : BooleanDataViewType.Instance;
        string item = areNumbers ? "Single" : "Boolean", expected = $"a vector of {item} of known size";
        if (column.Kind == SchemaShape.Column.VectorKind.VariableVector)
            throw Mismatch(LabelRole, label, expected, column,
                "Give the vector a size: [VectorType(n)] on the class's property, or a size in TextLoader.Options");
        if (column.Kind != SchemaShape.Column.VectorKind.Vector)
            throw Mismatch(LabelRole, label, expected, column,
                $"Collect the label columns with mlContext.Transforms.Concatenate(\"{label}\", …), or "
                + $"use mlContext.{(areNumbers ? "Regression" : "BinaryClassification")}.Trainers.FeedbackAlignment for one label per row");
        if (column.IsKey || !column.ItemType.Equals(type))
            throw Mismatch(LabelRole, label, expected, column, column.IsKey || column.ItemType is TextDataViewType && !areNumbers
                ? "Say which value is true or what number it stands for: append mlContext.Transforms.Conversion.MapValue before the trainer"
                : $"Append mlContext.Transforms.Conversion.ConvertType(\"{label}\", outputKind: DataKind.{item}) before the trainer");
    }

    private static void CheckClash(Role role, string name, LabelKind kind)
    {
        if (!OutputsOf(kind).Contains(name))
            return;
        throw new ArgumentOutOfRangeException(role.Option, $"{role.Name} column '{name}' has the name of a column of predictions. The predictions "
            + $"would hide it, and an evaluation would compare them with themselves. Copy the column under another name before the trainer, "
            + $"mlContext.Transforms.CopyColumns(\"Observed{name}\", \"{name}\"), and set {role.Option} to \"Observed{name}\".");
    }

    private static SchemaShape.Column Find(SchemaShape schema, Role role, string name)
    {
        if (schema.TryFindColumn(name, out SchemaShape.Column column))
            return column;
        string found = string.Join(", ", schema.Select(other => $"'{other.Name}'"));
        throw new ArgumentOutOfRangeException(role.Option,
            $"{role.Name} column '{name}' not found. The data has: {(found.Length == 0 ? "no columns" : found)}. Name the column in the trainer's "
                + $"options, or create it before the trainer.");
    }

    private static ArgumentOutOfRangeException Mismatch(Role role, string name, string expected, SchemaShape.Column found, string cure) =>
        new(role.Option, $"{role.Name} column '{name}' must be {expected}; found {found.GetTypeString()}. {cure}.");

    /// <param name="Name">For messages.</param>
    /// <param name="Option">The option that names the column.</param>
    private sealed record Role(string Name, string Option);
}
