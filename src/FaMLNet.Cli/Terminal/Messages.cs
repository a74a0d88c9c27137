using Microsoft.ML;
using Microsoft.ML.Runtime;
using Spectre.Console;

namespace FaMLNet.Cli.Terminal;

/// <summary>Lines on the console, ML.NET's among them. In a file or a pipe a line stays one line, however long it is.</summary>
internal static class Messages
{
    public static void Print(LoggingEventArgs message)
    {
        if (message.Kind is ChannelMessageKind.Info or ChannelMessageKind.Warning or ChannelMessageKind.Error
            && message.Source.Contains("FeedbackAlignment", StringComparison.Ordinal))
            Console.WriteLine(message.RawMessage);
    }

    public static void PrintWarning(LoggingEventArgs message)
    {
        if (message.Kind is ChannelMessageKind.Warning or ChannelMessageKind.Error)
            Warn(message.RawMessage);
    }

    /// <summary>Writes a line to standard output; on a terminal above a table that is drawn anew.</summary>
    public static void Say(string line) => Write(AnsiConsole.Console, line);

    /// <summary>The same in yellow, where there are colours.</summary>
    public static void Warn(string line) => Write(AnsiConsole.Console, line, Color.Yellow);

    /// <summary>Writes a line to a console. Spectre wraps at 80 characters where there is no terminal.</summary>
    public static void Write(IAnsiConsole console, string line, Color? colour = null)
    {
        if (console.Profile.Capabilities is { Interactive: true, Ansi: true })
            console.Write(new Text(line + "\n", colour is { } value ? new Style(value) : Style.Plain));
        else
            console.Profile.Out.Writer.WriteLine(line);
    }

    /// <summary>Writes a line to standard error, if somebody listens there.</summary>
    public static void Tell(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (IOException)
        {
            // Nobody does.
        }
    }
}
