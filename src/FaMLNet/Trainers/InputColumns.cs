using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet;

/// <summary>Checks the columns that a multiclass trainer reads, before any work starts, with errors that say what to do.</summary>
internal static class InputColumns
{
    public static void Check(SchemaShape schema, string features, string label, string? weight)
    {
        SchemaShape.Column column = Find(schema, "Feature", features);
        if (column.Kind == SchemaShape.Column.VectorKind.VariableVector)
            throw Mismatch("Feature", features, "a vector of Single of known size", column,
                "Give the vector a size: [VectorType(n)] on the class's property, or a size in TextLoader.Options");
        if (column.Kind != SchemaShape.Column.VectorKind.Vector)
            throw Mismatch("Feature", features, "a vector of Single of known size", column, $"Collect the feature columns with mlContext.Transforms.Concatenate(\"{features}\", …)");
        if (column.IsKey || !column.ItemType.Equals(NumberDataViewType.Single))
            throw Mismatch("Feature", features, "a vector of Single of known size", column,
                column.ItemType is NumberDataViewType ? $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{features}\", outputKind: DataKind.Single)"
                : $"Turn it into numbers first, for example with mlContext.Transforms.Categorical.OneHotEncoding or mlContext.Transforms.Text.FeaturizeText");

        column = Find(schema, "Label", label);
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || !column.IsKey || !column.ItemType.Equals(NumberDataViewType.UInt32))
            throw Mismatch("Label", label, "a key (UInt32)", column,
                column.Kind == SchemaShape.Column.VectorKind.Scalar ? $"Append mlContext.Transforms.Conversion.MapValueToKey(\"{label}\") before the trainer" : "Use a column with one label a row");

        if (weight == null)
            return;
        column = Find(schema, "Example weight", weight);
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || column.IsKey || !column.ItemType.Equals(NumberDataViewType.Single))
            throw Mismatch("Example weight", weight, "Single", column, $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{weight}\", outputKind: DataKind.Single)");
    }

    private static SchemaShape.Column Find(SchemaShape schema, string role, string name)
    {
        if (schema.TryFindColumn(name, out SchemaShape.Column column))
            return column;
        string found = string.Join(", ", schema.Select(other => $"'{other.Name}'"));
        throw new ArgumentOutOfRangeException(nameof(schema),
            $"{role} column '{name}' not found. The data has: {(found.Length == 0 ? "no columns" : found)}. Name the column in the trainer's options, or create it before the trainer.");
    }

    private static ArgumentOutOfRangeException Mismatch(string role, string name, string expected, SchemaShape.Column found, string cure) =>
        new(nameof(name), $"{role} column '{name}' must be {expected}; found {found.GetTypeString()}. {cure}.");
}
