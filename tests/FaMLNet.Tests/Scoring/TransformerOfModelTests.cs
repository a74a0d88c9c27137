using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Scoring;

/// <summary>Transformers that a user makes of a model: of the last epoch's, of the last good one, of any.</summary>
public sealed class TransformerOfModelTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _data;

    public TransformerOfModelTests() => _data = EveryTask.Data(_mlContext);

    public static TheoryData<TaskOf> Tasks => [.. Enum.GetValues<TaskOf>()];

    [Theory, MemberData(nameof(Tasks))]
    public void It_predicts_as_the_models_own_and_is_saved_and_loaded(TaskOf task)
    {
        ITransformer own = EveryTask.Fit(_mlContext, EveryTask.Options(task), _data);
        ITransformer made = Make(task, EveryTask.ModelOf(own), _data.Schema, label: EveryTask.LabelOf(task));
        string[] expected = EveryTask.Predictions(task, own, _data);
        Assert.Equal(expected, EveryTask.Predictions(task, made, _data));
        Assert.Equal(Describe(own.GetOutputSchema(_data.Schema)), Describe(made.GetOutputSchema(_data.Schema)));
        using MemoryStream zip = new();
        _mlContext.Model.Save(made, _data.Schema, zip);
        Assert.Equal(expected, EveryTask.Predictions(task, new MLContext().Model.Load(zip, out _), _data));
    }

    [Theory, MemberData(nameof(Tasks))]
    public void Without_a_label_column_the_scores_are_the_same(TaskOf task)
    {
        ITransformer own = EveryTask.Fit(_mlContext, EveryTask.Options(task), _data);
        IDataView rows = _mlContext.Transforms.SelectColumns("Features").Fit(_data).Transform(_data);
        ITransformer made = Make(task, EveryTask.ModelOf(own), rows.Schema, label: null);
        string[] expected = EveryTask.Predictions(task, own, _data);
        Assert.Equal(expected, EveryTask.Predictions(task, made, rows));
        using MemoryStream zip = new();
        _mlContext.Model.Save(made, rows.Schema, zip);
        Assert.Equal(expected, EveryTask.Predictions(task, new MLContext().Model.Load(zip, out _), rows));
    }

    /// <summary>The last epoch's model is another than the best one's, and predicts what the training without restoring predicts.</summary>
    [Theory, MemberData(nameof(Tasks))]
    public void The_last_epochs_model_predicts_as_the_training_that_keeps_it(TaskOf task)
    {
        FeedbackAlignmentOptions Stopping(bool restores)
        {
            FeedbackAlignmentOptions options = EveryTask.Options(task);
            (options.NumberOfEpochs, options.ValidationFraction, options.LearningRate) = (30, 0.3, 0.1f);
            options.EarlyStopping = new EarlyStopping { Patience = 3, RestoreBest = restores };
            return options;
        }
        IFeedbackAlignmentModel best = EveryTask.ModelOf(EveryTask.Fit(_mlContext, Stopping(restores: true), _data));
        IFeedbackAlignmentModel last = task switch
        {
            TaskOf.Multiclass => ((FeedbackAlignmentMulticlassModelParameters)best).LastEpochModel!,
            TaskOf.Binary => ((FeedbackAlignmentBinaryModelParameters)best).LastEpochModel!,
            TaskOf.Vector => ((FeedbackAlignmentVectorRegressionModelParameters)best).LastEpochModel!,
            TaskOf.MultiLabel => ((FeedbackAlignmentMultiLabelModelParameters)best).LastEpochModel!,
            _ => ((FeedbackAlignmentRegressionModelParameters)best).LastEpochModel!,
        };
        string[] kept = EveryTask.Predictions(task, EveryTask.Fit(_mlContext, Stopping(restores: false), _data), _data);
        Assert.Equal(kept, EveryTask.Predictions(task, Make(task, last, _data.Schema, label: EveryTask.LabelOf(task)), _data));
        Assert.NotEqual(kept, EveryTask.Predictions(task, Make(task, best, _data.Schema, label: EveryTask.LabelOf(task)), _data));
    }

    [Theory, MemberData(nameof(Tasks))]
    public void The_last_good_model_of_a_diverged_training_predicts_numbers(TaskOf task)
    {
        FeedbackAlignmentOptions options = EveryTask.Options(task, FeedbackRule.Backpropagation, new OptimizerOptions.Sgd { LearningRate = 1e20f });
        options.NumberOfEpochs = 20;
        IFeedbackAlignmentModel good = Assert.Throws<TrainingDivergedException>(() => EveryTask.Fit(_mlContext, options, _data)).LastGoodModel!;
        string[] predictions = EveryTask.Predictions(task, Make(task, good, _data.Schema, label: EveryTask.LabelOf(task)), _data);
        Assert.Equal(100, predictions.Length);
        Assert.DoesNotContain(predictions, text => text.Contains("NaN", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Tasks))]
    public void Columns_that_the_model_was_not_trained_on_are_refused_by_name(TaskOf task)
    {
        IFeedbackAlignmentModel model = EveryTask.ModelOf(EveryTask.Fit(_mlContext, EveryTask.Options(task), _data));
        DataViewSchema schema = _mlContext.Transforms.Concatenate("Short", "Label", "Label").Fit(_data).GetOutputSchema(_data.Schema);
        string label = EveryTask.LabelOf(task);
        void Refused(string message, string features, string? labelName) => Assert.Contains(message,
            Assert.Throws<ArgumentException>(() => Make(task, model, schema, features, labelName)).Message, StringComparison.Ordinal);
        Refused("Feature column 'Other' is not among the columns of the schema: 'Features'", "Other", label);
        Refused("Feature column 'Label' must be a vector of 4 Single", "Label", label);
        Refused("Feature column 'Short' must be a vector of 4 Single", "Short", label);
        Refused("Label column 'Other' is not among the columns", "Features", "Other");
        Refused("Label column 'Name' must be ", "Features", "Name");
        Assert.Throws<ArgumentNullException>("model", () => Make(task, null!, schema, label: label));
        Assert.Throws<ArgumentNullException>("inputSchema", () => Make(task, model, null!, label: label));
    }

    [Fact]
    public void A_schema_that_numbers_the_classes_otherwise_is_refused()
    {
        IFeedbackAlignmentModel model = EveryTask.ModelOf(EveryTask.Fit(_mlContext, EveryTask.Options(TaskOf.Multiclass), _data));
        IDataView reversed = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Name", keyOrdinality:
            Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(_data).Transform(_data);
        string message = Assert.Throws<ArgumentException>(() => Make(TaskOf.Multiclass, model, reversed.Schema, label: "Class")).Message;
        Assert.Contains("Label column 'Class' has the classes 'high', 'low', 'middle'; the model was trained on ", message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_of_images_scores_whole_views_as_its_own_transformer_does()
    {
        IDataView raw = Tables.Load(_mlContext, "digits"),
            data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(raw).Transform(raw);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        (options.Network, options.ImageShape) = (NetworkDefinition.LeNet(), new ImageShape(1, 8, 8));
        using FeedbackAlignmentMulticlassTransformer own = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(data);
        FeedbackAlignmentMulticlassTransformer made = new(_mlContext, own.Model, data.Schema);
        Assert.Equal(own.Transform(data).GetColumn<float[]>("Score"), made.Transform(data).GetColumn<float[]>("Score"));
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity)]
    public void A_threshold_that_is_no_score_is_refused(float threshold)
    {
        FeedbackAlignmentBinaryTransformer own = (FeedbackAlignmentBinaryTransformer)EveryTask.Fit(_mlContext, EveryTask.Options(TaskOf.Binary),
            _data);
        Assert.Throws<ArgumentOutOfRangeException>(nameof(threshold),
            () => new FeedbackAlignmentBinaryTransformer(_mlContext, own.Model, _data.Schema, labelColumnName: "IsLarge", threshold: threshold));
        FeedbackAlignmentBinaryTransformer shifted = new(_mlContext, own.Model, _data.Schema, labelColumnName: "IsLarge", threshold: 0.25f);
        Assert.All(shifted.Transform(_data).GetColumn<float>("Score").Zip(shifted.Transform(_data).GetColumn<bool>("PredictedLabel")),
            row => Assert.Equal(row.First > 0.25f, row.Second));
    }

    private ITransformer Make(TaskOf task, IFeedbackAlignmentModel model, DataViewSchema schema, string features = "Features",
        string? label = null) => task switch
        {
            TaskOf.Multiclass => new FeedbackAlignmentMulticlassTransformer(_mlContext, (FeedbackAlignmentMulticlassModelParameters)model, schema,
                features, label),
            TaskOf.Binary => new FeedbackAlignmentBinaryTransformer(_mlContext, (FeedbackAlignmentBinaryModelParameters)model, schema,
                features, label),
            TaskOf.Vector => new FeedbackAlignmentVectorRegressionTransformer(_mlContext,
                (FeedbackAlignmentVectorRegressionModelParameters)model, schema, features, label),
            TaskOf.MultiLabel => new FeedbackAlignmentMultiLabelTransformer(_mlContext, (FeedbackAlignmentMultiLabelModelParameters)model, schema,
                features, label),
            _ => new FeedbackAlignmentRegressionTransformer(_mlContext, (FeedbackAlignmentRegressionModelParameters)model, schema,
                features, label),
        };

    private static string[] Describe(DataViewSchema schema) => [.. schema.Select(column =>
        $"{column.Name}: {column.Type}, {string.Join(' ', column.Annotations.Schema.Select(annotation => annotation.Name))}")];
}
