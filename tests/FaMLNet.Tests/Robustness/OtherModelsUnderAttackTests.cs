using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>Models of ML.NET's other trainers under attack, and examples that are made for one model and shown to another.</summary>
[Trait("Speed", "Slow")]
public sealed class OtherModelsUnderAttackTests : DigitsUnderAttack
{
    [Fact]
    public void Attacks_without_gradients_take_other_peoples_models()
    {
        foreach (IEstimator<ITransformer> trainer in new[] { Linear(), OneVersusAll() })
        {
            ITransformer model = Other(trainer);
            RobustnessReport report = Catalog.EvaluateRobustness(model, _digits,
                [Attack.Square(2, queries: 100), Attack.FewPixel(2, population: 10, generations: 3), Attack.Noise(2)],
                new RobustnessOptions { MaximumRows = 60, InputRange = (0, 16) });
            Assert.True(report.CleanAccuracy > 0.8, $"{report}");
            Assert.True(report.Results[0].SuccessRate > report.Results[2].SuccessRate, $"{report}");
            Assert.All(report.Results, result => Assert.Null(result.ThreatModel));
            ArgumentException failure = Assert.Throws<ArgumentException>(() => Catalog.EvaluateRobustness(model, _digits, [Attack.Pgd(1)]));
            Assert.StartsWith("Argument model: attack PGD needs gradients", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LightGBM_is_attacked_as_any_other()
    {
        ITransformer model;
        try
        {
            model = Other(_mlContext.MulticlassClassification.Trainers.LightGbm(numberOfIterations: 20));
        }
        catch (Exception failure) when (failure is DllNotFoundException or TypeInitializationException)
        {
            Assert.Skip($"LightGBM's native library does not load here: {failure.Message}");
            return;
        }
        RobustnessReport report = Catalog.EvaluateRobustness(model, _digits, [Attack.Square(2, queries: 100), Attack.Noise(2)],
            new RobustnessOptions { MaximumRows = 60 });
        Assert.Equal(Catalog.Evaluate(model.Transform(_mlContext.Data.TakeRows(_digits, 60))).MicroAccuracy, report.CleanAccuracy);
        Assert.True(report.Results[0].SuccessRate > report.Results[1].SuccessRate, $"{report}");
    }

    [Fact]
    public void Other_peoples_models_are_judged_by_their_own_word()
    {
        ITransformer model = Other(OneVersusAll());
        IDataView examples = Catalog.CreateAdversarialExamples(model, _digits, Attack.Square(2, queries: 50),
            new RobustnessOptions { MaximumRows = 40 });
        string[] labels = [.. _digits.GetColumn<string>("Label").Take(40)];
        // The chain's own column of labels is a key by then; the rest of it goes on from the features.
        ITransformer last = ((TransformerChain<ITransformer>)model).LastTransformer;
        uint[] predicted = [.. last.Transform(examples).GetColumn<uint>("PredictedLabel")], keys = [.. examples.GetColumn<uint>("Label")];
        Assert.Equal(examples.GetColumn<bool>("Fooled"), predicted.Zip(keys, (one, other) => one != other)
            .Zip(last.Transform(_mlContext.Transforms.CopyColumns("Features", "CleanFeatures").Fit(examples).Transform(examples))
                .GetColumn<uint>("PredictedLabel").Zip(keys, (one, other) => one == other), (wrong, right) => wrong && right));
        Assert.Equal(40, labels.Length);
        Assert.Contains(true, examples.GetColumn<bool>("Fooled"));
    }

    [Fact]
    public void Perturbations_carry_over_from_a_surrogate()
    {
        ITransformer model = Digits(Tables.Quick(epochs: 10)), other = Digits(Tables.Quick(FeedbackRule.Backpropagation, epochs: 10));
        RobustnessOptions options = new() { MaximumRows = 200, Seed = 1 };
        RobustnessReport direct = Catalog.EvaluateRobustness(model, _digits, [Attack.Pgd(0.5f)], options),
            transfer = Catalog.EvaluateRobustness(model, _digits, [Attack.Pgd(0.5f), Attack.Noise(0.5f)], options, surrogate: other);
        Assert.True(transfer.HasSurrogate);
        Assert.Equal(direct.CleanAccuracy, transfer.CleanAccuracy);
        Assert.True(transfer.Results[0].SuccessRate < direct.Results[0].SuccessRate
            && transfer.Results[0].SuccessRate > transfer.Results[1].SuccessRate, $"{direct}{transfer}");
        // All steps are taken: what fools the surrogate may not fool the model yet.
        Assert.Equal(20L * transfer.RightRows, transfer.Results[0].GradientQueries);
        // A model of another kind can be attacked so by gradients.
        ITransformer trees = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Append(OneVersusAll()).Fit(_digits);
        Assert.True(Catalog.EvaluateRobustness(trees, _digits, [Attack.Pgd(1)], options, surrogate: other).Results[0].SuccessRate > 0);
    }

    [Fact]
    public void Surrogates_of_other_features_are_refused()
    {
        ITransformer model = Digits(Tables.Quick());
        ITransformer other = _mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick(epochs: 1))).Fit(_digits);
        Assert.Contains("is not what the model's makes", Refused(() => Catalog.EvaluateRobustness(model, _digits, [Attack.Pgd(0.1f)],
            surrogate: other)), StringComparison.Ordinal);
        Assert.Contains("attack PGD needs gradients", Refused(() => Catalog.EvaluateRobustness(model, _digits, [Attack.Pgd(0.1f)],
            surrogate: Other(Linear()))), StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_from_a_transformer_of_another_kind_are_attacked_by_column()
    {
        // A custom mapping that gives scores, as an ONNX transformer would.
        IDataView data = RandomModel.View(_mlContext, RandomModel.Rows(30, 4, seed: 1), [.. Enumerable.Range(0, 30).Select(i => i % 2)], 2);
        ITransformer model = _mlContext.Transforms.CustomMapping<Pixels, Scored>((from, to) =>
            to.Score = [from.Features[0], 1 - from.Features[0]], null).Fit(data);
        Assert.Contains("set RobustnessOptions.FeatureColumnName", Refused(() => Catalog.EvaluateRobustness(model, data, [Attack.Square(0.4f)])),
            StringComparison.Ordinal);
        RobustnessReport report = Catalog.EvaluateRobustness(model, data, [Attack.Square(0.9f, queries: 50)],
            new RobustnessOptions { FeatureColumnName = "Features" });
        Assert.Equal(1, report.Results[0].SuccessRate);
    }

    private sealed class Pixels
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        [VectorType(2)]
        public float[] Score { get; set; } = [];
    }
}
