using System.IO.Compression;
using System.Text.Json;
using FaMLNet.Cli.Terminal;
using Spectre.Console.Testing;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Every failure becomes one line that a user understands.</summary>
public sealed class FailureTests
{
    private static readonly string Here = Path.GetTempPath().TrimEnd(Path.DirectorySeparatorChar);

    /// <summary>What .NET and libtorch really throw, and what is said of it.</summary>
    public static TheoryData<string, string> Thrown() => new()
    {
        { "null argument", "A fault of famlnet, not of yours, while it was testing: ArgumentNullException, Value cannot be null." },
        { "null reference", "A fault of famlnet, not of yours, while it was testing: NullReferenceException" },
        { "number", "A fault of famlnet, not of yours, while it was testing: FormatException, The input string 'x'" },
        { "empty sequence", "A fault of famlnet, not of yours, while it was testing: InvalidOperationException, Sequence contains no elements." },
        { "on another thread", "A fault of famlnet, not of yours, while it was testing: InvalidOperationException, Sequence contains no elements." },
        { "no file", "nowhere.csv'. Check the name and the folder." },
        { "no right", $"Access to the path '{Here}' is denied. Give this process the right to read or write there" },
        { "JSON", "JSON that cannot be read while testing: line 2, byte 2: " },
        { "zip", "A zip or gzip file is damaged or cut off while testing: " },
        { "gzip", "A zip or gzip file is damaged or cut off while testing: " },
        { "memory", "There is not enough memory while testing. Use fewer rows or columns" },
        { "libtorch's memory", "There is not enough memory while testing. Use fewer rows or columns" },
        { "libtorch's shapes", "libtorch failed while testing: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3). FAMLNET_TRACE=1" },
        { "ours", "--epochs must be at least 1; found 0." },
        { "ours with a parameter", "Option Seed must be positive." },
        { "ours with a value", "Option Seed must be positive." },
    };

    [Theory, MemberData(nameof(Thrown))]
    public void No_message_of_the_framework_is_shown_bare(string kind, string expected)
    {
        Exception failure = Assert.ThrowsAny<Exception>(() => Activity.Run("testing", () => Throw(kind)));
        string message = Failures.MessageOf(failure);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.DoesNotContain("(Parameter", message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", message, StringComparison.Ordinal);
    }

    /// <summary>The console of a log is 80 characters wide, as Spectre has it; brackets are no markup.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void A_long_line_stays_one_line_where_there_is_no_terminal(bool isWarning)
    {
        using TestConsole console = new();
        string line = $"[a] {new string('x', 100)} {new string('y', 100)} [/b]";
        Messages.Write(console, line, isWarning ? Spectre.Console.Color.Yellow : null);
        Assert.Equal(line + "\n", console.Output.ReplaceLineEndings("\n"));
    }

    private static void Throw(string kind)
    {
        switch (kind)
        {
            case "null argument":
                ArgumentNullException.ThrowIfNull((object?)null, "view");
                break;
            case "null reference":
                _ = ((string)null!).Length;
                break;
            case "number":
                _ = int.Parse("x", null);
                break;
            case "empty sequence":
                _ = Enumerable.Empty<int>().First();
                break;
            case "on another thread":
                Task.Run(() => Enumerable.Empty<int>().First()).Wait();
                break;
            case "no file":
                _ = File.ReadAllText("nowhere.csv");
                break;
            case "no right":
                File.WriteAllText(Here, "");
                break;
            case "JSON":
                _ = JsonDocument.Parse("{\n !");
                break;
            case "zip":
                _ = new ZipArchive(new MemoryStream(new byte[100]));
                break;
            case "gzip":
                _ = new GZipStream(new MemoryStream(new byte[100]), CompressionMode.Decompress).ReadByte();
                break;
            case "memory":
                _ = new byte[int.MaxValue]; // more than an array may have
                break;
            case "libtorch's memory":
                using (torch.zeros(1L << 48)) { }
                break;
            case "libtorch's shapes":
                using (torch.Tensor left = torch.zeros(2, 3), right = torch.zeros(2, 3))
                    left.mm(right).Dispose();
                break;
            case "ours":
                throw new FormatException("--epochs must be at least 1; found 0.");
            case "ours with a parameter":
                throw new ArgumentException("Option Seed must be positive.", kind);
            case "ours with a value":
                throw new ArgumentOutOfRangeException(kind, -1, "Option Seed must be positive.");
            default:
                throw new NotSupportedException(kind);
        }
    }
}
