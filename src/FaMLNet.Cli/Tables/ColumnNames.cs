namespace FaMLNet.Cli.Tables;

/// <summary>
/// Names of a table's columns inside the pipeline. A column whose name the pipeline or a trainer uses for an output of its own, such as
/// <c>Score</c>, would be hidden by that output. It has a suffix inside the pipeline.
/// </summary>
internal static class ColumnNames
{
    /// <summary>All features of a row: what the trainer reads.</summary>
    public const string Features = "Features";

    /// <summary>The scaled numbers of a row.</summary>
    public const string Numbers = "Numbers";

    /// <summary>The encoded categories of a row.</summary>
    public const string Categories = "Categories";

    /// <summary>What names begin with of vectors of many numbers (<see cref="WideNumbers"/>).</summary>
    public const string Vector = "numbers:";

    /// <summary>All labels of a row, where there are several.</summary>
    public const string Labels = "Labels";

    /// <summary>What names of columns begin with that only pass through.</summary>
    private const string Kept = "kept:";

    private const string Suffix = " (column)";

    private static readonly string[] Taken = [Features, Numbers, Categories, Labels, "Score", "Probability", "PredictedLabel"];

    /// <summary>The name inside the pipeline. Different names stay different.</summary>
    /// <param name="name">The name in the table.</param>
    public static string InPipeline(string name) =>
        Taken.Contains(name) || name.StartsWith(Kept, StringComparison.Ordinal) || name.StartsWith(Vector, StringComparison.Ordinal)
            || name.EndsWith(Suffix, StringComparison.Ordinal) ? name + Suffix
            : name;

    /// <summary>The name of a column that only passes through.</summary>
    public static string KeptAs(string name) => Kept + name;

    /// <summary>The name in the table.</summary>
    /// <param name="name">The name inside the pipeline.</param>
    public static string InTable(string name) => name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name;
}
