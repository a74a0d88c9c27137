using System.Diagnostics;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;

namespace FaMLNet.Cli.Peers;

/// <summary>A measure of a trainer over the folds.</summary>
/// <param name="Title">Its name for people.</param>
/// <param name="Mean">The mean over the folds.</param>
/// <param name="Deviation">The standard deviation over the folds.</param>
/// <param name="Format">How people write it.</param>
internal sealed record PeerMeasure(string Title, double Mean, double Deviation, string Format);

/// <summary>What a trainer has shown by cross-validation.</summary>
/// <param name="Trainer">Its name.</param>
/// <param name="Measures">The measures of the task; the first is the one that counts.</param>
/// <param name="FitSeconds">Time to fit, the pipeline before it included.</param>
/// <param name="PredictMicroseconds">Time to score a row of a view.</param>
/// <param name="ModelBytes">Size of the saved pipeline.</param>
/// <param name="PeakBytes">Peak memory of the process that did nothing else.</param>
internal sealed record PeerMeasures(string Trainer, IReadOnlyList<PeerMeasure> Measures, double FitSeconds, double PredictMicroseconds,
    long ModelBytes, long PeakBytes);

/// <summary>A trainer that is compared with others.</summary>
internal sealed record Peer(string Name, Func<MLContext, string, int, bool, IEstimator<ITransformer>> Create)
{
    private static readonly IReadOnlyList<Peer> Multiclass =
    [
        new("SdcaMaximumEntropy", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy(label)),
        new("LbfgsMaximumEntropy", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(label)),
        new("LightGbm", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.LightGbm(label)),
        new("FastTree one-versus-all", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.OneVersusAll(
            mlContext.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options()), label)),
        .. Rules(_ => true, TaskKind.Multiclass),
    ];

    private static readonly IReadOnlyList<Peer> Binary =
    [
        new("SdcaLogisticRegression", (mlContext, label, _, _) => mlContext.BinaryClassification.Trainers.SdcaLogisticRegression(label)),
        new("LbfgsLogisticRegression", (mlContext, label, _, _) => mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression(label)),
        new("LightGbm", (mlContext, label, _, _) => mlContext.BinaryClassification.Trainers.LightGbm(label)),
        new("FastTree", (mlContext, label, _, _) => mlContext.BinaryClassification.Trainers.FastTree(label)),
        .. Rules(_ => true, TaskKind.Binary),
    ];

    private static readonly IReadOnlyList<Peer> Regression =
    [
        new("Sdca", (mlContext, label, _, _) => mlContext.Regression.Trainers.Sdca(label)),
        new("LightGbm", (mlContext, label, _, _) => mlContext.Regression.Trainers.LightGbm(label)),
        new("FastTree", (mlContext, label, _, _) => mlContext.Regression.Trainers.FastTree(label)),
        new("FastForest", (mlContext, label, _, _) => mlContext.Regression.Trainers.FastForest(label)),
        // Without the rules that send the class in the error's place: a number has none.
        .. Rules(rule => rule is not DirectFeedbackRule { Projects: ProjectedSignal.Target }, TaskKind.Regression),
    ];

    /// <summary>ML.NET's own trainers for a task and FaMLNet's rules, with the defaults of each.</summary>
    public static IReadOnlyList<Peer> Of(TaskKind task) => task switch
    {
        TaskKind.Binary => Binary,
        TaskKind.Regression => Regression,
        _ => Multiclass,
    };

    /// <summary>Cross-validates it; the folds are those of every other.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="data">The rows.</param>
    /// <param name="folds">How many folds.</param>
    /// <param name="epochs">Of FaMLNet's rules.</param>
    /// <param name="say">Receives what the preparation of the features decides, for each fold.</param>
    public PeerMeasures Measure(MLContext mlContext, DataSource data, int folds, int epochs, Action<string> say)
    {
        List<IReadOnlyList<PeerMeasure>> measures = [];
        List<double> fits = [], predictions = [];
        long bytes = 0;
        foreach ((IDataView train, IDataView test, double known) in Folds(mlContext, data, folds))
        {
            IEstimator<ITransformer> trainer = Create(mlContext, data.Label, epochs, data.IsImages);
            IEstimator<ITransformer> pipeline = data.IsImages ? trainer : TablePipeline.Prepare(mlContext, data, say).Append(trainer);
            Stopwatch watch = Stopwatch.StartNew();
            ITransformer model = pipeline.Fit(train);
            fits.Add(watch.Elapsed.TotalSeconds);
            measures.Add(Of(mlContext, data, model.Transform(test), known));
            // Once more, warm, and all rows, of which a fold may have few: what a running service sees.
            watch.Restart();
            int rows = Score(model.Transform(data.View));
            predictions.Add(watch.Elapsed.TotalMicroseconds / rows);
            using MemoryStream stream = new();
            mlContext.Model.Save(model, data.View.Schema, stream);
            bytes = stream.Length;
            (model as IDisposable)?.Dispose();
        }
        using Process process = Process.GetCurrentProcess();
        return new PeerMeasures(Name, [.. Enumerable.Range(0, measures[0].Count).Select(index =>
        {
            (double mean, double deviation) = Statistics.Spread([.. measures.Select(fold => fold[index].Mean)]);
            return measures[0][index] with { Mean = mean, Deviation = deviation };
        })], Statistics.Median(fits), Statistics.Median(predictions), bytes, process.PeakWorkingSet64);
    }

    /// <summary>The folds, and the share of each fold's labelled test rows whose class is among its training rows: the others are wrong.</summary>
    private static IEnumerable<(IDataView Train, IDataView Test, double Known)> Folds(MLContext mlContext, DataSource data, int folds)
    {
        const int seed = 1;
        if (data.IsImages)
        {
            foreach (DataOperationsCatalog.TrainTestData fold in mlContext.Data.CrossValidationSplit(data.View, folds, seed: seed))
                yield return (fold.TrainSet, fold.TestSet, 1);
            yield break;
        }
        List<string?> labels = TableSplit.Labels(data.View, data.Label);
        bool isRegression = data.Task.Kind == TaskKind.Regression;
        foreach ((int[] train, int[] test) in TableSplit.Folds(isRegression ? [.. labels.Select(label => label == null ? null : "")] : labels, folds,
            seed))
        {
            HashSet<string> classes = [.. (isRegression ? test : train).Select(row => labels[row]).OfType<string>()];
            (int[] rows, UnseenClasses unseen, _) = TableSplit.Measurable(classes, labels, test);
            if (rows.Length == 0)
                throw new InvalidOperationException($"A fold of {test.Length} rows has none of a class that the others have. Give --folds a smaller "
                    + "number, or more rows of each class.");
            yield return (new SelectedRows(data.View, train), new SelectedRows(data.View, rows), (double)rows.Length / (rows.Length + unseen.Rows));
        }
    }

    private static IReadOnlyList<PeerMeasure> Of(MLContext mlContext, DataSource data, IDataView scored, double known)
    {
        switch (data.Task.Kind)
        {
            case TaskKind.Regression:
                RegressionMetrics regression = mlContext.Regression.Evaluate(scored, data.Label);
                return [new("R²", regression.RSquared, 0, "F4"), new("root mean squared error", regression.RootMeanSquaredError, 0, "G5"),
                    new("mean absolute error", regression.MeanAbsoluteError, 0, "G5")];
            case TaskKind.Binary:
                CalibratedBinaryClassificationMetrics binary = mlContext.BinaryClassification.Evaluate(scored, data.Label);
                return [new("accuracy, %", 100 * binary.Accuracy * known, 0, "F2"), new("area under ROC", binary.AreaUnderRocCurve, 0, "F4"),
                    new("log-loss", binary.LogLoss * Math.Log(2), 0, "F3")];
            default:
                MulticlassClassificationMetrics classes = mlContext.MulticlassClassification.Evaluate(scored, data.Label);
                return [new("accuracy, %", 100 * classes.MicroAccuracy * known, 0, "F2"), new("log-loss", classes.LogLoss, 0, "F3")];
        }
    }

    /// <summary>Computes every row's scores.</summary>
    private static int Score(IDataView scored)
    {
        DataViewSchema.Column column = scored.Schema["Score"];
        using DataViewRowCursor cursor = scored.GetRowCursor([column]);
        int rows = 0;
        if (column.Type is VectorDataViewType)
        {
            ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(column);
            VBuffer<float> scores = default;
            for (; cursor.MoveNext(); rows++)
                getter(ref scores);
            return rows;
        }
        ValueGetter<float> one = cursor.GetGetter<float>(column);
        float score = 0;
        for (; cursor.MoveNext(); rows++)
            one(ref score);
        return rows;
    }

    private static IEnumerable<Peer> Rules(Func<FeedbackRule, bool> fits, TaskKind task) => FeedbackRule.All.Where(fits)
        .Select(rule => new Peer($"FaMLNet {rule.ShortName}", (mlContext, label, epochs, isImages) =>
        {
            FeedbackAlignmentOptions options = new TrainerChoices
            {
                Rule = rule,
                Network = isImages ? NetworkDefinition.LeNet() : null,
                Epochs = epochs,
                BatchSize = isImages ? 64 : 32,
                Seed = 1,
            }.ToOptions(task);
            options.LabelColumnName = label;
            return Trainer.Of(mlContext, options);
        }));
}
