using FaMLNet.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>What a rule brings along: its network, its initial weights, and that it learns with its own defaults.</summary>
public sealed class RuleDefaultTests
{
    public RuleDefaultTests() => LibTorch.EnsureLoaded();

    [Fact]
    public void Weights_start_no_smaller_than_feedback_weights_where_activations_are_normalised()
    {
        DenseLayout normalised = new(NetworkDefinition.Mlp(8) with { Normalization = Normalization.Batch }, 4, 3), plain = new(
            NetworkDefinition.Mlp(8), 4, 3);
        float ScaleOf(FeedbackRule rule, NetworkLayout layout, float? feedback = null) =>
            rule.InitialWeightScaleFor(layout.IsNormalized, feedback ?? rule.Defaults.FeedbackScale, keepsNorms: false);
        Assert.Equal(1, ScaleOf(FeedbackRule.FeedbackAlignment, normalised));
        Assert.Equal(0.5f, ScaleOf(FeedbackRule.FeedbackAlignment, normalised, feedback: 0.5f));
        Assert.Equal(1, ScaleOf(FeedbackRule.FeedbackAlignment, normalised, feedback: 3));
        Assert.Equal(0.1f, ScaleOf(FeedbackRule.FeedbackAlignment, plain));
        Assert.Equal(0.3f, ScaleOf(FeedbackRule.KolenPollack, normalised));
        Assert.Equal(0.1f, ScaleOf(FeedbackRule.DirectFeedbackAlignment, normalised));
        Assert.Equal(1, ScaleOf(FeedbackRule.UniformSignConcordant, normalised));
    }

    /// <summary>The network of who chooses none is the rule's, whenever the rule is set; of who chooses one it is that.</summary>
    [Fact]
    public void The_default_network_has_the_rules_activation()
    {
        FeedbackAlignmentBinaryTrainer.Options options = new();
        Assert.Equal(NetworkDefinition.Mlp(128, 64), options.Network);
        options.Rule = FeedbackRule.DirectRandomTargetProjection;
        NetworkDefinition bounded = NetworkDefinition.Mlp(128, 64) with { Activation = Activation.Tanh };
        Assert.Equal(bounded, options.Network);
        options.Network = NetworkDefinition.Mlp(7);
        Assert.Equal(NetworkDefinition.Mlp(7), options.Network);
        options.Network = null;
        Assert.Equal(bounded, options.Network);
        foreach (FeedbackRule rule in FeedbackRule.All)
        {
            Activation expected = rule.ShortName is "drtp" ? Activation.Tanh : Activation.ReLU;
            Assert.Equal(expected, ((MlpDefinition)new FeedbackAlignmentRegressionTrainer.Options { Rule = rule }.Network).Activation);
        }
        MLContext mlContext = new(seed: 1);
        IDataView iris = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(Tables.Load(mlContext, "iris"))
            .Transform(Tables.Load(mlContext, "iris"));
        NetworkDefinition Trained(NetworkDefinition? network) => mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            rule: FeedbackRule.DirectRandomTargetProjection, network: network, numberOfEpochs: 1).Fit(iris).Model.Network;
        Assert.Equal(bounded, Trained(null));
        Assert.Equal(NetworkDefinition.Mlp(128, 64), Trained(NetworkDefinition.Mlp(128, 64)));
    }

    /// <summary>Each with its own defaults, by every trainer that takes it.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.FurtherNames), MemberType = typeof(Feedback.Rules))]
    [Trait("Speed", "Slow")]
    public void Every_rule_learns_yes_and_no_and_numbers_and_classes_from_tables(string name)
    {
        MLContext mlContext = new(seed: 1);
        FeedbackRule rule = FeedbackRule.Parse(name);
        IDataView digits = Tables.Load(mlContext, "digits");
        TransformerChain<Microsoft.ML.Transforms.KeyToValueMappingTransformer> classes = Tables.Pipeline(mlContext,
            new() { Rule = rule, NumberOfEpochs = 20, Seed = 1 }).Fit(digits);
        double accuracy = mlContext.MulticlassClassification.Evaluate(classes.Transform(digits)).MicroAccuracy;
        Assert.True(accuracy > 0.95, $"{rule.ShortName}: {accuracy:P1} of the digits it was trained on");

        float[][] features = Tables.Load(mlContext, "breast-cancer").GetColumn<float[]>("Features").ToArray();
        string[] labels = Tables.Load(mlContext, "breast-cancer").GetColumn<string>("Label").ToArray();
        IDataView rows = mlContext.Data.LoadFromEnumerable(features.Zip(labels, (x, y) => new Row
        {
            Features = x,
            Label = y == labels[0],
            Number = x[0]
        }), SchemaDefinition(features[0].Length));
        rows = mlContext.Transforms.NormalizeMeanVariance("Features").Fit(rows).Transform(rows);
        var binary = mlContext.BinaryClassification.Trainers.FeedbackAlignment(rule: rule, numberOfEpochs: 20).Fit(rows);
        double area = mlContext.BinaryClassification.Evaluate(binary.Transform(rows)).AreaUnderRocCurve;
        Assert.True(area > 0.985, $"{rule.ShortName}: area {area:F3}");
        if (rule is DirectFeedbackRule { Projects: ProjectedSignal.Target })
        {
            ArgumentException refused = Assert.Throws<ArgumentOutOfRangeException>(() =>
                mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Number", rule: rule));
            Assert.Contains("Rule", refused.Message, StringComparison.Ordinal);
            Assert.Contains("DirectFeedbackAlignment", refused.Message, StringComparison.Ordinal);
            return;
        }
        var regression = mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Number", rule: rule).Fit(rows);
        double fit = mlContext.Regression.Evaluate(regression.Transform(rows), "Number").RSquared;
        Assert.True(fit > 0.9, $"{rule.ShortName}: R² {fit:F3}");
    }

    [Theory, MemberData(nameof(Feedback.Rules.FurtherNames), MemberType = typeof(Feedback.Rules))]
    public void Rules_that_send_no_error_have_no_feedback_gradient_and_say_so(string name)
    {
        MLContext mlContext = new(seed: 1);
        IDataView iris = Tables.Load(mlContext, "iris");
        FeedbackRule rule = FeedbackRule.Parse(name);
        var model = Tables.Pipeline(mlContext, Tables.Quick(rule)).Fit(iris);
        RobustnessReport Attacked(ThreatModel threat) => mlContext.MulticlassClassification.EvaluateRobustness(model, iris, [Attack.Fgsm(0.1f)],
            new RobustnessOptions { ThreatModel = threat });
        Assert.Equal(150, Attacked(ThreatModel.TrueGradient).Rows);
        if (rule.ShortName is "drtp" or "pepita")
            Assert.Contains("TrueGradient", Assert.Throws<InvalidOperationException>(() => Attacked(ThreatModel.FeedbackGradient)).Message,
                StringComparison.Ordinal);
        else
            Assert.Equal(150, Attacked(ThreatModel.FeedbackGradient).Rows);
    }

    private static SchemaDefinition SchemaDefinition(int features)
    {
        SchemaDefinition schema = Microsoft.ML.Data.SchemaDefinition.Create(typeof(Row));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        return schema;
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }

        public float Number { get; set; }
    }
}
