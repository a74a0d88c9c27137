using Microsoft.ML;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Documentation;

/// <summary>The snippets of the guides about models and settings beside the usual way, compiled and run.</summary>
internal static class FurtherModels
{
    public static FeedbackAlignmentMulticlassTransformer OfTheLastEpoch(MLContext mlContext, IDataView rows)
    {
        FeedbackAlignmentMulticlassTransformer best = ReliableTraining.Create(mlContext).Fit(rows);
        var last = new FeedbackAlignmentMulticlassTransformer(mlContext, best.Model.LastEpochModel!, rows.Schema);
        return last;
    }

    public static FeedbackAlignmentMulticlassTransformer BeforeItDiverged(MLContext mlContext, TrainingDivergedException failure, IDataView rows)
    {
        var good = new FeedbackAlignmentMulticlassTransformer(mlContext,
            (FeedbackAlignmentMulticlassModelParameters)failure.LastGoodModel!, rows.Schema);
        return good;
    }

    public static ResolvedOptions Settings()
    {
        var options = new FeedbackAlignmentMulticlassTrainer.Options { LearningRate = 0.01f };
        ResolvedOptions used = options.Resolve();
        Console.WriteLine($"{used.Optimizer}, {used.Schedule}, {used.Network}");
        return used;
    }

    public static NetworkDefinition Network()
    {
        NetworkDefinition network = NetworkDefinition.Custom("two-layers", shape => nn.Sequential(
            ("a", nn.Linear(shape.Input[0], 32)), ("b", nn.ReLU()), ("c", nn.Linear(32, shape.Outputs))));
        return network;
    }
}
