using FaMLNet;
using FaMLNet.Evaluation;
using Microsoft.ML.Data;

namespace Microsoft.ML;

/// <summary>Measures models that predict several numbers, or several labels, at once.</summary>
public static class VectorEvaluationCatalog
{
    /// <summary>Measures predictions of several numbers.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Regression</c>.</param>
    /// <param name="data">The scored data, as the fitted pipeline's <c>Transform</c> returns it.</param>
    /// <param name="labelColumnName">The label column: a vector of <see cref="float"/>; NaN stands for a number that is not known.</param>
    /// <param name="scoreColumnName">The predictions: a vector of <see cref="float"/> of the label's length.</param>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The data has no row.</exception>
    public static VectorRegressionMetrics EvaluateVector(this RegressionCatalog catalog, IDataView data,
        string labelColumnName = DefaultColumnNames.Label, string scoreColumnName = DefaultColumnNames.Score)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        return VectorEvaluation.Numbers(data, labelColumnName, scoreColumnName);
    }

    /// <summary>Measures predictions of several labels, each true or false.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification</c>.</param>
    /// <param name="data">The scored data, as the fitted pipeline's <c>Transform</c> returns it.</param>
    /// <param name="labelColumnName">The label column: a vector of <see cref="bool"/>.</param>
    /// <param name="scoreColumnName">What ranks rows for the average precision: a vector of <see cref="float"/> of the label's length.</param>
    /// <param name="predictedLabelColumnName">The predictions: a vector of <see cref="bool"/> of the label's length.</param>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The data has no row.</exception>
    public static MultiLabelMetrics EvaluateMultiLabel(this MulticlassClassificationCatalog catalog, IDataView data,
        string labelColumnName = DefaultColumnNames.Label, string scoreColumnName = DefaultColumnNames.Score,
        string predictedLabelColumnName = DefaultColumnNames.PredictedLabel)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        return VectorEvaluation.Labels(data, labelColumnName, scoreColumnName, predictedLabelColumnName);
    }
}
