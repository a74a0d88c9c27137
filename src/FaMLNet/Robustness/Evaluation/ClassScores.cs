using FaMLNet.Persistence;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Robustness;

/// <summary>Reads the present row.</summary>
/// <param name="logits">Receives one a class (<see cref="AttackAnswer.Logits"/>).</param>
/// <returns>The class that the model sees, from 0; −1 if it has no number for it.</returns>
internal delegate int ClassReader(Span<float> logits);

/// <summary>What the columns of a scored view say of classes: how attacks read any classifier, and labels in its terms.</summary>
internal abstract class ClassScores
{
    /// <summary>Finds the columns of a task.</summary>
    /// <param name="task">Of the catalog that is asked.</param>
    /// <param name="scored">The view's schema.</param>
    /// <param name="target">The model.</param>
    /// <exception cref="ArgumentException">The model is none of the task.</exception>
    public static ClassScores Find(ModelTask task, DataViewSchema scored, AttackTarget target)
    {
        DataViewSchema.Column scores = scored.GetColumnOrNull(DefaultColumnNames.Score)
            ?? throw OptionError.Argument(target.Role, $"{target.ModelType} gives no column 'Score'.");
        return task == ModelTask.Binary ? new BinaryScores(scored, scores, target) : new MulticlassScores(scored, scores, target);
    }

    public abstract int Classes { get; }

    /// <summary>What <see cref="Open"/> reads.</summary>
    public abstract IEnumerable<DataViewSchema.Column> Columns { get; }

    /// <summary>Reads rows as a cursor comes to them.</summary>
    public abstract ClassReader Open(DataViewRow row);

    /// <summary>Reads labels as classes of the model's, as a cursor comes to them.</summary>
    /// <param name="row">The cursor.</param>
    /// <param name="label">The column.</param>
    /// <param name="number">The present row's, for messages.</param>
    public abstract Func<int> OpenLabel(DataViewRow row, DataViewSchema.Column label, Func<int> number);

    /// <summary>A label that is no class of the model's.</summary>
    protected static ArgumentException Unknown(DataViewSchema.Column label, int row, string found, string cure) => OptionError.Invalid(
        nameof(RobustnessOptions.LabelColumnName), $"column '{label.Name}', row {row} has {found}. {cure}.");
}
