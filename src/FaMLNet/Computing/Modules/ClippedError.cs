using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>Hands a tensor on as it is, and clips the gradient that comes back to it.</summary>
internal sealed class ClippedError : autograd.SingleTensorFunction<ClippedError>
{
    private const string Limit = "limit";

    public override string Name => nameof(ClippedError);

    /// <summary>The tensor, whose gradient will lie between −<paramref name="limit"/> and <paramref name="limit"/>.</summary>
    public static Tensor At(Tensor tensor, float limit) => tensor.requires_grad ? apply(tensor, limit) : tensor;

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_data(Limit, vars[1]);
        return ((Tensor)vars[0]).clone();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        Tensor clipped = grad_output.clone();
        GradientClipping.Clamp(clipped, (float)ctx.get_data(Limit));
        return [clipped, null!]; // the limit has no gradient
    }
}
