using System.Diagnostics;
using System.Reflection;

namespace FaMLNet.Tests.Interop;

/// <summary>Starts the dotnet command in a process of its own.</summary>
internal static class ProcessRunner
{
    /// <summary>Far more than any command takes: one that hangs ends the test with its name, and the gate goes on.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static string Metadata(string key) =>
        typeof(ProcessRunner).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    /// <summary>Runs the command-line tool to the end.</summary>
    /// <inheritdoc cref="Run"/>
    public static string Tool(string folder, params string[] arguments) => Run("dotnet", folder, [Metadata("Cli"), .. arguments]);

    /// <summary>Starts a command, and kills it as soon as it has printed a line.</summary>
    /// <exception cref="InvalidOperationException">It ended without having printed the line.</exception>
    public static void KillAt(string line, string command, string folder, params string[] arguments)
    {
        ProcessStartInfo start = new(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        using Timer watch = new(_ => process.Kill(entireProcessTree: true), null, Limit, Timeout.InfiniteTimeSpan);
        List<string> printed = [];
        while (process.StandardOutput.ReadLine() is { } read)
        {
            if (read == line)
            {
                process.Kill(); // SIGKILL: nothing is run any more
                process.WaitForExit();
                return;
            }
            printed.Add(read);
        }
        throw new InvalidOperationException(
            $"{command} {string.Join(' ', arguments)} ended without the line '{line}':\n{string.Join('\n', printed)}\n{error.Result}");
    }

    /// <summary>Runs to the end; fails with all that was printed if the exit status is not 0.</summary>
    public static string Run(string command, string folder, params string[] arguments)
    {
        ProcessStartInfo start = new(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // What the test host sets for itself must not steer the process under test.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("DOTNET_CLI", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{command} {string.Join(' ', arguments)} has not ended within {Limit.TotalMinutes} minutes:\n"
                + $"{output.Result}\n{error.Result}");
        }
        string text = output.Result;
        return process.ExitCode == 0 ? text : throw new InvalidOperationException(
            $"{command} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{text}\n{error.Result}");
    }
}
