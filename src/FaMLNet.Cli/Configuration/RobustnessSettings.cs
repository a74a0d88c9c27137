using System.Text.Json.Nodes;
using FaMLNet.Cli.Naming;

namespace FaMLNet.Cli.Configuration;

/// <summary>An attack's settings in a configuration.</summary>
internal sealed record RobustnessSettings(IReadOnlyList<Attack> Attacks, int? Rows, IReadOnlyList<ThreatModel> ThreatModels)
{
    /// <summary>Reads <c>evaluation.robustness</c>; null where it is not there.</summary>
    /// <exception cref="FormatException">An attack is not known.</exception>
    public static RobustnessSettings? Read(ConfigurationKeys keys)
    {
        if (keys.Node("evaluation.robustness") is not JsonObject group)
            return null;
        string[] names = [.. ((JsonArray)group["attacks"]!).Select(name => name!.GetValue<string>())];
        float[] bounds = group["eps"] is JsonArray list ? [.. list.Select(bound => (float)bound!.GetValue<double>())] : [0.02f, 0.05f, 0.1f];
        AttackNorm norm = group["norm"]?.GetValue<string>() == "l2" ? AttackNorm.L2 : AttackNorm.LInfinity;
        IReadOnlyList<Attack> attacks = null!;
        keys.Check(() => attacks = AttackNames.Parse(names, bounds, norm, group["pixels"]?.GetValue<int>() ?? 1), "evaluation.robustness.attacks");
        ThreatModel[] models = group["threat_models"] is JsonArray threats
            ? [.. threats.Select(threat => threat!.GetValue<string>() == "true" ? ThreatModel.TrueGradient : ThreatModel.FeedbackGradient)]
            : [ThreatModel.TrueGradient];
        return new RobustnessSettings(attacks, group["rows"]?.GetValue<int>(), models);
    }
}
