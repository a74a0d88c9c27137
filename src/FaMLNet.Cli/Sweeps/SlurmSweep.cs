using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using FaMLNet.Cli.Terminal;

namespace FaMLNet.Cli.Sweeps;

/// <summary>What a cluster's scheduler is asked for.</summary>
/// <param name="ArrayLimit">Trials at a time; null for as many as there is room for.</param>
/// <param name="Partition">The partition; null for the cluster's own choice.</param>
/// <param name="Time">A limit as Slurm writes it, for example <c>2:00:00</c>; null for the partition's.</param>
/// <param name="Options">Further options of sbatch, for example <c>--gres=gpu:1</c>.</param>
/// <param name="MaxArraySize">Slurm's MaxArraySize: the index of a task must be below it.</param>
internal sealed record SlurmOptions(int? ArrayLimit, string? Partition, string? Time, IReadOnlyList<string> Options,
    int MaxArraySize = SlurmSweep.DefaultMaxArraySize);

/// <summary>The script of a job array.</summary>
/// <param name="Path">The file.</param>
/// <param name="Trials">How many trials it has.</param>
internal sealed record SlurmArray(string Path, int Trials);

/// <summary>A sweep as job arrays of Slurm: one task per trial, on whatever machine sees the folder.</summary>
internal static class SlurmSweep
{
    public const string ScriptFile = "slurm.sh", LogFolder = "slurm";

    /// <summary>Slurm's MaxArraySize where its configuration does not set it.</summary>
    public const int DefaultMaxArraySize = 1001;

    /// <summary>The MaxArraySize of the Slurm of this machine; null where there is none, or it does not say.</summary>
    public static int? FindMaxArraySize()
    {
        ProcessStartInfo start = new("scontrol", ["show", "config"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output.Split('\n').Select(line => line.Split('=', 2)).Where(parts => parts.Length == 2
                && parts[0].Trim().Equals("MaxArraySize", StringComparison.OrdinalIgnoreCase))
                .Select(parts => int.TryParse(parts[1].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size > 0 ? size
                    : (int?)null).FirstOrDefault();
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>
    /// Writes the scripts for the trials that are not done: one job array, or several where the trials' numbers reach MaxArraySize. A task's number
    /// in a later array begins at 0 again.
    /// </summary>
    /// <returns>The scripts.</returns>
    /// <exception cref="FormatException">An option cannot be what it says.</exception>
    public static IReadOnlyList<SlurmArray> Write(SweepFile sweep, SweepFolder folder, SlurmOptions options, IReadOnlyList<string> arguments,
        bool retry)
    {
        if (options.MaxArraySize < 1)
            throw new FormatException($"--max-array-size must be at least 1; found {options.MaxArraySize}.");
        int[] indices = [.. Enumerable.Range(0, sweep.Trials.Count).Where(index => folder.StateOf(sweep.Trials[index]) switch
        {
            TrialState.Waiting => true,
            TrialState.Failed => retry,
            _ => false,
        })];
        if (indices.Length == 0)
            return [];
        Directory.CreateDirectory(LogsOf(folder));
        return [.. indices.GroupBy(index => index / options.MaxArraySize).Select((group, number) =>
        {
            int first = group.Key * options.MaxArraySize;
            string name = number == 0 ? ScriptFile : $"{Path.GetFileNameWithoutExtension(ScriptFile)}-{number + 1}.sh";
            string path = Path.Combine(folder.Path, name);
            WholeFile.WriteText(path, Script(sweep, folder, options, arguments, group.ToDictionary(index => index - first,
                index => folder.WriteConfiguration(sweep.Trials[index]))));
            return new SlurmArray(path, group.Count());
        })];
    }

    private static string LogsOf(SweepFolder folder) => Path.GetFullPath(Path.Combine(folder.Path, LogFolder));

    /// <summary>The script of one job array.</summary>
    /// <param name="sweep">The sweep.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="options">What Slurm is asked for.</param>
    /// <param name="arguments">What a trial is told.</param>
    /// <param name="trials">The configuration of the trial of each task, by the number of the task.</param>
    private static string Script(SweepFile sweep, SweepFolder folder, SlurmOptions options, IReadOnlyList<string> arguments,
        IReadOnlyDictionary<int, string> trials)
    {
        (string file, IReadOnlyList<string> self) = ThisTool.Command();
        string command = string.Join(' ', new[] { file }.Concat(self).Append("benchmark").Select(Quoted)),
            told = string.Join(' ', TrialRun.Arguments(sweep).Concat(arguments).Select(Quoted)),
            configurations = string.Concat(trials.OrderBy(pair => pair.Key).Select(pair => string.Create(CultureInfo.InvariantCulture,
                $"    [{pair.Key}]={Quoted(Path.GetFullPath(pair.Value))}\n")));
        StringBuilder script = new("#!/bin/bash\n");
        Directive($"--job-name=famlnet-{Word(sweep.Name)}");
        Directive($"--array={Ranges([.. trials.Keys.Order()])}{(options.ArrayLimit is { } limit ? $"%{limit}" : "")}");
        Directive($"--cpus-per-task={sweep.Cores}");
        // What Slurm preempts comes back by itself; a minute before the time limit the script is told, and asks to come back.
        Directive("--requeue");
        Directive("--signal=B:USR1@60");
        Directive("--open-mode=append");
        Directive($"--output={LogsOf(folder)}/%A_%a.txt");
        if (options.Partition is { } partition)
            Directive($"--partition={partition}");
        if (options.Time is { } time)
            Directive($"--time={time}");
        foreach (string option in options.Options)
            Directive(option);
        script.Append(CultureInfo.InvariantCulture, $$"""

            cd {{Quoted(Environment.CurrentDirectory)}}
            export OMP_NUM_THREADS={{sweep.Cores}} MKL_NUM_THREADS={{sweep.Cores}} DOTNET_GCHeapCount={{sweep.Cores}}
            trials=(
            {{configurations}})
            # The trial saves its state when it is told to stop, and goes on from there in the next attempt.
            requeue=
            trap 'kill -TERM $trial 2>/dev/null' TERM
            trap 'requeue=1; kill -TERM $trial 2>/dev/null' USR1
            {{command}} "${trials[$SLURM_ARRAY_TASK_ID]}" {{told}} & trial=$!
            wait $trial; code=$?
            while kill -0 $trial 2>/dev/null; do wait $trial; code=$?; done
            if [ $code -eq {{ThisTool.Stopped}} ] && [ -n "$requeue" ]; then
                scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
            fi
            exit $code

            """);
        return script.ToString().ReplaceLineEndings("\n");

        void Directive(string text)
        {
            if (text.Any(char.IsControl))
                throw new FormatException($"An option of Slurm must be one line; found '{text}'.");
            script.Append(CultureInfo.InvariantCulture, $"#SBATCH {text}\n");
        }
    }

    /// <summary>Hands the script to Slurm.</summary>
    /// <param name="script">The script.</param>
    /// <param name="after">A job whose end it waits for; null for none.</param>
    /// <returns>The number of the job.</returns>
    /// <exception cref="InvalidOperationException">There is no Slurm here, or it refuses.</exception>
    public static string Submit(string script, string? after = null)
    {
        string[] dependency = after == null ? [] : [$"--dependency=afterany:{after}"];
        ProcessStartInfo start = new("sbatch", ["--parsable", .. dependency, script]) { RedirectStandardOutput = true, RedirectStandardError = true };
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
