namespace FaMLNet.Cli.Naming;

/// <summary>Attacks by the names that commands and configurations use.</summary>
internal static class AttackNames
{
    private const string DeepFool = "deepfool", FewPixel = "fewpixel";

    /// <summary>Attacks of a bound and a norm.</summary>
    private static readonly Dictionary<string, Func<float, AttackNorm, Attack>> Bounded = new(StringComparer.OrdinalIgnoreCase)
    {
        ["noise"] = (epsilon, norm) => Attack.Noise(epsilon, norm: norm),
        ["fgsm"] = (epsilon, norm) => Attack.Fgsm(epsilon) with { AttackNorm = norm },
        ["pgd"] = (epsilon, norm) => Attack.Pgd(epsilon, norm: norm),
        ["tpgd"] = (epsilon, norm) => Attack.Tpgd(epsilon) with { AttackNorm = norm },
        ["apgd"] = (epsilon, norm) => Attack.Apgd(epsilon, norm: norm),
        ["apgd-dlr"] = (epsilon, norm) => Attack.Apgd(epsilon, AttackLoss.DifferenceOfLogitsRatio, norm: norm),
        ["apgd-t"] = (epsilon, norm) => Attack.TargetedApgd(epsilon, norm: norm),
        ["square"] = (epsilon, norm) => Attack.Square(epsilon, norm: norm),
        ["autoattack"] = (epsilon, norm) => Attack.AutoAttack(epsilon, norm),
    };

    /// <summary>The attacks named, each by every bound; those without a bound once.</summary>
    /// <exception cref="FormatException">A name is not known.</exception>
    public static Attack[] Parse(IEnumerable<string> names, IReadOnlyList<float> bounds, AttackNorm norm, int pixels)
    {
        List<Attack> attacks = [];
        foreach (string name in names)
        {
            if (name.Equals(DeepFool, StringComparison.OrdinalIgnoreCase))
                attacks.Add(Attack.DeepFool());
            else if (name.Equals(FewPixel, StringComparison.OrdinalIgnoreCase))
                attacks.Add(Attack.FewPixel(pixels));
            else if (Bounded.TryGetValue(name, out Func<float, AttackNorm, Attack>? attack))
                attacks.AddRange(bounds.Select(bound => attack(bound, norm)));
            else
                throw new FormatException($"the attack '{name}' is none of {string.Join(", ", Bounded.Keys)}, {DeepFool}, {FewPixel}.");
        }
        return [.. attacks];
    }
}
