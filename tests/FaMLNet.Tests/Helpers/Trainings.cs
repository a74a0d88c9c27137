using FaMLNet.Persistence;
using FaMLNet.Rows;
using FaMLNet.Training;

namespace FaMLNet.Tests.Training;

/// <summary>A training without ML.NET around it.</summary>
internal static class Trainings
{
    /// <summary>Trains on rows that are open.</summary>
    /// <exception cref="InvalidOperationException">The training diverged.</exception>
    public static TrainedNetwork Run(TrainingRequest request, RowSource source, TrainingListener? listener = null)
    {
        using NetworkFactory factory = NetworkFactory.Open(request, source.Features, source.Outputs, source.Sparse);
        TrainingPlan plan = TrainingPlan.Make(request, source, factory.Layout, request.Seed ?? request.DefaultSeed);
        return new TrainingLoop(plan, factory, source, listener ?? TrainingListener.None)
            .Run((epoch, _) => new InvalidOperationException($"diverged in epoch {epoch}"));
    }
}
