using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using FaMLNet.Errors;
using FaMLNet.Reporting;
using FaMLNet.Views;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet train</c>: from data to a zip.</summary>
internal sealed class TrainCommand : Command<TrainSettings>
{
    public override int Execute(CommandContext context, TrainSettings settings, CancellationToken cancellationToken)
    {
        TrainerChoices choices = settings.Choices();
        // A training ends within one mini-batch; a checkpoint folder then holds its state.
        using StopSignals stop = new(cancellationToken);
        MLContext mlContext = new(settings.Seed);
        if (settings.Log)
            mlContext.Log += (_, message) => Messages.Print(message);
        else
            mlContext.Log += (_, message) => Messages.PrintWarning(message);
        DataSource data = Activity.Run($"reading '{settings.Data}'", () => DataSource.ForTraining(mlContext, settings.Data, settings.Label,
            !settings.NoHeader, Console.WriteLine, LabelTask.Parse(settings.Task), settings.ChoicesFor(settings.Data), settings.Format,
                settings.ImageSize, takesSeveral: true));
        ColumnTable.Show(AnsiConsole.Console, data.Columns, data.Rows);
        if (settings.Columns)
            return 0;
        if (data.IsImages)
            choices = choices with { Network = choices.Network ?? NetworkDefinition.LeNet() };
        FeedbackAlignmentOptions options = OptionsOf(settings, data, choices, stop.Token);
        using TensorBoardLog? board = settings.TensorBoard == null ? null : new TensorBoardLog(settings.TensorBoard, options);
        // The file is this training's, whatever it held before: the log need not look whose it is.
        HistoryLog? table = settings.Csv == null ? null : new HistoryLog(settings.Csv);
        Action<EpochMetrics>? told = table == null ? null : metrics => table.Write(metrics with { TrainingId = null });
        if (board != null)
            told += board.Write;
        ITransformer Fit(Action<EpochMetrics>? callback)
        {
            options.MetricsCallback = callback;
            try
            {
                return Train(mlContext, data, options);
            }
            catch (NoRowLeftException) when (settings.Validation == null)
            {
                options = OptionsOf(settings, data, settings.WithoutValidation(choices), stop.Token);
                options.MetricsCallback = callback;
                return Train(mlContext, data, options);
            }
        }
        ITransformer model = null!;
        if (settings.Log)
            model = Fit(told);
        else
        {
            using IDisposable above = Activity.SayBy(Messages.Say);
            TrainingView.Run(AnsiConsole.Console, view => model = Fit(view.Add($"{choices.Rule}", options.NumberOfEpochs) + told));
        }
        WholeFile.Write(settings.Output, path => mlContext.Model.Save(model, data.View.Schema, path));
        Messages.Say($"Saved as {settings.Output}.");
        Report(settings, data, options, SavedModel.NetworkOf(model)!, board);
        return 0;
    }

    /// <summary>Trains; that it goes on is said until the first epoch is over, which speaks for itself.</summary>
    private static ITransformer Train(MLContext mlContext, DataSource data, FeedbackAlignmentOptions options) =>
        Activity.Run("training", activity =>
        {
            options.MetricsCallback = (_ => activity.Quiet()) + options.MetricsCallback;
            return Pipeline(mlContext, data, options).Fit(data.View);
        });

    /// <summary>Says how the training went, and writes what is asked for beside the model.</summary>
    private static void Report(TrainSettings settings, DataSource data, FeedbackAlignmentOptions options, IFeedbackAlignmentModel trained,
        TensorBoardLog? board)
    {
        if (options.EarlyStopping?.Judge(trained.History).BestEpoch is { } best && best < trained.History.Count)
            Messages.Say(Kept(best, trained.History.Count, options.EarlyStopping.Metric));
        if (Baseline.Warning(data, trained.History, options.ValidationFraction) is { } warning)
            Console.WriteLine(warning);
        // Whole, also where the process was killed between an epoch's checkpoint and its line.
        if (settings.Csv != null)
            HistoryFile.Write(settings.Csv, trained.History);
        board?.WriteFilters(trained);
        if (settings.Report == null)
            return;
        TrainingReport report = new($"{Path.GetFileName(Path.GetFullPath(settings.Data))}, {options.Rule}");
        report.Add($"{options.Rule}", trained.History, options: options);
        report.SaveHtml(settings.Report);
        Messages.Say($"The report is {settings.Report}.");
    }

    private static string Kept(int best, int epochs, StoppingMetric metric) => $"The model is that of epoch {best} of {epochs}, which had the lowest "
        + $"{(metric == StoppingMetric.TrainingLoss ? "training" : "validation")} loss. --patience 0 trains to the end and keeps the last epoch.";

    private static FeedbackAlignmentOptions OptionsOf(TrainSettings settings, DataSource data, TrainerChoices choices,
        CancellationToken cancellation)
    {
        FeedbackAlignmentOptions options = choices.ToOptions(data.Task.Kind, data.Task.HasSeveral);
        options.LabelColumnName = data.Label;
        options.CheckpointFolder = settings.Checkpoints;
        options.CancellationToken = cancellation;
        // Whoever looks at files of what is measured wants all of it; histograms go to event files only.
        if (settings.TensorBoard != null)
            options.Diagnostics = LayerDiagnostics.All;
        else if (settings.Csv != null || settings.Report != null)
            options.Diagnostics = LayerDiagnostics.All & ~LayerDiagnostics.Histograms;
        return options;
    }

    private static IEstimator<ITransformer> Pipeline(MLContext mlContext, DataSource data, FeedbackAlignmentOptions options)
    {
        IEstimator<ITransformer> trainer = Trainer.Of(mlContext, options);
        return data.IsImages ? trainer.Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            : TablePipeline.Create(mlContext, data, trainer, Messages.Say);
    }
}
