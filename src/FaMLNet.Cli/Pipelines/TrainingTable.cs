using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Pipelines;

/// <summary>A table to train on: its columns and its task are told from its rows, as far as the user does not say them.</summary>
internal static class TrainingTable
{
    /// <summary>Opens a table.</summary>
    /// <param name="file">The table.</param>
    /// <param name="label">The column to predict.</param>
    /// <param name="asked">The task; null to tell it from the label.</param>
    /// <param name="choices">What the user says of the columns.</param>
    /// <param name="hasHeader">Whether the first line names the columns.</param>
    /// <param name="say">Receives what is assumed and left out.</param>
    /// <exception cref="FormatException">There is no such label, nothing to learn from, or not a label for the task.</exception>
    public static DataSource Open(TableFile file, string label, TaskKind? asked, TableChoices choices, bool hasHeader, Action<string> say)
    {
        foreach (string note in file.Notes)
            say(note);
        if (file.Names.Count == 0)
            throw new FormatException($"'{file.Path}' is empty. Give a table with a header line and rows.");
        if (!file.Names.Contains(label))
            throw LabelMissing(file, label, hasHeader);
        if (file.Names.Count < 2)
            throw new FormatException($"'{file.Path}' has the one column '{label}': there is nothing to learn from. If other columns are there, "
                + $"name what "
                + "separates them with --separator.");
        if (file.Rows == 0)
            throw new FormatException($"'{file.Path}' has a header and no rows: there is nothing to learn from.");
        choices.Check(file.Path, file.Names, label);
        TableColumns decided = TableColumns.Decide(file, choices);
        foreach (string note in decided.Notes)
            say(note);
        TableColumn labelColumn = decided.Columns.Single(column => column.Name == label);
        ColumnScan labelScan = decided.Scans[labelColumn.Index];
        bool hasComma = choices.HasDecimalComma ?? ColumnDecision.HasDecimalComma(labelScan,
            decided.Columns.Any(column => column.HasDecimalComma) && !decided.Columns.Any(column => column.IsNumber && !column.HasDecimalComma));
        LabelTask task = LabelTask.Of(file.Path, label, labelScan, hasComma, asked, choices.Positive, say);
        TableColumn[] features = [.. decided.Columns.Where(column => column != labelColumn)];
        if (features.All(column => column.Kind is ColumnKind.LeftOut or ColumnKind.Identifier))
            throw new FormatException($"'{file.Path}': no column is left to learn from. {string.Join(" ", features.Take(5).Select(column =>
                $"Column '{column.Name}' is left out: {column.Remark}."))} --number, --category or --text takes a column in.");
        List<ViewColumn> columns = [];
        Dictionary<ColumnKind, List<string>> names = Enum.GetValues<ColumnKind>().ToDictionary(kind => kind, _ => new List<string>());
        foreach (TableColumn column in decided.Columns)
        {
            if (column == labelColumn)
                columns.Add(LabelOf(column, task, choices));
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
        return new DataSource(new TableView(file, columns, decided.LeftOut), numbers, names[ColumnKind.Category],
            ColumnNames.InPipeline(label), IsImages: false)
        {
            Task = task,
            Prose = names[ColumnKind.Text],
            Columns = [.. decided.Columns.Select(column => column == labelColumn
                ? column with { Remark = ColumnTable.Label, Values = task.NumberOfValues } : column)],
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

    private static ViewColumn LabelOf(TableColumn column, LabelTask task, TableChoices choices) => new(ColumnNames.InPipeline(column.Name),
        column.Index,
        new ColumnReading
        {
            Column = column.Name,
            IsNumber = task.Kind == TaskKind.Regression,
            IsSingle = task.Kind == TaskKind.Regression,
            IsNumericClass = task.Kind != TaskKind.Regression && task.AreNumbers,
            HasDecimalComma = task.HasDecimalComma,
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
        : $"'{file.Path}' has no column '{label}'.{Arguments.Nearest(label, file.Names)} Its columns are {TableChoices.Shown(file.Names)}; name the "
            + $"one to "
            + "predict with --label.");
}
