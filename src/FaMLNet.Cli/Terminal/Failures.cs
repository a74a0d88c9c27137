using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using FaMLNet.Interop;

namespace FaMLNet.Cli.Terminal;

/// <summary>
/// The one place that tells a user of a failure. Messages of this project, of ML.NET and of the parsers are written for users. Those of .NET and
/// of libtorch are not: they are put into words here.
/// </summary>
internal static class Failures
{
    /// <summary>Set to 1, the trace of every failure is printed as well.</summary>
    public const string TraceVariable = "FAMLNET_TRACE";

    private const string Variable = LibTorch.FolderVariable;

    // Linux's numbers, which .NET hands on.
    private const int NoSpace = 28, BrokenPipe = 32;

    /// <summary>Assemblies whose messages users understand.</summary>
    private static readonly string[] Authors = ["FaMLNet", "famlnet", "Microsoft.ML", "Spectre.Console", "Sylvan", "YamlDotNet", "JsonSchema"];

    private static string System() => OperatingSystem.IsWindows() ? "win-x64" : OperatingSystem.IsMacOS() ? "osx-arm64" : "linux-x64";

    /// <summary>The cause: ML.NET reads data on threads of its own, and says of what goes wrong there only that something did.</summary>
    public static Exception CauseOf(Exception failure)
    {
        Exception cause = failure;
        while (cause is { InnerException: { } inner } && (cause is AggregateException or TargetInvocationException
            or TypeInitializationException || cause.Message.StartsWith("Splitter/consolidator", StringComparison.Ordinal)))
            cause = inner;
        return cause;
    }

    /// <summary>What to say of a failure: what went wrong, with the file where it is known, and what can be done.</summary>
    public static string MessageOf(Exception failure)
    {
        Exception cause = CauseOf(failure);
        string during = Activity.Of(failure) is { } activity ? $" while {activity}" : "";
        if (cause is DllNotFoundException && Environment.GetEnvironmentVariable(Variable) is null or "")
        {
            return $"This needs libtorch 2.10.0, which the tool does not carry: set {Variable} to the folder with its libraries (NuGet's package "
                + $"libtorch-cpu-{System()} of 2.10.0, unpacked, has them in runtimes/{System()}/native), or publish the tool with it: "
                + $"dotnet publish src/FaMLNet.Cli -r {System()} --self-contained.";
        }
        if (IsOutOfMemory(cause))
        {
            return $"There is not enough memory{during}. Use fewer rows or columns, a smaller network or smaller batches, or a machine with more "
                + "memory.";
        }
        if (IsForUsers(cause))
            return WithoutParameter(cause.Message);
        return cause switch
        {
            IOException { HResult: BrokenPipe } => "Nobody reads the output any more: its pipe is closed.",
            IOException { HResult: NoSpace } => $"There is no space left on the disk{during}: {Line(cause)} Make room, or choose another place.",
            UnauthorizedAccessException => $"{Line(cause)} Give this process the right to read or write there, or choose another place.",
            FileNotFoundException or DirectoryNotFoundException => $"{Line(cause)} Check the name and the folder.",
            JsonException json => $"JSON that cannot be read{during}: line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}: "
                + $"{Regex.Replace(Line(cause), @" Path: .*$", "")} Correct the file, or copy it again.",
            InvalidDataException => $"A zip or gzip file is damaged or cut off{during}: {Line(cause)} Copy it again.",
            IOException => $"Reading or writing failed{during}: {Line(cause)}",
            ExternalException => $"libtorch failed{during}: {Line(cause)} {HowToTrace}",
            DllNotFoundException or BadImageFormatException => $"A library cannot be loaded{during}: {Line(cause)} If {Variable} is set, it must "
                + "name the folder of libtorch 2.10.0 for this system.",
            _ => Unexpected(cause, during),
        };
    }

    /// <summary>Why a file cannot be read, as the end of a sentence that names it.</summary>
    public static string ReasonOf(Exception failure)
    {
        Exception cause = CauseOf(failure);
        return IsForUsers(cause) ? Line(cause) : cause is InvalidDataException or EndOfStreamException ? $"it is damaged, cut off, or no zip file "
            + $"({Line(cause).TrimEnd('.')})." : $"its content is damaged, or another program's ({cause.GetType().Name}). {HowToTrace}";
    }

    /// <summary>The whole trace, where the user asks for it; else null.</summary>
    public static string? TraceOf(Exception failure) =>
        Environment.GetEnvironmentVariable(TraceVariable) is null or "" or "0" ? null : failure.ToString();

    /// <summary>The first line of a message, as a sentence. libtorch's go on with a trace of their own.</summary>
    public static string Line(Exception failure) => WithoutParameter(failure.Message).Split('\n')[0].Trim().TrimEnd('.') + ".";

    private static string HowToTrace => $"{TraceVariable}=1 shows where.";

    private static bool IsOutOfMemory(Exception failure) => failure is OutOfMemoryException
        || (failure is ExternalException && (failure.Message.Contains("can't allocate memory", StringComparison.Ordinal)
            || failure.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Whether a message was written for users: by the assembly of the method that threw, unless only a fault throws such a kind.</summary>
    private static bool IsForUsers(Exception failure)
    {
        if (failure.Message.Length == 0 || failure is NullReferenceException or IndexOutOfRangeException or InvalidCastException
            or KeyNotFoundException or ArithmeticException or ObjectDisposedException or ArgumentNullException or ExternalException
            or NotImplementedException or TypeLoadException or MissingMemberException or JsonException)
            return false;
        MethodBase? thrower = new StackTrace(failure).GetFrame(0)?.GetMethod();
        // Made, and never thrown: by this project.
        return thrower == null || Authors.Any(author => thrower.DeclaringType?.Assembly.GetName().Name?.StartsWith(author,
            StringComparison.Ordinal) == true);
    }

    /// <summary>.NET adds the name of a parameter, which users do not have, and in a further line its value.</summary>
    private static string WithoutParameter(string message) => Regex.Replace(message, @"\s*\(Parameter '[^']*'\)(\r?\nActual value was .*)?", "",
        RegexOptions.Singleline);

    /// <summary>A fault of the tool, whose own message tells a user nothing.</summary>
    private static string Unexpected(Exception failure, string during) =>
        $"A fault of famlnet, not of yours{(during.Length > 0 ? $", while it was{during["while ".Length..]}" : "")}: {failure.GetType().Name}, "
        + $"{Line(failure)} Please report it with the command line"
        + $"{(failure.StackTrace?.Split('\n')[0].Trim() is { } place ? $" and the place: {place}" : "")}. {HowToTrace}";
}
