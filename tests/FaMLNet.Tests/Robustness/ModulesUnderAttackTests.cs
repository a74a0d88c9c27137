using FaMLNet.Tests.Training.Autograd;
using Microsoft.ML;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Robustness;

/// <summary>A module whose output has no gradient at its input.</summary>
[CustomNetwork("no-gradient")]
public sealed class NoGradientFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => new Detached(shape);

    private sealed class Detached : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _top;

        public Detached(NetworkShape shape) : base("detached")
        {
            _top = nn.Linear(shape.Input[0], shape.Outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => _top.call(x.detach());
    }
}

/// <summary>A module whose gradient at its input is 0 everywhere, though it depends on it.</summary>
[CustomNetwork("rounding")]
public sealed class RoundingFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => new Rounding(shape);

    private sealed class Rounding : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _top;

        public Rounding(NetworkShape shape) : base("rounding")
        {
            _top = nn.Linear(shape.Input[0], shape.Outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => _top.call(FaMLNet.Interop.Scalars.Times(x, 2).round());
    }
}

/// <summary>Networks of the user's own and TorchVision's under attack, gradients that say nothing among them.</summary>
public sealed class ModulesUnderAttackTests : DigitsUnderAttack
{
    [Fact]
    public void Masked_gradients_are_flagged_with_the_reason()
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(RoundingFactory).Assembly);
        ITransformer masked = Digits(With(Tables.Quick(FeedbackRule.Backpropagation, epochs: 10), NetworkDefinition.Custom("rounding")));
        RobustnessReport report = Catalog.EvaluateRobustness(masked, _digits,
            [Attack.Fgsm(0.5f), Attack.Pgd(0.5f), Attack.Pgd(1), Attack.Square(0.5f, queries: 200)], new RobustnessOptions { MaximumRows = 150 });
        string warnings = string.Join("\n", report.Warnings);
        Assert.Contains("of the gradients are 0 in every feature", warnings, StringComparison.Ordinal);
        Assert.Contains("Square L∞ ≤ 0.5, 200 queries without gradients fools", warnings, StringComparison.Ordinal);
        ITransformer honest = Digits(Tables.Quick(FeedbackRule.Backpropagation, epochs: 10));
        RobustnessReport clear = Catalog.EvaluateRobustness(honest, _digits, [Attack.Noise(0.3f), Attack.Fgsm(0.3f), Attack.Pgd(0.3f),
            Attack.Pgd(0.3f, steps: 40), Attack.Pgd(0.6f), Attack.Square(0.3f, queries: 100)], new RobustnessOptions { MaximumRows = 300 });
        Assert.Empty(clear.Warnings);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void Modules_of_the_users_own_are_attacked_or_refused_by_name()
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(NoGradientFactory).Assembly);
        ITransformer two = Digits(With(Tables.Quick(FeedbackRule.DirectFeedbackAlignment, epochs: 5),
            NetworkDefinition.Custom("two-branches"), new ImageShape(1, 8, 8)));
        foreach (ThreatModel threat in Enum.GetValues<ThreatModel>())
        {
            RobustnessReport report = Catalog.EvaluateRobustness(two, _digits, [Attack.Pgd(0.5f), Attack.Noise(0.5f)],
                new RobustnessOptions { MaximumRows = 100, ThreatModel = threat });
            Assert.True(report.Results[0].SuccessRate > report.Results[1].SuccessRate, $"{report}");
        }
        ITransformer none = Digits(With(Tables.Quick(FeedbackRule.Backpropagation, epochs: 1), NetworkDefinition.Custom("no-gradient")));
        Assert.Contains("Custom(\"no-gradient\") has no gradient at its input", Refused(() => Catalog.EvaluateRobustness(none, _digits,
            [Attack.Pgd(0.5f)])), StringComparison.Ordinal);
        Assert.Single(Catalog.EvaluateRobustness(none, _digits, [Attack.Square(0.5f, queries: 5)],
            new RobustnessOptions { MaximumRows = 20 }).Results);
    }

    /// <summary>Networks that run their layers in scopes of their own, with batch normalisation and dropout.</summary>
    [Theory, InlineData("tv-resnet18", "fa"), InlineData("tv-mobilenet_v2", "dfa"), InlineData("tv-alexnet", "dfa")]
    [Trait("Speed", "Slow")]
    public void TorchVisions_networks_are_attacked(string name, string rule)
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(ResNet18Factory).Assembly);
        ImageShape image = new(3, 64, 64);
        float[][] rows = RandomModel.Rows(6, image.Length, seed: 1);
        FeedbackAlignmentMulticlassTrainer.Options options = new()
        {
            Rule = FeedbackRule.Parse(rule),
            Network = NetworkDefinition.Custom(name),
            ImageShape = image,
            NumberOfEpochs = 1,
            BatchSize = 3,
            Seed = 1,
        };
        using FeedbackAlignmentMulticlassTransformer model = Catalog.Trainers.FeedbackAlignment(options)
            .Fit(RandomModel.View(_mlContext, rows, [0, 1, 2, 0, 1, 2], 3));
        IDataView data = RandomModel.View(_mlContext, rows, RandomModel.Predicted(_mlContext, model, rows, 3), 3);
        foreach (ThreatModel threat in Enum.GetValues<ThreatModel>())
        {
            AttackResult result = Catalog.EvaluateRobustness(model, data, [Attack.Pgd(0.1f, steps: 2)],
                new RobustnessOptions { ThreatModel = threat, Seed = 1 }).Results[0];
            Assert.Equal((6, 0L), (result.AttackedRows, result.ZeroGradients));
            Assert.InRange(result.GradientQueries, 6, 12);
        }
    }
}
