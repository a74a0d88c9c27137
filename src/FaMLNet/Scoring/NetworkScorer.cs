using System.Numerics.Tensors;
using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>Scores rows by a trained network. Shared by threads; each opens a session of its own.</summary>
internal abstract class NetworkScorer : IDisposable
{
    /// <summary>The scorer for a layout and its parameters.</summary>
    public static NetworkScorer Create(IHostEnvironment env, NetworkLayout layout, float[] parameters, float[] statistics) => layout switch
    {
        DenseLayout dense => new DenseScorer(dense, parameters, statistics),
        CustomLayout custom => new CustomScorer(env, custom, parameters, statistics),
        _ => new GraphScorer(env, (GraphLayout)layout, parameters, statistics),
    };

    /// <summary>Whether many rows at once cost much less than one at a time.</summary>
    public abstract bool GainsFromBatches { get; }

    /// <summary>Scratch memory and all else that one thread needs.</summary>
    public abstract IScoringSession Open();

    /// <summary>Keeps native memory until the result is disposed, also where the scorer is disposed before. Null where there is none.</summary>
    public abstract IDisposable? Lease();

    /// <summary>Frees native memory, as soon as nobody uses it any more. Nothing in a scorer that has none.</summary>
    public abstract void Dispose();
}

/// <summary>One thread's use of a scorer.</summary>
internal interface IScoringSession
{
    /// <summary>Outputs of rows: logits of a classifier, a regression's before they are scaled.</summary>
    /// <param name="features">Rows × features.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="logits">Receives rows × outputs.</param>
    public void ComputeLogits(ReadOnlySpan<float> features, int count, Span<float> logits);

    /// <summary>The outputs of a row that is given as the values that are not 0.</summary>
    /// <param name="indices">Their features, rising, within the network's inputs.</param>
    /// <param name="values">The values.</param>
    /// <param name="logits">Receives the outputs.</param>
    /// <returns>False if that is no faster than to compute on all values: nothing has been computed.</returns>
    public bool TryComputeSparse(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, Span<float> logits) => false;

    /// <summary>The maximum is subtracted first: TensorPrimitives.SoftMax is NaN for a logit above 88.</summary>
    public static void Softmax(Span<float> values)
    {
        TensorPrimitives.Subtract(values, TensorPrimitives.Max(values), values);
        TensorPrimitives.Exp(values, values);
        TensorPrimitives.Multiply(values, 1 / TensorPrimitives.Sum<float>(values), values);
    }
}
