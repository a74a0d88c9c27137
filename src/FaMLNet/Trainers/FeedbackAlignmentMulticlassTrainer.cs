using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace FaMLNet;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a neural network for multiclass classification by feedback alignment or
/// backpropagation.
/// </summary>
/// <remarks>
/// <para>Create it by <c>mlContext.MulticlassClassification.Trainers.FeedbackAlignment(…)</c>.</para>
/// <para>Input: label, a key (<see cref="KeyDataViewType"/> of <see cref="uint"/>); features, a vector of <see cref="float"/> of known size;
/// optionally example weights, <see cref="float"/>. Output: <c>Score</c>, class probabilities with the labels as slot names, and
/// <c>PredictedLabel</c>, a key with the training label's values.</para>
/// <para>Networks want features of about unit size: put <c>NormalizeMeanVariance</c> before the trainer. Rows whose features are missing
/// (NaN) or whose label or weight is missing are left out, and a log message counts them. The data is read into memory once, so that
/// <c>AppendCacheCheckpoint</c> is not needed.</para>
/// <para>Training needs TorchSharp's native libraries; predicting with a dense network does not.</para>
/// </remarks>
public sealed partial class FeedbackAlignmentMulticlassTrainer
    : TrainerEstimatorBase<FeedbackAlignmentMulticlassTransformer, FeedbackAlignmentMulticlassModelParameters>,
      IEstimator<FeedbackAlignmentMulticlassTransformer>
{
    private readonly TrainingSettings _settings;
    private readonly Action<EpochMetrics>? _metricsCallback;
    private readonly Action<StepMetrics>? _stepCallback;
    private readonly CancellationToken _cancellation;

    internal FeedbackAlignmentMulticlassTrainer(IHostEnvironment env, Options options)
        : base(Register(env, options), TrainerUtils.MakeR4VecFeature(options.FeatureColumnName),
        TrainerUtils.MakeU4ScalarColumn(options.LabelColumnName),
            TrainerUtils.MakeR4ScalarWeightColumn(options.ExampleWeightColumnName))
    {
        _settings = options.Resolve(defaultSeed: () => Host.Rand.Next());
        _metricsCallback = options.MetricsCallback;
        _stepCallback = options.StepCallback;
        _cancellation = options.CancellationToken;
    }

    /// <inheritdoc/>
    public override TrainerInfo Info { get; } = new(normalization: true, calibration: false, caching: false);

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MulticlassClassification;

    /// <summary>Trains a network.</summary>
    /// <param name="input">The training data.</param>
    /// <returns>A transformer that scores; its <c>Model</c> holds the weights and the history of the training.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">The data cannot be trained on: no usable row, one class only, an infinite feature, a
    /// negative weight.</exception>
    /// <exception cref="TrainingDivergedException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException"><see cref="Options.CancellationToken"/> was cancelled.</exception>
    /// <exception cref="DllNotFoundException">TorchSharp's native libraries cannot be loaded.</exception>
    public new FeedbackAlignmentMulticlassTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Train(input, validation: null, initial: null);
    }

    /// <summary>Trains a network, with loss and accuracy on a validation set after each epoch.</summary>
    /// <param name="trainData">The training data.</param>
    /// <param name="validationData">Rows that are not trained on, of the same columns; kept in memory.</param>
    /// <returns>As <see cref="Fit(IDataView)"/>.</returns>
    /// <inheritdoc cref="Fit(IDataView)" path="/exception"/>
    public FeedbackAlignmentMulticlassTransformer Fit(IDataView trainData, IDataView validationData)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        ArgumentNullException.ThrowIfNull(validationData);
        return Train(trainData, validationData, initial: null);
    }

    /// <summary>
    /// Continues the training of a model: starts from its weights instead of random ones, and from its feedback weights if the rule is the
    /// same.
    /// </summary>
    /// <param name="trainData">The training data: as many features and classes as the model has.</param>
    /// <param name="modelParameters">A model of this trainer's network.</param>
    /// <returns>As <see cref="Fit(IDataView)"/>. The history begins anew, and so do the optimiser and the schedule.</returns>
    /// <exception cref="ArgumentException">The model has another network, other features or other classes.</exception>
    /// <inheritdoc cref="Fit(IDataView)" path="/exception"/>
    public FeedbackAlignmentMulticlassTransformer Fit(IDataView trainData, FeedbackAlignmentMulticlassModelParameters modelParameters)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        ArgumentNullException.ThrowIfNull(modelParameters);
        return Train(trainData, validation: null, modelParameters);
    }

    /// <summary>Continues the training of a model, with a validation set.</summary>
    /// <inheritdoc cref="Fit(IDataView, FeedbackAlignmentMulticlassModelParameters)"/>
    /// <param name="trainData">The training data: as many features and classes as the model has.</param>
    /// <param name="validationData">Rows that are not trained on, of the same columns; kept in memory.</param>
    /// <param name="modelParameters">A model of this trainer's network.</param>
    public FeedbackAlignmentMulticlassTransformer Fit(IDataView trainData, IDataView validationData,
        FeedbackAlignmentMulticlassModelParameters modelParameters)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        ArgumentNullException.ThrowIfNull(validationData);
        ArgumentNullException.ThrowIfNull(modelParameters);
        return Train(trainData, validationData, modelParameters);
    }

    /// <summary>The schema after the trainer, if its input's is <paramref name="inputSchema"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    public new SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckColumns(inputSchema);
        return base.GetOutputSchema(inputSchema);
    }

    /// <inheritdoc/>
    protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema)
    {
        inputSchema.TryFindColumn(LabelColumn.Name, out SchemaShape.Column label);
        SchemaShape keyValues = new(label.Annotations.Where(annotation => annotation.Name == AnnotationUtils.Kinds.KeyValues)
            .Concat(AnnotationUtils.GetTrainerOutputAnnotation()));
        return
        [
            new(DefaultColumnNames.Score, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, false,
                new SchemaShape(AnnotationUtils.AnnotationsForMulticlassScoreColumn(label))),
            new(DefaultColumnNames.PredictedLabel, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, true, keyValues),
        ];
    }

    /// <inheritdoc/>
    protected override FeedbackAlignmentMulticlassTransformer MakeTransformer(FeedbackAlignmentMulticlassModelParameters model,
        DataViewSchema trainSchema) =>
        new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    /// <inheritdoc/>
    protected override FeedbackAlignmentMulticlassModelParameters TrainModelCore(TrainContext trainContext)
    {
        using IChannel channel = Host.Start("Training");
        using IProgressChannel progress = Host.StartProgressChannel("Training a feedback-alignment network");
        RoleMappedData training = trainContext.TrainingSet;
        TrainingSettings settings = _settings with
        {
            ImageShape = _settings.ImageShape ?? ImageColumns.ShapeOf(training.Schema.Feature!.Value),
            Environment = Host,
            Device = TrainingDevice.Choose(Host, channel)
        };
        using CheckpointFolder? folder = settings.Checkpoints is { } checkpoints ? new CheckpointFolder(checkpoints.Folder, checkpoints.Keep) : null;
        Checkpoint? checkpoint = folder?.ReadLatest(message => channel.Warning(message));
        if (checkpoint != null && !settings.SeedIsChosen)
            settings = settings with { Seed = checkpoint.Seed };
        using RowSource source = RowSources.Open(training, trainContext.ValidationSet, settings, channel, CheckCancelled);
        TrainedNetwork? initial = (trainContext.InitialPredictor as FeedbackAlignmentMulticlassModelParameters)?.ToTrained(settings.Network,
            source.Features, source.Classes);
        EpochMetrics? latest = null;
        progress.SetHeader(new ProgressHeader(["loss", "accuracy"], ["epochs"]), entry =>
        {
            if (Volatile.Read(ref latest) is not { } metrics)
                return;
            entry.SetProgress(0, metrics.Epoch, settings.NumberOfEpochs);
            entry.SetMetric(0, metrics.Loss);
            entry.SetMetric(1, metrics.Accuracy);
        });
        channel.Info($"Training {settings.Network} by {settings.Rule} for {settings.NumberOfEpochs} epochs of mini-batches of {settings.BatchSize}.");
        EpochLog log = new(settings.NumberOfEpochs);
        TrainingListener listener = new(metrics =>
        {
            Volatile.Write(ref latest, metrics);
            progress.Checkpoint(metrics.Loss, metrics.Accuracy, metrics.Epoch);
            channel.Info(log.Line(metrics));
            _metricsCallback?.Invoke(metrics);
        }, CheckCancelled, message => channel.Info(message), message => channel.Warning(message))
        {
            StepDone = metrics => _stepCallback?.Invoke(metrics),
        };
        return new FeedbackAlignmentMulticlassModelParameters(Host,
            new TrainingLoop(settings, source, listener, folder).Run(Diverged, checkpoint, initial));
    }

    private FeedbackAlignmentMulticlassTransformer Train(IDataView training, IDataView? validation,
        FeedbackAlignmentMulticlassModelParameters? initial)
    {
        CheckColumns(SchemaShape.Create(training.Schema));
        if (validation != null)
            CheckColumns(SchemaShape.Create(validation.Schema));
        else if (_settings.EarlyStopping is { NeedsValidation: true } stopping && _settings.ValidationFraction == 0)
            throw new InvalidOperationException($"Option EarlyStopping: {stopping.Metric} needs rows that are not trained on. Set "
                + $"ValidationFraction (0.1 is usual), give Fit a validation set, or watch TrainingLoss.");
        return TrainTransformer(training, validation, initial);
    }

    private static IHost Register(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return env.Register(nameof(FeedbackAlignmentMulticlassTrainer));
    }

    private void CheckColumns(SchemaShape schema) =>
        InputColumns.Check(schema, FeatureColumn.Name, LabelColumn.Name, WeightColumn.IsValid ? WeightColumn.Name : null);

    private void CheckCancelled()
    {
        _cancellation.ThrowIfCancellationRequested();
        Host.CheckAlive();
    }

    private TrainingDivergedException Diverged(int epoch, TrainedNetwork lastGood)
    {
        float rate = lastGood.History.Count > 0 ? (float)lastGood.History[^1].LearningRate : _settings.Optimizer.LearningRate;
        string cure = lastGood.Layout.IsNormalized
            ? "In a network with normalisation each layer magnifies the error by as much as its weights are small: take InitialWeightScale = 1, a "
                + "lower FeedbackScale (a half), a larger BatchSize, or a lower learning rate (a tenth). "
            : $"Try a lower learning rate (a tenth), scale the features with mlContext.Transforms.NormalizeMeanVariance(\"{FeatureColumn.Name}\"), "
                + $"or lower FeedbackScale. ";
        return new TrainingDivergedException(
            InvariantText.Of($"Training diverged in epoch {epoch}: the loss or a weight became infinite or not a number, with a learning rate of "
                + $"{rate} ({_settings.Optimizer.GetType().Name}, rule {_settings.Rule.ShortName}). ")
            + cure + $"The weights as they were before are in {nameof(TrainingDivergedException.LastGoodModel)}.",
            epoch, rate, new FeedbackAlignmentMulticlassModelParameters(Host, lastGood));
    }
}
