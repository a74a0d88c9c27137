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

    [Fact]
    public void A_dense_model_has_nothing_to_free_and_goes_on()
    {
        FeedbackAlignmentMulticlassTransformer model = Fit("mlp");
        float[][] before = [.. model.Transform(_data).GetColumn<float[]>("Score")];
        model.Dispose();
        Assert.Equal(before, model.Transform(_data).GetColumn<float[]>("Score"));
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
}
