using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks;
using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;
using FaMLNet.Tests.Training.Graph;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>Gradients of several numbers and of several labels at once, against float64 references and in every way to a gradient.</summary>
public sealed class ManyOutputsGradientTests
{
    private const int Rows = 13, Outputs = 4;

    private static readonly TargetScale[] Scales =
        [new(10, 4, false), new(-2, 0.5, false), new(0, 1, false), new(1000, 250, false)];

    public ManyOutputsGradientTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string, string> RulesAndTasks()
    {
        TheoryData<string, string> data = [];
        foreach (string rule in new[] { "BP", "FA", "DFA", "uSF", "KP" })
        {
            foreach (string task in new[] { "squared", "absolute", "huber", "labels" })
                data.Add(rule, task);
        }
        return data;
    }

    public static TheoryData<string, string> AllRulesAndTasks()
    {
        TheoryData<string, string> data = [];
        foreach (FeedbackRule rule in FeedbackRule.All)
        {
            if (rule is not DirectFeedbackRule { Projects: ProjectedSignal.Target })
                data.Add(rule.ShortName, "huber");
            data.Add(rule.ShortName, "labels");
        }
        return data;
    }

    [Theory, MemberData(nameof(RulesAndTasks))]
    public void The_gradient_of_a_dense_network_is_that_of_the_reference(string rule, string task)
    {
        foreach (bool skip in new[] { false, true })
        {
            DenseLayout layout = new(NetworkDefinition.Mlp(9, 7) with { Activation = Activation.Tanh, LinearSkip = skip }, 6, Outputs);
            TrainingData data = Data(task, layout.Inputs, weighted: true);
            int[] rows = RandomTask.AllRows(data);
            using DenseChain chain = new DenseChain(layout, Plan(rule, task)).With(new OptimizerOptions.Sgd());
            ReferenceNetwork reference = new(layout, chain.Weights.Span, RandomTask.Feedback(chain.Feedback), chain.Feedback.Route.StartsAtOutput)
            {
                RowLoss = (outputs, row) => RowLoss(task, data, outputs, row),
            };
            BatchResult result = chain.ComputeGradient(data, rows);
            (double loss, double[] gradient) = reference.Gradient(RandomTask.Features(data, rows), [], RandomTask.Weights(data, rows));
            Assert.Equal(loss, result.Loss / Rows, 1e-5 * Math.Max(1, loss));
            Assert.True(RandomTask.RelativeError(chain.Gradient.Span, gradient) < 1e-5);
        }
    }

    [Theory, MemberData(nameof(RulesAndTasks))]
    public void The_gradient_of_a_convolutional_network_is_that_of_the_reference(string rule, string task)
    {
        GraphLayout layout = Images();
        TrainingData data = Data(task, layout.Inputs, weighted: false);
        int[] rows = RandomTask.AllRows(data);
        using GraphNetwork network = new GraphNetwork(layout, Plan(rule, task)).With(new OptimizerOptions.Sgd());
        data.MeasureChannels(rows, layout.Image.Channels, layout.InputMean.In(network.Statistics.Span),
            layout.InputDeviation.In(network.Statistics.Span));
        ReferenceGraph reference = new(layout, network.Weights.Span, network.Statistics.Span, RandomTask.Feedback(network.Feedback),
            network.Feedback.Route.StartsAtOutput)
        { RowLoss = (outputs, row) => RowLoss(task, data, outputs, row) };
        BatchResult result = network.ComputeGradient(data, rows);
        double loss = reference.Run(RandomTask.Features(data, rows), []);
        Assert.Equal(loss, result.Loss / Rows, 1e-4 * Math.Max(1, loss));
        Assert.True(RandomTask.RelativeError(network.Gradient.Span, reference.Gradient) < 1e-4);
    }

    /// <summary>The general way on the host and, as on another device, with rows that move there and losses that the host computes.</summary>
    [Theory, MemberData(nameof(AllRulesAndTasks))]
    public void All_ways_to_a_gradient_agree(string rule, string task)
    {
        foreach (NetworkLayout layout in new NetworkLayout[] { new DenseLayout(NetworkDefinition.Mlp(12, 9), 128, Outputs), Images() })
        {
            TrainingData data = Data(task, layout.Inputs, weighted: true);
            int[] rows = RandomTask.AllRows(data);
            GradientPlan plan = Plan(rule, task);
            using TrainingNetwork host = layout is DenseLayout dense ? new DenseChain(dense, plan).With(new OptimizerOptions.Sgd())
                : new GraphNetwork((GraphLayout)layout, plan).With(new OptimizerOptions.Sgd());
            BatchResult expected = host.ComputeGradient(data, rows);
            EvaluationResult measured = host.Evaluate(data, rows, 1);
            foreach (torch.Device? device in new[] { null, new torch.Device("cpu") })
            {
                using AutogradNetwork other = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(2, "dropout")),
                    plan with { Device = device }).With(new OptimizerOptions.Sgd());
                BatchResult found = other.ComputeGradient(data, rows) + other.TakeTotals();
                Assert.Equal(expected.Loss, found.Loss, 1e-3);
                Assert.Equal(expected.Weight, found.Weight, 1e-4);
                Assert.Equal((expected.Correct, expected.Count), (found.Correct, found.Count));
                Assert.Equal(expected.Squares, found.Squares, 1e-4 * (1 + expected.Squares));
                other.Download();
                float[] a = host.Gradient.Span.ToArray(), b = other.Gradient.Span.ToArray();
                for (int i = 0; i < a.Length; i++)
                    Assert.True(Math.Abs(a[i] - b[i]) < 1e-4, $"{layout.Definition}: {b[i]} for {a[i]}");
                EvaluationResult again = other.Evaluate(data, rows, 1);
                Assert.Equal(measured.Loss, again.Loss, 1e-3);
                Assert.Equal((measured.Correct, measured.Count), (again.Correct, again.Count));
                Assert.Equal(measured.Squares, again.Squares, 1e-4 * (1 + measured.Squares));
            }
        }
    }

    [Theory, InlineData("huber"), InlineData("labels")]
    public void Sparse_rows_have_the_gradient_of_the_same_rows_kept_dense(string task)
    {
        TrainingData dense = Data(task, 40, weighted: true), sparse = new(40, 1, Rows, kind: dense.Kind, sparse: true, labelWidth: Outputs);
        for (int row = 0; row < Rows; row++)
            sparse.Add(new Microsoft.ML.Data.VBuffer<float>(40, RandomTask.RowOf(dense, row)), dense.LabelOf(row), dense.Weights[row]);
        int[] rows = RandomTask.AllRows(dense);
        SparseFeatures features = SparseFeatures.Of(sparse, rows);
        DenseLayout layout = new(NetworkDefinition.Mlp(9), 40, Outputs, features.ValuesPerRow), plain = layout.ToModel();
        using DenseChain one = new(layout, Plan("FA", task), features), other = new(plain, Plan("FA", task));
        layout.Unpack(one.Weights.Span.ToArray()).CopyTo(other.Weights.Span);
        one.Feedback.Buffer.Span.CopyTo(other.Feedback.Buffer.Span);
        BatchResult a = one.ComputeGradient(sparse, rows), b = other.ComputeGradient(dense, rows);
        Assert.Equal(b.Loss, a.Loss, 1e-4);
        float[] found = layout.Unpack(one.Gradient.Span.ToArray()), expected = other.Gradient.Span.ToArray();
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], found[i], 1e-5);
    }

    [Fact]
    public void A_target_that_is_missing_leaves_the_gradient_of_a_network_without_its_output()
    {
        TrainingData data = Data("huber", 6, weighted: true), with = new(6, 1, Rows, kind: LabelKind.Numbers, labelWidth: 3),
            without = new(6, 1, Rows, kind: LabelKind.Numbers, labelWidth: 2);
        int[] rows = RandomTask.AllRows(data);
        foreach (int row in rows)
        {
            ReadOnlySpan<int> label = data.LabelOf(row);
            foreach (TrainingData target in new[] { with, without })
                data.CopyRow(row, target.Next());
            with.Commit([label[0], LabelBits.OfNumber(float.NaN), label[2]], data.Weights[row]);
            without.Commit([label[0], label[2]], data.Weights[row]);
        }
        MlpDefinition network = NetworkDefinition.Mlp(9);
        DenseLayout three = new(network, 6, 3), two = new(network, 6, 2);
        using DenseChain wide = new(three, Plan("BP", "huber") with { Task = new VectorRegressionTask(RegressionLoss.Huber(), Scales[..3]) }),
            narrow = new(two, Plan("BP", "huber") with { Task = new VectorRegressionTask(RegressionLoss.Huber(), [Scales[0], Scales[2]]) });
        foreach (ParameterSlice slice in two.Parameters)
            Kept(slice, wide.Weights.Span).CopyTo(slice.In(narrow.Weights.Span));
        BatchResult a = wide.ComputeGradient(with, rows), b = narrow.ComputeGradient(without, rows);
        Assert.Equal(b.Loss, a.Loss, 1e-6);
        Assert.Equal(b.Squares, a.Squares, 1e-6);
        foreach (ParameterSlice slice in two.Parameters)
        {
            float[] expected = slice.In((ReadOnlySpan<float>)narrow.Gradient.Span).ToArray(), found = Kept(slice, wide.Gradient.Span);
            for (int i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], found[i], 1e-7);
        }

        // Of the wider network's parameters those that the narrower one has: all but those of the output in the middle.
        float[] Kept(ParameterSlice slice, ReadOnlySpan<float> buffer)
        {
            float[] values = three.Parameters.Single(other => other.Name == slice.Name).In(buffer).ToArray();
            int part = values.Length / 3;
            return values.Length == slice.Length ? values : [.. values[..part], .. values[(2 * part)..]];
        }
    }

    [Fact]
    public void An_output_that_diverges_is_seen_also_where_its_targets_are_missing()
    {
        using torch.Tensor z = torch.tensor(new[] { 1f, float.NaN });
        LossSums sums = ManyOutputsLoss.OfNumbers(RegressionLoss.Squared, Scales[..2])
            .ReplaceRowsByError(z, [LabelBits.OfNumber(1), LabelBits.OfNumber(float.NaN)], [1], 2, 0);
        Assert.True(double.IsNaN(sums.Loss));
    }

    private static GradientPlan Plan(string rule, string task) => Plans.Of(FeedbackRule.Parse(rule), 2) with { Task = TaskOf(task) };

    private static LearningTask TaskOf(string name) => name switch
    {
        "squared" => new VectorRegressionTask(RegressionLoss.Squared, Scales),
        "absolute" => new VectorRegressionTask(RegressionLoss.Absolute, Scales),
        "huber" => new VectorRegressionTask(RegressionLoss.Huber(0.5f), Scales),
        _ => new MultiLabelTask(Outputs),
    };

    /// <summary>The formulas once more.</summary>
    private static (double Loss, double[] Slopes) RowLoss(string task, TrainingData data, double[] outputs, int row)
    {
        double loss = 0;
        double[] slopes = new double[Outputs];
        for (int i = 0; i < Outputs; i++)
        {
            int label = data.LabelOf(row)[i];
            if (task == "labels")
            {
                double p = 1 / (1 + Math.Exp(-outputs[i]));
                loss -= label == 1 ? Math.Log(p) : Math.Log(1 - p);
                slopes[i] = p - label;
                continue;
            }
            float number = BitConverter.Int32BitsToSingle(label);
            if (float.IsNaN(number))
                continue;
            double distance = outputs[i] - (number - Scales[i].Mean) / Scales[i].Deviation, size = Math.Abs(distance);
            (double own, slopes[i]) = task switch
            {
                "squared" => (distance * distance / 2, distance),
                "absolute" => (size, Math.Sign(distance)),
                _ => size > 0.5 ? (0.5 * (size - 0.25), 0.5 * Math.Sign(distance)) : (distance * distance / 2, distance),
            };
            loss += own;
        }
        return (loss, slopes);
    }

    private static GraphLayout Images() => new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.Tanh),
        new Layer.AveragePool2d(2), new Layer.Flatten(), new Layer.Dense(7), new Layer.Activate(Activation.Tanh), new Layer.Dense()),
        new ImageShape(2, 8, 8), Outputs);

    /// <summary>Random rows; of numbers, each third is missing.</summary>
    private static TrainingData Data(string task, int features, bool weighted)
    {
        bool numbers = task != "labels";
        TrainingData data = new(features, 1, Rows, kind: numbers ? LabelKind.Numbers : LabelKind.Booleans, labelWidth: Outputs);
        RandomGenerator random = new(3, "rows");
        float[] noise = new float[Outputs];
        for (int row = 0; row < Rows; row++)
        {
            random.FillNormal(data.Next(), 0, 1);
            random.FillNormal(noise, 0, 1);
            data.Commit([.. noise.Select((value, i) => !numbers ? value > 0 ? 1 : 0
                : LabelBits.OfNumber((row + i) % 3 == 0 ? float.NaN : (float)(Scales[i].Mean + Scales[i].Deviation * value)))],
                weighted ? 0.5f + row % 3 : null);
        }
        return data;
    }
}
