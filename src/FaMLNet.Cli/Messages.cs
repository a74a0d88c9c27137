using Microsoft.ML;
using Microsoft.ML.Runtime;
using Spectre.Console;

namespace FaMLNet.Cli;

/// <summary>ML.NET's messages on the console.</summary>
internal static class Messages
{
    public static void Print(LoggingEventArgs message)
    {
        if (message.Kind is ChannelMessageKind.Info or ChannelMessageKind.Warning or ChannelMessageKind.Error
            && message.Source.Contains("FeedbackAlignment", StringComparison.Ordinal))
            Console.WriteLine(message.RawMessage); // not wrapped: a line of a log is a line
    }

    public static void PrintWarning(LoggingEventArgs message)
    {
        if (message.Kind is ChannelMessageKind.Warning or ChannelMessageKind.Error)
            AnsiConsole.MarkupLineInterpolated($"[yellow]{message.RawMessage}[/]");
    }
}
