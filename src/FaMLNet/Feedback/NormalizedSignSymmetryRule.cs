using System.Numerics.Tensors;
using FaMLNet.Interop;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet;

/// <summary>
/// Normalised sign-symmetry: B = sign(W) · ‖W‖/√n, n weights per layer, so that signs and norm follow W and nothing else does. Xiao, Chen, Liao and
/// Poggio (2019), "Biologically-plausible learning algorithms can scale to large datasets", ICLR.
/// </summary>
internal sealed class NormalizedSignSymmetryRule : LayerwiseFeedbackRule
{
    public override string Name => "Normalised sign-symmetry";

    public override string ShortName => "nss";

    protected override void Draw(FeedbackLayer layer) => Refresh(layer);

    protected override void Refresh(FeedbackLayer layer) => SignConcordance.CopySign(
        layer.Scale * TensorPrimitives.Norm(layer.Weights) / MathF.Sqrt(layer.Weights.Length), layer.Weights, layer.Feedback);

    internal override bool TryRefreshOnDevice(in DeviceLayer layer)
    {
        using Tensor norm = layer.Weights.norm();
        layer.Feedback.copy_(norm.Scale(layer.Scale / MathF.Sqrt(layer.Weights.numel()))).copysign_(layer.Weights);
        return true;
    }
}
