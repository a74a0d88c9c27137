using FaMLNet.Tests.Documentation;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>Attacks of the user's own.</summary>
public sealed class OwnAttackTests : DigitsUnderAttack
{
    [Fact]
    public void An_attack_of_the_users_own_is_an_attack_like_any()
    {
        ITransformer model = Digits(Tables.Quick(epochs: 5));
        RobustnessReport report = Catalog.EvaluateRobustness(model, _digits, [Attack.Noise(0.3f), new ManyFgsmAttack(0.3f, 5)],
            new RobustnessOptions { MaximumRows = 200 });
        Assert.True(report.Results[1].SuccessRate > report.Results[0].SuccessRate + 0.1, $"{report}");
        Assert.Contains("FGSM from many starts L∞ ≤ 0.3, 5 starts", $"{report}", StringComparison.Ordinal);
    }

    [Fact]
    public void Attacks_of_the_users_own_are_held_to_their_word()
    {
        ITransformer model = Digits(Tables.Quick(epochs: 2));
        RobustnessReport Run(Func<AttackedRow, Task<float[]>> perturb, AttackNorm norm = AttackNorm.LInfinity, double bound = 0.1,
            bool gradients = true) =>
            Catalog.EvaluateRobustness(model, _digits, [new Own(perturb, norm, bound, gradients)], new RobustnessOptions { MaximumRows = 30 });
        // What leaves the bound is brought back, not believed.
        Assert.InRange(Run(row => Task.FromResult(row.Copy().Select(value => value + 100).ToArray())).Results[0] is { FooledRows: > 0 } result
            ? result.LInfinity.Maximum : 0, 0, 0.1);
        Assert.Contains("it returned 3", Refused(() => Run(_ => Task.FromResult(new float[3]))), StringComparison.Ordinal);
        Assert.Contains("it returned null", Refused(() => Run(_ => Task.FromResult<float[]>(null!))), StringComparison.Ordinal);
        Assert.Contains("NaN for slot 0", Refused(() => Run(row => Task.FromResult(new float[row.Features].Select(_ => float.NaN).ToArray()))),
            StringComparison.Ordinal);
        Assert.Contains("its bound is 2", Refused(() => Run(row => Task.FromResult(new float[row.Features]), AttackNorm.L0, 2)),
            StringComparison.Ordinal);
        Assert.Contains("waits, at row", Refused(() => Run(async row => { await Task.Delay(100_000); return row.Copy(); })),
            StringComparison.Ordinal);
        Assert.Contains("its UsesGradients is false", Refused(() => Run(async row => [.. (await row.Differentiate(row.Copy(),
            AttackLoss.Margin)).Gradient], gradients: false)), StringComparison.Ordinal);
        Assert.Equal("mine", Refused(() => Run(async row => { await row.Ask(row.Copy()); throw new InvalidOperationException("mine"); })));
    }

    private sealed record Own(Func<AttackedRow, Task<float[]>> Search, AttackNorm OwnNorm, double OwnBound, bool Gradients) : Attack
    {
        public override string Name => "Own";

        public override AttackNorm Norm => OwnNorm;

        public override double Bound => OwnBound;

        public override bool UsesGradients => Gradients;

        protected override Task<float[]> Perturb(AttackedRow row) => Search(row);
    }
}
