using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Tests;

/// <summary>The kinds of label.</summary>
public enum TaskOf
{
    Multiclass,
    Binary,
    Regression,
    Vector,
    MultiLabel,
}

/// <summary>One table with a label for each task, and what is the same for all trainers.</summary>
internal static class EveryTask
{
    public static string LabelOf(TaskOf task) => task switch
    {
        TaskOf.Multiclass => "Class",
        TaskOf.Binary => "IsLarge",
        TaskOf.Vector => "Numbers",
        TaskOf.MultiLabel => "Flags",
        _ => "Label"
    };

    public static IDataView Data(MLContext mlContext)
    {
        RandomGenerator random = new(1, "rows");
        float[] numbers = new float[400];
        random.FillUniform(numbers, -1, 1);
        IDataView data = mlContext.Data.LoadFromEnumerable(numbers.Chunk(4).Select(x => new Row
        {
            Features = x,
            Label = x[0] + (x[1] * x[2]),
            IsLarge = x[0] + x[1] > 0,
            Numbers = [x[0] * x[1], x[2]],
            Flags = [x[0] > x[1], x[2] > x[3]],
            Name = x[0] > 0.3f ? "high" : x[0] < -0.3f ? "low" : "middle",
        }));
        return mlContext.Transforms.Conversion.MapValueToKey("Class", "Name").Fit(data).Transform(data);
    }

    /// <summary>A short training at a constant rate.</summary>
    public static FeedbackAlignmentOptions Options(TaskOf task, FeedbackRule? rule = null, OptimizerOptions? optimizer = null)
    {
        FeedbackAlignmentOptions options = task switch
        {
            TaskOf.Multiclass => new FeedbackAlignmentMulticlassTrainer.Options(),
            TaskOf.Binary => new FeedbackAlignmentBinaryTrainer.Options(),
            TaskOf.Vector => new FeedbackAlignmentVectorRegressionTrainer.Options(),
            TaskOf.MultiLabel => new FeedbackAlignmentMultiLabelTrainer.Options(),
            _ => new FeedbackAlignmentRegressionTrainer.Options(),
        };
        (options.LabelColumnName, options.Rule, options.Optimizer) = (LabelOf(task), rule ?? FeedbackRule.FeedbackAlignment, optimizer);
        (options.NumberOfEpochs, options.Seed, options.Network) = (2, 1, NetworkDefinition.Mlp(8));
        options.Schedule = LearningRateSchedule.Constant;
        return options;
    }

    public static ITransformer Fit(MLContext mlContext, FeedbackAlignmentOptions options, IDataView data) => options switch
    {
        FeedbackAlignmentMulticlassTrainer.Options chosen => mlContext.MulticlassClassification.Trainers.FeedbackAlignment(chosen).Fit(data),
        FeedbackAlignmentBinaryTrainer.Options chosen => mlContext.BinaryClassification.Trainers.FeedbackAlignment(chosen).Fit(data),
        FeedbackAlignmentVectorRegressionTrainer.Options chosen => mlContext.Regression.Trainers.FeedbackAlignmentVector(chosen).Fit(data),
        FeedbackAlignmentMultiLabelTrainer.Options chosen => mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(chosen)
            .Fit(data),
        _ => mlContext.Regression.Trainers.FeedbackAlignment((FeedbackAlignmentRegressionTrainer.Options)options).Fit(data),
    };

    public static IFeedbackAlignmentModel ModelOf(ITransformer transformer) => transformer switch
    {
        FeedbackAlignmentMulticlassTransformer known => known.Model,
        FeedbackAlignmentBinaryTransformer known => known.Model,
        FeedbackAlignmentVectorRegressionTransformer known => known.Model,
        FeedbackAlignmentMultiLabelTransformer known => known.Model,
        _ => ((FeedbackAlignmentRegressionTransformer)transformer).Model,
    };

    /// <summary>Every predicted value as text, row by row.</summary>
    public static string[] Predictions(TaskOf task, ITransformer model, IDataView data)
    {
        IDataView scored = model.Transform(data);
        return task switch
        {
            TaskOf.Multiclass => [.. scored.GetColumn<float[]>("Score").Zip(scored.GetColumn<uint>("PredictedLabel"),
                (score, label) => $"{string.Join(' ', score)} {label}")],
            TaskOf.Binary => [.. scored.GetColumn<float>("Score").Zip(scored.GetColumn<bool>("PredictedLabel"),
                scored.GetColumn<float>("Probability")).Select(row => $"{row}")],
            TaskOf.Vector => [.. scored.GetColumn<float[]>("Score").Select(score => string.Join(' ', score))],
            TaskOf.MultiLabel => [.. scored.GetColumn<float[]>("Probability").Zip(scored.GetColumn<bool[]>("PredictedLabel"),
                (probability, label) => $"{string.Join(' ', probability)} {string.Join(' ', label)}")],
            _ => [.. scored.GetColumn<float>("Score").Select(score => $"{score}")],
        };
    }

    public static float[] Scores(TaskOf task, ITransformer model, IDataView data) => task is not (TaskOf.Binary or TaskOf.Regression)
        ? [.. model.Transform(data).GetColumn<float[]>("Score").SelectMany(row => row)] : [.. model.Transform(data).GetColumn<float>("Score")];

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }

        public bool IsLarge { get; set; }

        [VectorType(2)]
        public float[] Numbers { get; set; } = [];

        [VectorType(2)]
        public bool[] Flags { get; set; } = [];

        public string Name { get; set; } = "";
    }
}
