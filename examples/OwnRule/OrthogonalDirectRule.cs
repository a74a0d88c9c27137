using System.Numerics.Tensors;
using FaMLNet;

namespace OwnRule;

/// <summary>A direct rule of one's own: the outputs' errors reach a layer along directions at right angles, so none drowns another.</summary>
[CustomFeedbackRule("orthogonal")]
public sealed class OrthogonalDirectRule : DirectFeedbackRule
{
    public override string Name => "Orthogonal direct feedback";

    public override string ShortName => "orthogonal";

    public override RuleDefaults Defaults { get; } = new() { InitialWeightScale = 0.1f, FeedbackScale = 0.1f };

    protected override void Draw(FeedbackLayer layer)
    {
        layer.DrawRandom();
        int inputs = layer.Shape[1];
        for (int i = 0; i < layer.Shape[0]; i++)
        {
            Span<float> row = layer.Feedback.Slice(i * inputs, inputs);
            for (int before = 0; before < Math.Min(i, inputs - 1); before++)
            {
                ReadOnlySpan<float> other = layer.Feedback.Slice(before * inputs, inputs);
                TensorPrimitives.MultiplyAdd(other, -TensorPrimitives.Dot(row, other) / TensorPrimitives.SumOfSquares(other), row, row);
            }
        }
    }
}
