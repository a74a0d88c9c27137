using FaMLNet.Interop;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet;

/// <summary>
/// Uniform sign-concordant feedback: B = σ · sign(W). Liao, Leibo and Poggio (2016), "How important is weight symmetry in
/// backpropagation?", AAAI 30.
/// </summary>
internal sealed class UniformSignConcordantRule : LayerwiseFeedbackRule
{
    public override string Name => "Uniform sign-concordant feedback";

    public override string ShortName => "usf";

    protected override void Draw(FeedbackLayer layer) => Refresh(layer);

    protected override void Refresh(FeedbackLayer layer) =>
        SignConcordance.CopySign(layer.StandardDeviation, layer.Weights, layer.Feedback);

    internal override bool TryRefreshOnDevice(in DeviceLayer layer)
    {
        Tensor feedback = layer.Feedback;
        Scalars.With(layer.StandardDeviation, scalar => feedback.fill_(scalar)).copysign_(layer.Weights);
        return true;
    }
}
