using FaMLNet.Persistence;
using FaMLNet.Tasks.Labels;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace FaMLNet;

/// <summary>
/// What the trainers of this library share: checks of the columns, the training, going on from a model. A task adds its label, its loss and the
/// columns of its predictions.
/// </summary>
/// <typeparam name="TTransformer">The transformer that fitting gives.</typeparam>
/// <typeparam name="TModel">Its model.</typeparam>
public abstract class FeedbackAlignmentTrainerBase<TTransformer, TModel> : TrainerEstimatorBase<TTransformer, TModel>, IEstimator<TTransformer>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class, IFeedbackAlignmentModel
{
    private readonly TrainingRequest _request;
    private readonly TrainingRun _run;

    private protected FeedbackAlignmentTrainerBase(IHostEnvironment env, FeedbackAlignmentOptions options)
        : base(Register(env, options), TrainerUtils.MakeR4VecFeature(options.FeatureColumnName), options.Task.Label switch
        {
            LabelKind.Class => TrainerUtils.MakeU4ScalarColumn(options.LabelColumnName),
            LabelKind.Boolean => TrainerUtils.MakeBoolScalarLabel(options.LabelColumnName),
            LabelKind.Numbers => VectorColumns.Label(options.LabelColumnName, NumberDataViewType.Single),
            LabelKind.Booleans => VectorColumns.Label(options.LabelColumnName, BooleanDataViewType.Instance),
            _ => TrainerUtils.MakeR4ScalarColumn(options.LabelColumnName),
        }, TrainerUtils.MakeR4ScalarWeightColumn(options.ExampleWeightColumnName))
    {
        _request = options.ToRequest(defaultSeed: () => Host.Rand.Next());
        _run = new TrainingRun(Host, options, _request, MakeModel);
    }

    /// <inheritdoc/>
    public override TrainerInfo Info { get; } = new(normalization: true, calibration: false, caching: false);

    /// <summary>Trains a network.</summary>
    /// <param name="input">The training data.</param>
    /// <returns>A transformer that scores; its <c>Model</c> holds the weights and the history of the training.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or a label or weight has the name of a column of
    /// predictions.</exception>
    /// <exception cref="InvalidOperationException">The data cannot be trained on: no usable row, one label only, an infinite feature, a
    /// negative weight.</exception>
    /// <exception cref="TrainingDivergedException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException"><see cref="FeedbackAlignmentOptions.CancellationToken"/> was cancelled.</exception>
    /// <exception cref="DllNotFoundException">TorchSharp's native libraries cannot be loaded.</exception>
    public new TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Train(input, validation: null, initial: null);
    }

    /// <summary>Trains a network, and measures it on a validation set after each epoch.</summary>
    /// <param name="trainData">The training data.</param>
    /// <param name="validationData">Rows that are not trained on, of the same columns; kept in memory. Its classes are compared by the values of
    /// their keys, its features by their slot names, where there are any.</param>
    /// <returns>As <see cref="Fit(IDataView)"/>.</returns>
    /// <inheritdoc cref="Fit(IDataView)" path="/exception"/>
    public TTransformer Fit(IDataView trainData, IDataView validationData)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        ArgumentNullException.ThrowIfNull(validationData);
        return Train(trainData, validationData, initial: null);
    }

    /// <summary>
    /// Continues the training of a model: starts from its weights instead of random ones, and from its feedback weights if the rule is the
    /// same.
    /// </summary>
    /// <param name="trainData">The training data: the model's features, in their order, and the model's classes, in any order of the keys.</param>
    /// <param name="modelParameters">A model of this trainer's network.</param>
    /// <returns>As <see cref="Fit(IDataView)"/>. The history begins anew, and so do the optimiser and the schedule.</returns>
    /// <exception cref="ArgumentException">The model has another network, other features or other classes.</exception>
    /// <inheritdoc cref="Fit(IDataView)" path="/exception"/>
    public TTransformer Fit(IDataView trainData, TModel modelParameters)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        ArgumentNullException.ThrowIfNull(modelParameters);
        return Train(trainData, validation: null, modelParameters);
    }

    /// <summary>Continues the training of a model, with a validation set.</summary>
    /// <inheritdoc cref="Fit(IDataView, TModel)"/>
    /// <param name="trainData">The training data: the model's features, in their order, and the model's classes, in any order of the keys.</param>
    /// <param name="validationData">Rows that are not trained on, of the same columns; kept in memory. Its classes are compared by the values of
    /// their keys, its features by their slot names, where there are any.</param>
    /// <param name="modelParameters">A model of this trainer's network.</param>
    public TTransformer Fit(IDataView trainData, IDataView validationData, TModel modelParameters)
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

    /// <summary>The model that a training leaves.</summary>
    private protected abstract TModel MakeModel(TrainedNetwork trained);

    /// <inheritdoc/>
    protected sealed override TModel TrainModelCore(TrainContext trainContext) =>
        MakeModel(_run.Train(trainContext.TrainingSet, trainContext.ValidationSet, trainContext.InitialPredictor as IFeedbackAlignmentModel));

    private TTransformer Train(IDataView training, IDataView? validation, TModel? initial)
    {
        CheckColumns(SchemaShape.Create(training.Schema));
        if (validation != null)
            CheckColumns(SchemaShape.Create(validation.Schema));
        else if (_request.EarlyStopping is { NeedsValidation: true } stopping && _request.ValidationFraction == 0)
            throw new InvalidOperationException($"Option EarlyStopping: {stopping.Metric} needs rows that are not trained on. Set "
                + $"ValidationFraction (0.1 is usual), give Fit a validation set, or watch TrainingLoss.");
        return TrainTransformer(training, validation, (IPredictor?)initial);
    }

    private static IHost Register(IHostEnvironment env, FeedbackAlignmentOptions options)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        // The trainer's name: it nests its options.
        return env.Register(options.GetType().DeclaringType!.Name);
    }

    private void CheckColumns(SchemaShape schema) =>
        InputColumns.Check(schema, FeatureColumn.Name, LabelColumn.Name, _request.Task.Label, WeightColumn.IsValid ? WeightColumn.Name : null);
}
