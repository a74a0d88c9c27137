using System.Numerics.Tensors;
using CsCheck;
using FaMLNet.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>What each attack must do, on models whose answers are known, and what none may do on any.</summary>
public sealed class AttackTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    public AttackTests() => LibTorch.EnsureLoaded();

    /// <summary>All attacks, with few steps.</summary>
    private static Attack[] All(float epsilon, bool hasRange) =>
    [
        Attack.Fgsm(epsilon), Attack.Pgd(epsilon, steps: 4, restarts: 2), Attack.Pgd(epsilon, steps: 4, norm: AttackNorm.L2),
        Attack.Tpgd(epsilon, steps: 3), Attack.Apgd(epsilon, steps: 8), Attack.Apgd(epsilon, AttackLoss.DifferenceOfLogitsRatio, steps: 6,
            restarts: 2),
        Attack.Apgd(epsilon, steps: 6, norm: AttackNorm.L2), Attack.TargetedApgd(epsilon, targets: 2, steps: 4),
        Attack.DeepFool(maximumSteps: 5, epsilon: epsilon), Attack.Square(epsilon, queries: 20), Attack.Square(epsilon, queries: 20,
            norm: AttackNorm.L2),
        Attack.Noise(epsilon, draws: 2), Attack.Noise(epsilon, norm: AttackNorm.L2),
        Attack.AutoAttack(epsilon) with { Steps = 4, Queries = 10 }, Attack.AutoAttack(epsilon, AttackNorm.L2) with { Steps = 4, Queries = 10 },
        .. hasRange ? [Attack.FewPixel((int)Math.Min(epsilon * 10, 3), population: 5, generations: 2)] : Array.Empty<Attack>(),
    ];

    private static readonly Gen<(int Seed, int Network, float Epsilon, (float, float)? Range)> Cases =
        from seed in Gen.Int
        from network in Gen.Int[0, 3]
        from epsilon in Gen.OneOfConst(0f, 1e-7f, 0.003f, 0.1f, 0.7f, 5f)
        from range in Gen.OneOfConst<(float, float)?>(null, (0, 1), (-0.3f, 0.77f), (0, 255))
        select (seed, network, epsilon, range);

    /// <summary>Bound and range hold to the last bit, by numbers as they are stored; the verdict is the model's own on those numbers.</summary>
    [Fact]
    public void Bounds_and_range_hold_exactly_for_every_attack() => Cases.Sample(test =>
    {
        NetworkLayout layout = test.Network switch
        {
            0 => new DenseLayout(NetworkDefinition.Mlp(), 6, 3),
            1 => new DenseLayout(NetworkDefinition.Mlp(9), 12, 2),
            2 => new DenseLayout(NetworkDefinition.Mlp(20, 10) with { Activation = Activation.Tanh, Normalization = Normalization.Batch }, 64, 4),
            _ => new GraphLayout(NetworkDefinition.Sequential(new Layer.Conv2d(4, 3), new Layer.Activate(Activation.ReLU), new Layer.MaxPool2d(2),
                new Layer.Flatten(), new Layer.Dense()), new ImageShape(3, 8, 8), 5),
        };
        (float low, float high) = test.Range ?? (-2, 2);
        using FeedbackAlignmentMulticlassModelParameters parameters = RandomModel.Of(_mlContext, layout, FeedbackRule.DirectFeedbackAlignment,
            test.Seed, scale: 3);
        ITransformer model = RandomModel.Transformer(_mlContext, parameters);
        float[][] rows = RandomModel.Rows(6, layout.Inputs, test.Seed, low, high);
        (rows[0][0], rows[0][1], rows[0][2]) = (low, high, test.Range is null or ( < 0, _) ? -0f : low);
        int[] labels = RandomModel.Predicted(_mlContext, model, rows, layout.Outputs);
        labels[5] = (labels[5] + 1) % layout.Outputs; // wrong to begin with
        IDataView data = RandomModel.View(_mlContext, rows, labels, layout.Outputs);
        RobustnessOptions options = new() { InputRange = test.Range, Seed = test.Seed, NumberOfThreads = 1 };
        foreach (Attack attack in All(test.Epsilon, test.Range != null))
            CheckExamples(attack, model, data, options, rows, labels);
    }, iter: 25, threads: 1);

    private void CheckExamples(Attack attack, ITransformer model, IDataView data, RobustnessOptions options, float[][] rows, int[] labels)
    {
        IDataView examples = _mlContext.MulticlassClassification.CreateAdversarialExamples(model, data, attack, options);
        float[][] changed = [.. examples.GetColumn<float[]>("Features")];
        Assert.Equal(rows, examples.GetColumn<float[]>("CleanFeatures"));
        uint[] predicted = [.. model.Transform(examples).GetColumn<uint>("PredictedLabel")];
        bool[] fooled = [.. examples.GetColumn<bool>("Fooled")];
        Assert.Equal(rows.Length, changed.Length);
        for (int row = 0; row < rows.Length; row++)
        {
            string where = $"{attack}, row {row}, {options.InputRange}";
            bool right = row != 5;
            Assert.True(fooled[row] == (right && predicted[row] != labels[row] + 1), where);
            if (!right || attack.Bound == 0)
                Assert.True(rows[row].AsSpan().SequenceEqual(changed[row]) && rows[row].Zip(changed[row]).All(pair =>
                    BitConverter.SingleToInt32Bits(pair.First) == BitConverter.SingleToInt32Bits(pair.Second)), where);
            for (int i = 0; i < rows[row].Length; i++)
            {
                float before = rows[row][i], after = changed[row][i];
                if (attack.Norm == AttackNorm.LInfinity)
                    Assert.True(Math.Abs((double)after - before) <= attack.Bound && MathF.Abs(after - before) <= (float)attack.Bound,
                        $"{where}, slot {i}: {before:R} → {after:R}");
                if (options.InputRange is var (lower, upper))
                    Assert.True(after >= lower && after <= upper, $"{where}, slot {i}: {after:R}");
            }
            if (attack.Norm == AttackNorm.L2)
                Assert.True(FaMLNet.Diagnostics.Vectors.Distance(rows[row], changed[row]) <= attack.Bound, where);
            if (attack.Norm == AttackNorm.L0)
                Assert.True(Enumerable.Range(0, rows[row].Length).Count(i => rows[row][i] != changed[row][i]) <= 3 * attack.Bound, where);
        }
    }

    [Fact]
    public void With_a_bound_of_0_nothing_changes_and_accuracy_is_the_clean_one()
    {
        float[][] weights = LinearModel.Weights(3, 9, seed: 1), rows = RandomModel.Rows(20, 9, seed: 2, -1, 1);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        IDataView data = RandomModel.View(_mlContext, rows, [.. Enumerable.Range(0, 20).Select(i => i % 3)], 3);
        RobustnessReport report = _mlContext.MulticlassClassification.EvaluateRobustness(model, data, All(0, hasRange: true),
            new RobustnessOptions { InputRange = (-1, 1) });
        Assert.All(report.Results, result => Assert.Equal((report.CleanAccuracy, 0), (result.RobustAccuracy, result.FooledRows)));
        Assert.InRange(report.CleanAccuracy, 0.01, 0.99);
    }

    [Fact]
    public void Fgsm_is_the_closed_form_on_a_linear_model()
    {
        float[][] weights = LinearModel.Weights(4, 30, seed: 3), rows = RandomModel.Rows(40, 30, seed: 4, -1, 1);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        int[] labels = RandomModel.Predicted(_mlContext, model, rows, 4);
        float[][] found = Examples(model, rows, labels, 4, Attack.Fgsm(0.05f));
        for (int row = 0; row < rows.Length; row++)
        {
            // ∇L = Σ p_k w_k − w_y.
            double[] logits = LinearModel.Logits(weights, rows[row]);
            double sum = logits.Sum(Math.Exp);
            for (int i = 0; i < rows[row].Length; i++)
            {
                double gradient = Enumerable.Range(0, 4).Sum(k => (Math.Exp(logits[k]) / sum - (k == labels[row] ? 1 : 0)) * weights[k][i]);
                if (Math.Abs(gradient) > 1e-5)
                    Assert.Equal(rows[row][i] + 0.05 * Math.Sign(gradient), found[row][i], 1e-6);
            }
        }
    }

    /// <summary>The network is certain to 40 decimal places: cross-entropy in single precision would have no gradient at all.</summary>
    [Fact]
    public void Certainty_is_not_robustness()
    {
        float[][] weights = [.. LinearModel.Weights(3, 30, seed: 3).Select(row => row.Select(weight => 1000 * weight).ToArray())];
        float[][] rows = RandomModel.Rows(30, 30, seed: 4, -1, 1);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        IDataView data = RandomModel.View(_mlContext, rows, RandomModel.Predicted(_mlContext, model, rows, 3), 3);
        RobustnessReport report = _mlContext.MulticlassClassification.EvaluateRobustness(model, data,
            [Attack.Fgsm(0.5f), Attack.Pgd(0.5f), Attack.Apgd(0.5f), Attack.Tpgd(0.5f), Attack.Square(0.8f)]);
        // TPGD goes away from the clean prediction, which may be further into its class.
        Assert.All(report.Results, result => Assert.True(result.SuccessRate > (result.Attack is TpgdAttack ? 0.4 : 0.9), $"{result}"));
    }

    [Theory, InlineData(AttackNorm.LInfinity), InlineData(AttackNorm.L2)]
    public void Pgd_and_Apgd_reach_the_optimum_of_a_linear_model(AttackNorm norm)
    {
        float[][] weights = LinearModel.Weights(2, 25, seed: 5), rows = RandomModel.Rows(60, 25, seed: 6, -1, 1);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        int[] labels = RandomModel.Predicted(_mlContext, model, rows, 2);
        foreach (Attack attack in new Attack[] { Attack.Pgd(0.05f, steps: 60, norm: norm), Attack.Apgd(0.05f, norm: norm) })
        {
            float[][] found = Examples(model, rows, labels, 2, attack);
            int withstood = 0;
            for (int row = 0; row < rows.Length; row++)
            {
                double[] direction = [.. weights[1 - labels[row]].Zip(weights[labels[row]], (other, own) => (double)other - own)];
                double before = Margin(weights, rows[row], labels[row]), length = norm == AttackNorm.L2
                    ? Math.Sqrt(direction.Sum(value => value * value)) : direction.Sum(Math.Abs);
                double least = before - 0.05 * length, reached = Margin(weights, found[row], labels[row]);
                if (least < 0)
                    Assert.True(reached < 0 || least > -0.02 * length * 0.05, $"{attack}, row {row}: {reached} of {least}");
                else
                {
                    withstood++;
                    Assert.InRange(reached, least - 1e-5, least + 0.02 * 0.05 * length);
                }
            }
            Assert.InRange(withstood, 5, 59);
        }
    }

    [Fact]
    public void DeepFool_finds_the_exact_distance_to_the_nearest_boundary_of_a_linear_model()
    {
        float[][] weights = LinearModel.Weights(5, 20, seed: 7), rows = RandomModel.Rows(50, 20, seed: 8, -1, 1);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        int[] labels = RandomModel.Predicted(_mlContext, model, rows, 5);
        float[][] found = Examples(model, rows, labels, 5, Attack.DeepFool(overshoot: 0.001f));
        for (int row = 0; row < rows.Length; row++)
        {
            double[] logits = LinearModel.Logits(weights, rows[row]);
            int own = labels[row];
            double distance = Enumerable.Range(0, 5).Where(k => k != own).Min(k => (logits[own] - logits[k])
                / Math.Sqrt(weights[k].Zip(weights[own], (a, b) => ((double)a - b) * ((double)a - b)).Sum()));
            Assert.InRange(FaMLNet.Diagnostics.Vectors.Distance(rows[row], found[row]), distance * 0.9999, distance * 1.0015 + 1e-6);
            Assert.NotEqual(own, IndexOfLargest(LinearModel.Logits(weights, found[row])));
        }
    }

    [Theory, InlineData(AttackNorm.LInfinity, 0.6f), InlineData(AttackNorm.L2, 3f)]
    public void Square_fools_a_linear_model_without_gradients(AttackNorm norm, float epsilon)
    {
        float[][] weights = LinearModel.Weights(4, 64, seed: 9), rows = RandomModel.Rows(40, 64, seed: 10);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        IDataView data = RandomModel.View(_mlContext, rows, RandomModel.Predicted(_mlContext, model, rows, 4), 4);
        AttackResult result = _mlContext.MulticlassClassification.EvaluateRobustness(model, data, [Attack.Square(epsilon, norm: norm)]).Results[0];
        Assert.True(result.SuccessRate > 0.95, $"{result}");
        Assert.Equal(0, result.GradientQueries);
        Assert.InRange(result.ForwardQueries, 40, 40 * 1000);
    }

    [Fact]
    public void One_pixel_is_found_where_one_is_enough()
    {
        // One feature decides.
        float[][] weights = [new float[64], new float[64]];
        weights[1][37] = 1;
        ITransformer model = LinearModel.Of(_mlContext, weights, [0.5f, 0]);
        float[][] rows = [.. RandomModel.Rows(10, 64, seed: 11).Select(row => { row[37] = 0.2f; return row; })];
        float[][] found = Examples(model, rows, new int[10], 2, Attack.FewPixel());
        for (int row = 0; row < 10; row++)
        {
            Assert.True(found[row][37] > 0.5f);
            Assert.Equal(1, Enumerable.Range(0, 64).Count(i => found[row][i] != rows[row][i]));
        }
    }

    [Fact]
    public void Noise_has_the_full_size_of_its_bound()
    {
        float[][] weights = LinearModel.Weights(2, 50, seed: 12), rows = RandomModel.Rows(10, 50, seed: 13, -1, 1);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        int[] labels = RandomModel.Predicted(_mlContext, model, rows, 2);
        foreach (AttackNorm norm in new[] { AttackNorm.LInfinity, AttackNorm.L2 })
        {
            float[][] found = Examples(model, rows, labels, 2, Attack.Noise(0.01f, norm: norm));
            for (int row = 0; row < rows.Length; row++)
                Assert.Equal(0.01, norm == AttackNorm.L2 ? FaMLNet.Diagnostics.Vectors.Distance(rows[row], found[row])
                    : rows[row].Zip(found[row], (a, b) => Math.Abs((double)b - a)).Max(), 1e-6);
        }
    }

    public static TheoryData<int> Classes => [2, 3, 4, 10];

    [Theory, MemberData(nameof(Classes))]
    public void Gradients_of_losses_are_those_of_finite_differences(int classes)
    {
        RandomGenerator random = new(14, "losses");
        for (int trial = 0; trial < 50; trial++)
        {
            float[] logits = new float[classes], clean = new float[classes];
            random.FillNormal(logits, 0, 2);
            random.FillNormal(clean, 0, 2);
            int label = random.NextInt32(classes), target = (label + 1 + random.NextInt32(classes - 1)) % classes;
            foreach (AttackLoss loss in new[] { AttackLoss.CrossEntropy, AttackLoss.DifferenceOfLogitsRatio, AttackLoss.Margin,
                AttackLoss.TargetedDifferenceOfLogitsRatio(target), AttackLoss.LogitDifference(target, label), AttackLoss.KullbackLeibler(clean) })
            {
                float[] gradient = new float[classes], unused = new float[classes];
                loss.Evaluate(logits, label, gradient);
                double[] expected = [.. Enumerable.Range(0, classes).Select(i => (At(i, 1e-3f) - At(i, -1e-3f)) / 2e-3)];
                double At(int i, float change)
                {
                    float[] moved = [.. logits];
                    moved[i] += change;
                    return loss.Evaluate(moved, label, unused);
                }
                if (expected.All(value => Math.Abs(value) < 1e-3) && gradient.All(value => Math.Abs(value) < 1e-3))
                    continue; // z_π1 − z_π3 over itself
                // Up to a positive factor.
                double factor = gradient.Zip(expected, (a, b) => a * b).Sum() / gradient.Sum(value => (double)value * value);
                Assert.True(factor > 0, $"{loss.GetType().Name}");
                double error = Math.Sqrt(gradient.Zip(expected, (a, b) => Math.Pow(factor * a - b, 2)).Sum()
                    / Math.Max(1e-12, expected.Sum(value => value * value)));
                Assert.True(error < 0.02, $"{loss.GetType().Name}, {classes} classes: {error}");
            }
        }
    }

    [Fact]
    public void The_ratio_of_logit_differences_falls_back_where_there_is_no_third_logit()
    {
        float[] gradient = new float[2];
        Assert.Equal(-2, AttackLoss.DifferenceOfLogitsRatio.Evaluate([3, 1], 0, gradient));
        Assert.Equal([-1, 1], gradient);
        Assert.Equal(-2, AttackLoss.TargetedDifferenceOfLogitsRatio(1).Evaluate([3, 1], 0, gradient));
        float[] three = new float[3];
        Assert.Equal(-0.5, AttackLoss.DifferenceOfLogitsRatio.Evaluate([4, 2, 0], 0, three), 1e-9);
        Assert.Equal(-1, AttackLoss.TargetedDifferenceOfLogitsRatio(2).Evaluate([4, 2, 0], 0, three), 1e-9);
        float[] four = new float[4];
        Assert.Equal(-3 / 3.5, AttackLoss.TargetedDifferenceOfLogitsRatio(2).Evaluate([4, 2, 1, 0], 0, four), 1e-9);
    }

    [Fact]
    public void Checkpoints_are_those_of_the_paper() =>
        Assert.Equal([22, 41, 57, 70, 80, 87, 93, 99], ApgdAttack.Checkpoints(100));

    [Fact]
    [Trait("Speed", "Slow")]
    public void The_same_seed_gives_the_same_examples_whatever_the_batch_and_the_threads()
    {
        FeedbackRule rule = FeedbackRule.FeedbackAlignment;
        foreach (NetworkLayout layout in new NetworkLayout[] { new DenseLayout(NetworkDefinition.Mlp(16), 64, 4),
            new GraphLayout(NetworkDefinition.Sequential(new Layer.Conv2d(6, 3), new Layer.Activate(Activation.ReLU), new Layer.MaxPool2d(2),
                new Layer.Conv2d(8, 2), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense(20),
                new Layer.Activate(Activation.ReLU), new Layer.Dense()), new ImageShape(1, 8, 8), 4) })
        {
            using FeedbackAlignmentMulticlassModelParameters parameters = RandomModel.Of(_mlContext, layout, rule, seed: 15, scale: 2);
            ITransformer model = RandomModel.Transformer(_mlContext, parameters);
            float[][] rows = RandomModel.Rows(90, 64, seed: 16);
            int[] labels = RandomModel.Predicted(_mlContext, model, rows, 4);
            foreach (Attack attack in All(0.05f, hasRange: true))
            {
                float[][] first = Examples(model, rows, labels, 4, attack, new RobustnessOptions { Seed = 7, NumberOfThreads = 1 });
                foreach ((int batch, int threads, int count) in new[] { (1, 1, 90), (7, 3, 90), (256, 2, 90), (5, 2, 33) })
                {
                    RobustnessOptions options = new() { Seed = 7, BatchSize = batch, NumberOfThreads = threads, MaximumRows = count };
                    Assert.Equal(first[..count], Examples(model, rows, labels, 4, attack, options));
                }
                if (attack is NoiseAttack)
                    Assert.NotEqual(first, Examples(model, rows, labels, 4, attack, new RobustnessOptions { Seed = 8 }));
            }
        }
    }

    /// <summary>Long and narrow, a line, a single pixel: where windows as large as the share asks for do not fit.</summary>
    [Theory]
    [InlineData(1, 3, 40), InlineData(3, 40, 3), InlineData(1, 1, 17), InlineData(2, 17, 1), InlineData(1, 1, 1), InlineData(3, 2, 2)]
    [InlineData(1, 128, 188)]
    public void Images_of_any_shape_are_attacked(int channels, int height, int width)
    {
        ImageShape shape = new(channels, height, width);
        GraphLayout layout = new(NetworkDefinition.Sequential(new Layer.Flatten(), new Layer.Dense()), shape, 3);
        using FeedbackAlignmentMulticlassModelParameters parameters = RandomModel.Of(_mlContext, layout, FeedbackRule.Backpropagation, seed: 1);
        ITransformer model = RandomModel.Transformer(_mlContext, parameters);
        float[][] rows = RandomModel.Rows(4, shape.Length, seed: 2, 0.3f, 0.7f);
        int[] labels = [.. RandomModel.Predicted(_mlContext, model, rows, 3).Select((label, row) => row < 3 ? label : (label + 1) % 3)];
        foreach (AttackNorm norm in new[] { AttackNorm.LInfinity, AttackNorm.L2 })
        {
            foreach (float epsilon in new[] { 1e-6f, 0.2f })
            {
                float[][] found = Examples(model, rows, labels, 3, Attack.Square(epsilon, queries: 60, norm: norm));
                for (int row = 0; row < 3; row++)
                {
                    double size = norm == AttackNorm.L2 ? FaMLNet.Diagnostics.Vectors.Distance(rows[row], found[row])
                        : rows[row].Zip(found[row], (a, b) => Math.Abs((double)b - a)).Max();
                    Assert.InRange(size, 0.5 * epsilon, epsilon); // used, but for rounding
                }
            }
        }
        Examples(model, rows, labels, 3, Attack.FewPixel(3, population: 6, generations: 2), new RobustnessOptions { InputRange = (0, 1) });
    }

    [Fact]
    public void Rows_that_are_fooled_are_not_computed_further()
    {
        float[][] weights = LinearModel.Weights(3, 30, seed: 3), rows = RandomModel.Rows(50, 30, seed: 4, -1, 1);
        ITransformer model = LinearModel.Of(_mlContext, weights);
        IDataView data = RandomModel.View(_mlContext, rows, RandomModel.Predicted(_mlContext, model, rows, 3), 3);
        RobustnessReport report = _mlContext.MulticlassClassification.EvaluateRobustness(model, data,
            [Attack.Pgd(5, steps: 100), Attack.Apgd(5), Attack.Square(5), Attack.AutoAttack(5)]);
        Assert.All(report.Results, result => Assert.Equal(50, result.FooledRows));
        // Of 100 gradients or 1,000 questions a row, a few.
        Assert.All(report.Results, result => Assert.InRange(result.GradientQueries + result.ForwardQueries, 50, 50 * 20));
    }

    [Fact]
    public void Settings_out_of_range_are_refused_by_attack_and_name()
    {
        float[][] rows = RandomModel.Rows(2, 64, seed: 1);
        ITransformer model = LinearModel.Of(_mlContext, LinearModel.Weights(2, 64, seed: 1));
        foreach ((Attack attack, string setting) in new (Attack, string)[]
        {
            (Attack.Fgsm(-0.1f), "epsilon"), (Attack.Fgsm(float.NaN), "epsilon"), (Attack.Pgd(float.PositiveInfinity), "epsilon"),
            (Attack.Pgd(0.1f, steps: 0), "steps"), (Attack.Pgd(0.1f, stepSize: -1), "stepSize"), (Attack.Pgd(0.1f, restarts: 0), "restarts"),
            (Attack.Pgd(0.1f, norm: AttackNorm.L0), "norm"), (Attack.Fgsm(0.1f) with { AttackNorm = AttackNorm.L2 }, "norm"),
            (Attack.Apgd(0.1f, steps: 1), "steps"), (Attack.TargetedApgd(0.1f, targets: 0), "targets"), (Attack.DeepFool(0), "maximumSteps"),
            (Attack.DeepFool(overshoot: -1), "overshoot"), (Attack.DeepFool(classes: 1), "classes"), (Attack.DeepFool(epsilon: -1), "epsilon"),
            (Attack.Square(0.1f, queries: 0), "queries"), (Attack.Square(0.1f) with { FirstShare = 0 }, "firstShare"),
            (Attack.FewPixel(-1), "pixels"), (Attack.FewPixel(1, population: 3), "population"), (Attack.FewPixel(1, generations: -1), "generations"),
            (Attack.Noise(0.1f, draws: 0), "draws"), (Attack.AutoAttack(0.1f) with { Queries = 0 }, "queries"), (Attack.Tpgd(0.1f, steps: 0),
                "steps"),
        })
        {
            ArgumentOutOfRangeException failure = Assert.Throws<ArgumentOutOfRangeException>(() => Examples(model, rows, [0, 1], 2, attack));
            Assert.Equal(setting, failure.ParamName);
            Assert.StartsWith("Attack ", failure.Message, StringComparison.Ordinal);
            Assert.Contains(setting, failure.Message, StringComparison.Ordinal);
        }
    }

    private float[][] Examples(ITransformer model, float[][] rows, int[] labels, int classes, Attack attack, RobustnessOptions? options = null) =>
        [.. _mlContext.MulticlassClassification.CreateAdversarialExamples(model, RandomModel.View(_mlContext, rows, labels, classes), attack, options)
            .GetColumn<float[]>("Features")];

    private static double Margin(float[][] weights, float[] x, int label)
    {
        double[] logits = LinearModel.Logits(weights, x);
        return logits[label] - logits[1 - label];
    }

    private static int IndexOfLargest(double[] values) => TensorPrimitives.IndexOfMax<double>(values);
}
