namespace FaMLNet.Cli.Naming;

/// <summary>Places of files as users write them.</summary>
internal static class Places
{
    /// <summary>How the file system compares names.</summary>
    public static StringComparison Comparison => OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>Whether a path stands for standard output.</summary>
    public static bool IsStandardOutput(string path) => path is Arguments.Standard or "/dev/stdout";

    /// <summary>The whole path with every link followed, as far as it is there.</summary>
    public static string Real(string path)
    {
        string whole = Path.GetFullPath(path);
        try
        {
            if (Path.GetDirectoryName(whole) is not { } folder)
                return whole;
            string here = Path.Combine(Real(folder), Path.GetFileName(Path.TrimEndingDirectorySeparator(whole)));
            FileSystemInfo? target = File.Exists(here) ? File.ResolveLinkTarget(here, returnFinalTarget: true)
                : Directory.Exists(here) ? Directory.ResolveLinkTarget(here, returnFinalTarget: true) : null;
            return target == null ? here : target.FullName;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Links that lead round in circles are no file's path.
            return whole;
        }
    }

    /// <summary>A path with the home folder in the place of a leading <c>~</c>, <c>$HOME</c> or <c>${HOME}</c>; another text as it is.</summary>
    public static string Expand(string text)
    {
        foreach (string sign in new[] { "~", "$HOME", "${HOME}" })
        {
            if (text == sign || text.StartsWith(sign + "/", StringComparison.Ordinal))
                return Home() + text[sign.Length..];
        }
        return text;
    }

    /// <summary>
    /// The same for a path in a file, which no shell has seen: any variable is expanded, and one that is not set is refused.
    /// </summary>
    /// <exception cref="FormatException">The variable is not set, or the home folder of another user is meant.</exception>
    public static string ExpandInFile(string path)
    {
        if (path.StartsWith('~'))
        {
            if (path.Length > 1 && path[1] is not ('/' or '\\'))
            {
                throw new FormatException($"'{path}': only ~/ is expanded, to the home folder of this user. Write the folder out, "
                    + $"or ./{path} if its name begins with '~'.");
            }
            return Home() + path[1..];
        }
        if (!path.StartsWith('$'))
            return path;
        int length = 0;
        bool isBraced = path.StartsWith("${", StringComparison.Ordinal);
        int start = isBraced ? 2 : 1;
        while (start + length < path.Length && (char.IsAsciiLetterOrDigit(path[start + length]) || path[start + length] == '_'))
            length++;
        int end = start + length;
        if (length == 0 || (isBraced && (end >= path.Length || path[end++] != '}')) || (end < path.Length && path[end] is not ('/' or '\\')))
            return path;
        string name = path.Substring(start, length);
        string value = name == "HOME" ? Home() : Environment.GetEnvironmentVariable(name) is { Length: > 0 } set ? set
            : throw new FormatException($"'{path}': the variable {name} is not set. Set it, or write the folder out (./{path} if its name begins "
                + "with '$').");
        return value + path[end..];
    }

    private static string Home() => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
