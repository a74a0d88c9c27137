namespace FaMLNet.Cli.Naming;

/// <summary>Names of the columns of a table of predictions, each once: programs look for the prediction by its name.</summary>
internal static class OutputNames
{
    /// <summary>
    /// Names the columns. Predictions keep their names. A column kept, or a class, that has the name of an earlier prediction gets a suffix, which is
    /// said.
    /// </summary>
    /// <param name="kept">Columns of the table that pass through; they come first.</param>
    /// <param name="predictions">Columns such as PredictedLabel.</param>
    /// <param name="classes">A column per class, with its probability; none for other tasks.</param>
    /// <param name="say">Receives what was renamed.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> kept, IReadOnlyList<string> predictions, IReadOnlyList<string> classes,
        Action<string> say)
    {
        HashSet<string> reserved = new(predictions, StringComparer.Ordinal), taken = new(predictions.Concat(kept).Concat(classes),
            StringComparer.Ordinal);
        string[] ofClasses = [.. classes.Select(name => Free(name, reserved, "class"))];
        reserved.UnionWith(ofClasses);
        return [.. kept.Select(name => Free(name, reserved, "column")), .. predictions, .. ofClasses];

        string Free(string name, HashSet<string> others, string kind)
        {
            if (!others.Contains(name))
                return name;
            string other = $"{name} ({kind})";
            for (int number = 2; taken.Contains(other); number++)
                other = $"{name} ({kind} {number})";
            taken.Add(other);
            say(kind == "class" ? $"The class '{name}' has the name of a column of the predictions: its probabilities are in the column '{other}'."
                : $"--keep: the predictions have a column '{name}' of their own. The table's is written as '{other}'.");
            return other;
        }
    }
}
