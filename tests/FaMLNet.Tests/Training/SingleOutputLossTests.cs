using CsCheck;
using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks;
using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training;

/// <summary>The losses of binary classifiers and of regressions, against libtorch's own in float64 and against themselves in every way.</summary>
public sealed class SingleOutputLossTests
{
    private const int Rows = 13;

    public SingleOutputLossTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string> Names => ["logistic", "smoothed", "squared", "absolute", "huber", "poisson"];

    [Theory, MemberData(nameof(Names))]
    public void Losses_and_slopes_are_those_of_libtorch(string name)
    {
        (LearningTask task, float smoothing, TargetScale scale) = Task(name);
        TrainingLoss loss = task.CreateLoss();
        (float[] outputs, int[] labels, float[] coefficients) = Random(name);
        using DisposeScope scope = NewDisposeScope();
        Tensor z = tensor(outputs).to(ScalarType.Float64).requires_grad_();
        double[] targets = [.. labels.Select(label => name is "logistic" or "smoothed" ? label * (1 - (double)smoothing) + smoothing / 2
            : scale.Standardize(BitConverter.Int32BitsToSingle(label)))];
        Tensor t = tensor(targets);
        Tensor losses = name switch
        {
            "logistic" or "smoothed" => nn.functional.binary_cross_entropy_with_logits(z, t, reduction: nn.Reduction.None),
            "squared" => nn.functional.mse_loss(z, t, nn.Reduction.None).mul(tensor(0.5)),
            "absolute" => nn.functional.l1_loss(z, t, nn.Reduction.None),
            "huber" => nn.functional.huber_loss(z, t, delta: 0.5, reduction: nn.Reduction.None),
            // Half the deviance: libtorch leaves out what does not depend on the output.
            _ => nn.functional.poisson_nll_loss(z, t, log_input: true, full: false, reduction: nn.Reduction.None).sub(t).add(xlogy(t, t)),
        };
        Tensor sum = losses.mul(tensor(coefficients).to(ScalarType.Float64)).sum();
        sum.backward();
        double[] expected = z.grad!.data<double>().ToArray();

        Tensor rows = tensor(outputs);
        LossSums found = loss.ReplaceRowsByError(rows, labels, coefficients, 1, smoothing);
        Assert.Equal(sum.item<double>(), found.Loss, 1e-5);
        float[] errors = rows.data<float>().ToArray();
        for (int i = 0; i < Rows; i++)
            Assert.Equal(expected[i], errors[i], 1e-6);
    }

    [Theory, MemberData(nameof(Names))]
    public unsafe void Columns_with_a_bias_and_empty_places_are_the_same_as_rows(string name)
    {
        const int Width = 16;
        (LearningTask task, float smoothing, _) = Task(name);
        TrainingLoss loss = task.CreateLoss();
        (float[] outputs, int[] labels, float[] coefficients) = Random(name);
        using DisposeScope scope = NewDisposeScope();
        Tensor rows = tensor(outputs);
        LossSums expected = loss.ReplaceRowsByError(rows, labels, coefficients, 1, smoothing);
        float[] errors = rows.data<float>().ToArray(), columns = new float[Width];
        Array.Fill(columns, 7);
        float bias = 0.25f, biasGradient = float.NaN;
        for (int i = 0; i < Rows; i++)
            columns[i] = outputs[i] - bias;
        LossSums found;
        fixed (float* start = columns)
            found = loss.ReplaceColumnsByError(start, &bias, &biasGradient, 1, Width, labels, [.. coefficients, 0, 0, 0], Rows, smoothing);
        Assert.Equal(expected.Loss, found.Loss, 1e-5);
        Assert.Equal(expected.Correct, found.Correct);
        Assert.Equal(expected.Squares, found.Squares, 1e-3);
        for (int i = 0; i < Width; i++)
            Assert.Equal(i < Rows ? errors[i] : 0, columns[i], 1e-5);
        Assert.Equal(errors.Sum(), biasGradient, 1e-5);
        EvaluationResult evaluated = loss.Evaluate(outputs, labels, coefficients, 1, 1);
        if (smoothing == 0)
            Assert.Equal(expected.Loss, evaluated.Loss, 1e-5);
        Assert.Equal((expected.Correct, Rows), (evaluated.Correct, evaluated.Count));
        Assert.Equal(expected.Squares, evaluated.Squares, 1e-3);
    }

    [Fact]
    public void The_logistic_loss_of_any_logit_is_finite_and_its_slope_lies_between_minus_one_and_one() =>
        Gen.Float[-1e30f, 1e30f].Select(Gen.Int[0, 1]).Sample((logit, label) =>
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor z = tensor(new[] { logit });
            LossSums sums = new LogisticLoss().ReplaceRowsByError(z, [label], [1], 1, 0);
            Assert.True(sums.Loss >= 0 && double.IsFinite(sums.Loss), $"{sums.Loss}");
            Assert.InRange(z.data<float>()[0], -1, 1);
        }, iter: 1000);

    /// <summary>A logit is what a softmax over two classes sees of the difference of their logits.</summary>
    [Fact]
    public void The_logistic_loss_is_the_cross_entropy_of_two_classes()
    {
        (float[] outputs, int[] labels, float[] coefficients) = Random("logistic");
        using DisposeScope scope = NewDisposeScope();
        Tensor one = tensor(outputs), two = tensor([.. outputs.SelectMany(z => new[] { 0, z })], [Rows, 2]);
        LossSums a = new LogisticLoss().ReplaceRowsByError(one, labels, coefficients, 1, 0.1f);
        LossSums b = new CrossEntropyLoss().ReplaceRowsByError(two, labels, coefficients, 2, 0.1f);
        Assert.Equal(b.Loss, a.Loss, 1e-5);
        Assert.Equal(b.Correct, a.Correct);
        for (int i = 0; i < Rows; i++)
            Assert.Equal(two.data<float>().ToArray()[2 * i + 1], one.data<float>().ToArray()[i], 1e-6);
    }

    [Theory, InlineData("logistic"), InlineData("huber"), InlineData("poisson")]
    public void All_three_ways_to_a_gradient_agree_for_every_rule(string name)
    {
        (LearningTask task, _, _) = Task(name);
        (_, int[] labels, _) = Random(name);
        NetworkLayout[] layouts =
        [
            new DenseLayout(NetworkDefinition.Mlp(12, 9), 128, 1),
            new GraphLayout(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
                new Layer.Dense(7), new Layer.Activate(Activation.Tanh), new Layer.Dense()), new ImageShape(2, 8, 8), 1),
        ];
        TrainingData data = Data(labels, name == "logistic" ? LabelKind.Boolean : LabelKind.Number);
        int[] rows = RandomTask.AllRows(data);
        foreach (NetworkLayout layout in layouts)
        {
            foreach (FeedbackRule rule in Feedback.Rules.Six)
            {
                GradientPlan plan = Plans.Of(rule, 2) with { Task = task };
                using TrainingNetwork host = layout is DenseLayout dense
                    ? new DenseChain(dense, plan).With(new OptimizerOptions.Sgd())
                    : new GraphNetwork((GraphLayout)layout, plan).With(new OptimizerOptions.Sgd());
                using AutogradNetwork onHost = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(2, "dropout")), plan)
                    .With(new OptimizerOptions.Sgd());
                using AutogradNetwork onDevice = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(2, "dropout")),
                    plan with { Device = new Device("cpu") }).With(new OptimizerOptions.Sgd());
                BatchResult expected = host.ComputeGradient(data, rows);
                foreach (AutogradNetwork other in new[] { onHost, onDevice })
                {
                    BatchResult found = other.ComputeGradient(data, rows) + other.TakeTotals();
                    Assert.Equal(expected.Loss, found.Loss, 1e-3);
                    Assert.Equal(expected.Weight, found.Weight, 1e-4);
                    Assert.Equal((expected.Correct, expected.Count), (found.Correct, found.Count));
                    Assert.Equal(expected.Squares, found.Squares, 1e-2 * (1 + expected.Squares));
                    other.Download();
                    float[] a = host.Gradient.Span.ToArray(), b = other.Gradient.Span.ToArray();
                    for (int i = 0; i < a.Length; i++)
                        Assert.True(Math.Abs(a[i] - b[i]) < 1e-4, $"{rule.ShortName}, {layout.Definition}: {b[i]} for {a[i]}");
                    EvaluationResult c = host.Evaluate(data, rows, 1), d = other.Evaluate(data, rows, 1);
                    Assert.Equal(c.Loss, d.Loss, 1e-3);
                    Assert.Equal(c.Correct, d.Correct);
                }
            }
        }
    }

    private static (LearningTask Task, float Smoothing, TargetScale Scale) Task(string name)
    {
        TargetScale scale = name == "poisson" ? new(2.5, 1, true) : new(10, 4, false);
        return name switch
        {
            "logistic" => (new BinaryTask(), 0, scale),
            "smoothed" => (new BinaryTask(), 0.2f, scale),
            "squared" => (new RegressionTask(RegressionLoss.Squared, scale), 0, scale),
            "absolute" => (new RegressionTask(RegressionLoss.Absolute, scale), 0, scale),
            "huber" => (new RegressionTask(RegressionLoss.Huber(0.5f), scale), 0, scale),
            _ => (new RegressionTask(RegressionLoss.Poisson, scale), 0, scale),
        };
    }

    private static (float[] Outputs, int[] Labels, float[] Coefficients) Random(string name)
    {
        RandomGenerator random = new(1, "loss");
        float[] outputs = new float[Rows], numbers = new float[Rows];
        random.FillNormal(outputs, 0, name == "poisson" ? 1 : 2);
        random.FillNormal(numbers, 10, 4);
        return (outputs, [.. numbers.Select((number, i) => name switch
        {
            "logistic" or "smoothed" => i % 2,
            "poisson" => BitConverter.SingleToInt32Bits(i % 5),
            _ => BitConverter.SingleToInt32Bits(number),
        })], [.. Enumerable.Range(0, Rows).Select(i => i % 3 / 10f)]);
    }

    private static TrainingData Data(int[] labels, LabelKind kind)
    {
        TrainingData data = new(128, kind == LabelKind.Boolean ? 2 : 1, labels.Length, kind: kind);
        RandomGenerator random = new(3, "rows");
        for (int i = 0; i < labels.Length; i++)
        {
            random.FillNormal(data.Next(), 0, 1);
            data.Commit(labels[i], 1 + i % 2);
        }
        return data;
    }
}
