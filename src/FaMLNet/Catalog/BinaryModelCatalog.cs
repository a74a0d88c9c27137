using FaMLNet;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using static Microsoft.ML.MulticlassClassificationCatalog;

namespace Microsoft.ML;

/// <summary>
/// What ML.NET offers for its own binary transformer only, for FaMLNet's: that one is sealed, and a model that it loads would score images one by
/// one.
/// </summary>
public static class BinaryModelCatalog
{
    /// <summary>The same model with another threshold on the score.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.BinaryClassification</c>.</param>
    /// <param name="model">A fitted or loaded transformer.</param>
    /// <param name="threshold">
    /// The score above which the predicted label is true, finite; for a probability p it is ln(p/(1 − p)), 0 for a half.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threshold"/> is not finite.</exception>
    public static FeedbackAlignmentBinaryTransformer ChangeModelThreshold(this BinaryClassificationCatalog catalog,
        FeedbackAlignmentBinaryTransformer model, float threshold)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        if (!float.IsFinite(threshold))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "Argument threshold: a score must be finite.");
        return model.WithThreshold(threshold);
    }

    /// <summary>One binary network a class, each against all other classes.</summary>
    /// <inheritdoc cref="StandardTrainersCatalog.OneVersusAll{TModel}"/>
    public static OneVersusAllTrainer OneVersusAll(this MulticlassClassificationTrainers catalog, FeedbackAlignmentBinaryTrainer binaryEstimator,
        string labelColumnName = "Label", bool imputeMissingLabelsAsNegative = false,
        IEstimator<ISingleFeaturePredictionTransformer<ICalibrator>>? calibrator = null, int maximumCalibrationExampleCount = 1000000000,
        bool useProbabilities = true)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(binaryEstimator);
        return catalog.OneVersusAll(new BinaryTrainerAdapter(CatalogUtils.GetEnvironment(catalog), binaryEstimator), labelColumnName,
            imputeMissingLabelsAsNegative, calibrator, maximumCalibrationExampleCount, useProbabilities);
    }
}
