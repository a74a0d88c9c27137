using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet;

/// <summary>What a rule that knows devices sees of one layer.</summary>
/// <param name="Weights">The layer's forward weights.</param>
/// <param name="Feedback">Its feedback weights; written to.</param>
/// <param name="Update">What the step added to the weights; null unless asked for.</param>
/// <param name="StandardDeviation">σ, the scale included.</param>
/// <param name="Scale">The feedback scale.</param>
/// <param name="Decay">The share that the step's decay took.</param>
internal readonly record struct DeviceLayer(Tensor Weights, Tensor Feedback, Tensor? Update,
    float StandardDeviation, float Scale, float Decay);
