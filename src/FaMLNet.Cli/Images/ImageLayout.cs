namespace FaMLNet.Cli.Images;

/// <summary>Tells which files of a folder or an archive are images of which class: the class is the folder directly below the root.</summary>
internal sealed class ImageLayout
{
    /// <summary>Folders and files that systems and programs leave among others' files; so are all whose name begins with a point.</summary>
    private static readonly HashSet<string> Leavings = new(StringComparer.OrdinalIgnoreCase)
    {
        "__MACOSX", "@eaDir", "#recycle", "@Recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__pycache__",
        "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r",
    };

    private ImageLayout(string wrapper, IReadOnlyList<(string File, string Class)> files, IReadOnlyList<string> classes, IReadOnlyList<string> stray)
    {
        (Wrapper, Files, Classes, Stray) = (wrapper, files, classes, stray);
    }

    /// <summary>The folder that holds all others, such as train/ in train.zip, and is therefore no class; empty for none.</summary>
    public string Wrapper { get; }

    /// <summary>The files in folders of classes, in order of their names.</summary>
    public IReadOnlyList<(string File, string Class)> Files { get; }

    /// <summary>The folders of classes, in order, also those without a file.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Files with the name of an image outside the folders of classes.</summary>
    public IReadOnlyList<string> Stray { get; }

    /// <summary>Whether a file or folder is hidden, or of a system or program and none of the user's.</summary>
    public static bool IsPassedOver(string name) => name.StartsWith('.') || Leavings.Contains(name);

    /// <summary>The folders of a name, and the file. Points and empty parts are no names: ../../cat/1.png is a file of the class cat, and nothing is
    /// ever written there.</summary>
    public static IReadOnlyList<string> PartsOf(string name) => [.. name.Split('/').Where(part => part is not ("" or "." or ".."))];

    /// <summary>Sorts the files of a root by class.</summary>
    /// <param name="names">All names below the root, with / between folders; a folder's name ends with /.</param>
    /// <param name="known">The classes of the training images, where they are known; null if not.</param>
    public static ImageLayout Of(IEnumerable<string> names, IReadOnlyList<string>? known)
    {
        List<Entry> entries = [.. from name in names
            let parts = PartsOf(name).ToArray()
            where parts.Length > 0 && !parts.Any(IsPassedOver)
            select new Entry(name, parts, name.EndsWith('/'))];
        entries.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
        int depth = DepthOfClasses(entries, known);
        string[] wrapper = depth == 0 ? [] : entries.First(entry => entry.Parts.Length > depth).Parts[..depth];
        return new ImageLayout(string.Concat(wrapper.Select(folder => folder + "/")),
            [.. entries.Where(entry => !entry.IsFolder && entry.Parts.Length > depth + 1).Select(entry => (entry.Name, entry.Parts[depth]))],
            [.. FoldersAt(entries, depth).Order(StringComparer.Ordinal)],
            [.. entries.Where(entry => !entry.IsFolder && entry.Parts.Length <= depth + 1 && FileKind.HasImageName(entry.Name))
                .Select(entry => entry.Name)]);
    }

    /// <summary>How many folders, each the only thing in the one before, lie around the folders of classes. One folder that holds a single folder
    /// or files is a class.</summary>
    private static int DepthOfClasses(List<Entry> entries, IReadOnlyList<string>? known)
    {
        for (int depth = 0; !entries.Any(entry => !entry.IsFolder && entry.Parts.Length == depth + 1); depth++)
        {
            string[] folders = [.. FoldersAt(entries, depth).Take(2)];
            if (folders.Length == 2)
                return depth;
            if (folders.Length == 0 || known?.Contains(folders[0]) == true)
                return 0;
        }
        return 0;
    }

    private static IEnumerable<string> FoldersAt(List<Entry> entries, int depth) => entries
        .Where(entry => entry.Parts.Length > depth + 1 || (entry.IsFolder && entry.Parts.Length == depth + 1))
        .Select(entry => entry.Parts[depth]).Distinct();

    private readonly record struct Entry(string Name, string[] Parts, bool IsFolder);
}
