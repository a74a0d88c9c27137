using System.IO.Compression;
using FaMLNet.Data;
using Microsoft.ML;

namespace FaMLNet.Cli.Sets;

/// <summary>Image files in one folder a class: a folder of such folders, or a zip archive of them.</summary>
internal sealed class ImageArchive
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"];

    private readonly string _path;
    private readonly bool _isZip;
    private readonly (string File, string Class)[] _files;

    private ImageArchive(string path, bool isZip, (string File, string Class)[] files)
    {
        (_path, _isZip, _files) = (path, isZip, files);
        Classes = [.. files.Select(file => file.Class).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>What the part to train on is called.</summary>
    public static IReadOnlyList<string> Train { get; } = ["train"];

    /// <summary>What the part to test on may be called.</summary>
    public static IReadOnlyList<string> Test { get; } = ["test", "val"];

    /// <summary>The folder or archive.</summary>
    public string Path => _path;

    /// <summary>The names of the classes, in order.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Whether a folder has parts of image files.</summary>
    public static bool IsIn(string folder) => Train.Concat(Test).Select(part => System.IO.Path.Combine(folder, part))
        .Any(path => Directory.Exists(path) || File.Exists(path + ".zip"));

    /// <summary>Opens the first of some parts that a folder has, as a folder or as an archive.</summary>
    /// <param name="folder">The data set.</param>
    /// <param name="parts">For example test and val.</param>
    /// <exception cref="FileNotFoundException">It has none of them, or no images there.</exception>
    public static ImageArchive Open(string folder, IReadOnlyList<string> parts)
    {
        foreach (string part in parts)
        {
            string path = System.IO.Path.Combine(folder, part);
            if (Directory.Exists(path))
                return New(path, isZip: false, Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                    .Select(file => System.IO.Path.GetRelativePath(path, file).Replace('\\', '/')));
            if (!File.Exists(path + ".zip"))
                continue;
            try
            {
                using ZipArchive zip = ZipFile.OpenRead(path + ".zip");
                return New(path + ".zip", isZip: true, zip.Entries.Select(entry => entry.FullName));
            }
            catch (InvalidDataException failure)
            {
                throw new FormatException($"'{path}.zip' is no zip archive, or is cut off: {failure.Message} Copy it again.", failure);
            }
        }
        string places = string.Join(" or ", parts.Select(part => $"{part}/ or {part}.zip"));
        throw new FileNotFoundException($"'{folder}' has no images: expected {places} with one folder of image files a class.");
    }

    /// <summary>The shorter side of the first image, which all others then have as well.</summary>
    public int SizeOfFirst()
    {
        using IImageFiles files = OpenFiles();
        (int width, int height) = ImageDecoder.SizeOf(files.Read(_files[0].File), $"{_path}: {_files[0].File}");
        return Math.Min(width, height);
    }

    /// <summary>Decodes every image.</summary>
    /// <returns>How many there are, and what is wrong with some.</returns>
    public (int Count, IReadOnlyList<string> Errors) Check()
    {
        using IImageFiles files = OpenFiles();
        System.Collections.Concurrent.ConcurrentBag<string> errors = [];
        Parallel.ForEach(_files, file =>
        {
            string name = $"{_path}: {file.File}";
            try
            {
                byte[] bytes = files.Read(file.File);
                (int width, int height) = ImageDecoder.SizeOf(bytes, name);
                int size = Math.Min(width, height);
                ImageDecoder.Decode(bytes, size, new byte[3 * size * size], name);
            }
            catch (FormatException failure)
            {
                errors.Add(failure.Message);
            }
        });
        return (_files.Length, [.. errors.Order(StringComparer.Ordinal)]);
    }

    /// <summary>The images as rows, decoded on threads of their own while others are worked on.</summary>
    /// <param name="classes">The classes, in order.</param>
    /// <param name="size">Height and width to which images are brought.</param>
    /// <param name="seed">Of a random order, the same for every cursor; null for the order of the names.</param>
    /// <exception cref="FormatException">An image is of a class that is not among them.</exception>
    public IDataView View(IReadOnlyList<string> classes, int size, int? seed)
    {
        Dictionary<string, int> numbers = classes.Select((name, number) => (name, number)).ToDictionary(pair => pair.name, pair => pair.number);
        if (Classes.FirstOrDefault(name => !numbers.ContainsKey(name)) is { } unknown)
        {
            string known = string.Join(", ", classes.Take(20));
            throw new FormatException($"'{_path}' has a class '{unknown}', which the training images do not have ({known}).");
        }
        (string File, int Class)[] rows = [.. _files.Select(file => (file.File, numbers[file.Class]))];
        if (seed is { } number)
            new Random(number).Shuffle(rows);
        return new ImageRecords(new ImageShape(3, size, size), classes, rows.Length, () => new ImageFileReader(OpenFiles(), _path, rows, size));
    }

    private IImageFiles OpenFiles() => _isZip ? new ZipFiles(_path) : new FolderFiles(_path);

    private static ImageArchive New(string path, bool isZip, IEnumerable<string> names)
    {
        (string, string)[] files = [.. from name in names.Order(StringComparer.Ordinal)
            let parts = name.Split('/')
            where parts.Length >= 2 && Extensions.Contains(System.IO.Path.GetExtension(name).ToLowerInvariant())
                && !parts[^1].StartsWith("._", StringComparison.Ordinal) // what a Mac leaves beside a file
            select (name, parts[^2])];
        return files.Length > 0 ? new ImageArchive(path, isZip, files) : throw new FileNotFoundException(
            $"'{path}' has no images: expected one folder of image files ({string.Join(", ", Extensions)}) a class.");
    }
}

/// <summary>The bytes of image files, for threads side by side.</summary>
internal interface IImageFiles : IDisposable
{
    public byte[] Read(string name);
}

/// <summary>Files of a folder.</summary>
internal sealed class FolderFiles(string folder) : IImageFiles
{
    public byte[] Read(string name) => File.ReadAllBytes(System.IO.Path.Combine(folder, name));

    public void Dispose() { }
}

/// <summary>Entries of a zip archive, which gives one at a time.</summary>
internal sealed class ZipFiles(string path) : IImageFiles
{
    private readonly ZipArchive _zip = ZipFile.OpenRead(path);
    private readonly Lock _gate = new();

    public byte[] Read(string name)
    {
        lock (_gate)
        {
            ZipArchiveEntry entry = _zip.GetEntry(name) ?? throw new FormatException($"'{path}' has lost its entry '{name}'.");
            byte[] bytes = new byte[entry.Length];
            using Stream stream = entry.Open();
            stream.ReadExactly(bytes);
            return bytes;
        }
    }

    public void Dispose() => _zip.Dispose();
}
