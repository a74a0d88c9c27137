using System.IO.Compression;

namespace FaMLNet.Tests.Persistence;

internal static class ModelZip
{
    /// <summary>What a saved model consists of, by name.</summary>
    public static Dictionary<string, byte[]> Entries(byte[] zip)
    {
        using ZipArchive archive = new(new MemoryStream(zip));
        return archive.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using MemoryStream content = new();
            using Stream stream = entry.Open();
            stream.CopyTo(content);
            return content.ToArray();
        });
    }
}
