using FaMLNet.Persistence;
using FaMLNet.Tasks;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains one neural network for several labels at once, each true or false, by feedback alignment
/// or backpropagation.
/// </summary>
/// <remarks>
/// <para>Create it by <c>mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(…)</c>.</para>
/// <para>Input: label, a vector of <see cref="bool"/> of known size, in which any number of values may be true; features, a vector of
/// <see cref="float"/> of known size; optionally example weights, <see cref="float"/>. Output, each a vector with one value per label and the label's
/// slot names: <c>Score</c>, the logits; <c>Probability</c> that the label is true, the logistic function of the score; <c>PredictedLabel</c>,
/// whether the score is above 0. The labels' probabilities do not sum up to 1.</para>
/// <para>The loss of a row is the sum of its labels' logistic losses (cross-entropies), as in scikit-learn's <c>MLPClassifier</c>.</para>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[3]"/>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[4]"/>
/// </remarks>
public sealed class FeedbackAlignmentMultiLabelTrainer
    : FeedbackAlignmentTrainerBase<FeedbackAlignmentMultiLabelTransformer, FeedbackAlignmentMultiLabelModelParameters>
{
    internal FeedbackAlignmentMultiLabelTrainer(IHostEnvironment env, Options options) : base(env, options) { }

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MulticlassClassification;

    /// <inheritdoc/>
    protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema) =>
    [
        VectorColumns.Output(DefaultColumnNames.Score, NumberDataViewType.Single, inputSchema, LabelColumn.Name),
        VectorColumns.Output(DefaultColumnNames.Probability, NumberDataViewType.Single, inputSchema, LabelColumn.Name),
        VectorColumns.Output(DefaultColumnNames.PredictedLabel, BooleanDataViewType.Instance, inputSchema, LabelColumn.Name),
    ];

    /// <inheritdoc/>
    protected override FeedbackAlignmentMultiLabelTransformer MakeTransformer(FeedbackAlignmentMultiLabelModelParameters model,
        DataViewSchema trainSchema) => new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    private protected override FeedbackAlignmentMultiLabelModelParameters MakeModel(TrainedNetwork trained) => new(Host, trained);

    /// <summary>Options of <see cref="FeedbackAlignmentMultiLabelTrainer"/>.</summary>
    public sealed class Options : FeedbackAlignmentOptions
    {
        /// <summary>Share of each target that goes to true and false alike instead of the label's value.</summary>
        /// <value>Range: 0 or more and below 1. Default: 0.</value>
        public float LabelSmoothing { get; set; }

        internal override LearningTask Task { get; } = new MultiLabelTask();

        internal override void Validate()
        {
            base.Validate();
            Check(LabelSmoothing >= 0 && LabelSmoothing < 1, nameof(LabelSmoothing), LabelSmoothing, "0 or more and below 1, for example 0.1");
        }

        private protected override TrainingRequest Fill(TrainingRequest request) => base.Fill(request) with { LabelSmoothing = LabelSmoothing };
    }
}
