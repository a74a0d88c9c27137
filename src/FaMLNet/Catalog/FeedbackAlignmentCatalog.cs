using FaMLNet;
using Microsoft.ML.Data;
using static Microsoft.ML.MulticlassClassificationCatalog;

namespace Microsoft.ML;

/// <summary>Adds FaMLNet's trainers to the catalogs of an <see cref="MLContext"/>.</summary>
public static class FeedbackAlignmentCatalog
{
    /// <summary>Creates a trainer of neural networks that learn by feedback alignment.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification.Trainers</c>.</param>
    /// <param name="labelColumnName">The label column: a key (<c>MapValueToKey</c> makes one).</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/> of known size, best scaled by
    /// <c>NormalizeMeanVariance</c>.</param>
    /// <param name="exampleWeightColumnName">The example weight column (<see cref="float"/>); null for none.</param>
    /// <param name="rule">How the error travels back; null for <see cref="FeedbackRule.FeedbackAlignment"/>.</param>
    /// <param name="network">The layers; null for <c>NetworkDefinition.Mlp(128, 64)</c>.</param>
    /// <param name="learningRate">Step size of the rule's own optimiser, above 0; null for the rule's own
    /// (<see cref="RuleDefaults.Optimizer"/>).</param>
    /// <param name="numberOfEpochs">Passes over the training data, at least 1.</param>
    /// <param name="batchSize">Rows per update, at least 1.</param>
    /// <exception cref="ArgumentException">An argument is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
    ///     .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: FeedbackRule.DirectFeedbackAlignment))
    ///     .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
    /// </code>
    /// </example>
    public static FeedbackAlignmentMulticlassTrainer FeedbackAlignment(this MulticlassClassificationTrainers catalog,
        string labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        FeedbackRule? rule = null,
        NetworkDefinition? network = null,
        float? learningRate = null,
        int numberOfEpochs = FeedbackAlignmentMulticlassTrainer.Options.Defaults.NumberOfEpochs,
        int batchSize = FeedbackAlignmentMulticlassTrainer.Options.Defaults.BatchSize)
    {
        rule ??= FeedbackRule.FeedbackAlignment;
        network ??= NetworkDefinition.Mlp(128, 64);
        FeedbackAlignmentMulticlassTrainer.Options options = new()
        {
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            ExampleWeightColumnName = exampleWeightColumnName,
            Rule = rule,
            Network = network,
            Optimizer = learningRate is { } rate ? rule.Defaults.OptimizerFor(network) with { LearningRate = rate } : null,
            NumberOfEpochs = numberOfEpochs,
            BatchSize = batchSize,
        };
        return catalog.FeedbackAlignment(options);
    }

    /// <summary>Creates a trainer of neural networks that learn by feedback alignment, with all options.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification.Trainers</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static FeedbackAlignmentMulticlassTrainer FeedbackAlignment(this MulticlassClassificationTrainers catalog,
        FeedbackAlignmentMulticlassTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new FeedbackAlignmentMulticlassTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }
}
