using FaMLNet.Persistence;
using FaMLNet.Tasks;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

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
public sealed class FeedbackAlignmentMulticlassTrainer
    : FeedbackAlignmentTrainerBase<FeedbackAlignmentMulticlassTransformer, FeedbackAlignmentMulticlassModelParameters>
{
    internal FeedbackAlignmentMulticlassTrainer(IHostEnvironment env, Options options) : base(env, options) { }

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MulticlassClassification;

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

    private protected override FeedbackAlignmentMulticlassModelParameters MakeModel(TrainedNetwork trained) => new(Host, trained);

    /// <summary>Options of <see cref="FeedbackAlignmentMulticlassTrainer"/>.</summary>
    public sealed class Options : FeedbackAlignmentClassifierOptions
    {
        /// <summary>The k of <see cref="EpochMetrics.ValidationTopKAccuracy"/>.</summary>
        /// <value>Range: 1 or more. Default: null, not measured.</value>
        public int? TopK { get; set; }

        internal override void Validate()
        {
            base.Validate();
            Check(TopK is null or >= 1, nameof(TopK), TopK, "at least 1, or null");
        }

        internal override LearningTask Task { get; } = new MulticlassTask();

        private protected override TrainingRequest Fill(TrainingRequest request) => base.Fill(request) with { TopK = TopK };
    }
}
