using FaMLNet.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Several trainings and many predictions at once, in one process.</summary>
public sealed class ConcurrencyTests
{
    /// <summary>One in managed code, one through libtorch.</summary>
    internal static NetworkDefinition[] Networks =>
    [
        NetworkDefinition.Mlp(24, 12) with { Dropout = 0.1f },
        NetworkDefinition.Sequential(new Layer.Conv2d(6, 3), new Layer.Activate(Activation.ReLU), new Layer.MaxPool2d(2), new Layer.Flatten(),
            new Layer.Dense()),
    ];

    [Fact]
    public void Trainings_in_parallel_give_the_models_of_trainings_one_after_the_other()
    {
        FeedbackAlignmentMulticlassModelParameters Train(int index)
        {
            MLContext mlContext = new(seed: 1);
            IDataView data = Tables.Load(mlContext, "digits");
            return Tables.ModelOf(mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMinMax("Features"))
                .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Rule = Feedback.Rules.Six[index % 6],
                    Network = Networks[index % 2],
                    NumberOfEpochs = 3,
                    Seed = index,
                    NumberOfThreads = 1,
                })).Fit(data));
        }
        AssertSameSideBySide(Train);
    }

    /// <summary>Eight trainings one after the other, and then at once: the same weights.</summary>
    internal static void AssertSameSideBySide(Func<int, FeedbackAlignmentMulticlassModelParameters> train)
    {
        FeedbackAlignmentMulticlassModelParameters[] expected = [.. Enumerable.Range(0, 8).Select(train)],
            found = new FeedbackAlignmentMulticlassModelParameters[8];
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(index => new Thread(() => found[index] = train(index)))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        for (int i = 0; i < 8; i++)
            PipelineTests.AssertSameWeights(expected[i], found[i]);
    }

    [Fact]
    public void Many_threads_predict_from_one_loaded_model()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        foreach (NetworkDefinition network in Networks)
        {
            ITransformer trained = mlContext.Transforms.Conversion.MapValueToKey("Label")
                .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
                new FeedbackAlignmentMulticlassTrainer.Options { Network = network, NumberOfEpochs = 1, Seed = 1 })).Fit(data);
            using MemoryStream zip = new();
            mlContext.Model.Save(trained, data.Schema, zip);
            ITransformer model = new MLContext().Model.Load(zip, out _);
            Row[] rows = [.. mlContext.Data.CreateEnumerable<Row>(mlContext.Data.TakeRows(data, 60), reuseRowObject: false)];
            float[][] expected = [.. model.Transform(mlContext.Data.TakeRows(data, 60)).GetColumn<float[]>("Score")];
            Exception?[] failures = new Exception?[32];
            Thread[] threads = [.. Enumerable.Range(0, 32).Select(index => new Thread(() =>
            {
                try
                {
                    using PredictionEngine<Row, Prediction> engine = new MLContext().Model.CreatePredictionEngine<Row,
                        Prediction>(model, new PredictionEngineOptions { OwnsTransformer = false });
                    for (int i = 0; i < 200; i++)
                    {
                        int row = (i * 7 + index) % rows.Length;
                        float[] scores = engine.Predict(rows[row]).Score;
                        for (int k = 0; k < scores.Length; k++)
                            Assert.Equal(expected[row][k], scores[k], 1e-5);
                    }
                }
                catch (Exception failure)
                {
                    failures[index] = failure;
                }
            }))];
            foreach (Thread thread in threads)
                thread.Start();
            foreach (Thread thread in threads)
                thread.Join();
            Assert.All(failures, Assert.Null);
        }
    }

    [Fact]
    public void The_number_of_threads_is_honoured_and_put_back()
    {
        LibTorch.EnsureLoaded();
        int before = torch.get_num_threads(), within = 0;
        MLContext mlContext = new(seed: 1);
        foreach (int wanted in new[] { 1, 2, 3 })
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
            options.NumberOfThreads = wanted;
            options.MetricsCallback = _ => within = torch.get_num_threads();
            Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris"));
            Assert.Equal(wanted, within);
            Assert.Equal(before, torch.get_num_threads());
        }
    }

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
