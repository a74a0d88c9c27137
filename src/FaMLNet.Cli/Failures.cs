using System.Reflection;
using FaMLNet.Interop;

namespace FaMLNet.Cli;

/// <summary>What to say of a failure.</summary>
internal static class Failures
{
    private const string Variable = LibTorch.FolderVariable;

    private static string System() => OperatingSystem.IsWindows() ? "win-x64" : OperatingSystem.IsMacOS() ? "osx-arm64" : "linux-x64";

    /// <summary>ML.NET reads data on threads of its own, and says of what goes wrong there only that something did: the cause's own
    /// message.</summary>
    public static string MessageOf(Exception failure)
    {
        Exception cause = failure;
        while (cause is { InnerException: { } inner } && (cause is AggregateException or TargetInvocationException
            or TypeInitializationException || cause.Message.StartsWith("Splitter/consolidator", StringComparison.Ordinal)))
            cause = inner;
        return cause is DllNotFoundException && Environment.GetEnvironmentVariable(Variable) is null or ""
            ? $"This needs libtorch 2.10.0, which the tool does not carry: set {Variable} to the folder with its libraries (NuGet's package "
            + $"libtorch-cpu-{System()} of 2.10.0, unpacked, has them in runtimes/{System()}/native), or publish the tool with it: "
            + $"dotnet publish src/FaMLNet.Cli -r {System()} --self-contained."
            : cause is NullReferenceException or IndexOutOfRangeException or InvalidCastException or KeyNotFoundException or ArithmeticException
                or ObjectDisposedException || cause.Message.Length == 0
            ? Unexpected(cause) : cause.Message;
    }

    /// <summary>A fault of the tool, whose own message tells a user nothing.</summary>
    private static string Unexpected(Exception failure) => $"A fault of famlnet, not of yours{(Activity.Current is { } activity
        ? $", while it was {activity}" : "")}: {failure.GetType().Name}, {failure.Message.TrimEnd('.')}. Please report it with the command line"
        + $"{(failure.StackTrace?.Split('\n')[0].Trim() is { } place ? $" and the place: {place}" : "")}.";
}
