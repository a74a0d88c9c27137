using FaMLNet.Rows;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>Checks what a transformer is made of: a model, and the columns that it is to read.</summary>
internal static class TransformerArguments
{
    /// <summary>A host of that name, if the columns are those that the model needs.</summary>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A column is missing, or is not what the model was trained on; the message names it.</exception>
    public static IHost Check(IHostEnvironment env, string name, INetworkModel model, DataViewSchema inputSchema, string featureColumnName,
        string? labelColumnName, LabelKind kind)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputSchema);
        ArgumentException.ThrowIfNullOrWhiteSpace(featureColumnName);
        CheckFeatures(model, Find(inputSchema, featureColumnName, "Feature", nameof(featureColumnName), ""), nameof(featureColumnName));
        if (labelColumnName != null)
            CheckLabel(model, Find(inputSchema, labelColumnName, "Label", nameof(labelColumnName), ", or null if there is none"), kind,
                nameof(labelColumnName));
        return env.Register(name);
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, string role, string argument, string alternative) =>
        schema.GetColumnOrNull(name) ?? throw new ArgumentException($"{role} column '{name}' is not among the columns of the schema: "
            + $"{string.Join(", ", schema.Where(column => !column.IsHidden).Select(column => $"'{column.Name}'"))}. Give the schema of the rows just "
            + $"before the trainer, and the name of the column there{alternative}.", argument);

    private static void CheckFeatures(INetworkModel model, DataViewSchema.Column column, string argument)
    {
        if (column.Type is not VectorDataViewType { ItemType: NumberDataViewType } type || !type.ItemType.Equals(NumberDataViewType.Single)
            || type.Size != model.NumberOfFeatures)
            throw new ArgumentException($"Feature column '{column.Name}' must be a vector of {model.NumberOfFeatures} Single, as the model was "
                + $"trained on; found {column.Type}. Give the schema of the rows just before the trainer.", argument);
        if (model.Layout.ImageInput is { } image && !VectorDimensions.Agree(type.Dimensions, image.Dimensions))
            throw new ArgumentException($"Feature column '{column.Name}' has the dimensions {VectorDimensions.Text(type.Dimensions)}; the model was "
                + $"trained on images of {image}. Give it values in that order.", argument);
        if (model.Names is { } names && ColumnNames.Compare(names.FeatureColumn, column) is { IsSameKind: true } difference)
            throw new ArgumentException($"Feature column '{column.Name}' has its features in another order than the training data: slot "
                + $"{difference.Slot} is '{difference.Found}', and was '{difference.Expected}'. Give them in the order of then.", argument);
    }

    private static void CheckLabel(INetworkModel model, DataViewSchema.Column column, LabelKind kind, string argument)
    {
        (bool fits, string expected) = kind switch
        {
            LabelKind.Class => (column.Type is KeyDataViewType key && key.Count == (ulong)model.Layout.Outputs,
                $"a key of {model.Layout.Outputs} values, one per class of the model"),
            LabelKind.Numbers => (IsVector(column, model, NumberDataViewType.Single), $"a vector of {model.Layout.Outputs} Single"),
            LabelKind.Booleans => (IsVector(column, model, BooleanDataViewType.Instance), $"a vector of {model.Layout.Outputs} Boolean"),
            LabelKind.Boolean => (column.Type is BooleanDataViewType, "Boolean"),
            _ => (column.Type.Equals(NumberDataViewType.Single), "Single"),
        };
        if (!fits)
            throw new ArgumentException($"Label column '{column.Name}' must be {expected}; found {column.Type}. Give the schema of the rows just "
                + "before the trainer, or null for no label column.", argument);
        if (ColumnNames.ClassesOf(column) is { } classes && model.Names?.Classes is { } known && !classes.SequenceEqual(known))
            throw new ArgumentException($"Label column '{column.Name}' has the classes {ColumnNames.Text(classes)}; the model was trained on "
                + $"{ColumnNames.Text(known)}. Key the label with the model's classes in their order: MapValueToKey(\"{column.Name}\", keyData: …).",
                argument);
    }

    private static bool IsVector(DataViewSchema.Column column, INetworkModel model, PrimitiveDataViewType item) =>
        column.Type is VectorDataViewType vector && vector.ItemType.Equals(item) && vector.Size == model.Layout.Outputs;
}
