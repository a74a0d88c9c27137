using FaMLNet.Persistence;
using FaMLNet.Tasks;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a neural network for binary classification by feedback alignment or backpropagation.
/// </summary>
/// <remarks>
/// <para>Create it by <c>mlContext.BinaryClassification.Trainers.FeedbackAlignment(…)</c>.</para>
/// <para>Input: label, <see cref="bool"/>; features, a vector of <see cref="float"/> of known size; optionally example weights,
/// <see cref="float"/>. Output: <c>Score</c>, the logit; <c>Probability</c> that the label is true, the logistic function of the score, so that
/// no calibrator is needed; <c>PredictedLabel</c>, whether the score is above 0 or the threshold that
/// <c>mlContext.BinaryClassification.ChangeModelThreshold</c> sets. The loss is the logistic one (cross-entropy).</para>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[3]"/>
/// <inheritdoc cref="FeedbackAlignmentMulticlassTrainer" path="/remarks/para[4]"/>
/// </remarks>
public sealed class FeedbackAlignmentBinaryTrainer
    : FeedbackAlignmentTrainerBase<FeedbackAlignmentBinaryTransformer, FeedbackAlignmentBinaryModelParameters>
{
    internal FeedbackAlignmentBinaryTrainer(IHostEnvironment env, Options options) : base(env, options) { }

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.BinaryClassification;

    /// <inheritdoc/>
    protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema) =>
    [
        Column(DefaultColumnNames.Score, NumberDataViewType.Single, new SchemaShape(AnnotationUtils.GetTrainerOutputAnnotation())),
        Column(DefaultColumnNames.Probability, NumberDataViewType.Single, new SchemaShape(AnnotationUtils.GetTrainerOutputAnnotation(true))),
        Column(DefaultColumnNames.PredictedLabel, BooleanDataViewType.Instance, new SchemaShape(AnnotationUtils.GetTrainerOutputAnnotation())),
    ];

    /// <inheritdoc/>
    protected override FeedbackAlignmentBinaryTransformer MakeTransformer(FeedbackAlignmentBinaryModelParameters model, DataViewSchema trainSchema) =>
        new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    private protected override FeedbackAlignmentBinaryModelParameters MakeModel(TrainedNetwork trained) => new(Host, trained);

    private static SchemaShape.Column Column(string name, DataViewType type, SchemaShape annotations) =>
        new(name, SchemaShape.Column.VectorKind.Scalar, type, false, annotations);

    /// <summary>
    /// Options of <see cref="FeedbackAlignmentBinaryTrainer"/>. <see cref="FeedbackAlignmentClassifierOptions.ClassWeights"/> are in the order
    /// false, true.
    /// </summary>
    public sealed class Options : FeedbackAlignmentClassifierOptions
    {
        internal override LearningTask Task { get; } = new BinaryTask();
    }
}
