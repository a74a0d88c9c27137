using FaMLNet.Computing;
using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tests.Training;
using FaMLNet.Tests.Training.Autograd;
using FaMLNet.Tests.Training.Graph;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Diagnostics;

/// <summary>Every measurement against a computation of its own in float64, on every kind of network and for every rule.</summary>
public sealed class MeasurementTests
{
    private static readonly Layer ReLU = new Layer.Activate(Activation.ReLU);

    public MeasurementTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string, string> RulesAndKinds()
    {
        TheoryData<string, string> data = [];
        foreach (FeedbackRule rule in Feedback.Rules.Six)
        {
            foreach (string kind in new[]
            {
                "dense", "normalised", "convolutional", "residual", "custom", "dense on a device", "residual on a device"
            })
                data.Add(rule.ShortName, kind);
        }
        return data;
    }

    [Theory, MemberData(nameof(RulesAndKinds))]
    public void Every_measurement_is_that_of_the_definition(string ruleName, string kind)
    {
        FeedbackRule rule = FeedbackRule.Parse(ruleName);
        using Subject subject = Subject.Create(kind, rule);
        TrainingNetwork network = subject.Network;
        NetworkLayout layout = network.Layout;
        int[] rows = RandomTask.AllRows(subject.Data);
        network.Step(subject.Data, rows, 0.05f); // away from where it started
        network.Download();
        double[] ruleGradient = subject.Reference(byRule: true), bpGradient = subject.Reference(byRule: false);

        network.ComputeGradient(subject.Data, rows);
        network.Download();
        double[] w = ToDouble(network.Weights.Span), b = ToDouble(network.Feedback.Buffer.Span);
        Measurement measurement = new(LayerDiagnostics.All, network);
        measurement.BeforeUpdate(activity: null);
        network.Update(0.05f);
        network.Download();
        measurement.AfterUpdate();
        StepMetrics found = measurement.AddTo(new StepMetrics { Epoch = 1, Step = 2, Loss = 0, Accuracy = 0, LearningRate = 0 });

        double[] after = ToDouble(network.Weights.Span);
        for (int i = 0; i < layout.WeightedLayers.Count; i++)
        {
            WeightedLayer layer = layout.WeightedLayers[i];
            double[] weights = Of(w, layer.Weight), gradient = Of(ruleGradient, layer.Weight);
            Assert.Equal(Norm(weights), found.WeightNorm[layer.Name], 1e-6 * Norm(weights));
            Assert.Equal(Norm(gradient), found.GradientNorm[layer.Name], 1e-4 * Norm(gradient));
            double moved = Norm([.. Of(after, layer.Weight).Zip(weights, (x, y) => x - y)]);
            Assert.Equal(moved / Norm(weights), found.UpdateRatio[layer.Name], 1e-6 * moved / Norm(weights));
            Assert.Equal(Angle(gradient, Of(bpGradient, layer.Weight)), found.UpdateAngle[layer.Name], 0.1);
            CheckAlignment(rule, network, i, weights, b, found);
            Histogram histogram = found.Histograms!.Weights[layer.Name];
            Assert.Equal(weights.Length, histogram.Counts.Sum());
            Assert.Equal((weights.Min(), weights.Max()), (histogram.Minimum, histogram.Limits[^1]));
            Assert.Equal(network.Feedback.Slices[i] != null, found.Histograms.FeedbackWeights.ContainsKey(layer.Name));
            double squares = Norm(gradient) * Norm(gradient);
            Assert.Equal(squares, found.Histograms.Gradients[layer.Name].SumOfSquares, 1e-3 * squares);
        }
        Assert.Equal(Angle(ruleGradient, bpGradient), found.TotalUpdateAngle!.Value, 0.1);
        if (rule.ShortName == "bp")
            Assert.All(found.UpdateAngle.Values.Append(found.TotalUpdateAngle.Value), angle => Assert.Equal(0, angle));
        else
        {
            Assert.True(found.TotalUpdateAngle > 1);
            Assert.Equal(0, found.UpdateAngle[layout.WeightedLayers[^1].Name], 1e-3); // the last layer's own update is backpropagation's
        }
    }

    /// <summary>Units whose bias makes them 0 or other than 0 whatever they see.</summary>
    [Theory, InlineData("dense"), InlineData("normalised"), InlineData("convolutional"), InlineData("residual"), InlineData("custom"),
        InlineData("dense on a device"), InlineData("residual on a device")]
    public void Dead_units_are_those_that_are_dead(string kind)
    {
        using Subject subject = Subject.Create(kind, FeedbackRule.FeedbackAlignment);
        TrainingNetwork network = subject.Network;
        Dictionary<string, (string Shift, int Units)> rectified = kind switch
        {
            "dense" or "dense on a device" => new() { ["dense1"] = ("dense1.bias", 9), ["dense2"] = ("dense2.bias", 7) },
            "normalised" => new() { ["dense1"] = ("norm1.bias", 9), ["dense2"] = ("norm2.bias", 7) },
            "convolutional" => new() { ["conv1"] = ("conv1.bias", 16), ["dense1"] = ("dense1.bias", 20) },
            "custom" => new() { ["b"] = ("a.bias", 16), ["g"] = ("f.bias", 20) },
            _ => new()
            {
                ["conv1"] = ("norm1.bias", 16),
                ["conv2"] = ("norm2.bias", 16),
                ["conv3"] = ("norm3.bias", 16),
                ["conv4"] = ("conv4.bias", 5)
            },
        };
        int dead = 0;
        foreach ((_, (string shift, int units)) in rectified)
        {
            ParameterSlice slice = network.Layout.Parameters.Single(slice => slice.Name == shift);
            slice.In(network.Weights.Span).Fill(1000);
            slice.In(network.Weights.Span)[..++dead].Fill(-1e6f);
        }
        network.Upload();
        UnitActivity activity = new(1);
        network.Activity = activity;
        activity.Begin(afterGap: true);
        network.ComputeGradient(subject.Data, RandomTask.AllRows(subject.Data));
        network.ComputeBackpropagationGradient(); // is not watched
        Dictionary<string, double> found = activity.DeadShares();
        Assert.Equal(rectified.Keys.Order(), found.Keys.Order());
        dead = 0;
        foreach ((string layer, (_, int units)) in rectified)
            Assert.Equal((double)++dead / units, found[layer]);
    }

    [Fact]
    public void Columns_beyond_a_batch_bring_no_unit_to_life()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(4), 3, 2);
        TrainingData data = new(3, 2, 5);
        for (int row = 0; row < 5; row++)
        {
            data.Next().Fill(1);
            data.Commit(row % 2, null);
        }
        using DenseChain chain = new DenseChain(layout, Plans.Of(FeedbackRule.Backpropagation, 1)).With(new OptimizerOptions.Sgd());
        layout.Layers[0].Weight.In(chain.Weights.Span).Fill(-1);
        layout.Layers[0].Bias.In(chain.Weights.Span).Fill(0.5f); // where the input is 0, beyond the batch, a unit is 0.5
        UnitActivity activity = new(1);
        chain.Activity = activity;
        activity.Begin(afterGap: true);
        chain.ComputeGradient(data, RandomTask.AllRows(data));
        Assert.Equal(1, activity.DeadShares()["dense1"]);
    }

    [Fact]
    public void A_unit_lives_that_did_in_any_of_the_last_batches()
    {
        UnitActivity two = new(2);
        float[] first = [1, 0, 0, 0], second = [0, 0, 1, 0], none = new float[4]; // four units, one row
        foreach (float[] batch in new[] { first, second })
        {
            two.Begin(afterGap: false);
            two.Observe("x", batch, width: 1, rows: 1);
        }
        Assert.Equal(0.5, two.DeadShares()["x"]);
        two.Begin(afterGap: false);
        two.Observe("x", none, width: 1, rows: 1);
        Assert.Equal(0.75, two.DeadShares()["x"]); // the first has left
        two.Begin(afterGap: true);
        two.Observe("x", first, width: 1, rows: 1);
        two.Observe("x", second, width: 1, rows: 1); // used twice in a pass
        two.Observe("x", [1, 0, 0, 0, 0], width: 1, rows: 1); // and a third time, by other units
        two.Observe("x", first, width: 1, rows: 1);
        Assert.Equal(0.5, two.DeadShares()["x"]);
        Assert.Equal(0.8, two.DeadShares()["x.2"]);
    }

    [Fact]
    public void Histograms_count_every_finite_value_once()
    {
        RandomGenerator random = new(1, "histogram");
        float[] values = new float[1000];
        random.FillNormal(values, 0, 3);
        Histogram histogram = Histogram.Of(values);
        double lower = double.NegativeInfinity;
        foreach ((double limit, long count) in histogram.Limits.Zip(histogram.Counts))
        {
            Assert.Equal(values.Count(value => value > lower && value <= limit), count);
            lower = limit;
        }
        Assert.Equal((1000, values.Sum(value => (double)value)), (histogram.Count, histogram.Sum));
        Assert.Equal([3], Histogram.Of([2, 2, 2]).Counts);
        Assert.Equal((0, 0), (Histogram.Of([]).Count, Histogram.Of([float.NaN]).Count));
        Histogram extreme = Histogram.Of([float.MinValue, float.PositiveInfinity, 1e-38f, float.MaxValue]);
        Assert.Equal((3, 3), (extreme.Count, extreme.Counts.Sum()));
    }

    private static void CheckAlignment(FeedbackRule rule, TrainingNetwork network, int i, double[] w, double[] b, StepMetrics found)
    {
        WeightedLayer layer = network.Layout.WeightedLayers[i];
        if (i == 0)
        {
            Assert.DoesNotContain(layer.Name, found.AlignmentAngle.Keys);
            Assert.DoesNotContain(layer.Name, found.NormRatio.Keys);
            return;
        }
        if (network.Feedback.Slices[i] is not { } slice)
        {
            Assert.Equal((0, 1), (found.AlignmentAngle[layer.Name], found.NormRatio[layer.Name]));
            return;
        }
        double[] feedback = Of(b, slice);
        Assert.Equal(Norm(feedback) / Norm(w), found.NormRatio[layer.Name], 1e-6 * Norm(feedback) / Norm(w));
        if (rule is LayerwiseFeedbackRule)
        {
            Assert.Equal(Angle(w, feedback), found.AlignmentAngle[layer.Name], 1e-4);
            return;
        }
        // What W would be if the direct feedback were a product of weights: B′ᵀB, entry by entry.
        int inputs = layer.InputLength, outputs = layer.Weight.Shape[0];
        bool isLast = i == network.Layout.WeightedLayers.Count - 1;
        if (layer.Weight.Shape.Length != 2)
        {
            Assert.DoesNotContain(layer.Name, found.AlignmentAngle.Keys);
            return;
        }
        double[] expected = feedback;
        if (!isLast)
        {
            double[] next = Of(b, network.Feedback.Slices[i + 1]!);
            expected = [.. Enumerable.Range(0, outputs * inputs).Select(entry => Enumerable.Range(0, network.Layout.Outputs)
                .Sum(c => next[c * outputs + entry / inputs] * feedback[c * inputs + entry % inputs]))];
        }
        Assert.Equal(Angle(w, expected), found.AlignmentAngle[layer.Name], 1e-3);
    }

    private static double[] ToDouble(ReadOnlySpan<float> values) => [.. values.ToArray().Select(value => (double)value)];

    private static double[] Of(double[] flat, ParameterSlice slice) => flat[slice.Offset..(slice.Offset + slice.Length)];

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(value => value * value));

    private static double Angle(double[] a, double[] b) =>
        Math.Acos(Math.Clamp(a.Zip(b, (x, y) => x * y).Sum() / (Norm(a) * Norm(b)), -1, 1)) * 180 / Math.PI;

    /// <summary>A network in training with a reference for its gradients.</summary>
    private sealed record Subject(TrainingNetwork Network, TrainingData Data, Func<TrainingNetwork, TrainingData, bool, double[]> Gradient)
        : IDisposable
    {
        public double[] Reference(bool byRule) => Gradient(Network, Data, byRule);

        public static Subject Create(string kind, FeedbackRule rule)
        {
            OptimizerOptions adam = new OptimizerOptions.Adam { Epsilon = 1e-3f };
            Normalization normalization = kind == "normalised" ? Normalization.Batch : Normalization.None;
            DenseLayout dense = new(NetworkDefinition.Mlp(9, 7) with { Normalization = normalization }, 12, 5);
            GraphLayout convolutional = new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), ReLU, new Layer.Conv2d(16, 3),
                new Layer.Activate(Activation.Tanh), new Layer.Flatten(), new Layer.Dense(20), ReLU, new Layer.Dense()), new ImageShape(1, 8, 8), 5);
            GraphLayout residual = new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.BatchNorm(), ReLU,
                new Layer.Residual([new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.BatchNorm(), ReLU, new Layer.Conv2d(16, 3) { Padding = 1 },
                    new Layer.BatchNorm()], []), ReLU, new Layer.Conv2d(5, 1), ReLU, new Layer.MaxPool2d(2), new Layer.Flatten(), new Layer.Dense()),
                new ImageShape(1, 8, 8), 5);
            switch (kind)
            {
                case "dense" or "normalised":
                    return new Subject(new DenseChain(dense, Plans.Of(rule, 2)).With(adam), RandomTask.Data(12, 5, 11, seed: 3), Dense);
                case "dense on a device":
                    return new Subject(new AutogradNetwork(new DefinedForward(dense, new RandomGenerator(2, "dropout")), Plans.Of(rule,
                        2) with
                    { Device = torch.CPU }).With(adam), RandomTask.Data(12, 5, 11, seed: 3), Dense);
                case "convolutional":
                    return new Subject(new GraphNetwork(convolutional, Plans.Of(rule, 2)).With(adam),
                        GraphGradientTests.Images(convolutional, 11), Graph);
                case "residual":
                    return new Subject(new GraphNetwork(residual, Plans.Of(rule, 2)).With(adam), GraphGradientTests.Images(residual, 11), Graph);
                case "residual on a device":
                    return new Subject(new AutogradNetwork(new DefinedForward(residual, new RandomGenerator(2, "dropout")), Plans.Of(rule,
                        2) with
                    { Device = torch.CPU }).With(adam), GraphGradientTests.Images(residual, 11), Graph);
                default:
                    NetworkShape shape = new([1, 8, 8], 5);
                    torch.nn.Module<torch.Tensor, torch.Tensor> module = new ChainFactory().Create(shape);
                    CustomLayout layout = new(NetworkDefinition.Custom("chain"), shape, module);
                    AutogradNetwork custom = new AutogradNetwork(new ModuleForward(layout, module), Plans.Of(rule, 2)).With(adam);
                    return new Subject(custom, GraphGradientTests.Images(convolutional, 11), (network, data, byRule) =>
                        Custom(convolutional, network, data, byRule));
            }
        }

        public void Dispose() => Network.Dispose();

        private static double[] Dense(TrainingNetwork network, TrainingData data, bool byRule)
        {
            int[] rows = RandomTask.AllRows(data);
            double[]?[] feedback = RandomTask.Feedback(network.Feedback);
            ReferenceNetwork reference = new((DenseLayout)network.Layout, network.Weights.Span, byRule ? feedback : new double[]?[feedback.Length],
                byRule && network.Feedback.Route.StartsAtOutput);
            return reference.Gradient(RandomTask.Features(data, rows), RandomTask.Labels(data, rows), RandomTask.Weights(data, rows)).Gradient;
        }

        private static double[] Graph(TrainingNetwork network, TrainingData data, bool byRule) =>
            Graph((GraphLayout)network.Layout, network.Weights.Span, network.Statistics.Span, network.Feedback, data, byRule);

        private static double[] Graph(GraphLayout layout, ReadOnlySpan<float> weights, ReadOnlySpan<float> statistics,
            FeedbackWeights feedbackWeights, TrainingData data, bool byRule)
        {
            int[] rows = RandomTask.AllRows(data);
            double[]?[] feedback = RandomTask.Feedback(feedbackWeights);
            ReferenceGraph reference = new(layout, weights, statistics, byRule ? feedback : new double[]?[feedback.Length],
                byRule && feedbackWeights.Route.StartsAtOutput);
            reference.Run(RandomTask.Features(data, rows), RandomTask.Labels(data, rows));
            return reference.Gradient;
        }

        /// <summary>By the layout of the same layers as data: the parameters come in the same order.</summary>
        private static double[] Custom(GraphLayout same, TrainingNetwork network, TrainingData data, bool byRule)
        {
            float[] weights = new float[same.ParameterLength], statistics = new float[same.StatisticsLength];
            same.InputDeviation.In(statistics.AsSpan()).Fill(1);
            foreach ((ParameterSlice own, ParameterSlice other) in network.Layout.Parameters.Zip(same.Parameters))
                own.In(network.Weights.Span).CopyTo(other.In(weights.AsSpan()));
            double[] found = Graph(same, weights, statistics, network.Feedback, data, byRule),
                gradient = new double[network.Layout.ParameterLength];
            foreach ((ParameterSlice own, ParameterSlice other) in network.Layout.Parameters.Zip(same.Parameters))
                found.AsSpan(other.Offset, other.Length).CopyTo(gradient.AsSpan(own.Offset));
            return gradient;
        }
    }
}
