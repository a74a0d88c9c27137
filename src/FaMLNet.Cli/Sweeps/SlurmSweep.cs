using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace FaMLNet.Cli.Sweeps;

/// <summary>What a cluster's scheduler is asked for.</summary>
/// <param name="ArrayLimit">Trials at a time; null for as many as there is room for.</param>
/// <param name="Partition">The partition; null for the cluster's own choice.</param>
/// <param name="Time">A limit as Slurm writes it, for example <c>2:00:00</c>; null for the partition's.</param>
/// <param name="Options">Further options of sbatch, for example <c>--gres=gpu:1</c>.</param>
internal sealed record SlurmOptions(int? ArrayLimit, string? Partition, string? Time, IReadOnlyList<string> Options);

/// <summary>A sweep as one job array of Slurm: a task a trial, on whatever machine sees the folder.</summary>
internal static class SlurmSweep
{
    public const string ScriptFile = "slurm.sh", LogFolder = "slurm";

    /// <summary>Writes the job array's script for the trials that are not done.</summary>
    /// <returns>The script, and how many trials it has.</returns>
    /// <exception cref="FormatException">An option cannot be what it says.</exception>
    public static (string Path, int Trials) Write(SweepFile sweep, SweepFolder folder, SlurmOptions options, IReadOnlyList<string> arguments,
        bool retry)
    {
        int[] indices = [.. Enumerable.Range(0, sweep.Trials.Count).Where(index => folder.StateOf(sweep.Trials[index]) switch
        {
            TrialState.Waiting => true,
            TrialState.Failed => retry,
            _ => false,
        })];
        string path = System.IO.Path.Combine(folder.Path, ScriptFile);
        if (indices.Length == 0)
            return (path, 0);
        string logs = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder.Path, LogFolder));
        Directory.CreateDirectory(logs);
        (string file, IReadOnlyList<string> self) = ThisTool.Command();
        string command = string.Join(' ', new[] { file }.Concat(self).Concat(["sweep",
            System.IO.Path.GetFullPath(sweep.Path)]).Concat(arguments).Select(Quoted));
        StringBuilder script = new("#!/bin/bash\n");
        Directive($"--job-name=famlnet-{Word(sweep.Name)}");
        Directive($"--array={Ranges(indices)}{(options.ArrayLimit is { } limit ? $"%{limit}" : "")}");
        Directive($"--cpus-per-task={sweep.Cores}");
        // What Slurm preempts comes back by itself; a minute before the time limit the script is told, and asks to come back.
        Directive("--requeue");
        Directive("--signal=B:USR1@60");
        Directive("--open-mode=append");
        Directive($"--output={logs}/%A_%a.txt");
        if (options.Partition is { } partition)
            Directive($"--partition={partition}");
        if (options.Time is { } time)
            Directive($"--time={time}");
        foreach (string option in options.Options)
            Directive(option);
        script.Append(CultureInfo.InvariantCulture, $$"""

            cd {{Quoted(Environment.CurrentDirectory)}}
            export OMP_NUM_THREADS={{sweep.Cores}} MKL_NUM_THREADS={{sweep.Cores}} DOTNET_GCHeapCount={{sweep.Cores}}
            # The trial saves its state when it is told to stop, and goes on from there in the next attempt.
            requeue=
            trap 'kill -TERM $trial 2>/dev/null' TERM
            trap 'requeue=1; kill -TERM $trial 2>/dev/null' USR1
            {{command}} --index "$SLURM_ARRAY_TASK_ID" & trial=$!
            wait $trial; code=$?
            while kill -0 $trial 2>/dev/null; do wait $trial; code=$?; done
            if [ $code -eq {{ThisTool.Stopped}} ] && [ -n "$requeue" ]; then
                scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
            fi
            exit $code

            """);
        WholeFile.WriteText(path, script.ToString().ReplaceLineEndings("\n"));
        return (path, indices.Length);

        void Directive(string text)
        {
            if (text.Any(char.IsControl))
                throw new FormatException($"An option of Slurm must be one line; found '{text}'.");
            script.Append(CultureInfo.InvariantCulture, $"#SBATCH {text}\n");
        }
    }

    /// <summary>Hands the script to Slurm.</summary>
    /// <returns>The number of the job.</returns>
    /// <exception cref="InvalidOperationException">There is no Slurm here, or it refuses.</exception>
    public static string Submit(string script)
    {
        ProcessStartInfo start = new("sbatch", ["--parsable", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? output.Split(';')[0]
                : throw new InvalidOperationException($"sbatch refused '{script}': {error.Result.Trim()} Correct the options, or the script and "
                    + $"submit it by hand.");
        }
        catch (Win32Exception failure)
        {
            throw new InvalidOperationException($"There is no sbatch on this machine. The job array is written: submit '{script}' with sbatch "
                + $"where Slurm is, or "
                + "run the sweep here without --slurm.", failure);
        }
    }

    /// <summary>Numbers as Slurm writes them: 0-3,7.</summary>
    internal static string Ranges(IReadOnlyList<int> numbers)
    {
        List<string> parts = [];
        for (int i = 0; i < numbers.Count;)
        {
            int end = i;
            while (end + 1 < numbers.Count && numbers[end + 1] == numbers[end] + 1)
                end++;
            parts.Add(end == i ? $"{numbers[i]}" : $"{numbers[i]}-{numbers[end]}");
            i = end + 1;
        }
        return string.Join(',', parts);
    }

    /// <summary>A word of the shell, whatever is in it.</summary>
    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Word(string text) => new([.. text.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.'
        ? letter : '-')]);
}
