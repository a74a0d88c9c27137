using System.IO.Compression;
using System.Runtime.InteropServices;

namespace FaMLNet.Cli;

/// <summary>
/// The places that a command writes to, checked before any work: none is one of its inputs, no two are the same, and each can be written.
/// </summary>
/// <remarks>Nothing is opened, made or changed by the check.</remarks>
internal sealed class Outputs
{
    private static readonly StringComparison Comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    private readonly List<(string Path, string Real)> _inputs;
    private readonly List<(string Option, string Path, string Real)> _outputs = [];

    /// <param name="inputs">What the command reads: files, folders and pipes; null for an option that is not given.</param>
    public Outputs(params IEnumerable<string?> inputs) =>
        _inputs = [.. inputs.Where(path => !string.IsNullOrEmpty(path)).Select(path => (path!, RealPath(path!)))];

    /// <summary>A file that is written.</summary>
    /// <param name="option">The option as users type it.</param>
    /// <param name="path">Its value; null where it is not given.</param>
    /// <exception cref="FormatException">It is an input or another output.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Outputs File(string option, string? path) => Add(option, path, isFolder: false);

    /// <summary>A folder in which files are written.</summary>
    /// <inheritdoc cref="File"/>
    public Outputs Folder(string option, string? path) => Add(option, path, isFolder: true);

    /// <summary>A path with the links in it resolved, of what is there and of what is not yet.</summary>
    public static string RealPath(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string real = Path.GetPathRoot(full)!;
        foreach (string part in full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            if (new FileInfo(real).LinkTarget != null && System.IO.File.ResolveLinkTarget(real, returnFinalTarget: true) is { } target)
                real = RealPath(target.FullName);
        }
        return real;
    }

    private Outputs Add(string option, string? path, bool isFolder)
    {
        if (path == null || path == Arguments.Standard)
            return this;
        if (string.IsNullOrWhiteSpace(path))
            throw new FormatException($"{option} needs a path; it is empty.");
        if (path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal))
            return this; // a device takes the output of all
        string real = RealPath(path);
        foreach ((string input, string realInput) in _inputs)
        {
            if (real.Equals(realInput, Comparison))
                throw new FormatException($"{option} '{path}' is the input '{input}': it would be overwritten. Choose another place for {option}.");
            if (!isFolder && IsInside(real, realInput) && System.IO.File.Exists(real) && !IsOwn(real))
                throw new FormatException($"{option} '{path}' is a file of the input '{input}': it would be overwritten. Choose another place "
                    + $"for {option}.");
        }
        foreach ((string other, string otherPath, string otherReal) in _outputs)
        {
            if (real.Equals(otherReal, Comparison))
                throw new FormatException($"{option} '{path}' and {other} '{otherPath}' are the same place. Choose two places.");
        }
        Named(option, path, real, isFolder);
        _outputs.Add((option, path, real));
        return this;
    }

    /// <summary>What an earlier run of the tool may have left in a folder of inputs: a report or a model.</summary>
    private static bool IsOwn(string path)
    {
        if (Path.GetExtension(path).Equals(".html", StringComparison.OrdinalIgnoreCase))
            return true;
        try
        {
            using ZipArchive zip = ZipFile.OpenRead(path);
            return zip.Entries.Any(entry => entry.FullName.Replace('\\', '/').StartsWith("TrainingInfo/", StringComparison.Ordinal));
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Named(string option, string path, string real, bool isFolder)
    {
        if (!isFolder && Directory.Exists(real))
            throw new IOException($"{option} '{path}' cannot be written: a folder has that name. Give the name of a file.");
        if (isFolder && System.IO.File.Exists(real))
            throw new IOException($"{option} '{path}' cannot be written: a file has that name. Give the name of a folder.");
        if (!isFolder && System.IO.File.Exists(real) && !MayWrite(real))
            throw new IOException($"{option} '{path}' cannot be written: the file is write-protected. Choose another place.");
        string folder = isFolder ? real : Path.GetDirectoryName(real)!;
        while (!Directory.Exists(folder))
        {
            if (System.IO.File.Exists(folder))
                throw new IOException($"{option} '{path}' cannot be written: '{folder}' is a file, not a folder. Choose another place.");
            folder = Path.GetDirectoryName(folder) ?? throw new IOException($"{option} '{path}' cannot be written: there is no '{folder}'.");
        }
        if (!MayWrite(folder))
            throw new IOException($"{option} '{path}' cannot be written: this process may not write to the folder '{folder}'. Choose another place.");
    }

    private static bool IsInside(string path, string folder) => path.StartsWith(folder + Path.DirectorySeparatorChar, Comparison);

    /// <summary>Asked of the system, without opening: a pipe would wait for a reader.</summary>
    private static bool MayWrite(string path)
    {
        const int writes = 2;
        return OperatingSystem.IsWindows() ? Directory.Exists(path) || !System.IO.File.GetAttributes(path).HasFlag(FileAttributes.ReadOnly)
            : Access(path, writes) == 0;
    }

    [DllImport("libc", EntryPoint = "access")]
    private static extern int Access([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);
}
