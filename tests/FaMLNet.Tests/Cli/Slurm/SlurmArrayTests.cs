using FaMLNet.Cli.Sweeps;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli.Slurm;

/// <summary>Sweeps of more trials than a job array of Slurm may have; the cluster is a script that notes what it is asked for.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class SlurmArrayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-arrays").FullName;

    public SlurmArrayTests()
    {
        File.Copy(Tables.PathOf("iris"), At("iris.csv"));
        File.WriteAllText(At("sweep.yaml"), $$$"""
            experiment: { name: many, output_dir: '{{{_folder}}}' }
            data: {dataset: csv, dataset_path: '{{{At("iris.csv")}}}'}
            model: {architecture: "mlp:4", mode: {type: fa}}
            training: {}
            sweep: { over: { seed: {from: 1, to: 2500, points: 2500} } }
            """);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void No_tasks_index_reaches_MaxArraySize_and_every_trial_is_in_one_array()
    {
        SweepFile sweep = SweepFile.Read(At("sweep.yaml"));
        IReadOnlyList<SlurmArray> arrays = SlurmSweep.Write(sweep, SweepFolder.Open(sweep), new SlurmOptions(null, null, null, []), [], retry: false);
        Assert.Equal([1001, 1001, 498], arrays.Select(array => array.Trials));
        Assert.Equal(["slurm.sh", "slurm-2.sh", "slurm-3.sh"], arrays.Select(array => Path.GetFileName(array.Path)));
        string[] scripts = [.. arrays.Select(array => File.ReadAllText(array.Path))];
        Assert.Contains("#SBATCH --array=0-1000\n", scripts[0], StringComparison.Ordinal);
        Assert.Contains("#SBATCH --array=0-1000\n", scripts[1], StringComparison.Ordinal);
        Assert.Contains("#SBATCH --array=0-497\n", scripts[2], StringComparison.Ordinal);
        // Task 0 of each array, and the last of all.
        foreach ((string script, int task, int trial) in new[] { (scripts[0], 0, 0), (scripts[1], 0, 1001), (scripts[2], 0, 2002),
            (scripts[2], 497, 2499) })
            Assert.Contains($"    [{task}]='{At($"many/trials/{sweep.Trials[trial].Name}/config.yaml")}'\n", script, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
            Assert.All(arrays, array => ProcessRunner.Run("bash", _folder, "-n", array.Path));
    }

    [Theory, InlineData(1, 2500), InlineData(1000, 3), InlineData(2499, 2), InlineData(2500, 1), InlineData(2501, 1)]
    public void The_clusters_own_limit_counts(int size, int expected)
    {
        SweepFile sweep = SweepFile.Read(At("sweep.yaml"));
        if (size == 1)
            sweep = Few(sweep, "[1, 2, 3]", out expected);
        IReadOnlyList<SlurmArray> arrays = SlurmSweep.Write(sweep, SweepFolder.Open(sweep), new SlurmOptions(null, null, null, [], size), [],
            retry: false);
        Assert.Equal(expected, arrays.Count);
        Assert.Equal(sweep.Trials.Count, arrays.Sum(array => array.Trials));
        foreach (SlurmArray array in arrays)
        {
            string line = File.ReadLines(array.Path).Single(text => text.StartsWith("#SBATCH --array=", StringComparison.Ordinal));
            Assert.True(int.Parse(line.Split('=')[1].Split('-')[^1], System.Globalization.CultureInfo.InvariantCulture) < size, line);
        }
        Assert.Contains("--max-array-size must be at least 1", Assert.Throws<FormatException>(() => SlurmSweep.Write(sweep, SweepFolder.Open(sweep),
            new SlurmOptions(null, null, null, [], 0), [], retry: false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arrays_are_submitted_one_after_the_other_where_a_limit_holds_for_all()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the cluster's commands are shell scripts");
        SweepFile sweep = Few(SweepFile.Read(At("sweep.yaml")), "[1, 2, 3, 4, 5]", out _);
        Directory.CreateDirectory(At("bin"));
        Script("scontrol", "echo 'AccountingStorageHost = x'; echo 'MaxArraySize            = 2'");
        Script("sbatch", $"echo \"$@\" >> '{At("asked.txt")}'; echo $((100 + $(wc -l < '{At("asked.txt")}')))");
        string output = Tool("sweep", "few.yaml", "--slurm", "--array-limit", "1");
        Assert.Contains("MaxArraySize is 2: 5 trials become 3 job arrays, one after the other", output, StringComparison.Ordinal);
        foreach (string line in new[] { "Submitted as job 101: 2 trials", "Submitted as job 102: 2 trials", "Submitted as job 103: 1 trials" })
            Assert.Contains(line, output, StringComparison.Ordinal);
        string scripts = SweepFolder.Open(sweep).Path;
        Assert.Equal([$"--parsable {scripts}/slurm.sh", $"--parsable --dependency=afterany:101 {scripts}/slurm-2.sh",
            $"--parsable --dependency=afterany:102 {scripts}/slurm-3.sh"], File.ReadAllLines(At("asked.txt")));
        // A task runs the trial of its array's place: the first of the second array is the third of the sweep.
        ProcessRunner.Run("env", _folder, "SLURM_ARRAY_TASK_ID=0", "bash", $"{scripts}/slurm-2.sh");
        Assert.Equal(["Waiting", "Waiting", "Done", "Waiting", "Waiting"], sweep.Trials.Select(trial => $"{SweepFolder.Open(sweep).StateOf(trial)}"));
        // What is done is not submitted again, and without a limit nothing waits.
        File.Delete(At("asked.txt"));
        Assert.Contains("4 trials become 3 job arrays.", Tool("sweep", "few.yaml", "--slurm"), StringComparison.Ordinal);
        Assert.DoesNotContain("dependency", File.ReadAllText(At("asked.txt")), StringComparison.Ordinal);
        // An option wins over what the cluster says.
        Assert.DoesNotContain("job arrays", Tool("sweep", "few.yaml", "--slurm", "--max-array-size", "5"), StringComparison.Ordinal);
    }

    private SweepFile Few(SweepFile sweep, string seeds, out int trials)
    {
        File.WriteAllText(At("few.yaml"), File.ReadAllText(sweep.Path).Replace("{from: 1, to: 2500, points: 2500}", seeds, StringComparison.Ordinal)
            .Replace("name: many", "name: few", StringComparison.Ordinal).Replace("training: {}", "training: {hyperparameters: {epochs: 1}}",
            StringComparison.Ordinal));
        SweepFile few = SweepFile.Read(At("few.yaml"));
        trials = few.Trials.Count;
        return few;
    }

    private void Script(string name, string text)
    {
        File.WriteAllText(At($"bin/{name}"), $"#!/bin/sh\n{text}\n");
        ProcessRunner.Run("chmod", _folder, "+x", At($"bin/{name}"));
    }

    private string At(string name) => Path.Combine(_folder, name);

    private string Tool(params string[] arguments) => ProcessRunner.Run("env", _folder,
        [$"PATH={At("bin")}:{Environment.GetEnvironmentVariable("PATH")}", "dotnet", ProcessRunner.Metadata("Cli"), .. arguments]);
}
