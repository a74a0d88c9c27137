// FaMLNet.Reporting, a package of its own, compiles this file as well.
#if FAMLNET_REPORTING
namespace FaMLNet.Reporting;
#else
namespace FaMLNet.Persistence;
#endif

/// <summary>Writes a file whole or not at all: what was there stays until the new one is.</summary>
internal static class WholeFile
{
    private static int _calls;

    /// <param name="path">Where the file shall be. Its folder is created.</param>
    /// <param name="write">Writes it, under the name that it gets.</param>
    /// <exception cref="IOException">It cannot be written; the message names it and the cure.</exception>
    public static void Write(string path, Action<string> write)
    {
        string whole = Prepare(path);
        Stream? device = null;
        Named(whole, () =>
        {
            device = OpenDevice(whole);
            // A link stays one: the file that it leads to is replaced.
            if (device == null && new FileInfo(whole).LinkTarget != null
                && File.ResolveLinkTarget(whole, returnFinalTarget: true) is { } target)
                whole = target.FullName;
        });
        if (device != null)
        {
            using (device)
                WriteThrough(whole, device, write);
            return;
        }
        // A name of this call's own: two that write the same file, in one process or in two, each write it whole.
        string temporary = FormattableString.Invariant($"{whole}.{Environment.ProcessId}.{Interlocked.Increment(ref _calls)}.tmp");
        try
        {
            Named(whole, () =>
            {
                write(temporary);
                if (!OperatingSystem.IsWindows() && File.Exists(whole))
                    File.SetUnixFileMode(temporary, File.GetUnixFileMode(whole));
                File.Move(temporary, whole, overwrite: true);
            });
        }
        catch
        {
            Discard(temporary);
            throw;
        }
    }

    /// <summary>What cannot be replaced, a device or a pipe, opened to be written to; null for a file, and where nothing is.</summary>
    private static Stream? OpenDevice(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        if (path is "/dev/stdout" or "/dev/fd/1" or "/proc/self/fd/1")
            return Console.OpenStandardOutput();
        if (path is "/dev/stderr" or "/dev/fd/2" or "/proc/self/fd/2")
            return Console.OpenStandardError();
        if (!File.Exists(path))
            return null;
        FileStream file;
        try
        {
            file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (FileNotFoundException) // a link to nothing yet
        {
            return null;
        }
        if (!file.CanSeek || (path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal)))
            return file;
        file.Dispose();
        return null;
    }

    /// <summary>Writes a file elsewhere and copies it: whoever writes it may need to go back in it.</summary>
    private static void WriteThrough(string path, Stream device, Action<string> write)
    {
        string temporary = Path.Combine(Path.GetTempPath(),
            FormattableString.Invariant($"famlnet.{Environment.ProcessId}.{Interlocked.Increment(ref _calls)}.tmp"));
        try
        {
            Named(path, () =>
            {
                write(temporary);
                using FileStream file = File.OpenRead(temporary);
                file.CopyTo(device);
                device.Flush();
            });
        }
        finally
        {
            Discard(temporary);
        }
    }

    /// <summary>The same for text.</summary>
    /// <inheritdoc cref="Write"/>
    /// <param name="path">Where the file shall be. Its folder is created.</param>
    /// <param name="text">All of it.</param>
    public static void WriteText(string path, string text) => Write(path, temporary => File.WriteAllText(temporary, text));

    /// <summary>Adds a line.</summary>
    public static void Append(string path, string line) => Named(path, () => File.AppendAllText(path, line + Environment.NewLine));

    /// <summary>The whole path, once its folder is there.</summary>
    public static string Prepare(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        string whole = Path.GetFullPath(path);
        Named(whole, () =>
        {
            if (Directory.Exists(whole))
                throw new IOException("a folder has that name");
            Directory.CreateDirectory(Path.GetDirectoryName(whole)!);
        });
        return whole;
    }

    /// <summary>Says which file cannot be written, and what to do.</summary>
    public static void Named(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{path}' cannot be written: {failure.Message.TrimEnd('.')}. Choose a place that this process may write to.",
                failure);
        }
    }

    /// <summary>What cannot be deleted either must not hide why the file could not be written.</summary>
    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            System.Diagnostics.Trace.WriteLine($"'{path}' is left behind: {failure.Message}");
        }
    }
}
