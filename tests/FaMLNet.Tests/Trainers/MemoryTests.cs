using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>What many trainings leave behind in one process.</summary>
[Collection(Alone.Name)]
public sealed class MemoryTests
{
    [Fact]
    [Trait("Speed", "Slow")]
    public void Memory_is_flat_over_many_short_trainings()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        void Train(int index) => mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = FeedbackRule.All[index % 14],
                Network = ConcurrencyTests.Networks[index / 14 % 2],
                NumberOfEpochs = 1,
                Seed = 1
            })).Fit(data);
        for (int i = 0; i < 28; i++)
            Train(i);
        long tensors = LiveTensors.Held(), managed = GC.GetTotalMemory(true);
        for (int i = 0; i < 56; i++)
            Train(i);
        Assert.InRange(LiveTensors.Held(), 0, tensors); // fewer if other tests' are gone meanwhile
        Assert.InRange(GC.GetTotalMemory(true) - managed, long.MinValue, 3_000_000);
    }
}
