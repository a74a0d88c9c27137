namespace FaMLNet;

/// <summary>
/// Sparse direct feedback alignment: every unit hears one output only, which one and how loud is random and fixed. Crafton, Parihar, Gebhardt and
/// Raychowdhury (2019), "Direct feedback alignment with sparse connections for local learning", Frontiers in Neuroscience 13:525. The projection
/// needs no product.
/// </summary>
internal sealed class SparseDirectFeedbackAlignmentRule : DirectFeedbackRule
{
    public override string Name => "Sparse direct feedback alignment";

    public override string ShortName => "sdfa";

    public override RuleDefaults Defaults { get; } = RuleDefaults.DirectFeedback;

    protected override void Draw(FeedbackLayer layer)
    {
        int outputs = layer.Shape[0], inputs = layer.Shape[1];
        layer.DrawRandom();
        // The one number left is √outputs times as large, so that the errors keep their size.
        for (int unit = 0; unit < inputs; unit++)
        {
            int heard = layer.Random.NextInt32(outputs);
            for (int output = 0; output < outputs; output++)
                layer.Feedback[output * inputs + unit] *= output == heard ? MathF.Sqrt(outputs) : 0;
        }
    }
}
