using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>Scores rows by a trained network. Shared by threads; each opens a session of its own.</summary>
internal abstract class NetworkScorer
{
    /// <summary>The scorer for a layout and its parameters.</summary>
    public static NetworkScorer Create(IHostEnvironment env, NetworkLayout layout, float[] parameters, float[] statistics) => layout switch
    {
        DenseLayout dense => new DenseScorer(dense, parameters, statistics),
        CustomLayout custom => new CustomScorer(custom, custom.Network.Build(env, custom.Shape), parameters, statistics),
        _ => new GraphScorer((GraphLayout)layout, parameters, statistics),
    };

    /// <summary>Whether many rows at once cost much less than one at a time.</summary>
    public abstract bool GainsFromBatches { get; }

    /// <summary>Scratch memory and all else that one thread needs.</summary>
    public abstract IScoringSession Open();
}

/// <summary>One thread's use of a scorer. Disposing frees scratch memory at once; without it the finaliser does.</summary>
internal interface IScoringSession : IDisposable
{
    /// <summary>Class probabilities of rows.</summary>
    /// <param name="features">Rows × features.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="scores">Receives rows × classes.</param>
    public void Score(ReadOnlySpan<float> features, int count, Span<float> scores);
}
