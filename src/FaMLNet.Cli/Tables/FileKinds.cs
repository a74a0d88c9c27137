using System.Text;

namespace FaMLNet.Cli.Tables;

/// <summary>Kinds of files that people give in place of a table of separated values, told by their first bytes.</summary>
internal static class FileKinds
{
    private const string ExportIt = "Open it in a spreadsheet and save the sheet as 'CSV UTF-8'.";
    private const string UnpackIt = "Unpack it, and give the table inside.";
    private const string WriteCsv = "Write its table as CSV with the program that made it.";
    private const string Images = "Images are read from a folder with one folder of image files per class.";

    /// <summary>A file of which every so many bytes one is zero is no text: of UTF-16 it is every second.</summary>
    private const int ShareOfZeros = 8;

    private static readonly (byte[] Start, string What, string Cure)[] Kinds =
    [
        (Bytes("PK\u0003\u0004"), "a zip archive", UnpackIt),
        ([0xD0, 0xCF, 0x11, 0xE0], "a workbook of an old Excel (.xls)", ExportIt),
        (Bytes("PAR1"), "a Parquet file", "Write it as CSV, for example with pandas: pd.read_parquet(…).to_csv(…, index=False)."),
        (Bytes("ARROW1"), "an Arrow or Feather file", WriteCsv),
        (Bytes("%PDF"), "a PDF file", "Export the table as CSV."),
        (Bytes("SQLite format 3"), "an SQLite database", "Export the table: sqlite3 -header -csv file.db \"SELECT * FROM …\" > table.csv."),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file", WriteCsv),
        ([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'], "a NumPy array", "Write it with numpy.savetxt(…, delimiter=',')."),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "an image", Images),
        ([0xFF, 0xD8, 0xFF], "an image", Images),
        (Bytes("GIF8"), "an image", Images),
        (Bytes("BZh"), "compressed by bzip2", UnpackIt),
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'], "compressed by xz", UnpackIt),
        ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd", UnpackIt),
        ([(byte)'7', (byte)'z', 0xBC, 0xAF], "a 7-Zip archive", UnpackIt),
        ([0x80, 0x04, 0x95], "a Python pickle", WriteCsv),
    ];

    private static readonly (string Start, string What, string Cure)[] Texts =
    [
        ("<!DOCTYPE", "a web page", "Download the table itself instead of the page that shows it."),
        ("<html", "a web page", "Download the table itself instead of the page that shows it."),
        ("<?xml", "an XML file", WriteCsv),
        ("{\"", "a JSON file", WriteCsv),
        ("[{", "a JSON file", WriteCsv),
        ("@relation", "an ARFF file", WriteCsv),
        ("version https://git-lfs", "a pointer of Git LFS, not the file itself", "Run git lfs pull."),
    ];

    /// <summary>The kind of a file; null where nothing speaks against a table.</summary>
    /// <param name="head">Its first bytes.</param>
    public static (string What, string Cure)? Of(ReadOnlySpan<byte> head)
    {
        foreach ((byte[] start, string what, string cure) in Kinds)
        {
            if (!head.StartsWith(start))
                continue;
            string inside = Encoding.Latin1.GetString(head);
            return !what.StartsWith("a zip", StringComparison.Ordinal) ? (what, cure)
                : inside.Contains("[Content_Types].xml", StringComparison.Ordinal) || inside.Contains("xl/", StringComparison.Ordinal)
                    ? ("an Excel workbook (.xlsx)", ExportIt)
                : inside.Contains("opendocument", StringComparison.Ordinal) ? ("an OpenDocument spreadsheet (.ods)", ExportIt)
                : (what, cure);
        }
        string text = Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        foreach ((string start, string what, string cure) in Texts)
        {
            if (text.StartsWith(start, StringComparison.OrdinalIgnoreCase))
                return (what, cure);
        }
        bool isWide = head is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..];
        // A zero among many other bytes is damage, and is named with its row when it is read.
        return !isWide && head.Count((byte)0) * ShareOfZeros >= head.Length && head.Length > 0
            ? ("a file with zero bytes, which no text has (binary, or UTF-16 without a byte-order mark)",
            "Save it as 'CSV UTF-8'.") : null;
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
