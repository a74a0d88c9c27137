using Microsoft.ML;

namespace FaMLNet;

/// <summary>
/// Names a feedback rule of one's own, so that models trained by it can be saved and loaded. Once
/// <c>mlContext.ComponentCatalog.RegisterAssembly</c> has seen the class, a loaded model's rule is an object of it.
/// </summary>
/// <remarks>The class needs a public parameterless constructor.</remarks>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class CustomFeedbackRuleAttribute : ExtensionBaseAttribute
{
    /// <summary>Names the rule.</summary>
    /// <param name="contractName">The rule's <see cref="FeedbackRule.ShortName"/>; none of the library's own.</param>
    public CustomFeedbackRuleAttribute(string contractName) : base(contractName) { }
}
