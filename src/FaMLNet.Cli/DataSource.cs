using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli;

/// <summary>What the tool reads: a table, or a folder of images in the files of MNIST or CIFAR-10.</summary>
/// <param name="View">The rows.</param>
/// <param name="Numbers">Columns of numbers, beside the label.</param>
/// <param name="Texts">Columns of anything else, beside the label.</param>
/// <param name="Label">The column of the classes: texts, or a key where the rows are images.</param>
/// <param name="IsImages">Whether the rows are images, in the column Features.</param>
internal sealed record DataSource(IDataView View, IReadOnlyList<string> Numbers, IReadOnlyList<string> Texts, string Label, bool IsImages)
{
    /// <summary>Columns of sentences, beside the label; none of them is among <see cref="Texts"/>.</summary>
    public IReadOnlyList<string> Prose { get; init; } = [];

    /// <summary>What there is to learn of the label.</summary>
    public LabelTask Task { get; init; } = LabelTask.Multiclass;

    /// <summary>The prefix of columns that only pass through.</summary>
    private const string Kept = "kept:";

    /// <summary>Data to train on: what the columns of a table are is told from its rows.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="path">A file of comma-, semicolon- or tab-separated values, or a folder.</param>
    /// <param name="label">The column to predict.</param>
    /// <param name="hasHeader">Whether the first line of a table names its columns.</param>
    /// <param name="say">Receives what is good to know.</param>
    /// <param name="task">What there is to learn of the label; null to tell it from a table's rows. Images have classes.</param>
    /// <param name="prose">Columns that hold sentences, whatever their rows look like; null for none.</param>
    /// <param name="format">How a table is laid out, as far as the user says it; its header counts, not that of another argument.</param>
    /// <param name="imageSize">The height and width to which image files are brought; null for the usual one.</param>
    /// <exception cref="FileNotFoundException">Nothing is there, or nothing that the tool reads.</exception>
    /// <exception cref="FormatException">The table cannot be read, has not the label's column, or not a label for the task.</exception>
    public static DataSource ForTraining(MLContext mlContext, string path, string label, bool hasHeader, Action<string> say,
        TaskKind? task = TaskKind.Multiclass, IReadOnlyList<string>? prose = null, TableFormat? format = null,
        int? imageSize = null)
    {
        if (Directory.Exists(path))
        {
            if (prose is { Count: > 0 })
                throw new FormatException($"--text names columns of a table; '{path}' is a folder of images.");
            return task is null or TaskKind.Multiclass ? OfImages(ImageSource.ForTraining(mlContext, path, say, imageSize))
                : throw new FormatException(
                $"'{path}' is a folder of images, which have classes: --task must be auto or multiclass.");
        }
        if (imageSize != null)
            throw new FormatException($"--image-size is for folders of image files; '{path}' is none.");
        TableFile file = TableFile.Open(path, format ?? new TableFormat(hasHeader));
        foreach (string note in file.Notes)
            say(note);
        if (file.Columns.Count == 0)
            throw new FormatException($"'{path}' is empty. Give a table with a header line and rows.");
        if (file.Columns.All(column => column.Name != label))
            throw LabelMissing(file, label, hasHeader);
        if (file.Columns.Count < 2)
            throw new FormatException(
                $"'{file.Path}' has the one column '{label}': there is nothing to learn from. If other columns are there, "
                + "name what separates them with --separator.");
        if (file.HasDecimalComma)
            say($"Numbers in '{path}' are read with a decimal comma.");
        // A class is a text, whatever it looks like.
        LabelTask chosen = task == TaskKind.Multiclass ? LabelTask.Multiclass
            : LabelTask.Of(file, file.Columns.Single(column => column.Name == label), task, say);
        prose ??= [];
        foreach (string name in prose)
        {
            if (name == label || file.Columns.All(column => column.Name != name))
                throw new FormatException($"--text names the column '{name}', which {(name == label ? "is the label" : $"'{path}' does not have")}. "
                    + $"Name one of {string.Join(", ", file.Columns.Select(column => column.Name).Where(other => other != label))}.");
        }
        TableColumn[] columns = [.. file.Columns
            .Select(column => prose.Contains(column.Name) ? column with { IsNumber = false, IsProse = true } : column)];
        TableColumn[] features = [.. columns.Where(column => column.Name != label)],
            sentences = [.. features.Where(column => !column.IsNumber && column.IsProse)];
        foreach (TableColumn column in sentences.Where(column => !prose.Contains(column.Name)))
            say($"Column '{column.Name}' holds sentences: words and runs of three characters are counted in them (FeaturizeText).");
        TableView view = new(file, [.. columns.Select(column => column.Name == label
            ? new ViewColumn(ColumnNames.InPipeline(label), column.Index, chosen.Kind == TaskKind.Regression, Values: chosen.Values, IsSingle: true)
            : new ViewColumn(ColumnNames.InPipeline(column.Name), column.Index, column.IsNumber))]);
        return new DataSource(view, Named(features.Where(column => column.IsNumber)),
            Named(features.Where(column => !column.IsNumber && !column.IsProse)), ColumnNames.InPipeline(label), IsImages: false)
        {
            Task = chosen,
            Prose = Named(sentences),
        };

        static string[] Named(IEnumerable<TableColumn> columns) => [.. columns.Select(column => ColumnNames.InPipeline(column.Name))];
    }

    /// <summary>
    /// Data for a saved model: the columns and their kinds are those that the model was trained on, in whatever order the table has them;
    /// further ones are ignored.
    /// </summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="path">A table or a folder, as for training.</param>
    /// <param name="model">The model.</param>
    /// <param name="labelIsNeeded">Whether a table without the label is refused; else its labels are missing.</param>
    /// <param name="hasHeader">Whether the first line of a table names its columns.</param>
    /// <param name="keep">Columns to pass through as they are, as <see cref="KeptAs"/> names them.</param>
    /// <param name="format">How a table is laid out, as far as the user says it.</param>
    /// <param name="say">Receives what is good to know; null for nobody.</param>
    /// <exception cref="FileNotFoundException">Nothing is there, or nothing that the tool reads.</exception>
    /// <exception cref="FormatException">The table cannot be read, or lacks a column.</exception>
    public static DataSource ForModel(MLContext mlContext, string path, SavedModel model, bool labelIsNeeded, bool hasHeader,
        IReadOnlyList<string> keep, TableFormat? format = null, Action<string>? say = null)
    {
        if (Directory.Exists(path))
        {
            // One prediction per image, in the order of their names: there, none may be left out.
            return keep.Count == 0
                ? OfImages(ImageSource.ForModel(mlContext, path, model.Schema, isStrict: !labelIsNeeded, Console.Error.WriteLine))
                : throw new FormatException("--keep copies columns of a table; images have none.");
        }
        TableFile file = TableFile.Open(path, format ?? new TableFormat(hasHeader));
        foreach (string note in file.Notes)
            say?.Invoke(note);
        bool isEmpty = file.Columns.Count == 0;
        Dictionary<string, TableColumn> columns = file.Columns.ToDictionary(column => column.Name);
        int Find(string name, bool isNeeded, string purpose) => columns.TryGetValue(name, out TableColumn? column) ? column.Index : isEmpty
            || !isNeeded ? -1
            : throw new FormatException(LooksLikeData(file, hasHeader) ? TableNames.NoHeader(path, columns.Keys)
            : $"'{path}' has no column '{name}', {purpose}. Its columns are {string.Join(", ", columns.Keys)}.");
        List<ViewColumn> wanted = [];
        foreach (DataViewSchema.Column column in model.Schema)
        {
            bool isSingle = column.Type == NumberDataViewType.Single, isNumber = isSingle || column.Type == NumberDataViewType.Double;
            if (!isNumber && column.Type is not TextDataViewType)
                throw new FormatException($"The model reads column '{column.Name}' of type {column.Type}, which a table cannot have. It was "
                    + $"trained on images, or by a program of its own: use it from there.");
            bool isLabel = column.Name == model.Label;
            wanted.Add(new ViewColumn(column.Name, Find(ColumnNames.InTable(column.Name), isNeeded: !isLabel || labelIsNeeded, isLabel ? "the label's"
                : "which the model was trained on"), isNumber, Values: isLabel && labelIsNeeded ? model.Task.Values : null,
                IsSingle: isSingle));
        }
        wanted.AddRange(keep.Select(name => new ViewColumn(KeptAs(name), Find(name, isNeeded: true, "which --keep names"), IsNumber: false,
            IsRaw: true)));
        return new DataSource(new TableView(file, wanted), [], [], model.Label, IsImages: false) { Task = model.Task };
    }

    /// <summary>Another table of the same columns and kinds, whatever they look like there.</summary>
    /// <exception cref="FormatException">It lacks a column.</exception>
    public IDataView Like(string path)
    {
        TableFile file = TableFile.Open(path, new TableFormat());
        Dictionary<string, TableColumn> columns = file.Columns.ToDictionary(column => column.Name);
        return new TableView(file, [.. View.Schema.Select(column => new ViewColumn(column.Name,
            columns.TryGetValue(ColumnNames.InTable(column.Name), out TableColumn? found) ? found.Index : throw new FormatException(
                $"'{path}' has no column '{ColumnNames.InTable(column.Name)}', which the training table has. Its columns are {string.Join(", ", columns.Keys)}."),
            column.Type is NumberDataViewType, IsSingle: column.Type == NumberDataViewType.Single))]);
    }

    /// <summary>The name of a column that only passes through.</summary>
    public static string KeptAs(string name) => Kept + name;

    private static DataSource OfImages(IDataView view) => new(view, [], [], "Label", IsImages: true);

    private static FormatException LabelMissing(TableFile file, string label, bool hasHeader)
    {
        IEnumerable<string> names = file.Columns.Select(column => column.Name);
        return new FormatException(LooksLikeData(file, hasHeader) ? $"{TableNames.NoHeader(file.Path, names)} Name the one to predict with --label."
            : $"'{file.Path}' has no column '{label}'. Its columns are {string.Join(", ", names)}; name the one to predict with --label.");
    }

    private static bool LooksLikeData(TableFile file, bool hasHeader) =>
        hasHeader && file.Columns.Any(column => TableFile.IsMissing(column.Name) || TableNames.IsValue(column.Name));
}
