using System.ComponentModel;
using System.Globalization;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using FaMLNet.Reporting;
using FaMLNet.Views;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet train</c>: from data to a zip.</summary>
internal sealed class TrainCommand : Command<TrainCommand.Settings>
{
    private const double DefaultValidation = 0.1;
    private const int DefaultPatience = 10;

    internal sealed class Settings : TrainingTableSettings
    {
        [Input]
        [CommandArgument(0, "<data>"), Description(
            "A table (.csv or .tsv with a header line), or a folder with the files of MNIST, of CIFAR-10's binary version, or with "
            + "image files: train and test, folders or zip archives with one folder per class, or such folders directly; or one zip archive of all.")]
        public string Data { get; set; } = "";

        [CommandOption("-l|--label <COLUMN>"), Description("The column of a table to predict."), DefaultValue("Label")]
        public string Label { get; set; } = "Label";

        [CommandOption("-t|--task <TASK>"), Description(
            "auto, multiclass, binary or regression. auto tells it from the label of a table, and says what it chose and why."), DefaultValue("auto")]
        public string Task { get; set; } = "auto";

        [CommandOption("--columns"), Description("Shows what the columns of the table are taken for, and does nothing else.")]
        public bool Columns { get; set; }

        [CommandOption("--image-size <PIXELS>"), Description("Height and width to which image files are brought: scaled until the shorter side "
            + "fits, and cut in the middle. Without it the shorter side of the first one, at most 224.")]
        public int? ImageSize { get; set; }

        [CommandOption("-r|--rule <RULE>")]
        [Description("How the error travels back: bp, fa, dfa, usf, brsf, frsf, nss, kp, wm, pfa, dkp, drtp, sdfa or pepita."), DefaultValue("fa")]
        public string Rule { get; set; } = "fa";

        [CommandOption("-n|--network <NETWORK>"), Description(NetworkNames.Known
            + ". Without it mlp:128,64 for tables (by drtp with +tanh), lenet for images.")]
        public string? Network { get; set; }

        [CommandOption("-e|--epochs <NUMBER>"), Description("Passes over the data. Without it 100, or 25 for a regression.")]
        public int? Epochs { get; set; }

        [CommandOption("-b|--batch-size <ROWS>"), Description("Rows per update."), DefaultValue(32)]
        public int BatchSize { get; set; } = 32;

        [CommandOption("--learning-rate <NUMBER>"), Description("The optimiser's step size. Without it the default of the rule, or of the optimiser "
            + "that --optimizer chooses.")]
        public string? LearningRate { get; set; }

        [CommandOption("--optimizer <NAME>"), Description("sgd, adam, adamw or rmsprop, with its default settings. Without it the rule's.")]
        public string? Optimizer { get; set; }

        [CommandOption("--schedule <SCHEDULE>"), Description(OptimizerNames.KnownSchedules + ". Without it the rule's.")]
        public string? Schedule { get; set; }

        [CommandOption("--constrain-weights"), Description("Scales each layer's weights back to their first norm after every update.")]
        public bool ConstrainWeights { get; set; }

        [CommandOption("--clip-errors <LIMIT>"), Description("Clips the error to this size where it leaves a layer with weights.")]
        public float? ErrorLimit { get; set; }

        [CommandOption("-v|--validation <SHARE>"),
            Description("Share of the rows that is kept aside to measure on after each epoch. Without it 0.1, or none if the table is too small.")]
        public double? Validation { get; set; }

        [CommandOption("--patience <EPOCHS>"), Description(
            "Ends the training after so many epochs without a better validation loss; the model has the weights of the best epoch. Without it 10 "
            + "where rows are kept aside. 0 trains to the end and keeps the last epoch.")]
        public int? Patience { get; set; }

        [CommandOption("-s|--seed <NUMBER>"), Description("Seed of everything random."), DefaultValue(1)]
        public int Seed { get; set; } = 1;

        [Output(IsFolder = true)]
        [CommandOption("-c|--checkpoints <FOLDER>"), Description("Keeps the state of the training there; the same command goes on from it.")]
        public string? Checkpoints { get; set; }

        [Output]
        [CommandOption("-o|--output <FILE>"), Description("The model."), DefaultValue("model.zip")]
        public string Output { get; set; } = "model.zip";

        [Output]
        [CommandOption("--csv <FILE>"), Description("Writes the history there while it trains, as a table (.csv) or as JSON lines (.jsonl).")]
        public string? Csv { get; set; }

        [Output(IsFolder = true)]
        [CommandOption("--tensorboard <FOLDER>"), Description("Writes an event file of TensorBoard there while it trains: the folder of this run.")]
        public string? TensorBoard { get; set; }

        [Output]
        [CommandOption("--report <FILE>"), Description("Writes an HTML report of the training there when it is over.")]
        public string? Report { get; set; }

        [CommandOption("--log"), Description("Prints ML.NET's messages instead of the view.")]
        public bool Log { get; set; }
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        if (settings.Patience is < 0)
            throw new FormatException($"--patience must be 0 or more; found {settings.Patience}.");
        FeedbackRule rule = FeedbackRule.Parse(settings.Rule);
        OptimizerOptions? optimizer = OptimizerNames.Parse(settings.Optimizer);
        float? rate = OptimizerNames.ParseRate(settings.LearningRate);
        LearningRateSchedule? schedule = OptimizerNames.ParseSchedule(settings.Schedule);
        // A training ends within one mini-batch; a checkpoint folder then holds its state.
        using StopSignals stop = new(cancellationToken);
        MLContext mlContext = new(settings.Seed);
        if (settings.Log)
            mlContext.Log += (_, message) => Messages.Print(message);
        else
            mlContext.Log += (_, message) => Messages.PrintWarning(message);
        DataSource data = Activity.Run($"reading '{settings.Data}'", () => DataSource.ForTraining(mlContext, settings.Data, settings.Label,
            !settings.NoHeader, Console.WriteLine, LabelTask.Parse(settings.Task), settings.ChoicesFor(settings.Data), settings.Format,
                settings.ImageSize));
        ColumnTable.Show(AnsiConsole.Console, data.Columns, data.Rows);
        if (settings.Columns)
            return 0;
        FeedbackAlignmentOptions options = OptionsOf(settings, data, rule);
        options.CancellationToken = stop.Token;
        // A rate belongs to the optimiser that is named, else to the rule's own.
        options.Optimizer = rate is { } step && optimizer != null ? optimizer with { LearningRate = step } : optimizer;
        options.LearningRate = optimizer == null ? rate : null;
        options.Schedule = schedule;
        // Whoever looks at files of what is measured wants all of it; histograms go to event files only.
        if (settings.TensorBoard != null)
            options.Diagnostics = LayerDiagnostics.All;
        else if (settings.Csv != null || settings.Report != null)
            options.Diagnostics = LayerDiagnostics.All & ~LayerDiagnostics.Histograms;
        using TensorBoardLog? board = settings.TensorBoard == null ? null : new TensorBoardLog(settings.TensorBoard, options);
        // The file is this training's, whatever it held before: the log need not look whose it is.
        HistoryLog? table = settings.Csv == null ? null : new HistoryLog(settings.Csv);
        Action<EpochMetrics>? told = table == null ? null : metrics => table.Write(metrics with { TrainingId = null });
        if (board != null)
            told += board.Write;
        ITransformer model = null!;
        void Fit()
        {
            try
            {
                model = Pipeline(mlContext, data, options).Fit(data.View);
            }
            catch (InvalidOperationException failure)
                when (settings.Validation == null && failure.Message.StartsWith($"Option {nameof(options.ValidationFraction)}:",
                StringComparison.Ordinal))
            {
                Console.WriteLine($"The table is too small to keep a share of {DefaultValidation.ToString(CultureInfo.InvariantCulture)} of its "
                    + $"rows aside: all are trained on.");
                options.ValidationFraction = 0;
                if (options.EarlyStopping is { } stopping)
                    options.EarlyStopping = settings.Patience == null ? null : stopping with { Metric = StoppingMetric.TrainingLoss };
                model = Pipeline(mlContext, data, options).Fit(data.View);
            }
        }
        options.MetricsCallback = told;
        if (settings.Log)
            Train(Fit, options);
        else
        {
            using IDisposable above = Activity.SayBy(Messages.Say);
            TrainingView.Run(AnsiConsole.Console, view =>
            {
                options.MetricsCallback = view.Add($"{rule}", options.NumberOfEpochs) + told;
                Train(Fit, options);
            });
        }
        WholeFile.Write(settings.Output, path => mlContext.Model.Save(model, data.View.Schema, path));
        Messages.Say($"Saved as {settings.Output}.");
        IFeedbackAlignmentModel trained = SavedModel.NetworkOf(model)!;
        if (options.EarlyStopping?.Judge(trained.History).BestEpoch is { } best && best < trained.History.Count)
            Messages.Say(Kept(best, trained.History.Count, options.EarlyStopping.Metric));
        if (Baseline.Warning(data, trained.History) is { } warning)
            Console.WriteLine(warning);
        // Whole, also where the process was killed between an epoch's checkpoint and its line.
        if (settings.Csv != null)
            HistoryFile.Write(settings.Csv, trained.History);
        board?.WriteFilters(trained);
        if (settings.Report != null)
        {
            TrainingReport report = new($"{Path.GetFileName(Path.GetFullPath(settings.Data))}, {rule}");
            report.Add($"{rule}", trained.History, options: options);
            report.SaveHtml(settings.Report);
            Messages.Say($"The report is {settings.Report}.");
        }
        return 0;
    }

    /// <summary>Trains; that it goes on is said until the first epoch is over, which speaks for itself.</summary>
    private static void Train(Action fit, FeedbackAlignmentOptions options) => Activity.Run("training", activity =>
    {
        options.MetricsCallback = (_ => activity.Quiet()) + options.MetricsCallback;
        fit();
        return 0;
    });

    private static string Kept(int best, int epochs, StoppingMetric metric) => $"The model is that of epoch {best} of {epochs}, which had the lowest "
        + $"{(metric == StoppingMetric.TrainingLoss ? "training" : "validation")} loss. --patience 0 trains to the end and keeps the last epoch.";

    private static FeedbackAlignmentOptions OptionsOf(Settings settings, DataSource data, FeedbackRule rule)
    {
        FeedbackAlignmentOptions options = data.Task.Kind switch
        {
            TaskKind.Binary => new FeedbackAlignmentBinaryTrainer.Options(),
            TaskKind.Regression => new FeedbackAlignmentRegressionTrainer.Options(),
            _ => new FeedbackAlignmentMulticlassTrainer.Options(),
        };
        options.LabelColumnName = data.Label;
        options.Rule = rule;
        options.Network = settings.Network is { } network ? NetworkNames.Parse(network) : data.IsImages ? NetworkDefinition.LeNet() : null;
        options.NumberOfEpochs = settings.Epochs ?? options.NumberOfEpochs;
        options.BatchSize = settings.BatchSize;
        options.ValidationFraction = settings.Validation ?? DefaultValidation;
        // Where nothing is kept aside there is nothing to stop by, unless the user asks for it.
        int patience = settings.Patience ?? (options.ValidationFraction > 0 ? DefaultPatience : 0);
        options.EarlyStopping = patience > 0 ? new EarlyStopping { Patience = patience } : null;
        options.Seed = settings.Seed;
        options.ConstrainWeightNorms = settings.ConstrainWeights;
        options.GradientClipping = settings.ErrorLimit is { } limit ? GradientClipping.OfErrors(limit) : null;
        options.CheckpointFolder = settings.Checkpoints;
        return options;
    }

    private static IEstimator<ITransformer> Pipeline(MLContext mlContext, DataSource data, FeedbackAlignmentOptions options)
    {
        IEstimator<ITransformer> trainer = options switch
        {
            FeedbackAlignmentBinaryTrainer.Options binary => mlContext.BinaryClassification.Trainers.FeedbackAlignment(binary),
            FeedbackAlignmentRegressionTrainer.Options regression => mlContext.Regression.Trainers.FeedbackAlignment(regression),
            var classes => mlContext.MulticlassClassification.Trainers.FeedbackAlignment((FeedbackAlignmentMulticlassTrainer.Options)classes),
        };
        return data.IsImages ? trainer.Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            : TablePipeline.Create(mlContext, data, trainer, Messages.Say);
    }
}
