using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Images;
using FaMLNet.Cli.Terminal;

namespace FaMLNet.Cli.Sets;

/// <summary>One file of a data set, or one folder of image files, known by its content.</summary>
/// <param name="Role">What it is for, for example <c>train-images</c>; names and places of files do not matter.</param>
/// <param name="Bytes">Its size, uncompressed.</param>
/// <param name="Sha256">Of its content, uncompressed; for a folder, of the names and contents of its files.</param>
internal sealed record DataFile(string Role, long Bytes, string Sha256);

/// <summary>What the data of an experiment is, wherever it lies.</summary>
/// <param name="Name">The data set's name in configurations.</param>
/// <param name="Format">What its files are.</param>
/// <param name="Files">Their contents.</param>
internal sealed record DataIdentity(string Name, string Format, IReadOnlyList<DataFile> Files)
{
    /// <summary>CIFAR-10's pixels after JPEG's losses are another data set than the published one.</summary>
    public const string Cifar10AsImageFiles = "cifar10 as image files";

    /// <summary>Digests that this process knows: a file that keeps path, size and time of change is read once.</summary>
    private static readonly ConcurrentDictionary<(string Path, long Bytes, DateTime Changed), DataFile> Known = new();

    /// <summary>Reads and digests the files of an experiment's data.</summary>
    /// <param name="settings">Names it, and where it is.</param>
    /// <param name="folder">A folder from the command line, which wins; null for none.</param>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    public static DataIdentity Of(ExperimentSettings settings, string? folder)
    {
        string name = DataSets.NameOf(settings.Dataset), path = DataSets.Locate(settings, folder);
        return Activity.Run($"checking the content of '{path}'", () => Of(name, path));
    }

    private static DataIdentity Of(string name, string path)
    {
        switch (name)
        {
            case "csv":
                string[] tables = Directory.Exists(path) ? [Path.Combine(path, "train.csv"), Path.Combine(path, "test.csv")] : [path];
                return new DataIdentity(name, "table", [.. tables.Select((table, index) => FileOf(tables.Length == 1 ? "table" : index == 0
                    ? "train" : "test", table))]);
            case "image-folder":
                return OfImages(name, path);
            case "emnist":
                (string Images, string Labels)[] pairs = DataSets.EmnistFiles(path);
                return new DataIdentity(name, "IDX", [.. pairs.SelectMany((pair, index) => new[] {
                    FileOf(index == 0 ? "train-images" : "test-images", pair.Images),
                    FileOf(index == 0 ? "train-labels" : "test-labels", pair.Labels) })]);
        }
        PublishedSet set = PublishedSet.Named(name)!;
        if (set.FolderOf(path) is not { } place)
        {
            return name == "cifar10" ? OfImages(Cifar10AsImageFiles, path)
                : throw new FileNotFoundException($"'{path}' has not the files of {set.Title}: expected "
                    + $"{string.Join(", ", set.Files.Select(file => file.Name))}. Its owners publish them at {set.Owner}.");
        }
        return new DataIdentity(name, name is "cifar10" or "cifar100" ? "binary version" : "IDX", [.. set.Files.Select(file =>
            FileOf(file.Name, PublishedSet.Find(place, file.Name) ?? throw new FileNotFoundException(
                $"'{place}' lacks {file.Name}, plain or .gz. {set.Title} is published at {set.Owner}.")))]);
    }

    /// <summary>A file's digest, of its uncompressed content.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    public static DataFile FileOf(string role, string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
            throw new FileNotFoundException($"The file '{path}' is not there.", path);
        return Known.GetOrAdd((file.FullName, file.Length, file.LastWriteTimeUtc), _ => Read(path)) with { Role = role };
    }

    private static DataFile Read(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        if (!file.CanSeek)
            throw new FormatException($"'{path}' is a pipe or a device. An experiment reads its data more than once: save it as a file.");
        using Stream content = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 20];
        long bytes = 0;
        try
        {
            for (int read; (read = content.Read(buffer)) > 0; bytes += read)
                hash.AppendData(buffer, 0, read);
        }
        catch (InvalidDataException failure)
        {
            throw new FormatException($"'{path}' is no gzip file, or is damaged: {failure.Message} Copy it again.", failure);
        }
        return new DataFile("", bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static DataIdentity OfImages(string name, string path)
    {
        SortedSet<string> kinds = new(StringComparer.Ordinal);
        DataFile[] files = ImagePart.HasParts(path)
            ? [Part("train", ImagePart.Find(path, ImagePart.Train), kinds), Part("test", ImagePart.Find(path, ImagePart.Test), kinds)]
            : [Part("images", ImagePart.Find(path, ImagePart.Train), kinds)];
        return new DataIdentity(name, $"image files ({string.Join(", ", kinds)})", files);
    }

    private static DataFile Part(string role, ImagePart part, SortedSet<string> kinds)
    {
        using IImageFiles all = ImageArchive.OpenFiles(part.Path, part.IsZip);
        // All that lies in a folder of a class: what is an image is told from its content and not from its name.
        string[] names = [.. all.Names.Where(name => name.Contains('/', StringComparison.Ordinal) && !name.EndsWith('/') && part.Has(name))
            .Order(StringComparer.Ordinal)];
        foreach (string name in names)
            AddKind(kinds, name);
        if (part.IsZip)
            return FileOf(role, part.Path);
        DataFile[] files = new DataFile[names.Length];
        Parallel.For(0, names.Length, index => files[index] = FileOf(names[index], Path.Combine(part.Path, names[index])));
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (DataFile file in files)
            hash.AppendData(Encoding.UTF8.GetBytes($"{file.Role}\n{file.Bytes} {file.Sha256}\n"));
        return new DataFile(role, files.Sum(file => file.Bytes), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static void AddKind(SortedSet<string> kinds, string name)
    {
        string extension = Path.GetExtension(name).ToLowerInvariant();
        if (FileKind.HasImageName(name))
            kinds.Add(extension is ".jpg" or ".jpeg" ? "JPEG" : extension is ".tif" or ".tiff" ? "TIFF" : extension[1..].ToUpperInvariant());
    }
}
