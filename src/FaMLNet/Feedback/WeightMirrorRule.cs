using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet;

/// <summary>
/// Weight mirror: the inputs of each layer discharge noise x of unit variance, its outputs answer y = W x, and B learns from the two alone:
/// E[y xᵀ] = W. Akrout, Wilson, Humphreys, Lillicrap and Tweed (2019), "Deep learning without weight transport", NeurIPS 32.
/// </summary>
/// <remarks>
/// A phase between epochs shows a layer eight times as many examples of noise as one of its outputs has inputs; half of B is what was there
/// before. A short phase of 256 examples follows every step, since an optimiser as fast as Adam turns W away from B within a few of them; B
/// forgets as fast as W may move, by 200 times the learning rate and at most 0.4. A convolution's output sees a window of its input, and its
/// kernel is mirrored on windows that do not overlap. Outputs answer before their activation; the paper's answer with it, which for noise
/// around 0 changes the length of B and not its direction.
/// </remarks>
internal sealed class WeightMirrorRule : LayerwiseFeedbackRule
{
    private const int ExamplesAnInput = 8, Examples = 256;

    public override string Name => "Weight mirror";

    public override string ShortName => "wm";

    public override RuleDefaults Defaults { get; } = new();

    protected override void Draw(FeedbackLayer layer)
    {
        layer.Feedback.Clear();
        Mirror(layer, kept: 0, Rounds(layer));
    }

    protected override void Refresh(FeedbackLayer layer) =>
        Mirror(layer, kept: 1 - Math.Clamp(200 * layer.LearningRate, 0.005f, 0.4f), rounds: 1);

    protected override void EndEpoch(FeedbackLayer layer) => Mirror(layer, kept: 0.5f, Rounds(layer));

    private static int Rounds(FeedbackLayer layer) => (ExamplesAnInput * layer.Weights.Length / layer.Shape[0] + Examples - 1) / Examples;

    private static void Mirror(FeedbackLayer layer, float kept, int rounds)
    {
        int outputs = layer.Shape[0], inputs = layer.Weights.Length / outputs;
        float[] noise = new float[Examples * inputs];
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor weights = TensorMemory.Matrix(layer.Weights, outputs, inputs);
        Tensor feedback = TensorMemory.Matrix(layer.Feedback, outputs, inputs).Scale(kept);
        for (int round = 0; round < rounds; round++)
        {
            layer.Random.FillUniform(noise, -MathF.Sqrt(3), MathF.Sqrt(3));
            using DisposeScope own = NewDisposeScope();
            Tensor x = TensorMemory.Matrix(noise, Examples, inputs), y = x.mm(weights.t());
            feedback.AddScaled(y.t().mm(x), layer.Scale * (1 - kept) / (rounds * Examples));
        }
        TensorMemory.Read(feedback).CopyTo(layer.Feedback);
    }
}
