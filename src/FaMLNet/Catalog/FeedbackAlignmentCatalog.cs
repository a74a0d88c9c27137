using FaMLNet;
using Microsoft.ML.Data;
using static Microsoft.ML.BinaryClassificationCatalog;
using static Microsoft.ML.MulticlassClassificationCatalog;
using static Microsoft.ML.RegressionCatalog;

namespace Microsoft.ML;

/// <summary>Adds FaMLNet's trainers to the catalogs of an <see cref="MLContext"/>.</summary>
public static partial class FeedbackAlignmentCatalog
{
    /// <summary>Creates a trainer of neural networks that learn by feedback alignment.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification.Trainers</c>.</param>
    /// <param name="labelColumnName">The label column: a key (<c>MapValueToKey</c> makes one).</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/> of known size, best scaled by
    /// <c>NormalizeMeanVariance</c>.</param>
    /// <param name="exampleWeightColumnName">The example weight column (<see cref="float"/>); null for none.</param>
    /// <param name="rule">How the error travels back; null for <see cref="FeedbackRule.FeedbackAlignment"/>.</param>
    /// <param name="network">The layers. Default: null, the rule's own (<c>NetworkDefinition.Mlp(128, 64)</c> with
    /// <see cref="RuleDefaults.Activation"/>).</param>
    /// <param name="learningRate">Step size of the rule's own optimiser, above 0 (<see cref="FeedbackAlignmentOptions.LearningRate"/>). Default:
    /// null, the rule's own (the rate of <see cref="RuleDefaults.DenseOptimizer"/> for networks of dense layers, else that of
    /// <see cref="RuleDefaults.Optimizer"/>).</param>
    /// <param name="numberOfEpochs">Passes over the training data, at least 1. Default: 100.</param>
    /// <param name="batchSize">Rows per update, at least 1. Default: 32.</param>
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
        int numberOfEpochs = FeedbackAlignmentOptions.Defaults.NumberOfEpochs,
        int batchSize = FeedbackAlignmentOptions.Defaults.BatchSize)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = new();
        Set(options, labelColumnName, featureColumnName, exampleWeightColumnName, rule, network, learningRate, numberOfEpochs, batchSize);
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

    /// <summary>Creates a trainer of neural networks that learn a yes or no by feedback alignment.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.BinaryClassification.Trainers</c>.</param>
    /// <param name="labelColumnName">The label column: <see cref="bool"/>.</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/> of known size, best scaled by
    /// <c>NormalizeMeanVariance</c>.</param>
    /// <param name="exampleWeightColumnName">The example weight column (<see cref="float"/>); null for none.</param>
    /// <param name="rule">How the error travels back; null for <see cref="FeedbackRule.FeedbackAlignment"/>.</param>
    /// <param name="network">The layers. Default: null, the rule's own (<c>NetworkDefinition.Mlp(128, 64)</c> with
    /// <see cref="RuleDefaults.Activation"/>).</param>
    /// <param name="learningRate">Step size of the rule's own optimiser, above 0 (<see cref="FeedbackAlignmentOptions.LearningRate"/>). Default:
    /// null, the rule's own (the rate of <see cref="RuleDefaults.DenseOptimizer"/> for networks of dense layers, else that of
    /// <see cref="RuleDefaults.Optimizer"/>).</param>
    /// <param name="numberOfEpochs">Passes over the training data, at least 1. Default: 100.</param>
    /// <param name="batchSize">Rows per update, at least 1. Default: 32.</param>
    /// <exception cref="ArgumentException">An argument is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = mlContext.Transforms.NormalizeMeanVariance("Features")
    ///     .Append(mlContext.BinaryClassification.Trainers.FeedbackAlignment(rule: FeedbackRule.DirectFeedbackAlignment));
    /// </code>
    /// </example>
    public static FeedbackAlignmentBinaryTrainer FeedbackAlignment(this BinaryClassificationTrainers catalog,
        string labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        FeedbackRule? rule = null,
        NetworkDefinition? network = null,
        float? learningRate = null,
        int numberOfEpochs = FeedbackAlignmentOptions.Defaults.NumberOfEpochs,
        int batchSize = FeedbackAlignmentOptions.Defaults.BatchSize)
    {
        FeedbackAlignmentBinaryTrainer.Options options = new();
        Set(options, labelColumnName, featureColumnName, exampleWeightColumnName, rule, network, learningRate, numberOfEpochs, batchSize);
        return catalog.FeedbackAlignment(options);
    }

    /// <summary>Creates a trainer of neural networks that learn by feedback alignment, with all options.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.BinaryClassification.Trainers</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static FeedbackAlignmentBinaryTrainer FeedbackAlignment(this BinaryClassificationTrainers catalog,
        FeedbackAlignmentBinaryTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new FeedbackAlignmentBinaryTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Creates a trainer of neural networks that learn a number by feedback alignment.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Regression.Trainers</c>.</param>
    /// <param name="labelColumnName">The label column: <see cref="float"/>.</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/> of known size, best scaled by
    /// <c>NormalizeMeanVariance</c>.</param>
    /// <param name="exampleWeightColumnName">The example weight column (<see cref="float"/>); null for none.</param>
    /// <param name="rule">How the error travels back; null for <see cref="FeedbackRule.FeedbackAlignment"/>.</param>
    /// <param name="network">The layers. Default: null, the rule's own (<c>NetworkDefinition.Mlp(128, 64)</c> with
    /// <see cref="RuleDefaults.Activation"/>).</param>
    /// <param name="learningRate">Step size of the rule's own optimiser, above 0 (<see cref="FeedbackAlignmentOptions.LearningRate"/>). Default:
    /// null, the rule's own (the rate of <see cref="RuleDefaults.DenseOptimizer"/> for networks of dense layers, else that of
    /// <see cref="RuleDefaults.Optimizer"/>).</param>
    /// <param name="numberOfEpochs">Passes over the training data, at least 1. Default: 25.</param>
    /// <param name="batchSize">Rows per update, at least 1. Default: 32.</param>
    /// <exception cref="ArgumentException">An argument is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = mlContext.Transforms.NormalizeMeanVariance("Features")
    ///     .Append(mlContext.Regression.Trainers.FeedbackAlignment(rule: FeedbackRule.DirectFeedbackAlignment));
    /// </code>
    /// </example>
    public static FeedbackAlignmentRegressionTrainer FeedbackAlignment(this RegressionTrainers catalog,
        string labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        FeedbackRule? rule = null,
        NetworkDefinition? network = null,
        float? learningRate = null,
        int numberOfEpochs = FeedbackAlignmentRegressionTrainer.Options.DefaultNumberOfEpochs,
        int batchSize = FeedbackAlignmentOptions.Defaults.BatchSize)
    {
        FeedbackAlignmentRegressionTrainer.Options options = new();
        Set(options, labelColumnName, featureColumnName, exampleWeightColumnName, rule, network, learningRate, numberOfEpochs, batchSize);
        return catalog.FeedbackAlignment(options);
    }

    /// <summary>Creates a trainer of neural networks that learn by feedback alignment, with all options.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Regression.Trainers</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static FeedbackAlignmentRegressionTrainer FeedbackAlignment(this RegressionTrainers catalog,
        FeedbackAlignmentRegressionTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new FeedbackAlignmentRegressionTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }

    private static void Set(FeedbackAlignmentOptions options, string label, string features, string? weight, FeedbackRule? rule,
        NetworkDefinition? network, float? learningRate, int numberOfEpochs, int batchSize)
    {
        (options.LabelColumnName, options.FeatureColumnName, options.ExampleWeightColumnName) = (label, features, weight);
        options.Rule = rule ?? options.Rule;
        options.Network = network;
        options.LearningRate = learningRate;
        (options.NumberOfEpochs, options.BatchSize) = (numberOfEpochs, batchSize);
    }
}
