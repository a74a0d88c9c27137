using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;

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
internal sealed class NetworkAttackScorer(IScoringSession session, int features, int classes, int block) : AttackScorer
{
    private readonly float[] _rows = new float[block * features], _logits = new float[block * classes];

    public override void Run(ReadOnlySpan<float> x, int count, Span<float> logits, Span<int> predicted)
    {
        for (int first = 0; first < count; first += block)
        {
            int rows = Math.Min(block, count - first);
            x.Slice(first * features, rows * features).CopyTo(_rows);
            _rows.AsSpan(rows * features).Clear();
            session.ComputeLogits(_rows, block, _logits);
            _logits.AsSpan(0, rows * classes).CopyTo(logits[(first * classes)..]);
            for (int row = 0; row < rows; row++)
            {
                // The class of the scores, in which close logits may have become one.
                Span<float> scores = _logits.AsSpan(row * classes, classes);
                IScoringSession.Softmax(scores);
                predicted[first + row] = FeedbackAlignmentMulticlassTransformer.IndexOfLargest(scores);
            }
        }
    }
}

/// <summary>Any transformer that adds a column of scores.</summary>
internal sealed class TransformerAttackScorer(ITransformer predictor, string featureColumn, int features, int classes) : AttackScorer
{
    public override void Run(ReadOnlySpan<float> x, int count, Span<float> logits, Span<int> predicted)
    {
        IDataView scored = predictor.Transform(new MatrixView(featureColumn, x[..(count * features)].ToArray(), features));
        DataViewSchema.Column column = scored.Schema[DefaultColumnNames.Score];
        using DataViewRowCursor cursor = scored.GetRowCursor([column]);
        ValueGetter<VBuffer<float>> get = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> values = default;
        for (int row = 0; row < count && cursor.MoveNext(); row++)
        {
            get(ref values);
            Span<float> scores = logits.Slice(row * classes, classes);
            values.CopyTo(scores);
            predicted[row] = FeedbackAlignmentMulticlassTransformer.IndexOfLargest(scores);
            ToLogits(scores);
        }
    }

    /// <summary>Probabilities become their logarithms, which are logits but for a constant.</summary>
    private static void ToLogits(Span<float> scores)
    {
        double sum = 0;
        foreach (float score in scores)
        {
            if (!(score >= 0))
                return;
            sum += score;
        }
        if (Math.Abs(sum - 1) > 1e-3)
            return;
        for (int i = 0; i < scores.Length; i++)
            scores[i] = MathF.Log(Math.Max(scores[i], float.Epsilon));
    }
}
