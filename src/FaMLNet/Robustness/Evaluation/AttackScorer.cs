using FaMLNet.Persistence;
using FaMLNet.Scoring;
using Microsoft.ML;

namespace FaMLNet.Robustness;

/// <summary>What a model says of rows, for one thread, by the scores that its users see.</summary>
internal abstract class AttackScorer
{
    /// <summary>Scores rows.</summary>
    /// <param name="x">Rows × features.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="logits">Receives rows × classes (<see cref="AttackAnswer.Logits"/>).</param>
    /// <param name="predicted">Receives the class of each row, from 0; −1 if the model has no number for it.</param>
    public abstract void Run(ReadOnlySpan<float> x, int count, Span<float> logits, Span<int> predicted);
}

/// <summary>One of this library's networks. It always computes as many rows at once, where the number could change the rounding.</summary>
/// <param name="session">The network.</param>
/// <param name="features">Features per row.</param>
/// <param name="outputs">Outputs of the network.</param>
/// <param name="classes">Classes that they stand for.</param>
/// <param name="block">Rows computed at once.</param>
internal abstract class NetworkAttackScorer(IScoringSession session, int features, int outputs, int classes, int block) : AttackScorer
{
    private readonly float[] _rows = new float[block * features], _outputs = new float[block * outputs];

    public override void Run(ReadOnlySpan<float> x, int count, Span<float> logits, Span<int> predicted)
    {
        for (int first = 0; first < count; first += block)
        {
            int rows = Math.Min(block, count - first);
            x.Slice(first * features, rows * features).CopyTo(_rows);
            _rows.AsSpan(rows * features).Clear();
            session.ComputeLogits(_rows, block, _outputs);
            for (int row = 0; row < rows; row++)
                predicted[first + row] = Read(_outputs.AsSpan(row * outputs, outputs), logits.Slice((first + row) * classes, classes));
        }
    }

    /// <summary>A row's logits and class from the network's outputs, which may be written over.</summary>
    protected abstract int Read(Span<float> outputs, Span<float> logits);
}

/// <summary>A network with an output a class.</summary>
internal sealed class MulticlassNetworkScorer(IScoringSession session, int features, int classes, int block)
    : NetworkAttackScorer(session, features, classes, classes, block)
{
    protected override int Read(Span<float> outputs, Span<float> logits)
    {
        outputs.CopyTo(logits);
        // The class of the scores, in which close logits may have become one.
        IScoringSession.Softmax(outputs);
        return FeedbackAlignmentMulticlassTransformer.IndexOfLargest(outputs);
    }
}

/// <summary>A network of one output.</summary>
internal sealed class BinaryNetworkScorer(IScoringSession session, int features, float threshold, int block)
    : NetworkAttackScorer(session, features, 1, BinaryInputGradient.Classes, block)
{
    protected override int Read(Span<float> outputs, Span<float> logits)
    {
        BinaryInputGradient.ToLogits(outputs, threshold, logits);
        return outputs[0] > threshold ? 1 : 0;
    }
}

/// <summary>Any transformer that adds a column of scores.</summary>
internal sealed class TransformerAttackScorer(AttackTarget target, ModelTask task, int features, int classes) : AttackScorer
{
    public override void Run(ReadOnlySpan<float> x, int count, Span<float> logits, Span<int> predicted)
    {
        MatrixView rows = new(target.FeatureColumnName, x[..(count * features)].ToArray(), features);
        IDataView scored = target.Predictor.Transform(rows);
        ClassScores scores = ClassScores.Find(task, rows.Schema, scored.Schema, target);
        using DataViewRowCursor cursor = scored.GetRowCursor(scores.Columns);
        ClassReader read = scores.Open(cursor);
        for (int row = 0; row < count && cursor.MoveNext(); row++)
            predicted[row] = read(logits.Slice(row * classes, classes));
    }
}
