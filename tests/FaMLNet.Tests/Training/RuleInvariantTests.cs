using FaMLNet.Computing.Dense;
using FaMLNet.Interop;
using FaMLNet.Rows;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training;

/// <summary>What distinguishes the rules, on the training step itself.</summary>
public sealed class RuleInvariantTests
{
    private static readonly DenseLayout Layout = new(NetworkDefinition.Mlp(24, 13, 8), 10, 5);
    private readonly TrainingData _data = RandomTask.Data(10, 5, 64, seed: 7);
    private readonly int[] _rows;

    public RuleInvariantTests()
    {
        LibTorch.EnsureLoaded();
        _rows = RandomTask.AllRows(_data);
    }

    [Fact]
    public void Backpropagation_equals_the_frameworks_own_gradients()
    {
        using DenseChain chain = Chain(FeedbackRule.Backpropagation);
        chain.ComputeGradient(_data, _rows);
        using DisposeScope scope = NewDisposeScope();
        Tensor x = tensor(_rows.SelectMany(row => RandomTask.RowOf(_data, row)).ToArray()).reshape(64, 10);
        Tensor y = tensor(_rows.Select(row => (long)_data.Labels[row]).ToArray());
        Dictionary<string, Tensor> parameters = Layout.Parameters.ToDictionary(slice => slice.Name,
            slice => tensor(slice.In((ReadOnlySpan<float>)chain.Weights.Span)
                .ToArray()).reshape([.. slice.Shape.Select(size => (long)size)]).requires_grad_());
        Tensor h = x;
        foreach (DenseLayer layer in Layout.Layers)
        {
            h = nn.functional.linear(h, parameters[layer.Weight.Name], parameters[layer.Bias.Name]);
            if (layer != Layout.Layers[^1])
                h = nn.functional.relu(h);
        }
        nn.functional.cross_entropy(h, y).backward();
        foreach (ParameterSlice slice in Layout.Parameters)
        {
            double[] expected = [.. parameters[slice.Name].grad!.data<float>().Select(value => (double)value)];
            Assert.True(RandomTask.RelativeError(slice.In((ReadOnlySpan<float>)chain.Gradient.Span), expected) < 1e-5, slice.Name);
        }
    }

    [Fact]
    public void Fa_with_feedback_equal_to_weights_is_backpropagation()
    {
        using DenseChain fa = Chain(FeedbackRule.FeedbackAlignment), bp = Chain(FeedbackRule.Backpropagation);
        for (int i = 1; i < Layout.Layers.Count; i++)
            Layout.Layers[i].Weight.In((ReadOnlySpan<float>)fa.Weights.Span).CopyTo(fa.Feedback.Slices[i]!.In(fa.Feedback.Buffer.Span));
        fa.ComputeGradient(_data, _rows);
        bp.ComputeGradient(_data, _rows);
        Assert.Equal(bp.Gradient.Span.ToArray(), fa.Gradient.Span.ToArray());
    }

    [Theory, InlineData("fa"), InlineData("dfa")]
    public void Fa_and_dfa_feedback_never_change(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        using DenseChain chain = Chain(rule);
        float[] before = chain.Feedback.Buffer.Span.ToArray();
        Assert.NotEmpty(before);
        Steps(chain, 5);
        Assert.Equal(before, chain.Feedback.Buffer.Span.ToArray());
    }

    [Fact]
    public void Usf_feedback_is_sigma_times_the_sign_of_the_weights_after_each_update()
    {
        using DenseChain chain = Chain(FeedbackRule.UniformSignConcordant);
        float[] signsBefore = Signs(chain);
        for (int step = 0; step < 20; step++)
        {
            Steps(chain, 1, learningRate: 0.5f);
            ForEachFeedback(chain, (layer, weights, feedback) =>
            {
                float sigma = MathF.Sqrt(2f / (layer.Inputs + layer.Outputs));
                for (int i = 0; i < weights.Length; i++)
                    Assert.Equal(MathF.CopySign(sigma, weights[i]), feedback[i]);
            });
        }
        Assert.NotEqual(signsBefore, Signs(chain));
    }

    [Fact]
    public void Brsf_magnitudes_change_every_step_and_signs_follow_the_weights()
    {
        using DenseChain chain = Chain(FeedbackRule.BatchwiseRandomSignConcordant);
        for (int step = 0; step < 5; step++)
        {
            float[] before = Magnitudes(chain);
            Steps(chain, 1);
            float[] after = Magnitudes(chain);
            Assert.True(before.Zip(after).Count(pair => pair.First == pair.Second) < before.Length / 100);
            CheckSigns(chain);
        }
    }

    [Fact]
    public void Frsf_magnitudes_never_change_and_signs_follow_the_weights()
    {
        using DenseChain chain = Chain(FeedbackRule.FixedRandomSignConcordant);
        float[] magnitudes = Magnitudes(chain), signs = Signs(chain);
        for (int step = 0; step < 20; step++)
        {
            Steps(chain, 1, learningRate: 0.5f);
            Assert.Equal(magnitudes, Magnitudes(chain));
            CheckSigns(chain);
        }
        Assert.NotEqual(signs, Signs(chain));
    }

    [Theory, InlineData("fa"), InlineData("dfa"), InlineData("brsf"), InlineData("frsf")]
    public void Random_feedback_is_xavier_uniform(string name)
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(300, 200), 10, 5);
        FeedbackRule rule = FeedbackRule.Parse(name);
        using DenseChain chain = new DenseChain(layout, Plans.Of(rule, 3)).With(new OptimizerOptions.Sgd());
        ParameterSlice slice = chain.Feedback.Slices[1]!;
        float[] values = slice.In(chain.Feedback.Buffer.Span).ToArray();
        double sigma = Math.Sqrt(2.0 / (slice.Shape[0] + slice.Shape[1]));
        Assert.All(values, value => Assert.True(Math.Abs(value) <= Math.Sqrt(3) * sigma * 1.000001));
        Assert.InRange(Math.Sqrt(values.Average(value => (double)value * value)), 0.97 * sigma, 1.03 * sigma);
        Assert.InRange(values.Average(), -0.05 * sigma, 0.05 * sigma);
    }

    [Theory, MemberData(nameof(Feedback.Rules.OfErrorsNames), MemberType = typeof(Feedback.Rules))]
    public void The_last_layers_update_is_backpropagations_for_every_rule(string name)
    {
        using DenseChain bp = Chain(FeedbackRule.Backpropagation);
        bp.ComputeGradient(_data, _rows);
        DenseLayer top = Layout.Layers[^1];
        FeedbackRule rule = FeedbackRule.Parse(name);
        using DenseChain chain = Chain(rule);
        chain.ComputeGradient(_data, _rows);
        Assert.Equal(top.Weight.In(bp.Gradient.Span).ToArray(), top.Weight.In(chain.Gradient.Span).ToArray());
        Assert.Equal(top.Bias.In(bp.Gradient.Span).ToArray(), top.Bias.In(chain.Gradient.Span).ToArray());
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void The_first_layer_has_no_feedback_and_dfa_feedback_is_outputs_by_inputs(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        using DenseChain chain = Chain(rule);
        Assert.Null(chain.Feedback.Slices[0]);
        for (int i = 1; i < Layout.Layers.Count; i++)
        {
            DenseLayer layer = Layout.Layers[i];
            int[]? expected = rule.ShortName switch { "bp" => null, "dfa" => [Layout.Outputs, layer.Inputs], _ => [layer.Outputs, layer.Inputs] };
            Assert.Equal(expected, chain.Feedback.Slices[i]?.Shape);
        }
    }

    [Fact]
    public void Scales_multiply_the_initial_weights_of_all_layers_but_the_first_and_the_feedback()
    {
        using DenseChain plain = Chain(FeedbackRule.FeedbackAlignment);
        using DenseChain scaled = new DenseChain(Layout, Plans.Of(FeedbackRule.FeedbackAlignment, 11) with
        {
            InitialWeightScale = 0.5f,
            FeedbackScale = 0.25f
        }).With(new OptimizerOptions.Sgd());
        for (int i = 0; i < Layout.Layers.Count; i++)
        {
            float[] a = Layout.Layers[i].Weight.In(plain.Weights.Span).ToArray(), b = Layout.Layers[i].Weight.In(scaled.Weights.Span).ToArray();
            Assert.True(RandomTask.RelativeError(b, [.. a.Select(value => (double)value * (i == 0 ? 1 : 0.5))]) < 1e-6);
        }
        Assert.True(RandomTask.RelativeError(scaled.Feedback.Buffer.Span,
            [.. plain.Feedback.Buffer.Span.ToArray().Select(value => (double)value * 0.25)]) < 1e-6);
    }

    [Theory, MemberData(nameof(Feedback.Rules.AllNames), MemberType = typeof(Feedback.Rules))]
    public void A_step_leaves_no_live_tensor_behind(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        using DenseChain chain = Chain(rule);
        Steps(chain, 2);
        long before = LiveTensors.OfThisThread;
        Steps(chain, 10);
        new FaMLNet.Diagnostics.Measurement(LayerDiagnostics.UpdateAngle | LayerDiagnostics.Alignment, chain).BeforeUpdate(null);
        Steps(chain, 10);
        long warm = LiveTensors.OfThisThread;
        new FaMLNet.Diagnostics.Measurement(LayerDiagnostics.UpdateAngle | LayerDiagnostics.Alignment, chain).BeforeUpdate(null);
        Steps(chain, 10);
        Assert.Equal(warm, LiveTensors.OfThisThread);
        Assert.InRange(warm - before, 0, Layout.Layers.Count + 1); // the second gradient
    }

    [Fact]
    public void A_chain_frees_all_its_tensors()
    {
        long before = LiveTensors.OfThisThread;
        using (DenseChain chain = Chain(FeedbackRule.DirectFeedbackAlignment))
        {
            Steps(chain, 3);
            new FaMLNet.Diagnostics.Measurement(LayerDiagnostics.UpdateAngle | LayerDiagnostics.Alignment, chain).BeforeUpdate(null);
        }
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void A_step_allocates_next_to_no_managed_memory(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        using DenseChain chain = Chain(rule);
        Steps(chain, 50);
        Assert.InRange(AllocatedMemory.Of(() => Steps(chain, 100)) / 100, 0, 512);
    }

    private static DenseChain Chain(FeedbackRule rule) => GradientTests.Chain(Layout, rule, 11);

    private void Steps(DenseChain chain, int count, float learningRate = 0.05f)
    {
        for (int i = 0; i < count; i++)
            chain.Step(_data, _rows, learningRate);
    }

    private static void ForEachFeedback(DenseChain chain, Action<DenseLayer, float[], float[]> action)
    {
        for (int i = 1; i < Layout.Layers.Count; i++)
            action(Layout.Layers[i], Layout.Layers[i].Weight.In(chain.Weights.Span).ToArray(),
                chain.Feedback.Slices[i]!.In(chain.Feedback.Buffer.Span).ToArray());
    }

    private static void CheckSigns(DenseChain chain) => ForEachFeedback(chain, (_, weights, feedback) =>
    {
        for (int i = 0; i < weights.Length; i++)
            Assert.Equal(float.IsNegative(weights[i]), float.IsNegative(feedback[i]));
    });

    private static float[] Magnitudes(DenseChain chain) => Collect(chain, Math.Abs);

    private static float[] Signs(DenseChain chain) => Collect(chain, value => float.IsNegative(value) ? -1 : 1);

    private static float[] Collect(DenseChain chain, Func<float, float> of)
    {
        List<float> values = [];
        ForEachFeedback(chain, (_, _, feedback) => values.AddRange(feedback.Select(of)));
        return [.. values];
    }
}
