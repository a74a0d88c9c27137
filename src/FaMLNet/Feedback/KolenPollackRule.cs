using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FaMLNet.Interop;

namespace FaMLNet;

/// <summary>
/// Kolen–Pollack: B gets W's own update, which each synapse can compute from what it sees, and both decay; so B − W shrinks by the decay at every
/// step and the angle between them goes to 0. Kolen and Pollack (1994), "Backpropagation without weight transport"; Akrout, Wilson, Humphreys,
/// Lillicrap and Tweed (2019), "Deep learning without weight transport", NeurIPS 32.
/// </summary>
/// <remarks>By an optimiser without weight decay B − W stays what it was at the start.</remarks>
internal sealed class KolenPollackRule : LayerwiseFeedbackRule
{
    public override string Name => "Kolen-Pollack";

    public override string ShortName => "kp";

    public override RuleDefaults Defaults { get; } = RuleDefaults.FollowingFeedback;

    protected internal override StepSignals Signals => StepSignals.Update;

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();

    protected override void Refresh(FeedbackLayer layer) => Follow(layer.Weights, layer.Update, layer.Decay, layer.Feedback);

    internal override bool TryRefreshOnDevice(in DeviceLayer layer)
    {
        layer.Feedback.Scale(1 - layer.Decay).AddScaled(layer.Weights, layer.Decay).AddScaled(layer.Update!, 1 - layer.Decay);
        return true;
    }

    /// <summary>B − W, times 1 − d: B ← B + U − d (B − W_before), where W_before = W − U.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Follow(ReadOnlySpan<float> weights, ReadOnlySpan<float> update, float decay, Span<float> feedback)
    {
        float kept = 1 - decay;
        Vector<float> keeps = new(kept), takes = new(decay);
        ref float w = ref MemoryMarshal.GetReference(weights);
        ref float u = ref MemoryMarshal.GetReference(update);
        ref float b = ref MemoryMarshal.GetReference(feedback);
        int whole = feedback.Length - feedback.Length % Vector<float>.Count;
        for (nuint i = 0; i < (nuint)whole; i += (nuint)Vector<float>.Count)
        {
            Vector<float> sum = Vector.LoadUnsafe(ref b, i) + Vector.LoadUnsafe(ref u, i);
            (keeps * sum + takes * Vector.LoadUnsafe(ref w, i)).StoreUnsafe(ref b, i);
        }
        for (int i = whole; i < feedback.Length; i++)
            feedback[i] = kept * (feedback[i] + update[i]) + decay * weights[i];
    }
}
