namespace FaMLNet.Cli;

/// <summary>Writes a file whole or not at all: what was there stays until the new one is.</summary>
internal static class WholeFile
{
    /// <param name="path">Where the file shall be.</param>
    /// <param name="write">Writes it, under the name that it gets.</param>
    public static void Write(string path, Action<string> write)
    {
        string whole = Path.GetFullPath(path), temporary = whole + ".tmp";
        try
        {
            write(temporary);
            File.Move(temporary, whole, overwrite: true);
        }
        catch
        {
            Discard(temporary);
            throw;
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
            Console.Error.WriteLine($"'{path}' is left behind: {failure.Message}");
        }
    }
}
