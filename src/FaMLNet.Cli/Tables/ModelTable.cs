using System.Globalization;
using FaMLNet.Cli.Naming;
using Microsoft.ML;

namespace FaMLNet.Cli.Tables;

/// <summary>Labels of a table that a model does not know.</summary>
internal sealed class UnknownLabels
{
    private const int MostCompared = 10_000;

    private readonly HashSet<string> _values = new(StringComparer.Ordinal);
    private readonly List<(long Row, string Value)> _first = [];

    /// <summary>Rows with a label that the model does not know.</summary>
    public long Count { get; private set; }

    /// <summary>Rows without a label.</summary>
    public long Missing { get; private set; }

    /// <summary>The number of different unknown labels.</summary>
    public int Values => _values.Count;

    public void Add(long row, string value)
    {
        Count++;
        _values.Add(value);
        if (_first.Count < 5)
            _first.Add((row, value));
    }

    public void AddMissing() => Missing++;

    /// <summary>What to say of them, a sentence each.</summary>
    /// <param name="classes">The labels that the model knows; null where it has none.</param>
    /// <param name="consequence">What becomes of the rows.</param>
    public IEnumerable<string> Describe(IReadOnlyList<string>? classes, string consequence)
    {
        string known = classes == null ? "" : TableChoices.Shown(classes);
        if (Count > 0)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{Count} {(Count == 1 ? "row has a label" : "rows have labels")} that the model does not know ")
                + $"({string.Join(", ", _first.Select(first => $"row {first.Row}: '{first.Value}'"))}{(Count > _first.Count ? ", …" : "")}); it "
                    + $"knows {known}. {consequence}";
        if (AlikeTexts.Describe(_values.Take(MostCompared), classes ?? [], "class") is { Length: > 0 } alike)
            yield return alike;
        if (Missing > 0)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{Missing} {(Missing == 1 ? "row has" : "rows have")} no label and {(Missing == 1 ? "is" : "are")} left out.");
    }
}

/// <summary>A table for a model: read as the table that it was trained on, in whatever order its columns stand.</summary>
internal static class ModelTable
{
    /// <summary>Opens a table.</summary>
    /// <param name="file">The table.</param>
    /// <param name="schema">The columns that the model was trained on.</param>
    /// <param name="label">The label's column there.</param>
    /// <param name="labels">The labels that the model knows, where they are needed; rows with others are left out. Null for any.</param>
    /// <param name="labelIsNeeded">Whether a table without the label is refused; else its labels are missing.</param>
    /// <param name="keep">Columns to pass through as they are.</param>
    /// <param name="hasHeader">Whether the first line names the columns.</param>
    /// <param name="say">Receives what is assumed and left out.</param>
    /// <param name="parts">The labels of a model of several; null or none for one.</param>
    /// <returns>The rows, and the labels that are not known.</returns>
    /// <exception cref="FormatException">A column is not there, or holds no numbers where the training's did.</exception>
    public static (TableView View, UnknownLabels Unknown) Open(TableFile file, DataViewSchema schema, string label,
        IReadOnlyCollection<string>? labels,
        bool labelIsNeeded, IReadOnlyList<string> keep, bool hasHeader, Action<string> say, IReadOnlyList<LabelPart>? parts = null)
    {
        foreach (string note in file.Notes)
            say(note);
        if (file.Names.Count == 0)
            throw new FormatException($"'{file.Path}' is empty. Give a table with a header line and rows.");
        Dictionary<string, int> places = [];
        for (int i = file.Names.Count - 1; i >= 0; i--)
            places[file.Names[i]] = i;
        int Find(string name, bool isNeeded, string purpose)
        {
            if (places.TryGetValue(name, out int place))
                return place;
            return !isNeeded ? -1 : throw new FormatException(hasHeader && file.Names.Any(TableNames.IsValue)
                ? TableNames.NoHeader(file.Path, file.Names)
                : $"'{file.Path}' has no column '{name}', {purpose}.{TitleLines.Describe(file, name)}{Arguments.Nearest(name, file.Names)} Its "
                    + $"columns are "
                    + $"{TableChoices.Shown(file.Names)}.");
        }
        List<ViewColumn> columns = [];
        List<(string Name, int First, int Count)> vectors = [];
        foreach (DataViewSchema.Column column in schema)
        {
            if (WideNumbers.Of(column) is { } wide)
            {
                vectors.Add((column.Name, columns.Count, wide.Count));
                columns.AddRange(wide.Select(part => new ViewColumn(part.Name, Find(part.Reading.Column, true, "which the model was trained on"),
                    part.Reading)));
                continue;
            }
            ColumnReading reading = ColumnReading.Of(column);
            LabelPart? part = parts?.FirstOrDefault(part => part.Name == column.Name);
            bool isLabel = column.Name == label || part != null;
            if (isLabel && labels != null && !reading.IsNumber)
                reading = reading with { IsNumericClass = reading.IsNumericClass || labels.All(IsCanonical) };
            columns.Add(new ViewColumn(column.Name, Find(reading.Column, !isLabel || labelIsNeeded,
                isLabel ? "the label's" : "which the model was trained on"), reading, part == null ? isLabel ? labels?.ToHashSet() : null
                : labelIsNeeded ? part.Task.Values?.ToHashSet() : null));
        }
        if (file.Rows == 0)
            throw new FormatException($"'{file.Path}' has a header and no rows. Give a table with rows.");
        ViewColumn[] kept = [.. keep.Select(name => new ViewColumn(ColumnNames.KeptAs(name), Find(name, isNeeded: true, "which --keep names"),
            new ColumnReading { Column = name, IsRaw = true }))];
        UnknownLabels unknown = new();
        HashSet<long> leftOut = [];
        Look(file, columns, parts is { Count: > 0 } ? [.. parts.Select(part => part.Name)] : [label], labelIsNeeded, unknown, leftOut, say);
        // From the last, so that places of the others stay.
        foreach ((string name, int first, int count) in Enumerable.Reverse(vectors))
        {
            ViewColumn vector = WideNumbers.Vector(name, columns.GetRange(first, count));
            columns.RemoveRange(first, count);
            columns.Insert(first, vector);
        }
        columns.AddRange(kept);
        return (new TableView(file, columns, leftOut), unknown);
    }

    /// <summary>Looks at every row: which labels are unknown, how numbers are written here, and what is none.</summary>
    private static void Look(TableFile file, List<ViewColumn> columns, string[] labels, bool labelIsNeeded, UnknownLabels unknown,
        HashSet<long> leftOut, Action<string> say)
    {
        int[] numbers = [.. Enumerable.Range(0, columns.Count).Where(i => columns[i].Reading is { IsNumber: true, DateOrder: null }
            && columns[i].Source >= 0)],
            dates = [.. Enumerable.Range(0, columns.Count).Where(i => columns[i].Reading is { DatePart: "year" } && columns[i].Source >= 0)];
        ColumnScan[] scans = [.. numbers.Select(i => new ColumnScan(1, columns[i].Reading.Missing))];
        (long Count, long Rows, long First, string Text)[] noDates = new (long, long, long, string)[dates.Length];
        NewCategories[] categories = [.. columns.Where(column => column is { Source: >= 0, Reading.Known: not null } && !labels.Contains(column.Name))
            .Select(column => new NewCategories(column))];
        ViewColumn[] labelColumns = [.. columns.Where(column => labels.Contains(column.Name) && column is { Source: >= 0, Values: not null })];
        bool IsKnown(int source, string word) => columns.Any(column => column.Source == source
            && (column.Reading.Known?.Contains(word) == true || column.Values?.Contains(word) == true));
        double? SumOf(int source, bool hasComma) => Array.FindIndex(numbers, i => columns[i].Source == source) is var place and >= 0
            ? scans[place].Sum(hasComma) : null;
        TotalRows totals = new(file, Add, leavesOut: labelIsNeeded, IsKnown, SumOf);
        using (TableReader reader = file.Read())
        {
            while (reader.Read())
            {
                if (TableColumns.IsHeader(reader, file.Names))
                {
                    leftOut.Add(reader.Row);
                    continue;
                }
                string[] row = totals.NewRow();
                for (int i = 0; i < row.Length; i++)
                    row[i] = reader.Text(i);
                totals.Next(row, reader.Row);
            }
        }
        HashSet<long> headers = [.. leftOut];
        totals.End(say);
        leftOut.UnionWith(totals.LeftOut);
        foreach (NewCategories found in categories)
            found.Describe(file.Path, say);

        void Add(string[] cells, long row)
        {
            for (int i = 0; i < numbers.Length; i++)
                scans[i].Look(cells[columns[numbers[i]].Source], row);
            for (int i = 0; i < dates.Length; i++)
            {
                string text = cells[columns[dates[i]].Source];
                noDates[i].Rows++;
                if (!columns[dates[i]].Reading.TryReadNumber(text, out _) && noDates[i].Count++ == 0)
                    (noDates[i].First, noDates[i].Text) = (row, text);
            }
            foreach (NewCategories found in categories)
                found.Look(cells, row);
            if (labelColumns.Any(column => column.Reading.ReadText(cells[column.Source]).Length == 0))
            {
                unknown.AddMissing();
                return;
            }
            foreach (ViewColumn column in labelColumns)
            {
                string value = column.Reading.ReadText(cells[column.Source]);
                if (column.Values!.Contains(value))
                    continue;
                if (labels.Length > 1)
                    throw new FormatException($"'{file.Path}', row {row}, column '{column.Reading.Column}': the model knows the labels "
                        + $"{string.Join(" and ", column.Values)}; found '{value}'. Mend the value, or leave it empty to leave the row out.");
                unknown.Add(row, value);
            }
        }

        if (headers.Count > 0)
            say($"'{file.Path}': {headers.Count} {(headers.Count == 1 ? "row repeats the header and is" : "rows repeat the header and are")} left "
                + $"out "
                + $"(the first is row {headers.Min()}).");
        bool? fileHasComma = file.HasDecimalComma ?? (scans.Any(scan => scan.Commas > scan.Points)
            ? !scans.Any(scan => scan.Points > scan.Commas && scan.HasFraction)
            : scans.Any(scan => scan.Points > scan.Commas) ? false : null);
        List<(string, ColumnScan, bool)> twoReadings = [];
        for (int i = 0; i < numbers.Length; i++)
        {
            ViewColumn column = columns[numbers[i]];
            bool hasComma = file.HasDecimalComma
                ?? ColumnDecision.HasDecimalComma(scans[i], fileHasComma ?? column.Reading.HasDecimalComma);
            if (fileHasComma == null && scans[i].HasTwoReadings)
                twoReadings.Add((column.Reading.Column, scans[i], hasComma));
            columns[numbers[i]] = column with { Reading = column.Reading with { HasDecimalComma = hasComma } };
            SayUnit(file.Path, column.Reading, scans[i], say);
            long mistakes = scans[i].Others - (hasComma ? scans[i].Commas : scans[i].Points);
            if (mistakes == 0)
                continue;
            (long row, string text) = (hasComma ? scans[i].FirstNoComma : scans[i].FirstNoPoint)!.Value;
            Weigh(file.Path, column.Reading.Column, "number", mistakes, scans[i].Others, row, text, say);
        }
        if (TwoReadings.Describe(file.Path, twoReadings, ", as when the model was trained") is { } note)
            say(note);
        for (int i = 0; i < dates.Length; i++)
        {
            if (noDates[i].Count > 0)
                Weigh(file.Path, columns[dates[i]].Reading.Column, $"date ({columns[dates[i]].Reading.DateOrder})", noDates[i].Count, noDates[i].Rows,
                    noDates[i].First, noDates[i].Text, say);
        }
    }

    /// <summary>Says where numbers have a per cent sign or a currency that those of the training had not, or the other way round.</summary>
    private static void SayUnit(string path, ColumnReading trained, ColumnScan scan, Action<string> say)
    {
        if (trained.Unit is not { } before || scan.Others == scan.Neither || scan.Unit == before)
            return;
        if (scan.Unit is not { } now)
            say($"'{path}', column '{trained.Column}': its per cent signs or currencies are mixed. Only the numbers are read.");
        else if (before == "%" || now == "%" || before.Length > 0 && now.Length > 0)
            say($"'{path}', column '{trained.Column}': its numbers have {Named(now)}; when the model was trained they had {Named(before)}. "
                + "Only the numbers are read: 5 % is 5, and 0.05 is 0.05.");

        static string Named(string unit) => unit.Length == 0 ? "no per cent sign" : $"'{unit}'";
    }

    /// <summary>A few values that are wrong are missing, and said; many are an error.</summary>
    private static void Weigh(string path, string column, string kind, long mistakes, long rows, long row, string text, Action<string> say)
    {
        string what = $"'{path}', row {row}, column '{column}': a {kind} is expected, found '{text}'";
        if (mistakes > ColumnDecision.Mistakes(rows))
            throw new FormatException($"{what}{(mistakes > 1 ? $", and {mistakes - 1} more such values" : "")}. The model was trained on "
                + $"{kind.Split(' ')[0]}s there. "
                + "Mend the value, or leave it empty if it is not known.");
        say($"{what}{(mistakes > 1 ? $", and {mistakes - 1} more such values" : "")}. It is taken for missing.");
    }

    private static bool IsCanonical(string text) => NumberText.TryParse(text, hasDecimalComma: false, out double value)
        && NumberText.Canonical(value) == text;
}
