using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Feedback;

/// <summary>
/// A rule of a user's own, start to end: feedback weights that are −σ, 0 or σ at random, so that the error travels back over a third of
/// the connections only. <see cref="RuleWithFeedbackWeights.Draw"/> says how they start; as <see cref="RuleWithFeedbackWeights.Refresh"/> is
/// not overridden, they stay.
/// </summary>
[CustomFeedbackRule("ternary")]
public sealed class TernaryFeedback : LayerwiseFeedbackRule
{
    public override string Name => "Ternary feedback alignment";

    public override string ShortName => "ternary";

    public override RuleDefaults Defaults { get; } = new() { InitialWeightScale = 0.1f };

    protected override void Draw(FeedbackLayer layer)
    {
        for (int i = 0; i < layer.Feedback.Length; i++)
            layer.Feedback[i] = layer.StandardDeviation * (layer.Random.NextInt32(3) - 1);
    }
}

/// <summary>A direct rule of a user's own, whose feedback fades.</summary>
[CustomFeedbackRule("fading")]
public sealed class FadingDirectFeedback : DirectFeedbackRule
{
    public override string Name => "Fading direct feedback";

    public override string ShortName => "fading";

    protected override void Draw(FeedbackLayer layer) => layer.DrawXavierUniform();

    protected override void Refresh(FeedbackLayer layer)
    {
        for (int i = 0; i < layer.Feedback.Length; i++)
            layer.Feedback[i] *= 0.999f;
    }
}

public sealed class CustomRuleTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void A_users_rule_trains_saves_and_is_found_again_once_registered()
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        ITransformer model = Tables.Pipeline(_mlContext,
            new() { Rule = new TernaryFeedback(), Network = NetworkDefinition.Mlp(64), NumberOfEpochs = 20 }).Fit(data);
        Assert.True(Tables.ModelOf(model).History[^1].Accuracy > 0.95);
        Assert.Equal(3, Tables.ModelOf(model).GetFeedbackWeights()["dense2"].Values.ToArray().Distinct().Count());
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, data.Schema, zip);

        MLContext registered = new();
        registered.ComponentCatalog.RegisterAssembly(typeof(TernaryFeedback).Assembly);
        FeedbackAlignmentMulticlassModelParameters loaded = Tables.ModelOf(registered.Model.Load(zip, out _));
        Assert.IsType<TernaryFeedback>(loaded.Rule);
        Trainers.PipelineTests.AssertSameWeights(Tables.ModelOf(model), loaded);
    }

    [Fact]
    public void Without_registration_a_model_still_predicts_and_names_its_rule_but_cannot_lend_it_to_a_training()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        ITransformer model = Tables.Pipeline(_mlContext, Tables.Quick(new TernaryFeedback())).Fit(data);
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, data.Schema, zip);
        MLContext other = new();
        ITransformer loaded = other.Model.Load(zip, out _);
        Assert.Equal(model.Transform(data).GetColumn<float[]>("Score"), loaded.Transform(data).GetColumn<float[]>("Score"));
        Assert.Equal("ternary", Tables.ModelOf(loaded).Rule.ShortName);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            other.MulticlassClassification.Trainers.FeedbackAlignment(rule: Tables.ModelOf(loaded).Rule));
        Assert.Contains("RegisterAssembly", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_direct_rule_can_refresh_its_feedback()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        FeedbackAlignmentMulticlassModelParameters one =
            Tables.ModelOf(Tables.Pipeline(_mlContext, Tables.Quick(new FadingDirectFeedback(), epochs: 1)).Fit(data));
        FeedbackAlignmentMulticlassModelParameters two =
            Tables.ModelOf(Tables.Pipeline(_mlContext, Tables.Quick(new FadingDirectFeedback(), epochs: 3)).Fit(data));
        float ratio = two.GetFeedbackWeights()["dense2"].Values.Span[0] / one.GetFeedbackWeights()["dense2"].Values.Span[0];
        Assert.Equal(Math.Pow(0.999, 2 * Math.Ceiling(150 / 32.0)), ratio, 1e-4);
    }

    [Fact]
    public void Names_that_would_be_mistaken_are_refused()
    {
        Assert.Contains("built-in rule", Assert.Throws<ArgumentException>(() =>
            _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: new Impostor("FA"))).Message, StringComparison.Ordinal);
        Assert.Contains("empty ShortName", Assert.Throws<ArgumentException>(() =>
            _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: new Impostor(" "))).Message, StringComparison.Ordinal);
        Assert.Contains("'declared'", Assert.Throws<ArgumentException>(() =>
            _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: new Misnamed())).Message, StringComparison.Ordinal);
    }

    private sealed class Impostor(string name) : LayerwiseFeedbackRule
    {
        public override string Name => "Impostor";

        public override string ShortName => name;

        protected override void Draw(FeedbackLayer layer) => layer.DrawXavierUniform();
    }

    [CustomFeedbackRule("declared")]
    private sealed class Misnamed : LayerwiseFeedbackRule
    {
        public override string Name => "Misnamed";

        public override string ShortName => "another";

        protected override void Draw(FeedbackLayer layer) => layer.DrawXavierUniform();
    }
}
