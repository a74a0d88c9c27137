using FaMLNet.Persistence;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace FaMLNet.Robustness;

/// <summary>The rows of an evaluation, in memory, with what the model says of them.</summary>
internal sealed class AttackRows
{
    /// <summary>The least side of an image: smaller ones are more often tables that happen to have as many columns.</summary>
    private const int LeastSide = 8;

    private const string FeatureCopy = "FaMLNet attacked features", LabelCopy = "FaMLNet right classes";

    private AttackRows(List<float[]> features, List<int> labels, List<int> predicted, int classes, ImageShape? image, (float, float)? range) =>
        (Features, Labels, Predicted, Classes, Image, Range) = (features, labels, predicted, classes, image, range);

    public IReadOnlyList<float[]> Features { get; }

    /// <summary>Classes from 0.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>What the model sees in the clean rows, from 0; −1 if it has no number.</summary>
    public IReadOnlyList<int> Predicted { get; }

    public int Classes { get; }

    public ImageShape? Image { get; }

    public (float Lower, float Upper)? Range { get; }

    public int Width => Features[0].Length;

    /// <summary>Numbers of the rows that the model sees rightly.</summary>
    public int[] Right => [.. Enumerable.Range(0, Labels.Count).Where(row => Labels[row] == Predicted[row])];

    /// <summary>Reads rows and scores.</summary>
    /// <param name="env">The context.</param>
    /// <param name="task">Of the catalog that is asked.</param>
    /// <param name="target">The model.</param>
    /// <param name="prepared">The data as the model gets it.</param>
    /// <param name="options">Columns, how many rows, range.</param>
    public static AttackRows Read(IHostEnvironment env, ModelTask task, AttackTarget target, IDataView prepared, RobustnessOptions options)
    {
        DataViewSchema.Column column = prepared.Schema.GetColumnOrNull(target.FeatureColumnName) ?? throw Missing(prepared.Schema,
            "Feature", target.FeatureColumnName, $"Argument {target.Role}", "Give data with the columns that the pipeline was trained on");
        if (column.Type is not VectorDataViewType { Size: > 0 } type || !type.ItemType.Equals(NumberDataViewType.Single))
            throw OptionError.Argument(target.Role, $"the column '{column.Name}' that the model reads must be a vector of Single of known "
                + $"size to be attacked; found {column.Type}. Convert it before the model (ExtractPixels gives images as such vectors).");
        // The model's columns hide those of the same names that it gets, so what is read beside the scores is copied first.
        string labelName = options.LabelColumnName;
        List<(string, string)> copies = [(FeatureCopy, column.Name)];
        if (ClassScores.IsOutput(labelName))
        {
            if (prepared.Schema.GetColumnOrNull(labelName) is null)
                throw MissingLabel(prepared.Schema, labelName);
            copies.Add((LabelCopy, labelName));
            labelName = LabelCopy;
        }
        prepared = new ColumnCopyingTransformer(env, [.. copies]).Transform(prepared);
        IDataView scored = target.Predictor.Transform(prepared);
        ClassScores scores = ClassScores.Find(task, prepared.Schema, scored.Schema, target);
        DataViewSchema.Column read = scored.Schema.GetColumnOrNull(FeatureCopy) ?? throw OptionError.Argument(target.Role,
            $"{target.ModelType} leaves out columns that it does not know, so that rows and scores cannot be read together. Give the pipeline "
                + $"without the step that selects columns.");
        DataViewSchema.Column label = scored.Schema.GetColumnOrNull(labelName) ?? throw MissingLabel(scored.Schema, labelName);

        List<float[]> features = [];
        List<int> labels = [], predicted = [];
        using (DataViewRowCursor cursor = scored.GetRowCursor([read, label, .. scores.Columns]))
        {
            ValueGetter<VBuffer<float>> getFeatures = cursor.GetGetter<VBuffer<float>>(read);
            ClassReader readScores = scores.Open(cursor);
            Func<int> getLabel = scores.OpenLabel(cursor, label, options.LabelColumnName, () => labels.Count + 1);
            float[] logits = new float[scores.Classes];
            VBuffer<float> row = default;
            while (labels.Count < (options.MaximumRows ?? int.MaxValue) && cursor.MoveNext())
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                getFeatures(ref row);
                float[] dense = new float[type.Size];
                row.CopyTo(dense);
                Check(dense, column.Name, labels.Count + 1, options.InputRange);
                predicted.Add(readScores(logits));
                features.Add(dense);
                labels.Add(getLabel());
            }
        }
        if (features.Count == 0)
            throw OptionError.Argument("data", $"it has no rows. Give rows to attack.");
        ImageShape? image = target.Network?.Layout.ImageInput ?? ImageOf(type);
        return new AttackRows(features, labels, predicted, scores.Classes, image, options.InputRange ?? RangeOf(features, image));
    }

    private static ArgumentException MissingLabel(DataViewSchema schema, string name) =>
        Missing(schema, "Label", name, "Option LabelColumnName", "Name the column with the right classes");

    private static ArgumentException Missing(DataViewSchema schema, string what, string name, string where, string cure) => new(
        $"{where}: {what} column '{name}' not found. The data has: "
        + $"{string.Join(", ", schema.Where(column => column.Name != FeatureCopy).Select(column => $"'{column.Name}'"))}. {cure}.");

    private static void Check(ReadOnlySpan<float> row, string column, int number, (float Lower, float Upper)? range)
    {
        for (int slot = 0; slot < row.Length; slot++)
        {
            float value = row[slot];
            if (!float.IsFinite(value))
                throw new ArgumentException(InvariantText.Of(
                    $"Feature column '{column}', row {number}, slot {slot}: only numbers can be attacked; found {value}. ")
                    + "Replace missing values before the model, or filter the row out.");
            if (range is var (lower, upper) && (value < lower || value > upper))
                throw OptionError.Invalid(nameof(RobustnessOptions.InputRange),
                    $"column '{column}', row {number}, slot {slot} has the value {value}, "
                    + $"outside of ({lower}, {upper}). Set the range of the column as the model reads it, after all that the pipeline does before.");
        }
    }

    /// <summary>The image that a vector is by its dimensions, or seems to be by its length; null for none.</summary>
    private static ImageShape? ImageOf(VectorDataViewType type) => type.Dimensions is [1 or 3, > 1, > 1]
        ? new ImageShape(type.Dimensions[0], type.Dimensions[1], type.Dimensions[2])
        : ImageShape.Infer(type.Size) is { } shape && shape.Height >= LeastSide ? shape : null;

    /// <summary>[0, 1] or [0, 255] for images whose values suggest it.</summary>
    private static (float, float)? RangeOf(List<float[]> features, ImageShape? image)
    {
        if (image is null)
            return null;
        float least = features.Min(row => row.Min()), largest = features.Max(row => row.Max());
        return least < 0 ? null : largest <= 1 ? (0, 1) : largest is > 127 and <= 255 ? (0, 255) : null;
    }
}
