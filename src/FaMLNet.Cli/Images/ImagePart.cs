namespace FaMLNet.Cli.Images;

/// <summary>Where a part of a set of image files is: to train on or to test on.</summary>
/// <param name="Path">The folder or the archive.</param>
/// <param name="IsZip">Whether it is an archive.</param>
/// <param name="Folders">Of a set without parts, the folders of classes, since other folders may lie beside them; null for all.</param>
/// <param name="Notes">What else could have been read.</param>
internal sealed record ImagePart(string Path, bool IsZip, IReadOnlyList<string>? Folders, IReadOnlyList<string> Notes)
{
    /// <summary>Of an archive with several parts, the folders down to this one; none where the archive is the part.</summary>
    public IReadOnlyList<string> Within { get; init; } = [];

    /// <summary>What the part to train on may be called, in any case.</summary>
    public static IReadOnlyList<string> Train { get; } = ["train", "training"];

    /// <summary>What the part to test on may be called, in any case; the first that is there is read.</summary>
    public static IReadOnlyList<string> Test { get; } = ["test", "testing", "val", "valid", "validation"];

    /// <summary>Whether a name is one of a part.</summary>
    public static bool IsPartName(string name) => Train.Concat(Test).Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a folder has image files, in parts or in folders of classes.</summary>
    public static bool IsIn(string folder) => HasParts(folder) || Archives.IsZipOfImages(folder) || ClassFolders(folder).Take(2).Count() == 2;

    /// <summary>Whether a folder has any part.</summary>
    public static bool HasParts(string folder) => IsIn(folder, [.. Train, .. Test]);

    /// <summary>Whether a folder has one of some parts.</summary>
    public static bool IsIn(string folder, IReadOnlyList<string> names) => PartsIn(folder, names).Count > 0
        || (Archives.IsZipOfImages(folder) && InArchive(folder, names).Any());

    /// <summary>Finds the first of some parts that a folder has; where it has no parts at all, the folder itself.</summary>
    /// <param name="folder">The data set: a folder, or a zip archive.</param>
    /// <param name="names">For example test and val.</param>
    /// <exception cref="FileNotFoundException">It has none of them.</exception>
    public static ImagePart Find(string folder, IReadOnlyList<string> names)
    {
        if (Archives.IsZipOfImages(folder))
            return FindInArchive(folder, names);
        List<string> found = PartsIn(folder, names);
        if (found.Count > 0)
        {
            bool isZip = !Directory.Exists(found[0]);
            return new ImagePart(found[0], isZip, Folders: null, found.Count == 1 ? []
                : [$"Not read, since the one above is: {string.Join(", ", found.Skip(1))}."]);
        }
        string places = string.Join(" or ", names.Select(part => $"{part}/ or {part}.zip"));
        string wanted = $"expected {places} with one folder of image files per class, or such folders directly in it";
        if (PartsIn(folder, [.. Train, .. Test]) is [var other, ..])
            throw new FileNotFoundException($"'{folder}' has '{System.IO.Path.GetFileName(other)}', but not the part that is wanted: {wanted}.");
        string[] classes = [.. ClassFolders(folder)];
        if (classes.FirstOrDefault(IsNamedLikeATraining) is { } strange)
        {
            throw new FileNotFoundException($"'{folder}' has a folder '{strange}' with folders of its own, which looks like a part of a set and not "
                + $"like a class: {wanted}. Rename it to train, and the images to test on to test.");
        }
        string[] others = [.. FoldersIn(folder).Except(classes)];
        return classes.Length >= 2 ? new ImagePart(folder, IsZip: false, classes,
            ["There is no train and no test: the folders directly in it are the classes.",
                .. others.Length == 0 ? [] : new[] { $"Not read, since no image lies there: {ImageSurvey.Names(others)}." }])
            : throw new FileNotFoundException($"'{folder}' has no images: {wanted}; found "
                + (classes.Length == 1 ? $"one folder with images, '{classes[0]}'." : "no folder with images."));

        bool IsNamedLikeATraining(string name) => name.Contains("train", StringComparison.OrdinalIgnoreCase)
            && FoldersIn(System.IO.Path.Combine(folder, name)).Any();
    }

    /// <summary>Whether a name below the part is one of a class, or of no folder.</summary>
    public bool Has(string name) => ImageLayout.PartsOf(name) is var parts && parts.Take(Within.Count).SequenceEqual(Within)
        && (Folders == null || !name.Contains('/', StringComparison.Ordinal) || Folders.Contains(name[..name.IndexOf('/')]));

    private static ImagePart FindInArchive(string path, IReadOnlyList<string> names)
    {
        string[][] found = [.. InArchive(path, names)];
        if (found.Length > 0)
        {
            string[] notes = found.Length == 1 ? []
                : [$"Not read, since the one above is: {string.Join(", ", found.Skip(1).Select(folders => folders[^1]))}."];
            return new ImagePart(path, IsZip: true, Folders: null, notes) { Within = found[0] };
        }
        return InArchive(path, [.. Train, .. Test]).FirstOrDefault() is { } other
            ? throw new FileNotFoundException($"'{path}' has the folder '{other[^1]}', but not the part that is wanted: expected a folder "
                + $"{string.Join(" or ", names)}, with one folder of image files per class.")
            : new ImagePart(path, IsZip: true, Folders: null, ["There is no train and no test: the folders in it are the classes."]);
    }

    /// <summary>The parts of an archive, in the order of the names, each as the folders down to it.</summary>
    private static IEnumerable<string[]> InArchive(string path, IReadOnlyList<string> names)
    {
        using ZipFiles files = new(path);
        ImageLayout layout = ImageLayout.Of(files.Names, known: null);
        string[] around = [.. ImageLayout.PartsOf(layout.Wrapper)];
        // A folder of images alone is a class, as in a folder.
        HashSet<string> parts = [.. from file in layout.Files
            where IsPartName(file.Class) && ImageLayout.PartsOf(file.File).Count > around.Length + 2
            select file.Class];
        return [.. from name in names
            from part in parts.Order(StringComparer.Ordinal).OrderBy(part => part != name)
            where string.Equals(part, name, StringComparison.OrdinalIgnoreCase)
            select around.Append(part).ToArray()];
    }

    private static List<string> PartsIn(string folder, IReadOnlyList<string> names)
    {
        if (!Directory.Exists(folder))
            return [];
        // A folder of images alone is a class: a set of vehicles has trains.
        string[] entries = [.. FoldersIn(folder).Where(name => IsPartName(name) && FoldersIn(System.IO.Path.Combine(folder, name)).Any()),
            .. Directory.EnumerateFiles(folder, "*.zip", new EnumerationOptions { MatchCasing = MatchCasing.CaseInsensitive })
                .Select(file => System.IO.Path.GetFileName(file))];
        return [.. from name in names
            from wanted in new[] { name, name + ".zip" }
            from entry in entries.Order(StringComparer.Ordinal).OrderBy(entry => entry != wanted)
            where string.Equals(entry, wanted, StringComparison.OrdinalIgnoreCase)
            select System.IO.Path.Combine(folder, entry)];
    }

    /// <summary>The folders that have a file with the name of an image in them, or below.</summary>
    private static IEnumerable<string> ClassFolders(string folder) => FoldersIn(folder).Where(name => Directory.EnumerateFiles(
        System.IO.Path.Combine(folder, name), "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 16 })
        .Any(FileKind.HasImageName));

    private static IEnumerable<string> FoldersIn(string folder) => Directory.Exists(folder)
        ? new DirectoryInfo(folder).EnumerateDirectories().Select(below => below.Name).Where(name => !ImageLayout.IsPassedOver(name)) : [];
}
