using System.IO.Compression;

namespace ImageFolder;

/// <summary>One image file and its class: what the pipeline reads.</summary>
internal sealed class ImageFile
{
    /// <summary>The file, below the folder of all images.</summary>
    public string Path { get; set; } = "";

    /// <summary>The folder that it lies in.</summary>
    public string Label { get; set; } = "";
}

/// <summary>Image files in one folder a class, or a zip archive of such folders.</summary>
internal static class ImageFiles
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp"];

    /// <summary>The folder itself, or the folder into which an archive has been unpacked.</summary>
    /// <param name="parent">Where to look.</param>
    /// <param name="name">The folder's name, and the archive's without .zip.</param>
    public static string Folder(string parent, string name)
    {
        string folder = System.IO.Path.Combine(parent, name), archive = folder + ".zip";
        if (Directory.Exists(folder))
            return folder;
        if (!File.Exists(archive))
            throw new FileNotFoundException($"Neither the folder '{folder}' nor the archive '{archive}' is there.");
        FileInfo info = new(archive);
        string unpacked = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"famlnet-{name}-{info.Length}-{info.LastWriteTimeUtc.Ticks}");
        if (!Directory.Exists(unpacked))
        {
            // Whole or not at all: unpacked beside it, then renamed.
            string partial = $"{unpacked}-{Environment.ProcessId}";
            ZipFile.ExtractToDirectory(archive, partial);
            Directory.Move(partial, unpacked);
        }
        return unpacked;
    }

    /// <summary>All images below a folder, class by class.</summary>
    public static ImageFile[] List(string folder) =>
    [
        .. from path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
           where Extensions.Contains(System.IO.Path.GetExtension(path).ToLowerInvariant())
           select new ImageFile { Path = System.IO.Path.GetRelativePath(folder, path),
               Label = System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path)!) },
    ];
}
