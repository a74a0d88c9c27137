using FaMLNet.Persistence;
using FaMLNet.Tasks;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a neural network for regression by feedback alignment or backpropagation.
/// </summary>
/// <remarks>
/// <para>Create it by <c>mlContext.Regression.Trainers.FeedbackAlignment(…)</c>.</para>
/// <para>Input: label, <see cref="float"/>; features, a vector of <see cref="float"/> of known size; optionally example weights,
/// <see cref="float"/>. Output: <c>Score</c>, the prediction in the label's units. The network itself learns the label less its mean and divided
/// by its standard deviation over the training rows, so that neither unit nor level matters; the model undoes that.</para>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[3]"/>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[4]"/>
/// </remarks>
public sealed class FeedbackAlignmentRegressionTrainer
    : FeedbackAlignmentTrainerBase<FeedbackAlignmentRegressionTransformer, FeedbackAlignmentRegressionModelParameters>
{
    internal FeedbackAlignmentRegressionTrainer(IHostEnvironment env, Options options) : base(env, options) { }

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.Regression;

    /// <inheritdoc/>
    protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema) =>
    [
        new(DefaultColumnNames.Score, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, false,
            new SchemaShape(AnnotationUtils.GetTrainerOutputAnnotation())),
    ];

    /// <inheritdoc/>
    protected override FeedbackAlignmentRegressionTransformer MakeTransformer(FeedbackAlignmentRegressionModelParameters model,
        DataViewSchema trainSchema) =>
        new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    private protected override FeedbackAlignmentRegressionModelParameters MakeModel(TrainedNetwork trained) => new(Host, trained);

    /// <summary>
    /// Options of <see cref="FeedbackAlignmentRegressionTrainer"/>. A network learns the noise of a number by heart sooner than that of a class, so
    /// the default is 25 epochs, not 100; and where a rule's own optimiser for networks of dense layers is Adam, it becomes AdamW with a weight decay
    /// of 0.7 at the same rate (docs/rules.md has the table).
    /// </summary>
    public sealed class Options : FeedbackAlignmentOptions
    {
        internal const int DefaultNumberOfEpochs = 25;
        private const float DefaultWeightDecay = 0.7f;

        /// <summary>Creates options with the defaults of regression: 25 epochs.</summary>
        public Options() => NumberOfEpochs = DefaultNumberOfEpochs;

        /// <summary>What the training minimises.</summary>
        /// <value>Default: <see cref="RegressionLoss.Squared"/>.</value>
        public RegressionLoss Loss { get; set; } = RegressionLoss.Squared;

        internal override OptimizerOptions DefaultOptimizer => OptimizerFor(base.DefaultOptimizer, Network);

        /// <summary>The optimiser of a regression.</summary>
        /// <param name="optimizer">The rule's own.</param>
        /// <param name="network">The layers.</param>
        internal static OptimizerOptions OptimizerFor(OptimizerOptions optimizer, NetworkDefinition network) => optimizer switch
        {
            OptimizerOptions.Adam adam when network is MlpDefinition => new OptimizerOptions.AdamW
            {
                LearningRate = adam.LearningRate,
                Beta1 = adam.Beta1,
                Beta2 = adam.Beta2,
                Epsilon = adam.Epsilon,
                WeightDecay = DefaultWeightDecay,
            },
            var other => other,
        };

        internal override void Validate()
        {
            base.Validate();
            Check(!Rule.SendsTarget, nameof(Rule), Rule,
                "a rule that sends the output's error: this one sends the class in its place, and a number has none. FeedbackRule."
                + "DirectFeedbackAlignment is its nearest relative");
            Check(Loss is not null, nameof(Loss), Loss, "a loss, for example RegressionLoss.Squared");
            Check(EarlyStopping?.Metric != StoppingMetric.ValidationAccuracy, $"{nameof(EarlyStopping)}.{nameof(EarlyStopping.Metric)}",
                StoppingMetric.ValidationAccuracy, "ValidationLoss or TrainingLoss: a regression has no accuracy");
        }

        internal override LearningTask Task => new RegressionTask(Loss);
    }
}
