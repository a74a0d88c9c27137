using FaMLNet.Interop;
using FaMLNet.Persistence;
using FaMLNet.Robustness;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>Classifiers of true and false under attack: this library's, with their thresholds, and other people's.</summary>
public sealed class BinaryRobustnessTests
{
    private const int Features = 9;
    private readonly MLContext _mlContext = new(seed: 1);

    private BinaryClassificationCatalog Catalog => _mlContext.BinaryClassification;

    private IHostEnvironment Env => (IHostEnvironment)_mlContext;

    /// <summary>FGSM moves the score by the bound times the sum of the weights' sizes, and the boundary lies at the threshold.</summary>
    [Theory, InlineData(0), InlineData(0.8f), InlineData(-1.5f)]
    public void Of_a_linear_model_it_is_known_which_rows_fall(float threshold)
    {
        float[] weights = LinearModel.Weights(1, Features, seed: 2)[0];
        FeedbackAlignmentBinaryTransformer model = Transformer(Linear(weights, bias: 0.3f), threshold);
        float[][] rows = RandomModel.Rows(200, Features, seed: 3, low: -1);
        double[] scores = [.. rows.Select(row => 0.3 + LinearModel.Logits([weights], row)[0])];
        bool[] labels = [.. scores.Select((score, i) => i % 9 == 0 ? score <= threshold : score > threshold)];
        double reach = weights.Sum(weight => Math.Abs((double)weight));
        foreach (float bound in new[] { 0.05f, 0.2f })
        {
            int right = rows.Length - (rows.Length + 8) / 9, standing = 0;
            for (int i = 0; i < rows.Length; i++)
                standing += i % 9 != 0 && Math.Abs(scores[i] - threshold) > bound * reach ? 1 : 0;
            Attack[] attacks = [Attack.Fgsm(bound), Attack.Pgd(bound, steps: 40), Attack.Apgd(bound, steps: 40)];
            RobustnessReport report = Catalog.EvaluateRobustness(model, View(rows, labels), attacks);
            Assert.Equal((double)right / rows.Length, report.CleanAccuracy);
            Assert.All(report.Results, result => Assert.InRange(result.RobustAccuracy * rows.Length, standing - 1, standing + 1));
            Assert.True(standing > 0 && standing < right, $"{standing} of {right}");
        }
    }

    /// <summary>A network of two outputs, of which one is a constant, is the same classifier: every attack finds the same.</summary>
    [Theory, InlineData("bp"), InlineData("fa"), InlineData("dfa"), InlineData("usf"), InlineData("sdfa")]
    public void A_binary_network_is_attacked_as_its_twin_of_two_classes(string shortName)
    {
        FeedbackRule rule = FeedbackRule.Parse(shortName);
        MlpDefinition network = NetworkDefinition.Mlp(21, 14) with { Normalization = Normalization.Batch };
        TrainedNetwork one = RandomModel.Trained(new DenseLayout(network, Features, 1), rule, seed: 4, scale: 2);
        float[][] rows = RandomModel.Rows(60, Features, seed: 5);
        // Where half of the rows are on either side.
        float[] scores = [.. Transformer(one, 0).Transform(View(rows, new bool[rows.Length])).GetColumn<float>("Score").Order()];
        float threshold = (scores[29] + scores[30]) / 2;
        TrainedNetwork two = Twin(one, new DenseLayout(network, Features, 2), threshold);
        ITransformer binary = Transformer(one, threshold),
            twin = RandomModel.Transformer(_mlContext, new FeedbackAlignmentMulticlassModelParameters(Env, two));
        bool[] seen = [.. binary.Transform(View(rows, new bool[rows.Length])).GetColumn<bool>("PredictedLabel")];
        Assert.Equal(seen, RandomModel.Predicted(_mlContext, twin, rows, 2).Select(label => label == 1));
        Assert.Equal(30, seen.Count(label => label));
        IDataView asTwo = RandomModel.View(_mlContext, rows, [.. seen.Select(label => label ? 1 : 0)], 2);
        foreach (ThreatModel threat in Enum.GetValues<ThreatModel>())
        {
            foreach (Attack attack in All(0.15f))
            {
                RobustnessOptions options = new() { Seed = 6, InputRange = (0, 1), ThreatModel = threat };
                float[][] Examples(IDataView view) => [.. view.GetColumn<float[]>("Features")];
                float[][] found = Examples(Catalog.CreateAdversarialExamples(binary, View(rows, seen), attack, options)),
                    expected = Examples(_mlContext.MulticlassClassification.CreateAdversarialExamples(twin, asTwo, attack, options));
                Assert.True(found.Zip(expected).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)), $"{attack}, {threat}");
            }
        }
    }

    /// <summary>The same of layers with branches and of modules: the gradient at the input.</summary>
    [Theory, InlineData("bp"), InlineData("fa"), InlineData("dfa")]
    public void The_gradient_of_a_convolutional_binary_network_is_its_twins(string name)
    {
        LibTorch.EnsureLoaded();
        FeedbackRule rule = FeedbackRule.Parse(name);
        GraphLayout Layout(int outputs) => new(NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), outputs);
        TrainedNetwork one = RandomModel.Trained(Layout(1), rule, seed: 7), two = Twin(one, Layout(2), threshold: 0);
        float[] x = [.. RandomModel.Rows(3, 784, seed: 8).SelectMany(row => row)];
        foreach (ThreatModel threat in Enum.GetValues<ThreatModel>())
        {
            float[] Gradient(INetworkModel model, float? threshold)
            {
                float[] gradients = new float[x.Length];
                using InputGradient way = new AttackedNetwork(model, threshold).OpenGradient(threat);
                way.Run(x, 3, (logits, errors) =>
                {
                    for (int i = 0; i < logits.Length; i += 2)
                        AttackLoss.CrossEntropy.Evaluate(logits.Slice(i, 2), 1, errors.Slice(i, 2));
                }, gradients);
                return gradients;
            }
            float[] found = Gradient(new FeedbackAlignmentBinaryModelParameters(Env, one), 0),
                expected = Gradient(new FeedbackAlignmentMulticlassModelParameters(Env, two), null);
            double size = expected.Max(Math.Abs);
            Assert.True(size > 0);
            Assert.InRange(found.Zip(expected, (a, b) => Math.Abs((double)a - b)).Max(), 0, 1e-5 * size);
        }
    }

    [Fact]
    public void Clean_accuracy_is_that_of_the_models_own_word()
    {
        IDataView data = Breast();
        foreach (IEstimator<ITransformer> trainer in new IEstimator<ITransformer>[]
        {
            Catalog.Trainers.FeedbackAlignment(numberOfEpochs: 5), Catalog.Trainers.LbfgsLogisticRegression(), Catalog.Trainers.FastTree(),
            Catalog.Trainers.LinearSvm(),
        })
        {
            ITransformer model = Scaled(trainer).Fit(data);
            RobustnessReport report = Catalog.EvaluateRobustness(model, data, [Attack.Square(1.5f, queries: 100), Attack.Noise(1.5f)],
                new RobustnessOptions { MaximumRows = 100, InputRange = (-50, 50) });
            Assert.Equal(Catalog.EvaluateNonCalibrated(model.Transform(_mlContext.Data.TakeRows(data, 100))).Accuracy, report.CleanAccuracy);
            Assert.True(report.Results[0].SuccessRate > report.Results[1].SuccessRate, $"{trainer}: {report}");
            Assert.Equal("Features", report.FeatureColumnName);
        }
    }

    /// <summary>A threshold of the model's own is where its word changes, for all models and after saving.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void Thresholds_count()
    {
        IDataView data = Breast();
        var fitted = Catalog.Trainers.FeedbackAlignment(numberOfEpochs: 5).Fit(_mlContext.Transforms.NormalizeMeanVariance("Features").Fit(data)
            .Transform(data));
        IDataView scaled = _mlContext.Transforms.NormalizeMeanVariance("Features").Fit(data).Transform(data);
        ITransformer strict = Catalog.ChangeModelThreshold(fitted, 2);
        using MemoryStream zip = new();
        _mlContext.Model.Save(strict, scaled.Schema, zip);
        ITransformer linear = Catalog.ChangeModelThreshold(Catalog.Trainers.LbfgsLogisticRegression().Fit(scaled), 2);
        foreach (ITransformer model in new[] { strict, new MLContext().Model.Load(zip, out _), linear })
        {
            bool[] labels = [.. scaled.GetColumn<bool>("Label")], seen = [.. model.Transform(scaled).GetColumn<bool>("PredictedLabel")];
            RobustnessReport report = Catalog.EvaluateRobustness(model, scaled, [Attack.Square(0.3f, queries: 50)],
                new RobustnessOptions { InputRange = (-50, 50) });
            Assert.Equal(labels.Zip(seen).Count(pair => pair.First == pair.Second), report.RightRows);
            IDataView examples = Catalog.CreateAdversarialExamples(model, scaled, Attack.Square(0.3f, queries: 50),
                new RobustnessOptions { InputRange = (-50, 50) });
            bool[] after = [.. model.Transform(examples).GetColumn<bool>("PredictedLabel")];
            Assert.Equal(examples.GetColumn<bool>("Fooled"), after.Select((word, i) => word != seen[i]));
            Assert.Contains(true, examples.GetColumn<bool>("Fooled"));
        }
    }

    [Fact]
    public void Labels_may_be_what_ML_NETs_evaluators_take()
    {
        IDataView data = Breast();
        ITransformer model = Catalog.Trainers.FeedbackAlignment(numberOfEpochs: 3).Fit(data);
        RobustnessReport expected = Catalog.EvaluateRobustness(model, data, [Attack.Fgsm(0.1f)]);
        foreach (IEstimator<ITransformer> other in new IEstimator<ITransformer>[]
        {
            _mlContext.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.Single),
            _mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality:
                Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue),
        })
        {
            RobustnessReport found = Catalog.EvaluateRobustness(model, other.Fit(data).Transform(data), [Attack.Fgsm(0.1f)]);
            Assert.Equal((expected.CleanAccuracy, expected.Results[0].RobustAccuracy), (found.CleanAccuracy, found.Results[0].RobustAccuracy));
        }
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void What_is_no_binary_classifier_is_refused_by_name()
    {
        IDataView data = Breast();
        Attack[] noise = [Attack.Noise(0.1f)];
        ITransformer model = Catalog.Trainers.LbfgsLogisticRegression().Fit(data);
        void Says(string expected, Action action) => Assert.Contains(expected, Assert.Throws<ArgumentException>(action).Message,
            StringComparison.Ordinal);

        Says("attack FGSM needs gradients, and", () => Catalog.EvaluateRobustness(model, data, [Attack.Fgsm(0.1f)]));
        IDataView numbers = _mlContext.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.Single).Fit(data).Transform(data);
        ITransformer[] regressions = [_mlContext.Regression.Trainers.FeedbackAlignment(numberOfEpochs: 1).Fit(numbers),
            _mlContext.Regression.Trainers.Sdca().Fit(numbers)];
        Assert.All(regressions, regression => Says("gives scores of the kind Regression. Attack a binary classifier",
            () => Catalog.EvaluateRobustness(regression, numbers, noise)));
        IDataView keys = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        ITransformer classes = _mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(keys);
        Says("a binary model's is a Single. Attack a classifier with a score a class by mlContext.MulticlassClassification",
            () => Catalog.EvaluateRobustness(classes, keys, noise));
        Says("Option LabelColumnName: column 'Label' is of type String; it must be a Boolean", () => Catalog.EvaluateRobustness(model,
            _mlContext.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.String).Fit(data).Transform(data), noise));
        IDataView missing = _mlContext.Transforms.CustomMapping<Flagged, Number>((from, to) => to.Label = from.Label ? float.NaN : 0, null)
            .Fit(data).Transform(data);
        Says("row 1 has no value (NaN). Filter the row out", () => Catalog.EvaluateRobustness(model, missing, noise));
    }

    private static Attack[] All(float bound) =>
    [
        Attack.Fgsm(bound), Attack.Pgd(bound), Attack.Tpgd(bound), Attack.Apgd(bound, steps: 15),
        new ApgdAttack(bound) { Steps = 15, Loss = AttackLoss.DifferenceOfLogitsRatio }, new TargetedApgdAttack(bound) { Steps = 15 },
        Attack.DeepFool(), Attack.Square(bound, queries: 40), Attack.FewPixel(2, population: 8, generations: 3), Attack.Noise(bound),
        Attack.AutoAttack(bound) with { Steps = 10, Queries = 20 },
    ];

    /// <summary>The same network with a first class whose logit is the threshold.</summary>
    private static TrainedNetwork Twin(TrainedNetwork one, NetworkLayout layout, float threshold)
    {
        float[] parameters = new float[layout.ParameterLength];
        foreach ((ParameterSlice from, ParameterSlice to) in one.Layout.Parameters.Zip(layout.Parameters))
        {
            Span<float> place = to.In(parameters.AsSpan());
            from.In((ReadOnlySpan<float>)one.Parameters).CopyTo(place[(place.Length - from.Length)..]);
            if (place.Length == 2 && from.Length == 1)
                place[0] = threshold;
        }
        FeedbackLayout before = new(one.Rule, one.Layout), after = new(one.Rule, layout);
        float[] feedback = new float[after.Length];
        foreach ((ParameterSlice? from, ParameterSlice? to) in before.Slices.Zip(after.Slices).Where(pair => pair.First != null))
        {
            Span<float> place = to!.In(feedback.AsSpan());
            from!.In((ReadOnlySpan<float>)one.Feedback).CopyTo(place[(place.Length - from.Length)..]);
        }
        return new TrainedNetwork(layout, one.Rule, parameters, [.. one.Statistics], feedback, []);
    }

    private static TrainedNetwork Linear(float[] weights, float bias)
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(), weights.Length, 1);
        float[] parameters = new float[layout.ParameterLength];
        weights.CopyTo(layout.Layers[0].Weight.In(parameters.AsSpan()));
        layout.Layers[0].Bias.In(parameters.AsSpan())[0] = bias;
        return new TrainedNetwork(layout, FeedbackRule.Backpropagation, parameters, [], [], []);
    }

    private FeedbackAlignmentBinaryTransformer Transformer(TrainedNetwork trained, float threshold) =>
        new(Env, new FeedbackAlignmentBinaryModelParameters(Env, trained), View([new float[trained.Layout.Inputs]], [false]).Schema, "Features",
            "Label", threshold);

    private IDataView View(IReadOnlyList<float[]> rows, IReadOnlyList<bool> labels)
    {
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Flagged));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Length);
        return _mlContext.Data.LoadFromEnumerable(rows.Zip(labels, (row, label) => new Flagged { Features = row, Label = label }).ToArray(), schema);
    }

    private IEstimator<ITransformer> Scaled(IEstimator<ITransformer> trainer) =>
        _mlContext.Transforms.NormalizeMeanVariance("Features").Append(trainer);

    private IDataView Breast()
    {
        IDataView table = Tables.Load(_mlContext, "breast-cancer");
        string first = table.GetColumn<string>("Label").First();
        float[][] rows = [.. table.GetColumn<float[]>("Features")];
        return View(rows, [.. table.GetColumn<string>("Label").Select(label => label == first)]);
    }

    private sealed class Flagged
    {
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class Number
    {
        public float Label { get; set; }
    }
}
