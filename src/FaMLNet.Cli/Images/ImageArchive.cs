using System.Collections.Concurrent;
using FaMLNet.Cli.Terminal;
using FaMLNet.Data;
using Microsoft.ML;

namespace FaMLNet.Cli.Images;

/// <summary>Image files in one folder per class: a folder of such folders, or a zip archive of them.</summary>
internal sealed class ImageArchive
{
    // Beyond this share of images that cannot be read, something is wrong with the set and not with a file.
    private const double MostLeftOut = 0.05;

    // Photographs as cameras take them need a hundred times the memory and time, and the networks here are made for less.
    private const int LargestUsualSize = 224;

    private readonly bool _isZip;
    private readonly FoundImage[] _images;
    private readonly ImageLayout _layout;
    private readonly LeftOutFile[] _leftOut;
    private readonly List<string> _notes = [];

    private ImageArchive(string path, bool isZip, ImageLayout layout, FoundImage[] images, LeftOutFile[] leftOut)
    {
        (Path, _isZip, _layout, _images, _leftOut) = (path, isZip, layout, images, leftOut);
        Classes = layout.Classes;
    }

    /// <summary>The folder or archive.</summary>
    public string Path { get; }

    /// <summary>The names of the classes, in order.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The classes of which no image can be read.</summary>
    public IEnumerable<string> ClassesWithoutImages => Classes.Except(_images.Select(image => image.Class));

    /// <summary>How many images there are.</summary>
    public int Count => _images.Length;

    /// <summary>The files of the images, in the order of a view without a seed.</summary>
    public IEnumerable<string> Files => _images.Select(image => image.File);

    /// <summary>What was found, which choices were made, and what is left out, line by line.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            foreach (string line in ImageSurvey.Describe(Path, _images, Classes).Concat(_notes))
                yield return line;
            if (_layout.Wrapper.Length > 0)
                yield return $"  All lies in the folder {_layout.Wrapper} there: the classes are the folders below it.";
            foreach (string line in ImageSurvey.Describe(_leftOut))
                yield return $"  Left out: {line}.";
            if (_layout.Stray.Count > 0)
            {
                yield return $"  Left out: {ImageSurvey.Count(_layout.Stray.Count, "file")} outside of the folders of classes "
                    + $"({ImageSurvey.Names(_layout.Stray)}).";
            }
        }
    }

    /// <summary>Opens a part of a set, and looks at all its files.</summary>
    /// <param name="part">Where it is.</param>
    /// <param name="known">The classes of the training images, where this is another part; null if not.</param>
    /// <exception cref="FormatException">It is no archive that can be read, or has parts for classes.</exception>
    /// <exception cref="FileNotFoundException">There are no folders of classes.</exception>
    public static ImageArchive Survey(ImagePart part, IReadOnlyList<string>? known = null)
    {
        int done = 0, total = 0;
        using Activity looking = Activity.Start($"looking at the files in '{part.Path}'", progress: () => total == 0 ? ""
            : FormattableString.Invariant($"{Volatile.Read(ref done):N0} of {total:N0} files"));
        using IImageFiles files = OpenFiles(part.Path, part.IsZip);
        ImageLayout layout = ImageLayout.Of(files.Names.Where(part.Has), known);
        if (layout.Classes.Count == 0)
        {
            throw new FileNotFoundException($"'{part.Path}' has no images in folders of classes: expected one folder of image files per class"
                + (layout.Stray.Count > 0 ? $"; found {ImageSurvey.Count(layout.Stray.Count, "file")} directly in it "
                + $"({ImageSurvey.Names(layout.Stray)})." : "."));
        }
        if (layout.Classes.All(ImagePart.IsPartName))
        {
            throw new FormatException($"'{part.Path}' has the folders {string.Join(", ", layout.Classes)}, which are parts of a set and not "
                + $"classes. {(part.IsZip ? "Unpack it, and give the folder with these." : "Give the folder with these.")}");
        }
        total = layout.Files.Count;
        (FoundImage[] found, LeftOutFile[] leftOut) = ImageSurvey.Run(files, layout.Files, count => Volatile.Write(ref done, count));
        ImageArchive archive = new(part.Path, part.IsZip, layout, found, leftOut);
        archive._notes.AddRange(part.Notes.Select(note => $"  {note}"));
        return archive;
    }

    /// <summary>Opens the first of some parts that a folder has, as a folder or as an archive.</summary>
    /// <param name="folder">The data set.</param>
    /// <param name="parts">For example test and val.</param>
    /// <param name="say">Receives what was found; null for nobody.</param>
    /// <param name="known">The classes of the training images, where this is another part; null if not.</param>
    /// <param name="isStrict">Whether one image that cannot be read is too much; else a small share may be left out.</param>
    /// <exception cref="FileNotFoundException">It has none of them, or no images there.</exception>
    /// <exception cref="FormatException">A class has no image that can be read, or too many images cannot be read.</exception>
    public static ImageArchive Open(string folder, IReadOnlyList<string> parts, Action<string>? say = null, IReadOnlyList<string>? known = null,
        bool isStrict = false)
    {
        ImageArchive archive = Survey(ImagePart.Find(folder, parts), known);
        archive.CheckReadable(isStrict);
        archive.Say(say);
        return archive;
    }

    /// <summary>The height and width to which images are brought unless a size is chosen: the shorter side of the first one, up to a limit.</summary>
    public int UsualSize() => Math.Min(LargestUsualSize, Math.Min(_images[0].Header.Width, _images[0].Header.Height));

    /// <summary>Says what was found.</summary>
    public void Say(Action<string>? say)
    {
        if (say == null)
            return;
        foreach (string note in Notes)
            say(note);
    }

    /// <summary>The sizes of the images, and what becomes of them where they are to be squares of one size.</summary>
    public string DescribeSizes(int size) => ImageSurvey.DescribeSizes(_images, size);

    /// <summary>Decodes every image.</summary>
    /// <returns>How many there are, and what is wrong with some.</returns>
    public (int Count, IReadOnlyList<string> Errors) Check()
    {
        using IImageFiles files = OpenFiles(Path, _isZip);
        ConcurrentBag<string> errors = [.. from file in _leftOut
            where file.Kind.IsImage
            select $"'{Path}: {file.File}' cannot be read: {file.Kind.Reason}."];
        Parallel.ForEach(_images, image =>
        {
            string name = $"{Path}: {image.File}";
            try
            {
                ImageDecoder.Decode(files.Read(image.File), 1, new byte[3], name);
            }
            catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
            {
                errors.Add(failure.Message);
            }
        });
        return (_images.Length + _leftOut.Count(file => file.Kind.IsImage), [.. errors.Order(StringComparer.Ordinal)]);
    }

    /// <summary>Divides the images of each class: a share of them, chosen by chance and always the same, and the others.</summary>
    /// <param name="share">The share of the second part, of which each class has at least one image if it has two.</param>
    public (ImageArchive Train, ImageArchive Test) Split(double share)
    {
        HashSet<string> test = new(StringComparer.Ordinal);
        foreach (IGrouping<string, FoundImage> group in _images.GroupBy(image => image.Class))
        {
            string[] files = [.. group.Select(image => image.File)];
            new Random(1).Shuffle(files);
            test.UnionWith(files.Take(Math.Clamp((int)Math.Round(share * files.Length), Math.Min(1, files.Length - 1), files.Length - 1)));
        }
        ImageArchive Part(bool isTest) => new(Path, _isZip, _layout, [.. _images.Where(image => test.Contains(image.File) == isTest)], []);
        return (Part(isTest: false), Part(isTest: true));
    }

    /// <summary>The images as rows, decoded on threads of their own while others are worked on.</summary>
    /// <param name="classes">The classes, in order.</param>
    /// <param name="size">Height and width to which images are brought.</param>
    /// <param name="seed">Of a random order, the same for every cursor; null for the order of the names.</param>
    /// <exception cref="FormatException">An image is of a class that is not among them.</exception>
    public IDataView View(IReadOnlyList<string> classes, int size, int? seed)
    {
        CheckClasses(classes);
        Dictionary<string, int> numbers = classes.Select((name, number) => (name, number)).ToDictionary(pair => pair.name, pair => pair.number);
        (string File, int Class)[] rows = [.. _images.Select(image => (image.File, numbers[image.Class]))];
        if (seed is { } number)
            new Random(number).Shuffle(rows);
        return new ImageRecords(new ImageShape(3, size, size), classes, rows.Length,
            () => new ImageFileReader(OpenFiles(Path, _isZip), Path, rows, size));
    }

    /// <summary>Refuses classes that are not among those of the training.</summary>
    /// <exception cref="FormatException">There are some.</exception>
    public void CheckClasses(IReadOnlyList<string> classes)
    {
        string[] unknown = [.. Classes.Except(classes)];
        if (unknown.Length == 0)
            return;
        string? alike = classes.FirstOrDefault(name => string.Equals(name.Trim(), unknown[0].Trim(), StringComparison.OrdinalIgnoreCase));
        throw new FormatException($"'{Path}' has {(unknown.Length == 1 ? "a class" : $"{unknown.Length} classes")} "
            + $"{ImageSurvey.Names(unknown.Select(name => $"'{name}'"))}, which the training images do not have "
            + $"({string.Join(", ", classes.Take(20))}{(classes.Count > 20 ? ", …" : "")})."
            + (alike != null ? $" '{unknown[0]}' and '{alike}' differ by case or blanks alone: give the folders one name."
            : unknown.Concat(classes).Any(HasSeparateAccent) ? " Some names have accents as characters of their own, as macOS writes them: type "
            + "the names of such folders anew." : ""));

        static bool HasSeparateAccent(string name) => name.Any(letter => letter is >= '\u0300' and <= '\u036F');
    }

    /// <summary>Refuses a class without an image, and too many images that cannot be read.</summary>
    private void CheckReadable(bool isStrict)
    {
        foreach (string name in ClassesWithoutImages)
        {
            string[] reasons = [.. ImageSurvey.Describe(_leftOut.Where(file => file.Class == name))];
            throw new FormatException($"'{Path}': the folder of class '{name}' has no image that can be read"
                + (reasons.Length == 0 ? ": it is empty" : $". {string.Join("; ", reasons)}")
                + ". If it is no class, move it elsewhere, or begin its name with a point.");
        }
        LeftOutFile[] missed = [.. _leftOut.Where(file => file.Kind.IsImage)];
        if (missed.Length == 0 || (!isStrict && missed.Length <= MostLeftOut * (missed.Length + _images.Length)))
            return;
        throw new FormatException($"'{Path}': {missed.Length} of {missed.Length + _images.Length} images cannot be read"
            + (isStrict ? ", and none may be left out here" : FormattableString.Invariant($"; up to {MostLeftOut:P0} may be left out"))
            + $". {string.Join("; ", ImageSurvey.Describe(missed))}. 'famlnet data check image-folder <folder>' names all.");
    }

    /// <summary>The files of a folder or an archive.</summary>
    public static IImageFiles OpenFiles(string path, bool isZip) => isZip ? new ZipFiles(path) : new FolderFiles(path);
}
