using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Sets;

/// <summary>Test rows whose class has no training row.</summary>
/// <param name="Rows">How many rows; each counts as wrong.</param>
/// <param name="Classes">The classes, in order.</param>
internal sealed record UnseenClasses(int Rows, IReadOnlyList<string> Classes)
{
    public static UnseenClasses None { get; } = new(0, []);
}

/// <summary>Divides the rows of a table into rows to train on and rows to test on.</summary>
internal static class TableSplit
{
    /// <summary>
    /// Splits by class: each class gives its share of test rows and keeps at least one training row. A class with one row is trained on. Rows
    /// without a class go to the training rows, where the trainer reports them.
    /// </summary>
    /// <param name="classes">Each row's class; null where it is missing.</param>
    /// <param name="share">Share of the rows to test on, above 0 and below 1.</param>
    /// <param name="seed">Of the choice.</param>
    /// <returns>The rows' numbers, in rising order.</returns>
    public static (int[] Train, int[] Test) ByClass(IReadOnlyList<string?> classes, double share, int seed)
    {
        Random random = new(seed);
        int[][] groups = [.. Groups(classes)];
        random.Shuffle(groups);
        List<int> test = [];
        // What is left of one class's share goes to the next, so that the whole keeps its share with classes of two rows as well.
        double carried = 0;
        foreach (int[] rows in groups)
        {
            double wanted = rows.Length * share + carried;
            int taken = Math.Clamp((int)Math.Floor(wanted + 1e-9), 0, rows.Length - 1);
            carried = Math.Min(wanted - taken, 1);
            random.Shuffle(rows);
            test.AddRange(rows[..taken]);
        }
        return Parts(classes.Count, test);
    }

    /// <summary>Splits numbers: a share of the rows by chance, and at least one row on each side.</summary>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="share">Share of the rows to test on.</param>
    /// <param name="seed">Of the choice.</param>
    /// <returns>The rows' numbers, in rising order.</returns>
    public static (int[] Train, int[] Test) ByChance(int rows, double share, int seed)
    {
        int[] order = [.. Enumerable.Range(0, rows)];
        new Random(seed).Shuffle(order);
        return Parts(rows, order[..Math.Clamp((int)Math.Round(rows * share), Math.Min(1, rows), Math.Max(0, rows - 1))]);
    }

    /// <summary>Folds of a cross-validation; each class is spread over as many folds as it has rows.</summary>
    /// <param name="classes">Each row's class; null where it is missing, or for all rows of a regression.</param>
    /// <param name="folds">How many.</param>
    /// <param name="seed">Of the choice.</param>
    public static IReadOnlyList<(int[] Train, int[] Test)> Folds(IReadOnlyList<string?> classes, int folds, int seed)
    {
        Random random = new(seed);
        List<int>[] tests = [.. Enumerable.Range(0, folds).Select(_ => new List<int>())];
        int next = 0;
        foreach (int[] rows in Groups(classes).Append([.. Enumerable.Range(0, classes.Count).Where(row => classes[row] == null)]))
        {
            random.Shuffle(rows);
            foreach (int row in rows)
                tests[next++ % folds].Add(row);
        }
        return [.. tests.Select(test => Parts(classes.Count, test))];
    }

    /// <summary>A column of labels as texts; null where a value is missing.</summary>
    public static List<string?> Labels(IDataView view, string label)
    {
        List<string?> labels = [];
        DataViewSchema.Column column = view.Schema[label];
        using DataViewRowCursor cursor = view.GetRowCursor([column]);
        Func<string?> read = Reader(cursor, column);
        while (cursor.MoveNext())
            labels.Add(read());
        return labels;
    }

    /// <summary>Parts the test rows into those that can be measured on, and those of classes without a training row.</summary>
    /// <param name="training">The classes of the training rows.</param>
    /// <param name="labels">Each test row's class; null where it is missing.</param>
    /// <param name="rows">The test rows.</param>
    public static (int[] Rows, UnseenClasses Unseen, int Unlabelled) Measurable(IReadOnlySet<string> training, IReadOnlyList<string?> labels,
        IEnumerable<int> rows)
    {
        List<int> kept = [];
        SortedSet<string> classes = new(StringComparer.Ordinal);
        int unseen = 0, unlabelled = 0;
        foreach (int row in rows)
        {
            if (labels[row] is not { } text)
                unlabelled++;
            else if (training.Contains(text))
                kept.Add(row);
            else
            {
                unseen++;
                classes.Add(text);
            }
        }
        return ([.. kept], new UnseenClasses(unseen, [.. classes]), unlabelled);
    }

    private static IEnumerable<int[]> Groups(IReadOnlyList<string?> classes) => Enumerable.Range(0, classes.Count)
        .Where(row => classes[row] != null).GroupBy(row => classes[row], StringComparer.Ordinal)
        .OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.ToArray());

    private static (int[] Train, int[] Test) Parts(int rows, IReadOnlyList<int> test)
    {
        bool[] isTest = new bool[rows];
        foreach (int row in test)
            isTest[row] = true;
        return ([.. Enumerable.Range(0, rows).Where(row => !isTest[row])], [.. Enumerable.Range(0, rows).Where(row => isTest[row])]);
    }

    private static Func<string?> Reader(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        if (column.Type is TextDataViewType)
        {
            ValueGetter<ReadOnlyMemory<char>> text = cursor.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> value = default;
            return () =>
            {
                text(ref value);
                return value.IsEmpty ? null : value.ToString();
            };
        }
        if (column.Type is NumberDataViewType && column.Type.RawType == typeof(float))
        {
            ValueGetter<float> number = cursor.GetGetter<float>(column);
            float value = 0;
            return () =>
            {
                number(ref value);
                return float.IsNaN(value) ? null : value.ToString("R", CultureInfo.InvariantCulture);
            };
        }
        throw new InvalidOperationException($"The label '{column.Name}' is of type {column.Type}; expected texts or numbers.");
    }
}
