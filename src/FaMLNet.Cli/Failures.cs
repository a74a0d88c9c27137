namespace FaMLNet.Cli;

/// <summary>What to say of a failure.</summary>
internal static class Failures
{
    /// <summary>ML.NET reads data on threads of its own, and says of what goes wrong there only that something did: the cause's own message.</summary>
    public static string MessageOf(Exception failure)
    {
        Exception cause = failure;
        while (cause is { InnerException: { } inner } && cause.Message.StartsWith("Splitter/consolidator", StringComparison.Ordinal))
            cause = inner;
        return cause.Message;
    }
}
