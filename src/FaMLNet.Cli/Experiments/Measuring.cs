using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Experiments;

/// <summary>Measures a network on test rows, each task by its own measures.</summary>
internal static class Measuring
{
    /// <summary>The measures, and of classes the confusion matrix where there is one.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="model">The model, or a chain that ends with it.</param>
    /// <param name="test">Test rows as the model reads them, all with a label that the training rows have.</param>
    /// <param name="data">The data: test rows of classes without a training row count as wrong.</param>
    /// <param name="settings">The experiment.</param>
    /// <param name="epoch">The epoch whose network it is.</param>
    public static (TestMeasures Measures, ConfusionMatrix? Confusion) Of(MLContext mlContext, ITransformer model, IDataView test, DataSet data,
        ExperimentSettings settings, int epoch) =>
        Activity.Run($"measuring {settings.Name} on the test rows", () => Measure(mlContext, model, test, data, settings, epoch));

    private static (TestMeasures, ConfusionMatrix?) Measure(MLContext mlContext, ITransformer model, IDataView test, DataSet data,
        ExperimentSettings settings, int epoch)
    {
        long rows = Rows.CountOf(test);
        double known = rows + data.Unseen.Rows == 0 ? 1 : (double)rows / (rows + data.Unseen.Rows);
        bool isClasses = data.Task.Kind != TaskKind.Regression;
        if (rows == 0)
        {
            double? none = isClasses && data.Unseen.Rows > 0 ? 0 : null;
            return (data.Task.Kind == TaskKind.Binary ? new TestMeasures { Epoch = epoch, Accuracy = none }
                : new TestMeasures { Epoch = epoch, Top1 = none, TopK = none }, null);
        }
        IDataView scored = model.Transform(test);
        switch (data.Task.Kind)
        {
            case TaskKind.Regression:
                RegressionMetrics regression = mlContext.Regression.Evaluate(scored, data.Label);
                return (new TestMeasures
                {
                    Epoch = epoch,
                    RootMeanSquaredError = regression.RootMeanSquaredError,
                    MeanAbsoluteError = regression.MeanAbsoluteError,
                    RSquared = Finite(regression.RSquared),
                }, null);
            case TaskKind.Binary:
                return Binary(mlContext, scored, data.Label, known, epoch);
            default:
                // ML.NET's evaluator knows no more likely classes than there are classes.
                int classes = ((VectorDataViewType)scored.Schema["Score"].Type).Size, k = Math.Min(settings.TopK, classes);
                MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(scored, data.Label, topKPredictionCount: k);
                return (new TestMeasures
                {
                    Epoch = epoch,
                    Top1 = metrics.MicroAccuracy * known,
                    TopK = metrics.TopKAccuracy * known,
                    LogLoss = Finite(metrics.LogLoss),
                }, metrics.ConfusionMatrix);
        }
    }

    private static (TestMeasures, ConfusionMatrix?) Binary(MLContext mlContext, IDataView scored, string label, double known, int epoch)
    {
        // ML.NET's evaluator throws where the rows have one class only: an area under ROC needs both.
        bool[] labels = [.. scored.GetColumn<bool>(label)];
        if (labels.All(value => value) || labels.All(value => !value))
        {
            bool[] predicted = [.. scored.GetColumn<bool>("PredictedLabel")];
            float[] probabilities = [.. scored.GetColumn<float>("Probability")];
            return (new TestMeasures
            {
                Epoch = epoch,
                Accuracy = known * labels.Zip(predicted).Count(pair => pair.First == pair.Second) / labels.Length,
                LogLoss = labels.Zip(probabilities).Average(pair => -Math.Log(Math.Max(1e-15, pair.First ? pair.Second : 1 - pair.Second))),
            }, null);
        }
        CalibratedBinaryClassificationMetrics metrics = mlContext.BinaryClassification.Evaluate(scored, label);
        return (new TestMeasures
        {
            Epoch = epoch,
            Accuracy = metrics.Accuracy * known,
            AreaUnderRoc = Finite(metrics.AreaUnderRocCurve),
            AreaUnderPrecisionRecall = Finite(metrics.AreaUnderPrecisionRecallCurve),
            F1 = Finite(metrics.F1Score),
            // ML.NET's is in bits for this task.
            LogLoss = Finite(metrics.LogLoss * Math.Log(2)),
        }, metrics.ConfusionMatrix);
    }

    /// <summary>A number that a file can hold; null for one that is not defined, such as R² of equal labels.</summary>
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
