using FaMLNet.Persistence;
using FaMLNet.Tasks;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains one neural network to predict several numbers at once, by feedback alignment or
/// backpropagation.
/// </summary>
/// <remarks>
/// <para>Create it by <c>mlContext.Regression.Trainers.FeedbackAlignmentVector(…)</c>.</para>
/// <para>Input: label, a vector of <see cref="float"/> of known size, in which NaN stands for a number that is not known; features, a vector of
/// <see cref="float"/> of known size; optionally example weights, <see cref="float"/>. Output: <c>Score</c>, a vector of <see cref="float"/> with
/// the predictions in the label's units, and the label's slot names. The network learns each number less its mean and divided by its standard
/// deviation over the training rows, so that neither units nor levels matter; the model undoes that.</para>
/// <para>The loss of a row is the sum of its numbers' losses, so that the gradient is that of scikit-learn's <c>MLPRegressor</c>. A number that is
/// not known adds neither loss nor error. A row is left out if none of its numbers is known.</para>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[3]"/>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[4]"/>
/// </remarks>
public sealed class FeedbackAlignmentVectorRegressionTrainer
    : FeedbackAlignmentTrainerBase<FeedbackAlignmentVectorRegressionTransformer, FeedbackAlignmentVectorRegressionModelParameters>
{
    internal FeedbackAlignmentVectorRegressionTrainer(IHostEnvironment env, Options options) : base(env, options) { }

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MultiOutputRegression;

    /// <inheritdoc/>
    protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema) =>
        [VectorColumns.Output(DefaultColumnNames.Score, NumberDataViewType.Single, inputSchema, LabelColumn.Name)];

    /// <inheritdoc/>
    protected override FeedbackAlignmentVectorRegressionTransformer MakeTransformer(FeedbackAlignmentVectorRegressionModelParameters model,
        DataViewSchema trainSchema) => new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    private protected override FeedbackAlignmentVectorRegressionModelParameters MakeModel(TrainedNetwork trained) => new(Host, trained);

    /// <summary>
    /// Options of <see cref="FeedbackAlignmentVectorRegressionTrainer"/>. Defaults are those of <see cref="FeedbackAlignmentRegressionTrainer"/>: 25
    /// epochs, and where a rule's own optimiser for networks of dense layers is Adam, AdamW with a weight decay of 0.7 at the same rate.
    /// </summary>
    public sealed class Options : FeedbackAlignmentOptions
    {
        /// <summary>Creates options with the defaults of regression.</summary>
        public Options() => NumberOfEpochs = FeedbackAlignmentRegressionTrainer.Options.DefaultNumberOfEpochs;

        /// <summary>
        /// What the training minimises of each number; the loss of a row is the sum. <see cref="RegressionLoss.Poisson"/> is for one number alone.
        /// </summary>
        /// <value>Default: <see cref="RegressionLoss.Squared"/>.</value>
        public RegressionLoss Loss { get; set; } = RegressionLoss.Squared;

        internal override OptimizerOptions DefaultOptimizer =>
            FeedbackAlignmentRegressionTrainer.Options.OptimizerFor(base.DefaultOptimizer, Network);

        internal override void Validate()
        {
            base.Validate();
            Check(!Rule.SendsTarget, nameof(Rule), Rule,
                "a rule that sends the output's error: this one sends the class in its place, and numbers have none. FeedbackRule."
                + "DirectFeedbackAlignment is its nearest relative");
            Check(Loss is not null, nameof(Loss), Loss, "a loss, for example RegressionLoss.Squared");
            Check(!Loss!.IsLogarithmic, nameof(Loss), Loss, "Squared, Absolute or Huber for several numbers at once. Counts are learnt one by one, "
                + "by mlContext.Regression.Trainers.FeedbackAlignment");
            Check(EarlyStopping?.Metric != StoppingMetric.ValidationAccuracy, $"{nameof(EarlyStopping)}.{nameof(EarlyStopping.Metric)}",
                StoppingMetric.ValidationAccuracy, "ValidationLoss or TrainingLoss: a regression has no accuracy");
        }

        internal override LearningTask Task => new VectorRegressionTask(Loss);
    }
}
