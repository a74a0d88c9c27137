using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>The digits and models of them, for tests of attacks.</summary>
public abstract class DigitsUnderAttack
{
    private protected readonly MLContext _mlContext = new(seed: 1);
    private protected readonly IDataView _digits;

    private protected DigitsUnderAttack() => _digits = Tables.Load(_mlContext, "digits");

    private protected MulticlassClassificationCatalog Catalog => _mlContext.MulticlassClassification;

    private protected ITransformer Digits(FeedbackAlignmentMulticlassTrainer.Options options) => Tables.Pipeline(_mlContext, options).Fit(_digits);

    private protected ITransformer Other(IEstimator<ITransformer> trainer) =>
        _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(trainer).Fit(_digits);

    private protected IEstimator<ITransformer> Linear() => _mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy();

    private protected IEstimator<ITransformer> OneVersusAll() =>
        _mlContext.MulticlassClassification.Trainers.OneVersusAll(_mlContext.BinaryClassification.Trainers.FastTree(numberOfTrees: 10));

    private protected static FeedbackAlignmentMulticlassTrainer.Options Convolutional() => new()
    {
        Rule = FeedbackRule.UniformSignConcordant,
        Network = NetworkDefinition.Sequential(new Layer.Conv2d(6, 3), new Layer.Activate(Activation.ReLU), new Layer.MaxPool2d(2),
            new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense()),
        NumberOfEpochs = 4,
        Seed = 1,
    };

    private protected static FeedbackAlignmentMulticlassTrainer.Options With(FeedbackAlignmentMulticlassTrainer.Options options,
        NetworkDefinition network, ImageShape? image = null)
    {
        (options.Network, options.ImageShape) = (network, image);
        return options;
    }

    private protected static string Refused(Action action)
    {
        Exception? failure = Record.Exception(action);
        Assert.True(failure is ArgumentException or InvalidOperationException, $"{failure}");
        return failure.Message;
    }
}
