using System.Text.Json.Serialization.Metadata;

namespace FaMLNet.Persistence;

/// <summary>How a history is written, in models and checkpoints alike.</summary>
internal static class HistoryJson
{
    /// <summary>Leaves out what was not measured.</summary>
    public static IJsonTypeInfoResolver Resolver { get; } = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutWhatIsEmpty } };

    /// <summary>
    /// A history as the first format had it: the alignment angle of a direct rule was that between the rule's update and backpropagation's.
    /// </summary>
    public static IReadOnlyList<EpochMetrics> FromVersion1(IReadOnlyList<EpochMetrics> history, bool isDirect) => !isDirect ? history
        : [.. history.Select(epoch => epoch with { AlignmentAngle = LayerMetrics.Empty, UpdateAngle = epoch.AlignmentAngle })];

    /// <summary>Whether an epoch, or a dictionary of it, is null: nothing that FaMLNet writes.</summary>
    public static bool LacksSomething(EpochMetrics? epoch) => epoch == null || new[]
    {
        epoch.AlignmentAngle, epoch.NormRatio, epoch.WeightNorm, epoch.GradientNorm, epoch.UpdateRatio, epoch.DeadUnits, epoch.UpdateAngle
    }.Contains(null!);

    private static void LeaveOutWhatIsEmpty(JsonTypeInfo type)
    {
        if (!type.Type.IsAssignableTo(typeof(LayerMetrics)))
            return;
        foreach (JsonPropertyInfo property in type.Properties)
        {
            // It is for logs: a model is its own, and a checkpoint has all that it is made of.
            if (property.Name.Equals(nameof(LayerMetrics.TrainingId), StringComparison.OrdinalIgnoreCase))
                property.ShouldSerialize = (_, _) => false;
            if (property.PropertyType == typeof(IReadOnlyDictionary<string, double>))
                property.ShouldSerialize = (_, value) => value is IReadOnlyDictionary<string, double> { Count: > 0 };
        }
    }
}
