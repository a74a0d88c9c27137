using FaMLNet.Cli.Images;
using FaMLNet.Cli.Tables;
using Microsoft.ML;

namespace FaMLNet.Cli.Pipelines;

/// <summary>What the tool reads: a table, or images: a folder, or a zip archive.</summary>
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

    /// <summary>The columns of the table, and what they were taken for; none of images.</summary>
    public IReadOnlyList<TableColumn> Columns { get; init; } = [];

    /// <summary>The rows of the table; 0 of images.</summary>
    public long Rows { get; init; }

    /// <summary>The file of each image, in the order of the rows; none of tables, or where images have no files of their own.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Labels of the table that the model does not know.</summary>
    public UnknownLabels Unknown { get; init; } = new();

    /// <summary>Data to train on: what the columns of a table are is told from its rows.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="path">A file of separated values, a pipe, <c>-</c> for standard input, or a folder or zip archive of images.</param>
    /// <param name="label">The column to predict.</param>
    /// <param name="hasHeader">Whether the first line of a table names its columns.</param>
    /// <param name="say">Receives what is good to know.</param>
    /// <param name="task">What there is to learn of the label; null to tell it from a table's rows. Images have classes.</param>
    /// <param name="choices">What the user says of a table's columns; null for nothing.</param>
    /// <param name="format">How a table is laid out, as far as the user says it; its header counts, not that of another argument.</param>
    /// <param name="imageSize">The height and width to which image files are brought; null for the usual one.</param>
    /// <param name="takesSeveral">Whether <paramref name="label"/> may name several columns, separated by commas.</param>
    /// <exception cref="FileNotFoundException">Nothing is there, or nothing that the tool reads.</exception>
    /// <exception cref="FormatException">The table cannot be read, has not the label's column, or not a label for the task.</exception>
    public static DataSource ForTraining(MLContext mlContext, string path, string label, bool hasHeader, Action<string> say,
        TaskKind? task = TaskKind.Multiclass, TableChoices? choices = null, TableFormat? format = null, int? imageSize = null,
        bool takesSeveral = false)
    {
        choices ??= new TableChoices();
        format ??= new TableFormat(hasHeader);
        if (IsOfImages(path))
        {
            if (!choices.IsEmpty)
                throw new FormatException("--number, --category, --text, --ignore, --missing, --positive and --decimal are for tables; "
                    + $"'{path}' has images.");
            return task is null or TaskKind.Multiclass ? OfImages(ImageSource.ForTraining(mlContext, path, say, imageSize), [])
                : throw new FormatException($"'{path}' has images, which have classes: --task must be auto or multiclass.");
        }
        return imageSize == null ? TrainingTable.Open(TableFile.Open(path, format), label, task, choices, format.HasHeader, say,
                takesSeveral)
            : throw new FormatException($"--image-size is for image files; '{path}' is a table.");
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
    /// <param name="keep">Columns to pass through as they are, as <see cref="ColumnNames.KeptAs"/> names them.</param>
    /// <param name="format">How a table is laid out, as far as the user says it.</param>
    /// <param name="say">Receives what is good to know; null for nobody.</param>
    /// <exception cref="FileNotFoundException">Nothing is there, or nothing that the tool reads.</exception>
    /// <exception cref="FormatException">The table cannot be read, or lacks a column.</exception>
    public static DataSource ForModel(MLContext mlContext, string path, SavedModel model, bool labelIsNeeded, bool hasHeader,
        IReadOnlyList<string> keep, TableFormat? format = null, Action<string>? say = null)
    {
        if (IsOfImages(path))
        {
            // One prediction per image, in the order of their names: there, none may be left out.
            if (keep.Count > 0)
                throw new FormatException("--keep copies columns of a table; images have none.");
            (IDataView images, IReadOnlyList<string> files) = ImageSource.ForModel(mlContext, path, model.Schema, isStrict: !labelIsNeeded,
                Console.Error.WriteLine);
            return OfImages(images, files);
        }
        format ??= new TableFormat(hasHeader);
        (TableView view, UnknownLabels unknown) = ModelTable.Open(TableFile.Open(path, format), model.Schema, model.Label,
            labelIsNeeded ? model.Classes : null, labelIsNeeded, keep, format.HasHeader, say ?? (_ => { }), model.Task.Parts);
        return new DataSource(view, [], [], model.Label, IsImages: false) { Task = model.Task, Unknown = unknown };
    }

    /// <summary>Another table of the same columns and kinds, whatever they look like there.</summary>
    /// <param name="path">The table.</param>
    /// <param name="format">How it is laid out, as far as the user says it.</param>
    /// <param name="say">Receives what is good to know.</param>
    /// <exception cref="FormatException">It lacks a column.</exception>
    public IDataView Like(string path, TableFormat format, Action<string> say) => ModelTable.Open(TableFile.Open(path, format), View.Schema, Label,
        labels: null, labelIsNeeded: true, keep: [], format.HasHeader, say).View;

    /// <summary>Whether the data is images: a folder, or an archive of image files.</summary>
    /// <exception cref="FormatException">It is an archive that is not read.</exception>
    private static bool IsOfImages(string path)
    {
        if (Directory.Exists(path) || Archives.IsZipOfImages(path))
            return true;
        Archives.RefuseOthers(path);
        return false;
    }

    private static DataSource OfImages(IDataView view, IReadOnlyList<string> files) =>
        new(view, [], [], "Label", IsImages: true) { Files = files };
}
