// FaMLNet.Reporting, a package of its own, compiles this file as well.
#if FAMLNET_REPORTING
namespace FaMLNet.Reporting;
#else
namespace FaMLNet.Persistence;
#endif

/// <summary>Writes a file whole or not at all: what was there stays until the new one is.</summary>
internal static class WholeFile
{
    private const int CurrentFolder = -100;
    private const uint TypeOfFile = 1;

    private static int _calls;

    /// <param name="path">Where the file shall be. Its folder is created.</param>
    /// <param name="write">Writes it, under the name that it gets.</param>
    /// <exception cref="IOException">It cannot be written; the message names it and the cure.</exception>
    public static void Write(string path, Action<string> write)
    {
        string whole = Prepare(path);
        if (IsSpecial(whole))
        {
            WriteThrough(whole, write);
            return;
        }
        // A link stays a link: what it leads to is replaced.
        whole = File.Exists(whole) && File.ResolveLinkTarget(whole, returnFinalTarget: true) is { } target ? target.FullName : whole;
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

    /// <summary>The same for text.</summary>
    /// <inheritdoc cref="Write"/>
    /// <param name="path">Where the file shall be. Its folder is created.</param>
    /// <param name="text">All of it.</param>
    public static void WriteText(string path, string text) => Write(path, temporary => File.WriteAllText(temporary, text));

    /// <summary>Adds a line, whole or not at all.</summary>
    public static void Append(string path, string line) => Named(path, () =>
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(line + Environment.NewLine);
        using FileStream file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        long end = file.Position;
        try
        {
            file.Write(bytes);
        }
        catch (IOException)
        {
            // Half a line would make the file unreadable.
            file.SetLength(end);
            throw;
        }
    });

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

    /// <summary>Whether a path is that of a device or pipe, which is written to and never replaced by a file.</summary>
    public static bool IsSpecial(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path))
            return false;
        if (OperatingSystem.IsLinux())
        {
            byte[] facts = new byte[256];
            try
            {
                // struct statx: the kind of the file is in the upper four bits of stx_mode, 28 bytes from its start; 8 is an ordinary file.
                if (StatX(CurrentFolder, path, 0, TypeOfFile, facts) == 0)
                    return BitConverter.ToUInt16(facts, 28) >> 12 != 8;
            }
            catch (EntryPointNotFoundException)
            {
                // An old C library: by its name, as elsewhere.
            }
        }
        return path.StartsWith("/dev/", StringComparison.Ordinal);
    }

    private static void WriteThrough(string path, Action<string> write)
    {
        string temporary = Path.GetTempFileName();
        try
        {
            write(temporary);
            Named(path, () =>
            {
                using FileStream source = File.OpenRead(temporary);
                using FileStream target = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1);
                source.CopyTo(target);
            });
        }
        finally
        {
            Discard(temporary);
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

#pragma warning disable CA5392 // the C library of the system
    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int StatX(int folder, [System.Runtime.InteropServices.MarshalAs(
        System.Runtime.InteropServices.UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte[] buffer);
#pragma warning restore CA5392
}
