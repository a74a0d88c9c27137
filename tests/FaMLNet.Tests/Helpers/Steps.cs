using System.Runtime.CompilerServices;
using FaMLNet.Computing;
using FaMLNet.Rows;
using FaMLNet.Tasks;
using FaMLNet.Tasks.Losses;
using FaMLNet.Training;

namespace FaMLNet.Tests.Training;

/// <summary>Lets a test write <c>network.Step(…)</c>: a network under test has one training step, made with it.</summary>
internal static class Steps
{
    private static readonly ConditionalWeakTable<TrainingNetwork, TrainingStep> Known = [];

    /// <summary>Gives a network its step.</summary>
    public static T With<T>(this T network, OptimizerOptions optimizer, GradientClipping? clipping = null, bool keepsNorms = false)
        where T : TrainingNetwork => network.With(new UpdatePlan(optimizer, clipping, keepsNorms));

    /// <summary>Gives a network its step, in the place of another if it has one.</summary>
    public static T With<T>(this T network, UpdatePlan plan) where T : TrainingNetwork
    {
        if (Known.TryGetValue(network, out TrainingStep? former))
            former.Dispose();
        Known.AddOrUpdate(network, TrainingStep.Create(network, plan));
        return network;
    }

    public static TrainingStep StepOf(this TrainingNetwork network) =>
        Known.TryGetValue(network, out TrainingStep? step) ? step : throw new InvalidOperationException("The network has no step.");

    public static BatchResult Step(this TrainingNetwork network, TrainingData data, ReadOnlySpan<int> rows, float learningRate) =>
        network.StepOf().Take(data, rows, learningRate);

    public static void Update(this TrainingNetwork network, float learningRate) => network.StepOf().Update(learningRate);

    public static void EndEpoch(this TrainingNetwork network) => network.StepOf().EndEpoch();
}

/// <summary>Plans of networks under test.</summary>
internal static class Plans
{
    /// <summary>A classifier by a rule, with its paper's scales.</summary>
    public static GradientPlan Of(FeedbackRule rule, int seed) => new(new MulticlassTask(), rule) { Seed = seed };
}
