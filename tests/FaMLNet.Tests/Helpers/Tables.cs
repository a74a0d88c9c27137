using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Tests;

/// <summary>The small real tables, as users load them.</summary>
internal static class Tables
{
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Data", name + ".csv");

    public static int FeaturesOf(string name) => File.ReadLines(PathOf(name)).First().Split(',').Length - 1;

    public static IDataView Load(MLContext mlContext, string name)
    {
        int features = FeaturesOf(name);
        return mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, features - 1), new("Label", DataKind.String, features)],
            separatorChar: ',', hasHeader: true)
            .Load(PathOf(name));
    }

    /// <summary>Label to key, features scaled, trainer, key to label: the usual pipeline.</summary>
    public static IEstimator<TransformerChain<Microsoft.ML.Transforms.KeyToValueMappingTransformer>> Pipeline(MLContext mlContext,
        FeedbackAlignmentMulticlassTrainer.Options options) =>
        mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

    /// <summary>A short training for tests that look at something else than accuracy.</summary>
    public static FeedbackAlignmentMulticlassTrainer.Options Quick(FeedbackRule? rule = null, int epochs = 3) =>
        new() { Rule = rule ?? FeedbackRule.FeedbackAlignment, Network = NetworkDefinition.Mlp(16, 8), NumberOfEpochs = epochs, Seed = 1 };

    /// <summary>What ML.NET itself passes to GetOutputSchema; internal there.</summary>
    public static SchemaShape ShapeOf(IDataView data) =>
        (SchemaShape)typeof(SchemaShape).GetMethod("Create",
            System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!.Invoke(null, [data.Schema])!;

    public static FeedbackAlignmentMulticlassModelParameters ModelOf(ITransformer transformer) =>
        ((IEnumerable<ITransformer>)transformer).OfType<FeedbackAlignmentMulticlassTransformer>().Single().Model;
}
