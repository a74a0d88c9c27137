
namespace FaMLNet.Robustness;

/// <summary>
/// Signs that an attack fails because gradients mislead it, not because the model is robust. Athalye, Carlini and Wagner, "Obfuscated gradients
/// give a false sense of security", ICML 2018, section 3.1; Carlini et al., "On evaluating adversarial robustness", 2019.
/// </summary>
internal static class GradientMasking
{
    /// <summary>A success rate from which more is not to be expected.</summary>
    private const double Nearly = 0.95;

    /// <summary>The share of gradients that are 0 from which it is said.</summary>
    private const double ManyZeros = 0.05;

    /// <summary>The share of the range of the input from which a bound must have some success.</summary>
    private const double NotTiny = 0.02;

    /// <summary>The share of the range of the input from which many steps must do better than one: below, the network may be linear.</summary>
    private const double Large = 0.1;

    /// <summary>Looks through results of one model.</summary>
    /// <param name="results">One per attack.</param>
    /// <param name="extent">From the least to the largest value of the features.</param>
    public static IReadOnlyList<string> Find(IReadOnlyList<AttackResult> results, double extent)
    {
        List<string> found = [];
        AttackResult[] white = [.. results.Where(result => result.ThreatModel != null && result.AttackedRows > 0 && result.Attack.Bound > 0)];
        foreach (AttackResult result in white.Where(result => result.ZeroGradients > ManyZeros * result.GradientQueries))
            found.Add(InvariantText.Of($"{Name(result)}: {(double)result.ZeroGradients / result.GradientQueries:0 %} of the gradients are 0 in every "
                + $"feature, so the attack has nowhere to go; that is masking, not robustness."));
        foreach (AttackResult blind in results.Where(result => result.ThreatModel == null && result.Attack.Bound > 0))
        {
            foreach (AttackResult seeing in white.Where(result => SameBall(result, blind) && IsFairAgainst(result, blind, white)
                && Leads(blind, result)))
                found.Add(InvariantText.Of($"{Name(blind)} without gradients fools {blind.SuccessRate:0.0 %} of the rows, {Name(seeing)} with them "
                    + $"only {seeing.SuccessRate:0.0 %}: the gradient leads the attack astray."));
        }
        foreach (AttackResult longer in white)
        {
            foreach (AttackResult shorter in white.Where(result => SameBall(result, longer) && result.ThreatModel == longer.ThreatModel
                && StepsOf(result.Attack) < StepsOf(longer.Attack) && !HelpsMore(longer, result, extent)))
                found.Add(InvariantText.Of($"{Name(longer)} fools {longer.SuccessRate:0.0 %} of the rows, {Name(shorter)} with fewer steps "
                    + $"{shorter.SuccessRate:0.0 %}: more steps do not help, as they would along a gradient that says something."));
        }
        foreach (AttackResult larger in white)
        {
            AttackResult? smaller = white.Where(result => SameButBound(result, larger) && result.Attack.Bound < larger.Attack.Bound)
                .MaxBy(result => result.Attack.Bound);
            if (smaller != null && smaller.SuccessRate < Nearly && larger.SuccessRate <= smaller.SuccessRate
                && (smaller.FooledRows > 0 || larger.Attack.Bound >= NotTiny * extent))
                found.Add(InvariantText.Of($"{Name(larger)} fools {larger.SuccessRate:0.0 %} of the rows, with the smaller bound "
                    + $"{smaller.Attack.Bound:0.######} {smaller.SuccessRate:0.0 %}: a larger bound does not raise the success rate, though it "
                    + $"allows all that the smaller one does."));
        }
        return found;
    }

    private static string Name(AttackResult result) => result.Attack.ToString()
        + (result.ThreatModel is { } model ? $" ({RobustnessReport.Words(model)})" : "");

    private static bool SameBall(AttackResult one, AttackResult other) => one.Attack.Norm == other.Attack.Norm
        && one.Attack.Bound == other.Attack.Bound;

    /// <summary>FGSM, of one step, is weaker than a search of many queries by nature: it only counts where no stronger attack can be asked.</summary>
    private static bool IsFairAgainst(AttackResult seeing, AttackResult blind, AttackResult[] white) => seeing.Attack is not FgsmAttack
        || blind.Attack is NoiseAttack || !white.Any(result => result.Attack is not FgsmAttack && SameBall(result, seeing));

    /// <summary>Whether one attack fools more rows than another by more than chance: rows that only one of them fools (McNemar).</summary>
    private static bool Leads(AttackResult one, AttackResult other)
    {
        int only = one.Outcomes.Count(pair => pair.Value && !other.Outcomes.GetValueOrDefault(pair.Key)),
            others = other.Outcomes.Count(pair => pair.Value && !one.Outcomes.GetValueOrDefault(pair.Key));
        return only - others > 2 * Math.Sqrt(only + others);
    }

    /// <summary>Steps of attacks that are the same but for their number.</summary>
    private static int? StepsOf(Attack attack) => attack switch
    {
        FgsmAttack => 1,
        PgdAttack { Restarts: 1 } pgd => pgd.Steps,
        _ => null,
    };

    /// <summary>Many steps must not lose against fewer, for both may have arrived; against one they must gain where the bound is large.</summary>
    private static bool HelpsMore(AttackResult longer, AttackResult shorter, double extent) => shorter.SuccessRate >= Nearly
        || (StepsOf(shorter.Attack) == 1 && longer.Attack.Bound >= Large * extent ? longer.SuccessRate > shorter.SuccessRate
        : !Leads(shorter, longer));

    private static bool SameButBound(AttackResult one, AttackResult other) => one.Attack.GetType() == other.Attack.GetType()
        && one.Attack.Norm == other.Attack.Norm && one.Attack.Settings == other.Attack.Settings && one.Attack.Name == other.Attack.Name
        && one.ThreatModel == other.ThreatModel;
}
