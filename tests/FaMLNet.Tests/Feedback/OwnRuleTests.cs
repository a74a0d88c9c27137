using FaMLNet.Computing.Modules;
using FaMLNet.Tests.Interop;
using FaMLNet.Tests.Training;
using Microsoft.ML;
using OwnRule;
using Xunit;

namespace FaMLNet.Tests.Feedback;

/// <summary>The rules of <c>examples/OwnRule</c>: short, and everything works with them.</summary>
public sealed class OwnRuleTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void Each_takes_less_than_thirty_lines()
    {
        string folder = Path.Combine(ProcessRunner.Metadata("RepositoryRoot"), "examples", "OwnRule");
        foreach (string file in new[] { "LaggedTransportRule.cs", "OrthogonalDirectRule.cs" })
        {
            string[] lines = File.ReadAllLines(Path.Combine(folder, file));
            int start = Array.FindIndex(lines, line => line.StartsWith("[CustomFeedbackRule", StringComparison.Ordinal));
            Assert.InRange(lines.Length - start, 5, 30);
        }
    }

    [Fact]
    public void Both_learn_are_saved_and_are_found_by_name()
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        foreach (FeedbackRule rule in new FeedbackRule[] { new LaggedTransportRule(), new OrthogonalDirectRule() })
        {
            ITransformer model = Tables.Pipeline(_mlContext,
                new() { Rule = rule, Network = NetworkDefinition.Mlp(64, 32), NumberOfEpochs = 20, Seed = 1 }).Fit(data);
            Assert.True(Tables.ModelOf(model).History[^1].Accuracy > 0.95, rule.Name);
            using MemoryStream zip = new();
            _mlContext.Model.Save(model, data.Schema, zip);
            MLContext other = new();
            other.ComponentCatalog.RegisterAssembly(rule.GetType().Assembly);
            FeedbackAlignmentMulticlassModelParameters loaded = Tables.ModelOf(other.Model.Load(zip, out _));
            Assert.IsType(rule.GetType(), loaded.Rule);
            Trainers.PipelineTests.AssertSameWeights(Tables.ModelOf(model), loaded);
        }
    }

    [Fact]
    public void The_feedback_of_orthogonal_outputs_is_orthogonal()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        ParameterTensor feedback = Tables.ModelOf(Tables.Pipeline(_mlContext, Tables.Quick(new OrthogonalDirectRule())).Fit(data))
            .GetFeedbackWeights()["dense2"];
        int inputs = feedback.Shape[1];
        for (int a = 0; a < 3; a++)
        {
            for (int b = 0; b < a; b++)
            {
                double product = 0;
                for (int i = 0; i < inputs; i++)
                    product += (double)feedback.Values.Span[a * inputs + i] * feedback.Values.Span[b * inputs + i];
                Assert.Equal(0, product, 1e-6);
            }
        }
    }

    /// <summary>What a rule keeps beside its weights goes with the model: a training that continues one from a zip is that of one at hand.</summary>
    [Theory, MemberData(nameof(Rules.AllNames), MemberType = typeof(Rules))]
    public void A_model_from_a_zip_is_trained_further_as_one_at_hand_is_by_every_rule(string name)
    {
        IDataView raw = Tables.Load(_mlContext, "iris");
        IDataView data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(raw).Transform(raw);
        FeedbackRule rule = FeedbackRule.Parse(name);
        var trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick(rule));
        FeedbackAlignmentMulticlassTransformer first = trainer.Fit(data);
        using MemoryStream zip = new();
        _mlContext.Model.Save(first, data.Schema, zip);
        var loaded = (FeedbackAlignmentMulticlassTransformer)_mlContext.Model.Load(zip, out _);
        Trainers.PipelineTests.AssertSameWeights(trainer.Fit(data, first.Model).Model, trainer.Fit(data, loaded.Model).Model);
    }

    /// <summary>G = RᵀR of the training is what a training that continues starts with, also from a zip.</summary>
    [Fact]
    public void What_a_rule_keeps_beside_its_weights_is_in_the_model()
    {
        IDataView raw = Tables.Load(_mlContext, "iris");
        IDataView data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(raw).Transform(raw);
        FeedbackAlignmentMulticlassTransformer model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            Tables.Quick(FeedbackRule.ProductFeedbackAlignment)).Fit(data);
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, data.Schema, zip);
        var loaded = (FeedbackAlignmentMulticlassTransformer)_mlContext.Model.Load(zip, out _);
        FeedbackLayout places = new(FeedbackRule.ProductFeedbackAlignment, model.Model.Layout);
        float[] Kept(FeedbackAlignmentMulticlassModelParameters of) => places.Memory[1]!.In(of.FlatFeedback(places).AsSpan()).ToArray();
        Assert.Equal(1, Enumerable.Range(0, 8).Average(i => Kept(model.Model)[i * 9]), 0.3); // columns of unit length
        Assert.Equal(Kept(model.Model), Kept(loaded.Model));
    }

    [Fact]
    public void A_rule_may_work_after_every_epoch_here_and_on_a_device()
    {
        CountsEpochs rule = new();
        FeedbackAlignmentMulticlassModelParameters model = Tables.ModelOf(Tables.Pipeline(_mlContext, Tables.Quick(rule, epochs: 3))
            .Fit(Tables.Load(_mlContext, "iris")));
        Assert.All(model.GetFeedbackWeights()["dense2"].Values.ToArray(), value => Assert.Equal(3, value));
        DenseLayout layout = new(NetworkDefinition.Mlp(4), 3, 2);
        using AutogradNetwork network = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(1, "dropout")), Plans.Of(rule,
            1) with
        { Device = TorchSharp.torch.CPU }).With(new OptimizerOptions.Sgd());
        network.EndEpoch();
        network.Feedback.Buffer.Span.Clear();
        network.Download();
        Assert.All(network.Feedback.Slices[1]!.In(network.Feedback.Buffer.Span).ToArray(), value => Assert.Equal(1, value));
    }

    private sealed class CountsEpochs : LayerwiseFeedbackRule
    {
        public override string Name => "Counts epochs";

        public override string ShortName => "counts";

        protected override void Draw(FeedbackLayer layer) => layer.Feedback.Clear();

        protected override void EndEpoch(FeedbackLayer layer)
        {
            for (int i = 0; i < layer.Feedback.Length; i++)
                layer.Feedback[i]++;
        }
    }

    /// <summary>A model whose rule no one knows here is saved again as it was: the shapes are the model's, not the rule's.</summary>
    [Fact]
    public void A_model_of_an_unknown_direct_rule_is_saved_again_and_loaded()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        ITransformer model = Tables.Pipeline(_mlContext, Tables.Quick(new OrthogonalDirectRule())).Fit(data);
        using MemoryStream zip = new(), again = new();
        _mlContext.Model.Save(model, data.Schema, zip);
        MLContext stranger = new();
        stranger.Model.Save(stranger.Model.Load(zip, out DataViewSchema schema), schema, again);
        FeedbackAlignmentMulticlassModelParameters loaded = Tables.ModelOf(new MLContext().Model.Load(again, out _));
        Assert.Equal("orthogonal", loaded.Rule.ShortName);
        Trainers.PipelineTests.AssertSameWeights(Tables.ModelOf(model), loaded);
    }
}
