using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Pipelines;

/// <summary>A table to train on: its columns and its task are told from its rows, as far as the user does not say them.</summary>
internal static class TrainingTable
{
    /// <summary>Opens a table.</summary>
    /// <param name="file">The table.</param>
    /// <param name="label">The column to predict; of several, their names separated by commas.</param>
    /// <param name="asked">The task; null to tell it from the label.</param>
    /// <param name="choices">What the user says of the columns.</param>
    /// <param name="hasHeader">Whether the first line names the columns.</param>
    /// <param name="say">Receives what is assumed and left out.</param>
    /// <param name="takesSeveral">Whether there may be several labels.</param>
    /// <exception cref="FormatException">There is no such label, nothing to learn from, or not a label for the task.</exception>
    public static DataSource Open(TableFile file, string label, TaskKind? asked, TableChoices choices, bool hasHeader, Action<string> say,
        bool takesSeveral = false)
    {
        foreach (string note in file.Notes)
            say(note);
        if (file.Names.Count == 0)
            throw new FormatException($"'{file.Path}' is empty. Give a table with a header line and rows.");
        string[] labels = takesSeveral ? [.. TableChoices.Split([label], file.Names).Distinct()] : [label];
        foreach (string name in labels.Length == 0 ? [label] : labels)
        {
            if (!file.Names.Contains(name))
                throw LabelMissing(file, name, hasHeader);
        }
        if (file.Names.Count < 2)
            throw new FormatException($"'{file.Path}' has the one column '{label}': there is nothing to learn from. If other columns are there, "
                + $"name what "
                + "separates them with --separator.");
        if (file.Rows == 0)
            throw new FormatException($"'{file.Path}' has a header and no rows: there is nothing to learn from.");
        foreach (string name in labels)
            choices.Check(file.Path, file.Names, name);
        TableColumns decided = TableColumns.Decide(file, choices);
        foreach (string note in decided.Notes)
            say(note);
        bool fileHasComma = decided.Columns.Any(column => column.HasDecimalComma)
            && !decided.Columns.Any(column => column.IsNumber && !column.HasDecimalComma);
        (string Name, ColumnScan Scan, bool HasComma)[] scans = [.. labels.Select(name => (Name: name,
            Scan: decided.Scans[decided.Columns.Single(column => column.Name == name).Index])).Select(found => (found.Name, found.Scan,
            choices.HasDecimalComma ?? HasComma(decided.Columns.Single(column => column.Name == found.Name), found.Scan)))];
        bool HasComma(TableColumn column, ColumnScan scan) => column.IsNumber ? column.HasDecimalComma
            : ColumnDecision.HasDecimalComma(scan, fileHasComma);
        LabelTask task = scans is [var only] ? LabelTask.Of(file.Path, only.Name, only.Scan, only.HasComma, asked, choices.Positive, say)
            : SeveralLabels.Of(file.Path, scans, asked, choices.Positive, say);
        Dictionary<string, LabelTask> tasks = task.HasSeveral ? task.Parts.ToDictionary(part => part.Column, part => part.Task)
            : new() { [labels[0]] = task };
        foreach ((string name, ColumnScan scan, _) in scans)
        {
            if (LabelNotes.WithoutLabel(name, scan, tasks[name], task.HasSeveral) is { } note)
                say(note);
        }
        TableColumn[] features = [.. decided.Columns.Where(column => !tasks.ContainsKey(column.Name))];
        if (features.All(column => column.Kind is ColumnKind.LeftOut or ColumnKind.Identifier))
            throw new FormatException($"'{file.Path}': no column is left to learn from. {string.Join(" ", features.Take(5).Select(column =>
                $"Column '{column.Name}' is left out: {column.Remark}."))} --number, --category or --text takes a column in.");
        List<ViewColumn> columns = [];
        Dictionary<ColumnKind, List<string>> names = Enum.GetValues<ColumnKind>().ToDictionary(kind => kind, _ => new List<string>());
        foreach (TableColumn column in decided.Columns)
        {
            if (tasks.TryGetValue(column.Name, out LabelTask? own))
                columns.Add(LabelOf(column, own, choices, isOneOfSeveral: task.HasSeveral));
            else if (column.Kind == ColumnKind.Date)
                AddDate(column, decided, choices, columns, names[ColumnKind.Number]);
            else if (column.Kind is ColumnKind.Number or ColumnKind.Category or ColumnKind.Text)
            {
                string name = ColumnNames.InPipeline(column.Name);
                columns.Add(new ViewColumn(name, column.Index, Reading(column, decided.Scans[column.Index], choices)));
                names[column.Kind].Add(name);
            }
        }
        List<string> numbers = names[ColumnKind.Number];
        if (numbers.Count >= WideNumbers.LeastColumns)
            WideNumbers.Gather(columns, numbers, NumberScaling.FarOff(new TableView(file, columns, decided.LeftOut), numbers));
        foreach (string name in tasks.Where(own => own.Value.Kind == TaskKind.Regression).Select(own => own.Key))
        {
            if (NumberScaling.FarOffValue(new TableView(file, columns, decided.LeftOut), ColumnNames.InPipeline(name)) is { } far)
                say(FormattableString.Invariant($"Label '{name}': {far:G15} lies far outside the other values. It is learnt as it is, and outweighs ")
                    + "them. Mend it, or leave its row out.");
        }
        return new DataSource(new TableView(file, columns, decided.LeftOut), numbers, names[ColumnKind.Category],
            task.HasSeveral ? ColumnNames.Labels : ColumnNames.InPipeline(labels[0]), IsImages: false)
        {
            Task = task,
            Prose = names[ColumnKind.Text],
            Columns = [.. decided.Columns.Select(column => tasks.TryGetValue(column.Name, out LabelTask? own)
                ? column with
                {
                    Remark = ColumnTable.Label,
                    Values = own.NumberOfValues,
                    Missing = LabelNotes.MissingIn(decided.Scans[column.Index], own),
                } : column)],
            Rows = file.Rows - decided.LeftOut.Count,
        };
    }

    private static ColumnReading Reading(TableColumn column, ColumnScan scan, TableChoices choices) => new()
    {
        Column = column.Name,
        IsNumber = column.IsNumber,
        HasDecimalComma = column.HasDecimalComma,
        Unit = column.IsNumber ? scan.Unit : null,
        Known = column.Kind == ColumnKind.Category && scan.HasAllValues ? [.. scan.Values.Keys] : null,
        Missing = choices.Missing,
    };

    private static ViewColumn LabelOf(TableColumn column, LabelTask task, TableChoices choices, bool isOneOfSeveral) => new(
        ColumnNames.InPipeline(column.Name), column.Index,
        new ColumnReading
        {
            Column = column.Name,
            IsNumber = task.Kind == TaskKind.Regression,
            IsSingle = task.Kind == TaskKind.Regression,
            IsNumericClass = task.Kind != TaskKind.Regression && task.AreNumbers,
            HasDecimalComma = task.HasDecimalComma,
            // False and true: a model of several labels has no other place for what they are called.
            Known = isOneOfSeveral ? task.Values : null,
            // Among numbers NA is no class.
            Missing = task.AreNumbers ? [.. choices.Missing, .. NumberText.MissingWords] : choices.Missing,
        }, task.Values?.ToHashSet());

    /// <summary>The numbers that a date becomes, each a column of the view.</summary>
    private static void AddDate(TableColumn column, TableColumns all, TableChoices choices, List<ViewColumn> columns,
        List<string> numbers)
    {
        foreach (string part in DateText.Parts)
        {
            string name = $"{column.Name}: {part}";
            while (all.Columns.Any(other => other.Name == name))
                name += "_";
            name = ColumnNames.InPipeline(name);
            columns.Add(new ViewColumn(name, column.Index, Reading(column, all.Scans[column.Index], choices) with
            {
                IsNumber = true,
                DateOrder = column.DateOrder,
                DatePart = part
            }));
            numbers.Add(name);
        }
    }

    private static FormatException LabelMissing(TableFile file, string label, bool hasHeader) => new(hasHeader && file.Names.Any(TableNames.IsValue)
        ? $"{TableNames.NoHeader(file.Path, file.Names)} Name the one to predict with --label."
        : $"'{file.Path}' has no column '{label}'.{TitleLines.Describe(file, label)}{Arguments.Nearest(label, file.Names)} Its columns are "
            + $"{TableChoices.Shown(file.Names)}; name the "
            + $"one to "
            + "predict with --label.");
}
