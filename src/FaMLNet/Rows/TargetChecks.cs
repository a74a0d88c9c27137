using FaMLNet.Tasks.Labels;
using Microsoft.ML.Runtime;

namespace FaMLNet.Rows;

/// <summary>Looks at the values of labels that are vectors, one by one: whether there is something to learn of each.</summary>
internal static class TargetChecks
{
    private const int MostShown = 10;

    /// <summary>Refuses labels of which nothing can be learnt.</summary>
    /// <param name="columns">The columns of the training data.</param>
    /// <param name="targets">Of its usable rows, of which there is at least one.</param>
    /// <exception cref="InvalidOperationException">A value is never known, or no value ever differs.</exception>
    public static void Check(RowColumns columns, TargetMoments targets)
    {
        int[] unknown = [.. Enumerable.Range(0, targets.Width).Where(target => targets.CountOf(target) == 0)];
        if (unknown.Length > 0)
            throw new InvalidOperationException($"Label column '{columns.Label.Name}': {Name(columns, unknown)} missing (NaN) in every usable row of "
                + "the training data. Leave such targets out of the label, or check where they are read from.");
        if (!Enumerable.Range(0, targets.Width).Any(targets.Varies))
            throw new InvalidOperationException($"All {targets.CountOf(0)} usable rows have the same label in column '{columns.Label.Name}': there "
                + "is nothing to learn. Check the label column and how the data was split.");
    }

    /// <summary>Says which values are the same in all rows.</summary>
    /// <param name="columns">The columns of the training data.</param>
    /// <param name="targets">Of its usable rows.</param>
    /// <param name="channel">Receives a warning.</param>
    public static void Warn(RowColumns columns, TargetMoments targets, IChannel channel)
    {
        if (!columns.Kind.IsVector())
            return;
        int[] constant = [.. Enumerable.Range(0, targets.Width).Where(target => !targets.Varies(target))];
        if (constant.Length > 0)
            channel.Warning($"Label column '{columns.Label.Name}': {Name(columns, constant)} the same in all rows of the training data. The model "
                + "learns that value and nothing else.");
    }

    /// <summary>Some values of a label, by slot and by name where they have names, with the verb.</summary>
    private static string Name(RowColumns columns, int[] targets)
    {
        IReadOnlyList<string>? names = ColumnNames.SlotNamesOf(columns.Label);
        string list = string.Join(", ", targets.Take(MostShown).Select(target => names is { } known && known[target].Length > 0
            ? $"{target} ('{known[target]}')" : $"{target}"));
        return targets.Length == 1 ? $"slot {list} is" : $"slots {list}{(targets.Length > MostShown ? ", …" : "")} are";
    }
}
