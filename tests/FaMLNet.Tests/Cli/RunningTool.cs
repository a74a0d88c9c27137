using System.Diagnostics;
using System.Runtime.InteropServices;
using FaMLNet.Tests.Interop;

namespace FaMLNet.Tests.Cli;

/// <summary>The tool in a process of its own, which a test follows line by line while it runs. It never waits longer than a limit.</summary>
internal sealed class RunningTool : IDisposable
{
    private const int Interruption = 2;

    // Far more than anything takes: reached only where the tool hangs.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly object _gate = new();
    private readonly List<string> _output = [], _error = [];
    private int _open = 2;

    /// <param name="folder">Where it runs.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="variables">Of its environment, beside those of this process.</param>
    public RunningTool(string folder, IEnumerable<string> arguments, params (string Name, string Value)[] variables)
    {
        // Where these tests run in the background of a shell, Ctrl+C is ignored, and a process that is started would inherit that.
        (string program, string[] before) = OperatingSystem.IsLinux() ? ("env", ["--default-signal=INT", "dotnet"])
            : ("dotnet", Array.Empty<string>());
        ProcessStartInfo start = new(program, [.. before, ProcessRunner.Metadata("Cli"), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_error, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The lines of standard output so far.</summary>
    public IReadOnlyList<string> Output => Copy(_output);

    /// <summary>The lines of standard error so far.</summary>
    public IReadOnlyList<string> Error => Copy(_error);

    /// <summary>Makes a pipe with a name, from which reading waits until somebody writes.</summary>
    public static string MakePipe(string folder, string name)
    {
        ProcessRunner.Run("mkfifo", folder, name);
        return Path.Combine(folder, name);
    }

    /// <summary>Waits for a line on either output.</summary>
    public void WaitFor(string part)
    {
        long end = Stopwatch.GetTimestamp() + (long)(Limit.TotalSeconds * Stopwatch.Frequency);
        lock (_gate)
        {
            while (!_output.Concat(_error).Any(line => line.Contains(part, StringComparison.Ordinal)))
            {
                TimeSpan left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), end);
                if (_open == 0 || left <= TimeSpan.Zero || !Monitor.Wait(_gate, left))
                    throw new InvalidOperationException($"No line with '{part}':\n{string.Join('\n', _output)}\n{string.Join('\n', _error)}");
            }
        }
    }

    /// <summary>What Ctrl+C does.</summary>
    public void Interrupt()
    {
        if (Kill(_process.Id, Interruption) != 0)
            throw new InvalidOperationException("The process cannot be sent a signal.");
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit status; 128 and the signal's number where a signal ended it.</returns>
    public int WaitForExit()
    {
        if (!_process.WaitForExit(Limit))
            throw new InvalidOperationException($"It does not end:\n{string.Join('\n', Output)}\n{string.Join('\n', Error)}");
        _process.WaitForExit(); // and for the last lines
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Add(List<string> lines, string? line)
    {
        lock (_gate)
        {
            if (line == null)
                _open--;
            else
                lines.Add(line);
            Monitor.PulseAll(_gate);
        }
    }

    private string[] Copy(List<string> lines)
    {
        lock (_gate)
            return [.. lines];
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
