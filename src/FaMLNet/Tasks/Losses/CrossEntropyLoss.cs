using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet.Tasks.Losses;

/// <summary>Softmax with cross-entropy, over as many outputs as there are classes.</summary>
internal sealed unsafe class CrossEntropyLoss : TrainingLoss
{
    private readonly Dictionary<int, SoftmaxCrossEntropy> _byWidth = [];

    public override LossSums ReplaceColumnsByError(float* z, float* bias, float* biasGradient, int outputs, int width, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> coefficients, int count, float smoothing)
    {
        if (!_byWidth.TryGetValue(width, out SoftmaxCrossEntropy? loss))
            _byWidth[width] = loss = new SoftmaxCrossEntropy(width);
        (double sum, int correct) = loss.Run(z, bias, biasGradient, outputs, labels, coefficients, count, smoothing);
        return new LossSums(sum, correct);
    }

    public override LossSums ReplaceRowsByError(Tensor z, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients, int outputs, float smoothing)
    {
        (double loss, int correct) = SoftmaxCrossEntropy.ReplaceRowsByError(z, labels, coefficients, outputs, smoothing);
        return new LossSums(loss, correct);
    }

    public override EvaluationResult Evaluate(ReadOnlySpan<float> z, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, int outputs, int k) =>
        SoftmaxCrossEntropy.Evaluate(z, labels, weights, outputs, k);
}
