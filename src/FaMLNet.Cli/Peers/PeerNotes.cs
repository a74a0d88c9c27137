using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace FaMLNet.Cli.Peers;

/// <summary>
/// What the processes of a comparison say of the data. All read the same rows, and so say the same, but for numbers that differ from fold to fold:
/// each is shown once.
/// </summary>
internal sealed partial class PeerNotes
{
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);

    /// <summary>Shows a line, if none like it was shown.</summary>
    public void Say(string line)
    {
        if (line.Trim().Length > 0 && _said.Add(Number().Replace(line, "0")))
            Console.WriteLine(line);
    }

    /// <summary>A warning of ML.NET's, as a line.</summary>
    public static void Print(LoggingEventArgs message)
    {
        if (message.Kind is ChannelMessageKind.Warning or ChannelMessageKind.Error)
            Console.WriteLine(message.RawMessage.ReplaceLineEndings(" "));
    }

    /// <summary>Numbers, but for those in names.</summary>
    [GeneratedRegex(@"(?<![\w'])[-+]?\d[\d.,]*([eE][-+]?\d+)?(?![\w'])", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
