using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using FaMLNet.Persistence;

namespace FaMLNet.Training.Checkpoints;

/// <summary>
/// The checkpoints of trainings in a folder. Each is written to a temporary file, flushed to the disk and renamed, so that whenever the
/// process dies there is a whole one. A lock file keeps a second training out while one runs. The first training's lie in the folder itself; those of
/// trainings on other data (the folds of a cross-validation, the classes of one-versus-all) or from other models lie in folders below it, one per
/// training.
/// </summary>
internal sealed partial class CheckpointFolder : IDisposable
{
    private const string StateEntry = "state.json", ArraysEntry = "arrays.safetensors", BestName = "best.zip", Temporary = ".tmp";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        TypeInfoResolver = HistoryJson.Resolver,
    };

    private const string Below = "training-";

    private readonly string _root;
    private readonly int _keep;
    private readonly FileStream _lock;
    private string _folder;

    /// <param name="folder">Created if it is not there.</param>
    /// <param name="keep">How many of the latest to keep.</param>
    /// <exception cref="IOException">The folder cannot be written to, or another training uses it.</exception>
    public CheckpointFolder(string folder, int keep)
    {
        _root = _folder = Path.GetFullPath(folder);
        _keep = keep;
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Option CheckpointFolder: '{_folder}' cannot be created or written to ({failure.Message}). Choose a folder that "
                + $"this process may write to.", failure);
        }
        try
        {
            _lock = new FileStream(Path.Combine(_folder, "training.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
                FileOptions.DeleteOnClose);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Option CheckpointFolder: '{_folder}' is in use by another training, or cannot be written to "
                + $"({failure.Message}). Give each training a folder of its own.", failure);
        }
    }

    /// <summary>The folder of this training's checkpoints.</summary>
    public string Folder => _folder;

    /// <summary>
    /// The latest checkpoint of each training, that of the folder itself first, without its arrays: what is needed to find one's own among many
    /// of large networks.
    /// </summary>
    /// <param name="warn">Receives a message about each that cannot be read.</param>
    public IReadOnlyList<(string Folder, Checkpoint Checkpoint)> Identify(Action<string> warn) =>
        [.. Directory.EnumerateDirectories(_root, Below + "*").Order(StringComparer.Ordinal).Prepend(_root)
            .Select(folder => (folder, FirstReadable(folder, ReadState, warn))).Where(pair => pair.Item2 != null)
            .Select(pair => (pair.folder, pair.Item2!))];

    /// <summary>The latest whole checkpoint of a training; null if it has none.</summary>
    /// <param name="folder">A folder that <see cref="Identify"/> has given.</param>
    /// <param name="warn">Receives a message about each that cannot be read.</param>
    public static Checkpoint? ReadLatest(string folder, Action<string> warn) => FirstReadable(folder, Read, warn);

    /// <summary>Chooses where this training's checkpoints are.</summary>
    /// <param name="folder">The folder of a checkpoint that it goes on from; null for a new training.</param>
    /// <param name="identity">Of a new training, what tells it from the others; null where there are no others.</param>
    public void Use(string? folder, string? identity)
    {
        if (folder == null && identity != null)
        {
            folder = Path.Combine(_root, Below + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..12].ToLowerInvariant());
            Directory.CreateDirectory(folder);
        }
        _folder = folder ?? _root;
        foreach (string left in Directory.EnumerateFiles(_folder, "*" + Temporary))
            File.Delete(left);
    }

    private static Checkpoint? FirstReadable(string folder, Func<string, Checkpoint> read, Action<string> warn)
    {
        foreach (string path in Latest(folder))
        {
            try
            {
                return read(path);
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException or JsonException or FormatException
                or NotSupportedException)
            {
                warn($"The checkpoint '{path}' cannot be read and is passed over: {failure.Message}");
            }
        }
        return null;
    }

    /// <summary>Saves a checkpoint, and forgets the oldest.</summary>
    /// <param name="checkpoint">The state.</param>
    /// <param name="isBest">Whether its epoch is the best so far: it is then kept as best.zip as well.</param>
    public void Save(Checkpoint checkpoint, bool isBest)
    {
        string path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture,
            $"checkpoint-{checkpoint.Epochs:D6}-{checkpoint.Rows:D12}.zip"));
        try
        {
            Write(checkpoint, path);
            if (isBest)
            {
                string copy = Path.Combine(_folder, BestName + Temporary);
                File.Copy(path, copy, overwrite: true);
                File.Move(copy, Path.Combine(_folder, BestName), overwrite: true);
            }
            foreach (string old in Latest(_folder).Skip(_keep))
                File.Delete(old);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            foreach (string half in new[] { path + Temporary, Path.Combine(_folder, BestName + Temporary) })
                CleanUp.Run(() => File.Delete(half), $"Deleting '{half}'");
            throw new IOException($"Option CheckpointFolder: the checkpoint '{path}' cannot be written ({failure.Message}). Free space on the disk "
                + $"or choose another folder; the checkpoints that are there stay good.", failure);
        }
    }

    public void Dispose() => _lock.Dispose();

    private static string[] Latest(string folder) =>
        Directory.EnumerateFiles(folder, "checkpoint-*.zip").Where(path => Name().IsMatch(Path.GetFileName(path)))
            .OrderDescending(StringComparer.Ordinal).ToArray();

    private static void Write(Checkpoint checkpoint, string path)
    {
        string temporary = path + Temporary;
        using (FileStream file = new(temporary, FileMode.Create, FileAccess.ReadWrite))
        {
            using (ZipArchive zip = new(file, ZipArchiveMode.Create, leaveOpen: true))
            {
                using (Stream state = zip.CreateEntry(StateEntry, CompressionLevel.Fastest).Open())
                    JsonSerializer.Serialize(state, checkpoint with { Digest = DigestOf(checkpoint.Arrays) }, Json);
                using Stream arrays = zip.CreateEntry(ArraysEntry, CompressionLevel.NoCompression).Open();
                Safetensors.Write(arrays, [.. checkpoint.Arrays.Select(pair => (pair.Key, new ParameterTensor([pair.Value.Length], pair.Value)))]);
            }
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private static Checkpoint Read(string path)
    {
        using ZipArchive zip = ZipFile.OpenRead(path);
        Checkpoint checkpoint = ReadState(zip);
        using (Stream stream = Entry(zip, ArraysEntry).Open())
            checkpoint = checkpoint with { Arrays = Safetensors.ReadVectors(stream) };
        return checkpoint.Digest == DigestOf(checkpoint.Arrays) ? checkpoint
            : throw new InvalidDataException("its arrays are not those that were written.");
    }

    private static Checkpoint ReadState(string path)
    {
        using ZipArchive zip = ZipFile.OpenRead(path);
        _ = Entry(zip, ArraysEntry);
        return ReadState(zip);
    }

    private static ZipArchiveEntry Entry(ZipArchive zip, string name) =>
        zip.GetEntry(name) ?? throw new InvalidDataException($"entry '{name}' is missing.");

    private static Checkpoint ReadState(ZipArchive zip)
    {
        Checkpoint checkpoint;
        using (Stream stream = Entry(zip, StateEntry).Open())
            checkpoint = JsonSerializer.Deserialize<Checkpoint>(stream, Json) ?? throw new InvalidDataException("its state is empty.");
        if (checkpoint.Version is < 1 or > Checkpoint.CurrentVersion)
            throw new InvalidDataException(
                $"it is of version {checkpoint.Version}; this version of FaMLNet reads up to {Checkpoint.CurrentVersion}.");
        if (checkpoint.Version == 1)
        {
            bool isDirect = checkpoint.Settings.GetValueOrDefault("Rule") == FeedbackRule.DirectFeedbackAlignment.ShortName;
            checkpoint = checkpoint with { History = HistoryJson.FromVersion1(checkpoint.History, isDirect) };
        }
        return checkpoint;
    }

    private static string DigestOf(IReadOnlyDictionary<string, float[]> arrays)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, float[] values) in arrays.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan()));
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    [GeneratedRegex(@"^checkpoint-\d{6}-\d{12}\.zip$")]
    private static partial Regex Name();
}
