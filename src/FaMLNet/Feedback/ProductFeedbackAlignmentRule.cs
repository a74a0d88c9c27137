using System.Numerics.Tensors;
using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet;

/// <summary>
/// Product feedback alignment: the error passes an extra population of neurons by two matrices, R and then B, and W comes into line with their
/// product RᵀB. The population hears R δ and the layer's input x, and B learns from these two: ΔB = R ΔW, with W's decay. Li Ji-An and Benna
/// (2024), "Deep learning without weight symmetry", arXiv 2405.20594. No synapse has a counterpart of its own size.
/// </summary>
/// <remarks>
/// The population is sixteen times as many as the layer's outputs (a convolution's channels); R is normal and fixed. What is kept of it is
/// G = RᵀR, with which the product follows W: RᵀB ← (1 − d) RᵀB + G (U + d W_before), U the update of W and d its decay. B itself, sixteen times
/// as large as W, need not be stored.
/// </remarks>
internal sealed class ProductFeedbackAlignmentRule : LayerwiseFeedbackRule
{
    private const int NeuronsAnOutput = 16, NeuronsAtOnce = 2048;

    public override string Name => "Product feedback alignment";

    public override string ShortName => "pfa";

    public override RuleDefaults Defaults { get; } = RuleDefaults.FollowingFeedback;

    protected internal override StepSignals Signals => StepSignals.Update;

    protected internal override int MemoryLength(IReadOnlyList<int> shape) => checked(shape[0] * shape[0]);

    protected override void Draw(FeedbackLayer layer)
    {
        int outputs = layer.Shape[0], inputs = layer.Feedback.Length / outputs, neurons = NeuronsAnOutput * outputs;
        layer.Feedback.Clear();
        // In blocks of neurons: R and B as wholes are sixteen times as large as what is kept of them. R's columns are of unit length, so that RᵀB
        // has B's standard deviation.
        for (int from = 0; from < neurons; from += NeuronsAtOnce)
        {
            int count = Math.Min(NeuronsAtOnce, neurons - from);
            float[] first = new float[count * outputs], second = new float[count * inputs];
            layer.Random.FillNormal(first, 0, MathF.Sqrt(1f / neurons));
            WeightDraw.Draw(layer.Initialization, layer.StandardDeviation, second, layer.Random);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = no_grad();
            Tensor r = TensorMemory.Matrix(first, count, outputs), b = TensorMemory.Matrix(second, count, inputs);
            TensorPrimitives.Add(layer.Memory, TensorMemory.Read(r.t().mm(r)), layer.Memory);
            TensorPrimitives.Add(layer.Feedback, TensorMemory.Read(r.t().mm(b)), layer.Feedback);
        }
    }

    protected override void Refresh(FeedbackLayer layer)
    {
        int outputs = layer.Shape[0], inputs = layer.Feedback.Length / outputs;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor update = TensorMemory.Matrix(layer.Update, outputs, inputs), weights = TensorMemory.Matrix(layer.Weights, outputs, inputs);
        // What the step added but for its decay: U + d (W − U).
        Tensor gain = update.Scale(1 - layer.Decay).AddScaled(weights, layer.Decay);
        Tensor feedback = TensorMemory.Matrix(layer.Feedback, outputs, inputs).Scale(1 - layer.Decay);
        feedback.add_(TensorMemory.Matrix(layer.Memory, outputs, outputs).mm(gain), Scalars.One);
        TensorMemory.Read(feedback).CopyTo(layer.Feedback);
    }
}
