using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet;

/// <summary>Checks the columns that a multiclass trainer reads, before any work starts, with errors that say what to do.</summary>
internal static class InputColumns
{
    private static readonly Role FeatureRole = new("Feature", "FeatureColumnName"), LabelRole = new("Label", "LabelColumnName"),
        WeightRole = new("Example weight", "ExampleWeightColumnName");

    public static void Check(SchemaShape schema, string features, string label, string? weight)
    {
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

        column = Find(schema, LabelRole, label);
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || !column.IsKey || !column.ItemType.Equals(NumberDataViewType.UInt32))
            throw Mismatch(LabelRole, label, "a key (UInt32)", column,
                column.Kind == SchemaShape.Column.VectorKind.Scalar
                    ? $"Append mlContext.Transforms.Conversion.MapValueToKey(\"{label}\") before the trainer" : "Use a column with one label a row");

        if (weight == null)
            return;
        column = Find(schema, WeightRole, weight);
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || column.IsKey || !column.ItemType.Equals(NumberDataViewType.Single))
            throw Mismatch(WeightRole, weight, "Single", column,
                $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{weight}\", outputKind: DataKind.Single)");
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
