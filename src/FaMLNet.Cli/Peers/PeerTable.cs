using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FaMLNet.Cli.Terminal;
using Activity = FaMLNet.Cli.Terminal.Activity;

namespace FaMLNet.Cli.Peers;

/// <summary>All trainers on one data set, each in a process of its own, in one table.</summary>
internal static class PeerTable
{
    /// <summary>How measures pass from process to process. A log-loss may be infinite: a class to which a trainer gives the probability 0.</summary>
    public static JsonSerializerOptions Format { get; } = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Measures every trainer.</summary>
    /// <param name="peers">The trainers.</param>
    /// <param name="arguments">What a process is told beside the trainer.</param>
    /// <param name="notes">Receives what the processes say of the data.</param>
    /// <param name="say">Receives a line per trainer.</param>
    /// <param name="cancellation">Stops.</param>
    public static List<PeerMeasures> Run(IReadOnlyList<Peer> peers, IReadOnlyList<string> arguments, PeerNotes notes,
        Action<string> say, CancellationToken cancellation)
    {
        List<PeerMeasures> measures = [];
        foreach (Peer peer in peers)
        {
            (string file, IReadOnlyList<string> self) = ThisTool.Command();
            ProcessStartInfo start = new(file, [.. self, "benchmark", .. arguments, "--peer", peer.Name])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true
            };
            using Activity measuring = Activity.Start($"measuring {peer.Name}");
            using Process process = Process.Start(start)!;
            using CancellationTokenRegistration stop = cancellation.Register(process.Kill);
            Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            string[] lines = output.TrimEnd().Split('\n');
            cancellation.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
            {
                // Without the lines that say how far it was.
                say($"{peer.Name}: " + string.Join('\n', error.Result.Trim().Split('\n').Where(line => !Activity.IsLine(line))));
                continue;
            }
            // The last line is the result.
            foreach (string line in lines[..^1])
                notes.Say(line.TrimEnd('\r'));
            PeerMeasures one = JsonSerializer.Deserialize<PeerMeasures>(lines[^1], Format)!;
            measures.Add(one);
            say(FormattableString.Invariant($"{one.Trainer}: {string.Join(", ", one.Measures.Select(measure =>
                $"{measure.Title} {measure.Mean.ToString(measure.Format, CultureInfo.InvariantCulture)}"))}, fit {one.FitSeconds:F2} s"));
        }
        return measures;
    }

    /// <summary>The table, as Markdown.</summary>
    public static string Markdown(IReadOnlyList<PeerMeasures> measures)
    {
        string[] titles = measures.Count == 0 ? [] : [.. measures[0].Measures.Select(measure => measure.Title)];
        string[] header = ["trainer", .. titles, "fit, s", "a row, µs", "model, kB", "peak memory, MB"];
        StringBuilder text = new($"| {string.Join(" | ", header)} |\n| {string.Join(" | ", header.Select(_ => "---"))} |\n");
        foreach (PeerMeasures one in measures)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {one.Trainer} ");
            foreach ((PeerMeasure measure, int index) in one.Measures.Select((measure, index) => (measure, index)))
            {
                text.Append(CultureInfo.InvariantCulture, $"| {measure.Mean.ToString(measure.Format, CultureInfo.InvariantCulture)} ");
                if (index == 0)
                    text.Append(CultureInfo.InvariantCulture, $"± {measure.Deviation.ToString(measure.Format, CultureInfo.InvariantCulture)} ");
            }
            text.Append(CultureInfo.InvariantCulture, $"| {one.FitSeconds:F2} | {one.PredictMicroseconds:F1} ");
            text.Append(CultureInfo.InvariantCulture, $"| {one.ModelBytes / 1024.0:F0} | {one.PeakBytes >> 20} |\n");
        }
        return text.ToString();
    }
}
