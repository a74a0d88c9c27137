using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Sylvan.Data.Csv;

namespace FaMLNet.Cli;

/// <summary>What the tool reads: a table with a header line, or a folder of images in the files of MNIST or CIFAR-10.</summary>
/// <param name="View">The rows.</param>
/// <param name="Numbers">Columns of numbers, beside the label.</param>
/// <param name="Texts">Columns of anything else, beside the label.</param>
/// <param name="Label">The column of the classes: texts, or a key where the rows are images.</param>
/// <param name="IsImages">Whether the rows are images, in the column Features.</param>
internal sealed record DataSource(IDataView View, IReadOnlyList<string> Numbers, IReadOnlyList<string> Texts, string Label, bool IsImages)
{
    /// <summary>Rows that decide whether a column holds numbers.</summary>
    private const int RowsLookedAt = 10_000;

    /// <param name="mlContext">The context.</param>
    /// <param name="path">A file of comma-, semicolon- or tab-separated values, or a folder.</param>
    /// <param name="label">The column to predict; a table may lack it if <paramref name="labelIsNeeded"/> is false.</param>
    /// <param name="labelIsNeeded">Whether a table without the label is refused.</param>
    /// <param name="part">Of a folder: train or test.</param>
    /// <exception cref="FileNotFoundException">Nothing is there, or nothing that the tool reads.</exception>
    /// <exception cref="FormatException">The table has no header, or not the label's column.</exception>
    public static DataSource Open(MLContext mlContext, string path, string label, bool labelIsNeeded, string part)
    {
        if (Directory.Exists(path))
            return OpenImages(mlContext, path, part);
        if (!File.Exists(path))
            throw new FileNotFoundException($"'{path}' is neither a file nor a folder. Give a table (.csv or .tsv with a header line), or a folder with the files of MNIST or of CIFAR-10's binary version.");
        char separator = Separator(path);
        (string Name, bool IsNumber)[] columns = Columns(path, separator);
        if (labelIsNeeded && !columns.Any(column => column.Name == label))
            throw new FormatException($"'{path}' has no column '{label}'. Its columns are {string.Join(", ", columns.Select(column => column.Name))}; name the one to predict with --label.");
        // The label is a class, whatever it looks like.
        (string Name, bool IsNumber)[] features = [.. columns.Where(column => column.Name != label)];
        string[] numbers = [.. features.Where(column => column.IsNumber).Select(column => column.Name)], texts = [.. features.Where(column => !column.IsNumber).Select(column => column.Name)];
        TextLoader.Column[] loaded = [.. columns.Select((column, index) => new TextLoader.Column(column.Name, numbers.Contains(column.Name) ? DataKind.Single : DataKind.String, index))];
        IDataView view = mlContext.Data.CreateTextLoader(new TextLoader.Options { Columns = loaded, Separators = [separator], HasHeader = true, AllowQuoting = true, MissingRealsAsNaNs = true }).Load(path);
        return new DataSource(view, numbers, texts, label, IsImages: false);
    }

    private static DataSource OpenImages(MLContext mlContext, string folder, string part)
    {
        string idx = part == "train" ? "train" : "t10k";
        string? images = Find(folder, $"{idx}-images-idx3-ubyte"), labels = Find(folder, $"{idx}-labels-idx1-ubyte");
        if (images != null && labels != null)
            return new DataSource(mlContext.Data.LoadFromIdx(images, labels), [], [], "Label", IsImages: true);
        if (File.Exists(Path.Combine(folder, "data_batch_1.bin")))
            return new DataSource(mlContext.Data.LoadFromCifar10(folder, test: part != "train"), [], [], "Label", IsImages: true);
        throw new FileNotFoundException($"The folder '{folder}' holds neither {idx}-images-idx3-ubyte and {idx}-labels-idx1-ubyte (MNIST and its like, plain or .gz) nor data_batch_1.bin (CIFAR-10, binary version).");
    }

    private static string? Find(string folder, string name) => new[] { name, name + ".gz" }.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists);

    private static (string Name, bool IsNumber)[] Columns(string path, char separator)
    {
        using CsvDataReader reader = CsvDataReader.Create(path, new CsvDataReaderOptions { HasHeaders = true, Delimiter = separator });
        string[] names = [.. reader.GetColumnSchema().Select(column => column.ColumnName)];
        if (names.Length < 2 || names.Any(string.IsNullOrWhiteSpace) || names.Distinct().Count() < names.Length)
            throw new FormatException($"The first line of '{path}' must name its columns, two or more, each once; found {string.Join(", ", names.Select(name => $"'{name}'"))}.");
        bool[] numbers = [.. names.Select(_ => true)];
        for (int row = 0; row < RowsLookedAt && reader.Read(); row++)
        {
            for (int i = 0; i < names.Length; i++)
                numbers[i] = numbers[i] && (reader.GetString(i) is "" or "?" or "NA" or "NaN" || float.TryParse(reader.GetString(i), NumberStyles.Float, CultureInfo.InvariantCulture, out _));
        }
        return [.. names.Zip(numbers)];
    }

    /// <summary>The one of comma, semicolon and tab that is most frequent in the header.</summary>
    private static char Separator(string path)
    {
        string header = File.ReadLines(path).FirstOrDefault() ?? "";
        return ",;\t".MaxBy(candidate => header.Count(letter => letter == candidate));
    }
}
