using FaMLNet;
using Microsoft.ML.Data;
using static Microsoft.ML.MulticlassClassificationCatalog;
using static Microsoft.ML.RegressionCatalog;

namespace Microsoft.ML;

public static partial class FeedbackAlignmentCatalog
{
    /// <summary>Creates a trainer of one neural network that learns several numbers at once by feedback alignment.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Regression.Trainers</c>.</param>
    /// <param name="labelColumnName">The label column: a vector of <see cref="float"/> of known size (<c>Concatenate</c> makes one); NaN stands for a
    /// number that is not known.</param>
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
    /// var pipeline = mlContext.Transforms.Concatenate("Label", "Height", "Weight", "Pulse")
    ///     .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
    ///     .Append(mlContext.Regression.Trainers.FeedbackAlignmentVector());
    /// </code>
    /// </example>
    public static FeedbackAlignmentVectorRegressionTrainer FeedbackAlignmentVector(this RegressionTrainers catalog,
        string labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        FeedbackRule? rule = null,
        NetworkDefinition? network = null,
        float? learningRate = null,
        int numberOfEpochs = FeedbackAlignmentRegressionTrainer.Options.DefaultNumberOfEpochs,
        int batchSize = FeedbackAlignmentOptions.Defaults.BatchSize)
    {
        FeedbackAlignmentVectorRegressionTrainer.Options options = new();
        Set(options, labelColumnName, featureColumnName, exampleWeightColumnName, rule, network, learningRate, numberOfEpochs, batchSize);
        return catalog.FeedbackAlignmentVector(options);
    }

    /// <summary>Creates a trainer of one neural network that learns several numbers at once, with all options.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Regression.Trainers</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static FeedbackAlignmentVectorRegressionTrainer FeedbackAlignmentVector(this RegressionTrainers catalog,
        FeedbackAlignmentVectorRegressionTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new FeedbackAlignmentVectorRegressionTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Creates a trainer of one neural network that learns several labels at once, each true or false, by feedback alignment.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification.Trainers</c>.</param>
    /// <param name="labelColumnName">The label column: a vector of <see cref="bool"/> of known size (<c>Concatenate</c> makes one); any number of
    /// its values may be true.</param>
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
    /// var pipeline = mlContext.Transforms.Concatenate("Label", "IsUrgent", "IsBilling", "IsComplaint")
    ///     .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
    ///     .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel());
    /// </code>
    /// </example>
    public static FeedbackAlignmentMultiLabelTrainer FeedbackAlignmentMultiLabel(this MulticlassClassificationTrainers catalog,
        string labelColumnName = "Label",
        string featureColumnName = "Features",
        string? exampleWeightColumnName = null,
        FeedbackRule? rule = null,
        NetworkDefinition? network = null,
        float? learningRate = null,
        int numberOfEpochs = FeedbackAlignmentOptions.Defaults.NumberOfEpochs,
        int batchSize = FeedbackAlignmentOptions.Defaults.BatchSize)
    {
        FeedbackAlignmentMultiLabelTrainer.Options options = new();
        Set(options, labelColumnName, featureColumnName, exampleWeightColumnName, rule, network, learningRate, numberOfEpochs, batchSize);
        return catalog.FeedbackAlignmentMultiLabel(options);
    }

    /// <summary>Creates a trainer of one neural network that learns several labels at once, each true or false, with all options.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification.Trainers</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static FeedbackAlignmentMultiLabelTrainer FeedbackAlignmentMultiLabel(this MulticlassClassificationTrainers catalog,
        FeedbackAlignmentMultiLabelTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new FeedbackAlignmentMultiLabelTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }
}
