using FaMLNet.Persistence;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Robustness;

/// <summary>Reads the present row.</summary>
/// <param name="logits">Receives one per class (<see cref="AttackAnswer.Logits"/>).</param>
/// <returns>The class that the model sees, from 0; −1 if it has no number for it.</returns>
internal delegate int ClassReader(Span<float> logits);

/// <summary>What the columns of a scored view say of classes: how attacks read any classifier, and labels in its terms.</summary>
internal abstract class ClassScores
{
    /// <summary>Finds the columns that the model itself adds, whatever the data has under the same names.</summary>
    /// <param name="task">Of the catalog that is asked.</param>
    /// <param name="before">The schema that the model gets.</param>
    /// <param name="scored">The schema that it gives.</param>
    /// <param name="target">The model.</param>
    /// <exception cref="ArgumentException">The model is none of the task.</exception>
    public static ClassScores Find(ModelTask task, DataViewSchema before, DataViewSchema scored, AttackTarget target)
    {
        DataViewSchema.Column scores = Added(before, scored, DefaultColumnNames.Score, target)
            ?? throw OptionError.Argument(target.Role, $"{target.ModelType} gives no column 'Score'.");
        DataViewSchema.Column? predicted = Added(before, scored, DefaultColumnNames.PredictedLabel, target);
        return task == ModelTask.Binary ? new BinaryScores(scores, predicted, target) : new MulticlassScores(scores, predicted, target);
    }

    /// <summary>Whether a column of this name is what a model says, and not what the data says.</summary>
    public static bool IsOutput(string column) =>
        column is DefaultColumnNames.Score or DefaultColumnNames.Probability or DefaultColumnNames.PredictedLabel;

    /// <summary>The column of a name that the model adds; null if there is none. ML.NET keeps a column that is hidden by another.</summary>
    private static DataViewSchema.Column? Added(DataViewSchema before, DataViewSchema scored, string name, AttackTarget target)
    {
        if (scored.GetColumnOrNull(name) is not { } column)
            return null;
        return Count(scored) > Count(before) ? column : throw OptionError.Argument(target.Role, $"{target.ModelType} gets a column '{name}' "
            + $"and gives one: whether that is the model's own cannot be told. Copy the data's column under another name "
            + $"(mlContext.Transforms.CopyColumns) and leave '{name}' out (DropColumns).");

        int Count(DataViewSchema schema) => schema.Count(other => other.Name == name);
    }

    public abstract int Classes { get; }

    /// <summary>What <see cref="Open"/> reads.</summary>
    public abstract IEnumerable<DataViewSchema.Column> Columns { get; }

    /// <summary>Reads rows as a cursor comes to them.</summary>
    public abstract ClassReader Open(DataViewRow row);

    /// <summary>Reads labels as classes of the model's, as a cursor comes to them.</summary>
    /// <param name="row">The cursor.</param>
    /// <param name="label">The column.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="number">The present row's, from 1, for messages.</param>
    public abstract Func<int> OpenLabel(DataViewRow row, DataViewSchema.Column label, string name, Func<int> number);

    /// <summary>What a row has that has no class.</summary>
    protected const string MissingKey = "no class (the key's value is 0: missing)";

    /// <summary>A label that is no class of the model's.</summary>
    /// <param name="label">The column's name.</param>
    /// <param name="row">The row's number, from 1.</param>
    /// <param name="found">What it has.</param>
    /// <param name="cure">What to do.</param>
    protected static ArgumentException Unknown(string label, int row, string found, string cure) => OptionError.Invalid(
        nameof(RobustnessOptions.LabelColumnName), $"column '{label}', row {row} has {found}. {cure}.");
}
