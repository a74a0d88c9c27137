namespace FaMLNet.Cli.Tables;

/// <summary>What there is to learn of a label.</summary>
internal enum TaskKind
{
    /// <summary>One of several classes.</summary>
    Multiclass,

    /// <summary>Whether the label is one of two values.</summary>
    Binary,

    /// <summary>A number.</summary>
    Regression,
}

/// <summary>A label's task, as asked for or as its column suggests.</summary>
/// <param name="Kind">The task.</param>
/// <param name="True">Of a binary task, the value that counts as true.</param>
/// <param name="False">The other.</param>
internal sealed record LabelTask(TaskKind Kind, string True = "", string False = "")
{
    /// <summary>Whole numbers of so many values at the most are taken for classes.</summary>
    private const int MostClassesOfNumbers = 20;

    private static readonly string[] Affirmative = ["true", "yes", "y", "1", "positive"];

    /// <summary>One of several classes.</summary>
    public static LabelTask Multiclass { get; } = new(TaskKind.Multiclass);

    /// <summary>The values of a binary task; null for another.</summary>
    public IReadOnlyList<string>? Values => Kind == TaskKind.Binary ? [False, True] : null;

    /// <summary>Reads an option.</summary>
    /// <param name="text">"auto", or a task's name, in any case.</param>
    /// <returns>Null for auto.</returns>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static TaskKind? Parse(string text) => text.Equals("auto", StringComparison.OrdinalIgnoreCase) ? null
        : EnumNames.Find<TaskKind>(text) ?? throw new ArgumentException($"--task must be auto, multiclass, binary or regression; found '{text}'.");

    /// <summary>The task of a table's label, said and why.</summary>
    /// <param name="file">The table.</param>
    /// <param name="label">Its label.</param>
    /// <param name="asked">What the user wants; null to choose.</param>
    /// <param name="say">Receives the choice.</param>
    /// <exception cref="FormatException">The label does not allow what is asked for.</exception>
    public static LabelTask Of(TableFile file, TableColumn label, TaskKind? asked, Action<string> say)
    {
        (List<string> values, bool hasFractions) = Look(file, label);
        string count = values.Count > MostClassesOfNumbers ? $"more than {MostClassesOfNumbers}" : $"{values.Count}";
        (TaskKind chosen, string why) = values.Count == 2 ? (TaskKind.Binary, $"has the two values {values[0]} and {values[1]}")
            : !label.IsNumber ? (TaskKind.Multiclass, $"holds texts of {count} values")
            : hasFractions ? (TaskKind.Regression, "holds numbers with fractions")
            : values.Count > MostClassesOfNumbers ? (TaskKind.Regression, $"holds whole numbers of {count} values")
            : (TaskKind.Multiclass, $"holds whole numbers of {count} values");
        if (asked == null)
            say($"Task: {chosen.ToString().ToLowerInvariant()}, for the label, column '{label.Name}', {why}. --task chooses another.");
        TaskKind kind = asked ?? chosen;
        if (kind == TaskKind.Regression && !label.IsNumber)
            throw new FormatException($"'{file.Path}': --task regression predicts a number, but column '{label.Name}' holds texts. Mend its values, "
                + "or choose --task multiclass.");
        if (kind != TaskKind.Binary)
            return new LabelTask(kind);
        if (values.Count != 2)
            throw new FormatException($"'{file.Path}': --task binary needs a label of two values, but column '{label.Name}' has {count}. Choose "
                + "--task multiclass.");
        string positive = values.FirstOrDefault(value => Affirmative.Contains(value.ToLowerInvariant())) ?? values[1];
        string negative = values.Single(value => value != positive);
        say($"Label '{label.Name}': {positive} counts as true, {negative} as false.");
        return new LabelTask(kind, positive, negative);
    }

    /// <summary>
    /// The label's values in their order, one more at the most than numbers may have to be classes, and whether a number has a fraction.
    /// </summary>
    private static (List<string> Values, bool HasFractions) Look(TableFile file, TableColumn label)
    {
        SortedSet<string> values = new(StringComparer.Ordinal);
        bool hasFractions = false;
        using TableReader reader = file.Read();
        // To the end, or until so many values are there that nothing further decides: the third may stand in the last row.
        while (values.Count <= MostClassesOfNumbers && reader.Read())
        {
            string text = reader.Text(label.Index);
            if (TableFile.IsMissing(text))
                continue;
            values.Add(text);
            hasFractions |= label.IsNumber && file.TryParse(text, out double number) && number != Math.Truncate(number);
        }
        return ([.. values], hasFractions);
    }
}
