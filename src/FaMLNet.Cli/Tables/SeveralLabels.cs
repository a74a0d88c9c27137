namespace FaMLNet.Cli.Tables;

/// <summary>One of several labels.</summary>
/// <param name="Name">Its column in the pipeline.</param>
/// <param name="Column">Its column in the table.</param>
/// <param name="Task">What there is to learn of it.</param>
internal sealed record LabelPart(string Name, string Column, LabelTask Task);

/// <summary>The task of several labels of a table, which one network learns at once.</summary>
internal static class SeveralLabels
{
    /// <summary>The task, said and why.</summary>
    /// <param name="path">The table, for messages.</param>
    /// <param name="labels">The labels' columns, two or more, with what was counted of them and whether they have a decimal comma.</param>
    /// <param name="asked">What the user wants; null to choose.</param>
    /// <param name="positive">The value that counts as true; null to choose.</param>
    /// <param name="say">Receives the choice.</param>
    /// <exception cref="FormatException">The labels are of different kinds, or one of them does not allow what is asked for.</exception>
    public static LabelTask Of(string path, IReadOnlyList<(string Name, ColumnScan Scan, bool HasComma)> labels, TaskKind? asked, string? positive,
        Action<string> say)
    {
        string all = string.Join(", ", labels.Select(label => $"'{label.Name}'"));
        if (asked == TaskKind.Multiclass)
            throw new FormatException($"--task multiclass is for one label, but --label names several: {all}. Several labels at once are numbers "
                + "(--task regression) or have two values each (--task binary). Train one model per label of several classes.");
        TaskKind kind = asked ?? Choose(path, labels);
        if (asked == null)
            say($"Task: several {(kind == TaskKind.Regression ? "numbers at once (regression)" : "labels of two values at once (binary)")}, for the "
                + $"labels {all}. --task chooses another.");
        LabelPart[] parts = [.. labels.Select(label => new LabelPart(ColumnNames.InPipeline(label.Name), label.Name,
            LabelTask.Of(path, label.Name, label.Scan, label.HasComma, kind, positive, say)))];
        return new LabelTask(kind) { Parts = parts };
    }

    private static TaskKind Choose(string path, IReadOnlyList<(string Name, ColumnScan Scan, bool HasComma)> labels)
    {
        LabelTask[] each = [.. labels.Select(label => LabelTask.Of(path, label.Name, label.Scan, label.HasComma, null, null, _ => { }))];
        int classes = Array.FindIndex(each, task => task.Kind == TaskKind.Multiclass && !task.AreNumbers);
        if (classes >= 0)
            throw new FormatException($"'{path}': --label names several labels, of which column '{labels[classes].Name}' holds texts of more than "
                + "two values. Several labels at once are all numbers, or have two values each. Leave this one out, and train a model of its own for "
                + "it.");
        if (each.All(task => task.Kind == TaskKind.Binary))
            return TaskKind.Binary;
        int two = Array.FindIndex(each, task => task.Kind == TaskKind.Binary), number = Array.FindIndex(each, task => task.Kind != TaskKind.Binary);
        return two < 0 ? TaskKind.Regression : throw new FormatException($"'{path}': --label names labels of two kinds: column "
            + $"'{labels[number].Name}' holds numbers, and column '{labels[two].Name}' has two values. Train a model for each kind"
            + (each[two].AreNumbers ? ", or give --task regression to take all for numbers." : "."));
    }
}
