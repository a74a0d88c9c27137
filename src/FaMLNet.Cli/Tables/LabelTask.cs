using System.Globalization;
using FaMLNet.Cli.Naming;

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

    /// <summary>Numbers of single precision that lie between the lowest and the highest label at least.</summary>
    private const int LeastSteps = 1000;

    private static readonly string[] Affirmative = ["true", "yes", "y", "1", "positive", "pos", "+", "t"];

    /// <summary>One of several classes.</summary>
    public static LabelTask Multiclass { get; } = new(TaskKind.Multiclass);

    /// <summary>The values of a binary task; null for another.</summary>
    public IReadOnlyList<string>? Values => Kind == TaskKind.Binary ? [False, True] : null;

    /// <summary>
    /// The labels of a task of several: all numbers (<see cref="TaskKind.Regression"/>), or all of two values (<see cref="TaskKind.Binary"/>). None
    /// for a task of one label.
    /// </summary>
    public IReadOnlyList<LabelPart> Parts { get; init; } = [];

    /// <summary>Whether one network learns several labels at once.</summary>
    public bool HasSeveral => Parts.Count > 0;

    /// <summary>Whether the label's values are numbers, of which 1 and 1.0 are one.</summary>
    public bool AreNumbers { get; init; }

    /// <summary>Whether these numbers have a decimal comma.</summary>
    public bool HasDecimalComma { get; init; }

    /// <summary>The number of different values; null where there are more than were counted.</summary>
    public int? NumberOfValues { get; init; }

    /// <summary>Reads an option.</summary>
    /// <param name="text">"auto", or a task's name, in any case.</param>
    /// <returns>Null for auto.</returns>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static TaskKind? Parse(string text) => text.Equals("auto", StringComparison.OrdinalIgnoreCase) ? null
        : EnumNames.Find<TaskKind>(text) ?? throw new ArgumentException($"--task must be auto, multiclass, binary or regression; found '{text}'.");

    /// <summary>The task of a table's label, said and why.</summary>
    /// <param name="path">The table, for messages.</param>
    /// <param name="name">The label's column.</param>
    /// <param name="scan">What was counted of it.</param>
    /// <param name="hasDecimalComma">Whether its numbers, if it holds any, have a decimal comma.</param>
    /// <param name="asked">What the user wants; null to choose.</param>
    /// <param name="positive">The value that counts as true; null to choose.</param>
    /// <param name="say">Receives the choice.</param>
    /// <exception cref="FormatException">The label does not allow what is asked for.</exception>
    public static LabelTask Of(string path, string name, ColumnScan scan, bool hasDecimalComma, TaskKind? asked, string? positive, Action<string> say)
    {
        bool areNumbers = scan.Others > 0 && (hasDecimalComma ? scan.Commas : scan.Points) == scan.Others;
        Dictionary<string, (long Row, long Count)> values = Count(scan, areNumbers, hasDecimalComma);
        if (values.Count == 0)
            throw new FormatException($"'{path}': the label, column '{name}', has no values.");
        bool areMany = !scan.HasAllValues || values.Count > MostClassesOfNumbers;
        string plural = values.Count == 1 ? "value" : "values";
        string count = areMany ? $"more than {MostClassesOfNumbers}" : $"{values.Count}";
        (TaskKind chosen, string why) = values.Count == 2 ? (TaskKind.Binary,
            $"has the two values {string.Join(" and ", Ordered(values, areNumbers))}")
            : !areNumbers ? (TaskKind.Multiclass, $"holds texts of {(scan.HasAllValues ? values.Count : count)} {plural}")
            : scan.HasFraction ? (TaskKind.Regression, "holds numbers with fractions")
            : areMany ? (TaskKind.Regression, $"holds whole numbers of {count} values")
            : (TaskKind.Multiclass, $"holds whole numbers of {count} {plural}");
        long numbers = hasDecimalComma ? scan.Commas : scan.Points;
        // Few texts among numbers are mistakes; many may be the names of classes.
        if (!areNumbers && asked != TaskKind.Multiclass && 2 * numbers > scan.Others
            && (values.Count > MostClassesOfNumbers || scan.Others - numbers <= ColumnDecision.Mistakes(scan.Others)))
            throw new FormatException($"'{path}': the label, column '{name}', holds numbers, but {scan.Others - numbers} of its "
                + $"{scan.Others} values are none: "
                + $"{ColumnDecision.Rows(scan, hasDecimalComma)}. Mend them; or leave these rows out with --missing "
                    + $"\"{FirstText(scan, hasDecimalComma)}\"; or give "
                + "--task multiclass to take every value for a class.");
        if (asked == null)
            say($"Task: {chosen.ToString().ToLowerInvariant()}, for the label, column '{name}', {why}. --task chooses another.");
        if (areNumbers && scan.NoNumbers > 0)
            say(string.Create(CultureInfo.InvariantCulture,
                $"Label '{name}': {scan.NoNumbers} values such as '{scan.Values.Keys.First(NumberText.IsMissing)}' "
                + $"among its numbers count as missing."));
        if (!areNumbers && ColumnDecision.Alike(scan) is { Length: > 0 } alike)
            say($"Label '{name}': {alike}, and are two classes.");
        TaskKind kind = asked ?? chosen;
        if (kind == TaskKind.Regression && !areNumbers)
            throw new FormatException($"'{path}': --task regression predicts a number, but column '{name}' holds texts: "
                + $"{ColumnDecision.Rows(scan, hasDecimalComma)}. Mend its values, or choose --task multiclass.");
        if (kind == TaskKind.Regression && LostDigits(name, scan.Lowest, scan.Highest) is { } lost)
            say(lost);
        LabelTask task = new(kind)
        {
            AreNumbers = areNumbers,
            HasDecimalComma = hasDecimalComma,
            NumberOfValues = scan.HasAllValues ? values.Count : null,
        };
        foreach (string note in LabelNotes.Of(name, scan, task, values))
            say(note);
        if (kind != TaskKind.Regression && areNumbers && OneClass(scan, hasDecimalComma) is { } same)
            say($"Label '{name}': {same} are one class, since they are one number.");
        if (kind != TaskKind.Binary)
        {
            if (positive != null)
                throw new FormatException($"--positive names one of the two values of a binary label, but the task is "
                    + $"{kind.ToString().ToLowerInvariant()}.");
            return task;
        }
        if (values.Count != 2)
            throw new FormatException($"'{path}': --task binary needs a label of two values, but column '{name}' has {count}. Choose "
                + "--task multiclass.");
        return Binary(task, name, values, positive, say);
    }

    /// <summary>
    /// A word about labels whose distances are lost in single precision, in which trainers read them; null where at least
    /// <see cref="LeastSteps"/> of its numbers lie between the lowest and the highest.
    /// </summary>
    private static string? LostDigits(string name, double lowest, double highest)
    {
        double largest = Math.Max(Math.Abs(lowest), Math.Abs(highest)), range = highest - lowest;
        if (largest > float.MaxValue)
            return string.Create(CultureInfo.InvariantCulture, $"Label '{name}': its values go from {lowest:G17} to {highest:G17}, which single ")
                + "precision, in which labels are learnt, cannot hold. Divide the column by a constant.";
        double step = MathF.BitIncrement((float)largest) - (double)(float)largest;
        return range == 0 || range >= LeastSteps * step ? null
            : string.Create(CultureInfo.InvariantCulture, $"Label '{name}': its values go from {lowest:G17} to {highest:G17}. ")
            + string.Create(CultureInfo.InvariantCulture, $"Labels are learnt in single precision, in which such numbers are {step:G6} apart: ")
            + string.Create(CultureInfo.InvariantCulture, $"values that are closer become one. Subtract a constant such as {lowest:G17} from the ")
            + "column, and add it to the predictions.";
    }

    private static LabelTask Binary(LabelTask task, string name, Dictionary<string, (long Row, long Count)> values, string? positive,
        Action<string> say)
    {
        if (positive != null && task.AreNumbers)
            positive = NumberText.ClassOf(positive, task.HasDecimalComma);
        string[] both = Ordered(values, task.AreNumbers);
        if (positive != null && !both.Contains(positive))
            throw new FormatException($"--positive must be one of the label's two values, {both[0]} and {both[1]}; found '{positive}'.");
        string[] affirmative = [.. both.Where(value => Affirmative.Contains(value.ToLowerInvariant()))];
        // A yes counts as true; else the rarer value, which is mostly what is looked for; of two equally frequent ones the later.
        (string chosen, string why) = positive != null ? (positive, "by --positive")
            : affirmative.Length == 1 ? (affirmative[0], "by its meaning")
            : values[both[0]].Count < values[both[1]].Count ? (both[0], "the rarer value")
            : values[both[0]].Count > values[both[1]].Count ? (both[1], "the rarer value") : (both[1], "the later of two equally frequent values");
        string other = both.Single(value => value != chosen);
        say($"Label '{name}': {chosen} counts as true, {other} as false ({why}). --positive chooses the other.");
        return task with { True = chosen, False = other };
    }

    private static string[] Ordered(Dictionary<string, (long, long)> values, bool areNumbers) => areNumbers
        ? [.. values.Keys.OrderBy(Size).ThenBy(value => value, StringComparer.Ordinal)] : [.. values.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The number that a class's name is: a long one is written as the table has it.</summary>
    private static double Size(string name) => double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value
        : double.PositiveInfinity;

    /// <summary>The classes: numbers in one way of writing, without what stands for none.</summary>
    private static Dictionary<string, (long Row, long Count)> Count(ColumnScan scan, bool areNumbers, bool hasDecimalComma)
    {
        Dictionary<string, (long Row, long Count)> values = new(StringComparer.Ordinal);
        foreach ((string text, (long row, long count)) in scan.Values)
        {
            if (areNumbers && NumberText.IsMissing(text))
                continue;
            string value = areNumbers ? NumberText.ClassOf(text, hasDecimalComma) : text;
            (long Row, long Count) before = values.GetValueOrDefault(value, (row, 0));
            values[value] = (Math.Min(before.Row, row), before.Count + count);
        }
        return values;
    }

    /// <summary>The first numbers that are written in several ways; null for none.</summary>
    private static string? OneClass(ColumnScan scan, bool hasDecimalComma)
    {
        IGrouping<string, KeyValuePair<string, (long Row, long Count)>>? same = scan.Values.Where(value => !NumberText.IsMissing(value.Key))
            .OrderBy(value => value.Value.Row).GroupBy(value => NumberText.ClassOf(value.Key, hasDecimalComma))
            .FirstOrDefault(group => group.Count() > 1);
        return same == null ? null : string.Join(" and ", same.Take(3).Select(value => string.Create(CultureInfo.InvariantCulture,
            $"'{value.Key}' (row {value.Value.Row})")));
    }

    private static string FirstText(ColumnScan scan, bool hasDecimalComma) =>
        scan.NeitherRows.Count > 0 ? scan.NeitherRows[0].Text : (hasDecimalComma ? scan.FirstNoComma : scan.FirstNoPoint)?.Text ?? "";
}
