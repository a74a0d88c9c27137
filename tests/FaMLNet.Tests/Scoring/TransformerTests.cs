using FaMLNet.Tests.Training.Autograd;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Scoring;

/// <summary>The transformer that Fit returns and a zip gives back.</summary>
public sealed class TransformerTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _data;

    public TransformerTests()
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(ChainFactory).Assembly);
        IDataView raw = Tables.Load(_mlContext, "digits");
        _data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(raw).Transform(raw);
    }

    public static TheoryData<string> NativeNetworks => ["lenet", "custom"];

    [Theory, MemberData(nameof(NativeNetworks))]
    public void Disposing_frees_native_memory_at_once_and_use_afterwards_is_a_clear_error(string network)
    {
        FeedbackAlignmentMulticlassTransformer model = Fit(network);
        IDataView scored = model.Transform(_data);
        _ = scored.GetColumn<float[]>("Score").First();
        PredictionEngine<Row, Prediction> engine = _mlContext.Model.CreatePredictionEngine<Row, Prediction>(model);
        Row row = new() { Features = new float[64] };
        engine.Predict(row);
        long ofThread = LiveTensors.OfThisThread;
        model.Dispose();
        model.Dispose();
        Assert.True(LiveTensors.OfThisThread < ofThread, "no tensor was freed");
        foreach (Action use in new Action[] { () => engine.Predict(row), () => _ = scored.GetColumn<float[]>("Score").First() })
        {
            Exception failure = Assert.ThrowsAny<Exception>(use);
            for (; failure is not ObjectDisposedException && failure.InnerException is { } inner; failure = inner) { }
            Assert.IsType<ObjectDisposedException>(failure);
            Assert.Contains("OwnsTransformer", failure.Message, StringComparison.Ordinal);
        }
        // What is managed stays.
        Assert.NotEmpty(model.Model.GetWeights());
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, _data.Schema, zip);
    }

    [Fact]
    public void A_dense_model_has_nothing_to_free_and_goes_on()
    {
        FeedbackAlignmentMulticlassTransformer model = Fit("mlp");
        float[][] before = [.. model.Transform(_data).GetColumn<float[]>("Score")];
        model.Dispose();
        Assert.Equal(before, model.Transform(_data).GetColumn<float[]>("Score"));
    }

    [Theory, MemberData(nameof(NativeNetworks))]
    public void Disposing_while_other_threads_score_never_crashes(string network)
    {
        FeedbackAlignmentMulticlassTransformer model = Fit(network);
        Exception?[] failures = new Exception?[4];
        Thread[] threads = [.. Enumerable.Range(0, failures.Length).Select(index => new Thread(() => failures[index] = Record.Exception(() =>
        {
            for (int i = 0; i < 1000; i++)
                _ = model.Transform(_data).GetColumn<float[]>("Score").Count();
        })))];
        foreach (Thread thread in threads)
            thread.Start();
        Thread.Sleep(50);
        model.Dispose();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(failures, failure => Assert.True(failure is ObjectDisposedException or { InnerException: ObjectDisposedException },
            failure?.ToString() ?? "nothing"));
    }

    [Fact]
    public void It_is_what_ml_net_takes_for_a_prediction_transformer()
    {
        FeedbackAlignmentMulticlassTransformer model = Fit("mlp");
        ISingleFeaturePredictionTransformer<FeedbackAlignmentMulticlassModelParameters> transformer = model;
        Assert.Equal("Features", transformer.FeatureColumnName);
        Assert.Equal("Label", model.LabelColumnName);
        Assert.Same(model.Model, transformer.Model);
        Assert.Equal(64, _mlContext.MulticlassClassification.PermutationFeatureImportance(model, _data, permutationCount: 1).Length);
        Assert.Equal(["Features", "Label", "Label", "PredictedLabel", "Score"], model.Transform(_data).Schema.Select(column => column.Name));
    }

    private FeedbackAlignmentMulticlassTransformer Fit(string network)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        options.Network = network switch
        {
            "lenet" => NetworkDefinition.LeNet(),
            "custom" => NetworkDefinition.Custom("chain"),
            _ =>
            NetworkDefinition.Mlp(8)
        };
        options.ImageShape = network == "mlp" ? null : new ImageShape(1, 8, 8);
        return _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_data);
    }

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
