using System.Reflection;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>From the rule's name in a saved model to the rule.</summary>
internal static class FeedbackRuleRegistry
{
    /// <summary>A built-in rule, a registered rule of the user's own, or a placeholder that can name itself and no more.</summary>
    public static FeedbackRule Resolve(IHostEnvironment env, string shortName)
    {
        FeedbackRule? builtIn = FeedbackRule.All.FirstOrDefault(rule => rule.ShortName == shortName);
        if (builtIn != null)
            return builtIn;
        try
        {
            return (FeedbackRule)env.ComponentCatalog.GetExtensionValue(env, typeof(CustomFeedbackRuleAttribute), shortName);
        }
        catch (InvalidOperationException)
        {
            // Not registered in this process. Prediction does not need the rule, so loading must not fail on it.
            return new UnregisteredFeedbackRule(shortName);
        }
    }

    /// <summary>Refuses, before training, a rule whose models could not be told apart from another's after saving.</summary>
    public static void Check(FeedbackRule rule)
    {
        if (rule is UnregisteredFeedbackRule)
            throw new InvalidOperationException(
                $"Option Rule: the rule '{rule.ShortName}' of a loaded model is not registered in this process. Call "
                + "mlContext.ComponentCatalog.RegisterAssembly with the assembly of its class, then load the model again.");
        if (string.IsNullOrWhiteSpace(rule.ShortName))
            throw OptionError.Invalid("Rule", $"{rule.GetType().FullName} has an empty ShortName; give it one of its own.");
        bool builtIn = rule.GetType().Assembly == typeof(FeedbackRule).Assembly;
        if (!builtIn && FeedbackRule.All.Any(known => known.ShortName.Equals(rule.ShortName, StringComparison.OrdinalIgnoreCase)))
            throw OptionError.Invalid("Rule",
                $"{rule.GetType().FullName} has the ShortName '{rule.ShortName}' of a built-in rule; give it one of its own.");
        string? registered = rule.GetType().GetCustomAttribute<CustomFeedbackRuleAttribute>()?.ContractName;
        if (registered != null && registered != rule.ShortName)
            throw OptionError.Invalid("Rule", $"{rule.GetType().FullName} has the ShortName '{rule.ShortName}', but its CustomFeedbackRule "
                + $"attribute says '{registered}'; make them equal.");
    }

    private sealed class UnregisteredFeedbackRule(string shortName) : FeedbackRule
    {
        public override string Name => $"{shortName} (not registered in this process)";

        public override string ShortName => shortName;
    }
}
