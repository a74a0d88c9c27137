using System.Globalization;

namespace FaMLNet.Cli.Images;

/// <summary>An image that can be read, as far as its header tells.</summary>
internal readonly record struct FoundImage(string File, string Class, ImageHeader Header);

/// <summary>A file that is left out, and why.</summary>
internal readonly record struct LeftOutFile(string File, string Class, FileKind Kind);

/// <summary>Looks at the header of every file before any is decoded: what can be read, what cannot, and why.</summary>
internal static class ImageSurvey
{
    private const int NamesShown = 3, ClassesShown = 12;

    /// <summary>Looks at all files on all processors.</summary>
    /// <param name="files">Where they are.</param>
    /// <param name="names">Their names and classes.</param>
    /// <param name="done">Receives how many have been looked at.</param>
    public static (FoundImage[] Found, LeftOutFile[] LeftOut) Run(IImageFiles files, IReadOnlyList<(string File, string Class)> names,
        Action<int> done)
    {
        object[] results = new object[names.Count];
        int count = 0;
        Parallel.For(0, names.Count, i =>
        {
            (string file, string name) = names[i];
            (ImageHeader? header, FileKind kind) = Look(files, file);
            results[i] = header is { } known ? new FoundImage(file, name, known) : new LeftOutFile(file, name, kind);
            done(Interlocked.Increment(ref count));
        });
        return ([.. results.OfType<FoundImage>()], [.. results.OfType<LeftOutFile>()]);
    }

    /// <summary>Counts, sizes and what is done with them, in a few lines.</summary>
    /// <param name="path">The folder or archive.</param>
    /// <param name="found">The images.</param>
    /// <param name="classes">The classes, in order.</param>
    public static IEnumerable<string> Describe(string path, IReadOnlyList<FoundImage> found, IReadOnlyList<string> classes)
    {
        Dictionary<string, int> counts = found.GroupBy(image => image.Class).ToDictionary(group => group.Key, group => group.Count());
        yield return $"'{path}': {Count(found.Count, "image")} of {Count(classes.Count, "class", "classes")}: {Counts(counts, classes)}.";
        int turned = found.Count(image => image.Header.IsTurned), transparent = found.Count(image => image.Header.HasAlpha);
        if (turned > 0)
            yield return $"  {Count(turned, "image")} turned upright, as the EXIF orientation says.";
        if (transparent > 0)
            yield return $"  {Count(transparent, "image")} with an alpha channel: transparent parts are laid on white.";
    }

    /// <summary>The sizes of the images, and what becomes of them where they are not squares of the size wanted.</summary>
    /// <param name="found">The images; at least one.</param>
    /// <param name="size">The height and width to which they are brought.</param>
    public static string DescribeSizes(IReadOnlyList<FoundImage> found, int size)
    {
        (int Width, int Height, int Count)[] sizes = [.. from image in found
            group image by (image.Header.Width, image.Header.Height) into same
            orderby same.Count() descending, same.Key
            select (same.Key.Width, same.Key.Height, same.Count())];
        if (sizes.Length == 1 && sizes[0].Width == size && sizes[0].Height == size)
            return $"  All have {size} × {size} pixels.";
        string all = sizes.Length <= 4 ? string.Join(", ", sizes.Select(each => $"{each.Width} × {each.Height} ({each.Count})"))
            : $"{sizes.Length} sizes, mostly {sizes[0].Width} × {sizes[0].Height} ({sizes[0].Count}); shorter sides from "
                + $"{sizes.Min(each => Math.Min(each.Width, each.Height))} to {sizes.Max(each => Math.Min(each.Width, each.Height))} pixels";
        return $"  Sizes (width × height): {all}. Each is scaled so that its shorter side has {size} pixels, and cut in the middle to "
            + $"{size} × {size}.";
    }

    /// <summary>What is left out, a line per kind.</summary>
    public static IEnumerable<string> Describe(IEnumerable<LeftOutFile> leftOut) =>
        from file in leftOut
        group file by (Extension: Path.GetExtension(file.File).ToLowerInvariant(), file.Kind.Reason) into kind
        orderby kind.Count() descending, kind.Key.Extension, kind.Key.Reason
        select $"{(kind.Key.Extension.Length > 0 ? kind.Key.Extension : "without extension")}: {Count(kind.Count(), "file")}, {kind.Key.Reason} "
            + $"({Names(kind.Select(file => file.File))})";

    /// <summary>Some names, and how many more there are.</summary>
    public static string Names(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return string.Join(", ", all.Take(NamesShown)) + (all.Length > NamesShown ? $", and {Number(all.Length - NamesShown)} more" : "");
    }

    /// <summary>A number with its noun.</summary>
    public static string Count(int count, string noun, string? several = null) => $"{Number(count)} {(count == 1 ? noun : several ?? noun + "s")}";

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Counts(Dictionary<string, int> counts, IReadOnlyList<string> classes)
    {
        (string Name, int Count)[] all = [.. classes.Select(name => (name, counts.GetValueOrDefault(name)))];
        if (all.Length <= ClassesShown)
            return string.Join(", ", all.Select(each => $"{each.Name} {Number(each.Count)}"));
        (string Name, int Count) least = all.MinBy(each => each.Count), most = all.MaxBy(each => each.Count);
        string first = string.Join(", ", all.Take(NamesShown).Select(each => each.Name));
        return least.Count == most.Count ? $"{Number(least.Count)} of each ({first}, …)"
            : $"from {Number(least.Count)} ({least.Name}) to {Number(most.Count)} ({most.Name}) each ({first}, …)";
    }

    private static (ImageHeader? Header, FileKind Kind) Look(IImageFiles files, string name)
    {
        try
        {
            FileLook look = files.Look(name);
            if (!FileKind.IsDecodable(look.Start))
                return (null, FileKind.Of(look.Start, name));
            byte[] bytes = look.Start;
            ImageHeader? header = ImageDecoder.HeaderOf(bytes);
            if (header == null && !look.IsWhole)
                header = ImageDecoder.HeaderOf(bytes = files.Read(name)); // a long preview lies before what counts
            if (header is not { } known)
                return (null, FileKind.Of(look.Start, name));
            if (ImageDecoder.RefusalOf(known.Width, known.Height, look.Length) is { } refusal)
                return (null, new FileKind(refusal, IsImage: true));
            // An end that is not as expected may be harmless, or that of a file which was cut off: decoding tells.
            if (look.End is { } end && !EndsWell(look.Start, end, look.Length))
                ImageDecoder.Decode(files.Read(name), 1, new byte[3], name);
            return (header, default);
        }
        catch (ImageFileException failure)
        {
            return (null, new FileKind(failure.Reason, failure.IsImage || FileKind.HasImageName(name)));
        }
        catch (UnauthorizedAccessException)
        {
            return (null, new FileKind("may not be read: give the right to read", FileKind.HasImageName(name)));
        }
        catch (IOException)
        {
            return (null, new FileKind("cannot be opened: another program or the disk prevents it", FileKind.HasImageName(name)));
        }
    }

    /// <summary>Whether a file has the end of its format.</summary>
    private static bool EndsWell(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end, long length)
    {
        if (start[0] == 0xFF)
            return end.EndsWith((ReadOnlySpan<byte>)[0xFF, 0xD9]);
        if (start[0] == 0x89)
            return end.IndexOf("IEND"u8) >= 0;
        if (start[0] == 'G')
            return end[^1] == 0x3B;
        uint claimed = start[0] == 'R' ? BitConverter.ToUInt32(start[4..]) + 8 : BitConverter.ToUInt32(start[2..]);
        return length >= claimed;
    }
}
