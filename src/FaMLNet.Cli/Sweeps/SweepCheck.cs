using System.Globalization;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sets;

namespace FaMLNet.Cli.Sweeps;

/// <summary>Says what a sweep would run: trials, time and disk. It trains nothing but short probes, and writes nothing.</summary>
internal static class SweepCheck
{
    /// <summary>Probes at the most; what resembles a probed trial is estimated by it.</summary>
    private const int MostProbes = 8;

    /// <param name="sweep">The sweep.</param>
    /// <param name="folder">Its folder, which need not be there.</param>
    /// <param name="data">Where the data is, if the command line says so.</param>
    /// <param name="retry">Whether trials that failed would run again.</param>
    /// <param name="say">Receives lines.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="InvalidOperationException">A trial's folder has another experiment's result.</exception>
    public static void Run(SweepFile sweep, SweepFolder folder, string? data, bool retry, Action<string> say, CancellationToken cancellation)
    {
        say($"{sweep.Path} is in order: {sweep.Trials.Count} trials in {folder.Path}.");
        foreach (Trial trial in sweep.Trials.DistinctBy(trial => (trial.Settings.Dataset, trial.Settings.DatasetPath)))
            say(DataLine(trial.Settings, data));
        folder.RefuseOthers();
        ILookup<TrialState, Trial> states = sweep.Trials.ToLookup(folder.StateOf);
        say("Now: " + string.Join(", ", states.OrderBy(group => group.Key).Select(group => $"{group.Count()} {SweepFolder.Word(group.Key)}")) + ".");
        Trial[] ours = [.. states[TrialState.Waiting], .. retry ? states[TrialState.Failed] : []];
        if (ours.Length == 0)
        {
            say("Nothing would run.");
            return;
        }
        // Trials that differ in rates and seeds alone take the same time.
        IGrouping<string, Trial>[] kinds = [.. ours.Where(trial => trial.Settings.Trains).GroupBy(trial => KindOf(trial.Settings))
            .OrderByDescending(kind => kind.Count())];
        double seconds = 0, bytes = 0, checkpoints = 0;
        List<(Probe Probe, int Trials)> probes = [];
        foreach (IGrouping<string, Trial> kind in kinds.Take(MostProbes))
        {
            Probe probe = Probe.Run(kind.First().Settings, data, cancellation);
            probes.Add((probe, kind.Count()));
            seconds += kind.Sum(trial => trial.Settings.Epochs) * probe.SecondsPerEpoch;
            bytes += kind.Count() * (double)probe.ModelBytes;
            checkpoints = Math.Max(checkpoints, 2.0 * probe.CheckpointBytes);
        }
        // The further kinds as the mean of those.
        int probed = probes.Sum(pair => pair.Trials), all = kinds.Sum(kind => kind.Count());
        if (probed > 0 && probed < all)
            (seconds, bytes) = (seconds * all / probed, bytes * all / probed);
        int together = Math.Min(sweep.Processes, ours.Length);
        say(string.Create(CultureInfo.InvariantCulture, $"Would run: {ours.Length} trials, {together} at a time on {sweep.Cores} "
            + $"{(sweep.Cores == 1 ? "core" : "cores")} each, {ours.Sum(trial => trial.Settings.Epochs)} epochs in all."));
        say($"Time: about {Probe.Duration(seconds / together)} in all, {Probe.Duration(seconds / Math.Max(1, all))} per trial, by {probes.Count} "
            + $"probes of {kinds.Length} kinds of trials; validation, tests and attacks come on top.");
        say($"Disk: about {(sweep.KeepsModels ? Probe.Size(bytes) : "0 bytes")} for models"
            + $"{(sweep.KeepsModels ? "" : " (sweep.keep_models is false)")}, and up to {Probe.Size(checkpoints * together)} for checkpoints "
            + $"while it runs; {Probe.FreeSpace(folder.Path)} are free.");
        say("Nothing was run.");
    }

    /// <summary>A line that says what data an experiment would be run on.</summary>
    public static string DataLine(ExperimentSettings settings, string? folder)
    {
        DataIdentity data = DataIdentity.Of(settings, folder);
        string jpeg = data.Name == DataIdentity.Cifar10AsImageFiles ? " It is not the published CIFAR-10: JPEG files have other pixels." : "";
        return $"Data: {data.Name}, {data.Format}, at '{DataSets.Locate(settings, folder)}': {Probe.Size(data.Files.Sum(file => file.Bytes))}, "
            + $"SHA-256 {string.Join(", ", data.Files.Select(file => $"{file.Sha256[..12]}… ({file.Role})"))}.{jpeg}";
    }

    /// <summary>What decides how long an epoch takes.</summary>
    private static string KindOf(ExperimentSettings settings) => string.Join('\0', settings.Dataset, settings.DatasetPath, settings.Network,
        settings.Rule,
        settings.BatchSize, settings.TrainRows, settings.TargetSize, settings.ToOptions().Diagnostics);
}
