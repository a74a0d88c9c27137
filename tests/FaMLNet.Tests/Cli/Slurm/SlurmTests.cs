using System.Diagnostics;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sweeps;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli.Slurm;

/// <summary>A sweep on a real Slurm of this one machine, which the test starts and stops by itself.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class SlurmTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-slurm").FullName;
    private bool _started;

    public void Dispose()
    {
        if (_started)
            ProcessRunner.Run("bash", _folder, Script, "stop", Path.Combine(_folder, "slurm"));
        Directory.Delete(_folder, recursive: true);
    }

    private static string Script => Path.Combine(ProcessRunner.Metadata("RepositoryRoot"), "tests/FaMLNet.Tests/Cli/Slurm/slurm.sh");

    [Fact]
    public void A_job_array_runs_the_trials_and_a_requeued_and_a_killed_one_go_on_from_their_checkpoints()
    {
        foreach (string program in new[] { "slurmctld", "slurmd", "munged", "sbatch", "scontrol" })
        {
            Assert.SkipUnless(new[] { "/usr/bin", "/usr/sbin", "/bin", "/sbin" }.Any(folder => File.Exists(Path.Combine(folder, program))),
                $"needs Slurm and munge (Debian: slurm-wlm and munge): there is no {program}");
        }
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "starts a Slurm of its own, which needs root");
        File.Copy(Tables.PathOf("digits"), Path.Combine(_folder, "digits.csv"));
        // Long enough to be caught at work: every epoch writes a checkpoint.
        File.WriteAllText(Path.Combine(_folder, "sweep.yaml"), """
            experiment: {name: cluster, output_dir: shared}
            data: {dataset: csv, dataset_path: digits.csv}
            model: {architecture: "mlp:64", mode: {type: fa}}
            training:
              hyperparameters: {epochs: 1000, batch_size: 64}
            infrastructure: {threads: 1}
            evaluation: {tensorboard: false, report: false}
            sweep:
              keep_models: false
              over: {rule: [fa, bp], seed: [1, 2]}
            """);
        SweepFile sweep = SweepFile.Read(Path.Combine(_folder, "sweep.yaml"));
        _started = true;
        ProcessRunner.Run("bash", _folder, Script, "start", Path.Combine(_folder, "slurm"));
        string submitted = Tool("sweep", "sweep.yaml", "--slurm", "--array-limit", "2", "--partition", "main", "--time", "1:00:00");
        Assert.Matches(@"Submitted as job \d+: 4 trials", submitted);
        string job = submitted.Split(' ')[3].TrimEnd(':');

        // One trial is sent back into the queue while it works, and one is killed as a machine that fails would.
        string first = FolderOf(sweep.Trials[0]), second = FolderOf(sweep.Trials[1]);
        WaitUntil(() => EpochsOf(first) > 5 && EpochsOf(second) > 5);
        Slurm("scontrol", "requeue", $"{job}_0");
        int atKill = EpochsOf(second);
        foreach (int process in ProcessesWith($"{sweep.Trials[1].Name}/config.yaml"))
            Process.GetProcessById(process).Kill();
        WaitUntil(() => !Slurm("squeue", "-h", "-j", job, "-t", "RUNNING,COMPLETING,PENDING").Contains($"{job}_1", StringComparison.Ordinal));
        // What is there is gathered at any time.
        Assert.Contains("of 4 trials done", ToolWhatever("sweep", "sweep.yaml", "--collect"), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(second, Experiment.ResultFile)));
        Assert.InRange(EpochsOf(second), atKill, 999);

        WaitUntil(() => Slurm("squeue", "-h", "-j", job).Trim().Length == 0);
        // The killed one alone is submitted again, and goes on.
        Assert.Contains(": 1 trials", Tool("sweep", "sweep.yaml", "--slurm"), StringComparison.Ordinal);
        WaitUntil(() => Slurm("squeue", "-h").Trim().Length == 0);
        string collected = Tool("sweep", "sweep.yaml", "--collect");
        Assert.Contains("4 of 4 trials done, 0 failed", collected, StringComparison.Ordinal);
        Assert.Contains("Every trial is done", Tool("sweep", "sweep.yaml", "--slurm").ReplaceLineEndings(" "), StringComparison.Ordinal);
        string logs = string.Concat(Directory.GetFiles(Path.Combine(_folder, "shared", "cluster",
            "slurm")).Order(StringComparer.Ordinal).Select(File.ReadAllText));
        Assert.True(logs.Split("Going on from a checkpoint").Length >= 3, "two trials go on from a checkpoint");

        // As if nothing had happened: the same figures as in one piece.
        foreach (int index in new[] { 0, 1 })
        {
            ExperimentResult resumed = ExperimentResult.Read(Path.Combine(FolderOf(sweep.Trials[index]), Experiment.ResultFile));
            Directory.Delete(FolderOf(sweep.Trials[index]), recursive: true);
            Tool("sweep", "sweep.yaml", "--index", $"{index}");
            ExperimentResult whole = ExperimentResult.Read(Path.Combine(FolderOf(sweep.Trials[index]), Experiment.ResultFile));
            Assert.Equal((whole.Last, whole.Best), (resumed.Last, resumed.Best));
        }
    }

    [Fact]
    public void The_script_says_what_was_asked_for_and_is_kept_where_there_is_no_Slurm()
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "it's iris.csv"));
        File.WriteAllText(Path.Combine(_folder, "sweep.yaml"), $$$"""
            experiment: { name: paper script, output_dir: '{{{_folder}}}' }
            data: {dataset: csv, dataset_path: "it's iris.csv"}
            model: {architecture: "mlp:4", mode: {type: fa}}
            training: {}
            sweep: {cores: 3, over: {seed: [1, 2, 3]}}
            """);
        SweepFile sweep = SweepFile.Read(Path.Combine(_folder, "sweep.yaml"));
        SweepFolder folder = SweepFolder.Open(sweep);
        SlurmArray array = Assert.Single(SlurmSweep.Write(sweep, folder, new SlurmOptions(2, "gpu", "2:00:00", ["--gres=gpu:1"]), ["--data", "a b'c"],
            retry: false));
        string script = File.ReadAllText(array.Path);
        Assert.Equal(3, array.Trials);
        foreach (string line in new[] { "#SBATCH --array=0-2%2", "#SBATCH --cpus-per-task=3", "#SBATCH --partition=gpu", "#SBATCH --time=2:00:00",
            "#SBATCH --gres=gpu:1", "#SBATCH --requeue", "#SBATCH --job-name=famlnet-paper-script" })
            Assert.Contains(line + "\n", script, StringComparison.Ordinal);
        Assert.Contains(" 'benchmark' \"${trials[$SLURM_ARRAY_TASK_ID]}\" '--trial' '--data' 'a b'\\''c' &", script, StringComparison.Ordinal);
        Assert.DoesNotContain("\r", script, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
            ProcessRunner.Run("bash", _folder, "-n", Path.GetFullPath(array.Path));
        Assert.Contains("one line", Assert.Throws<FormatException>(() => SlurmSweep.Write(sweep, folder, new SlurmOptions(null, "a\nb", null, []), [],
            retry: false)).Message, StringComparison.Ordinal);
    }

    private string FolderOf(Trial trial) => Path.Combine(_folder, "shared", "cluster", "trials", trial.Name);

    private static int EpochsOf(string trial)
    {
        string history = Path.Combine(trial, Experiment.HistoryFile);
        return File.Exists(history) ? File.ReadAllLines(history).Length - 1 : 0;
    }

    /// <summary>Processes of this tool with some words on their command line.</summary>
    private static IEnumerable<int> ProcessesWith(string words) => Directory.GetDirectories("/proc").Select(Path.GetFileName)
        .Where(name => int.TryParse(name, out int id) && id != Environment.ProcessId).Select(name => int.Parse(name!,
            System.Globalization.CultureInfo.InvariantCulture))
        .Where(id =>
        {
            try
            {
                string line = File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
                return line.Contains("FaMLNet.Cli", StringComparison.Ordinal) && line.Contains(words, StringComparison.Ordinal);
            }
            catch (IOException)
            {
                return false; // it has ended
            }
        });

    /// <summary>Waits for what must come; however slow the machine is, a minute without any is too long ten times over.</summary>
    private static void WaitUntil(Func<bool> condition)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(10), "it did not come");
            Thread.Sleep(100);
        }
    }

    private string Slurm(string command, params string[] arguments) =>
        ProcessRunner.Run("env", _folder, [$"SLURM_CONF={Path.Combine(_folder, "slurm", "slurm.conf")}", command, .. arguments]);

    private string Tool(params string[] arguments) => Slurm("dotnet", [ProcessRunner.Metadata("Cli"), .. arguments]);

    /// <summary>What it printed, whatever its exit status.</summary>
    private string ToolWhatever(params string[] arguments)
    {
        try
        {
            return Tool(arguments);
        }
        catch (InvalidOperationException failure)
        {
            return failure.Message;
        }
    }
}
