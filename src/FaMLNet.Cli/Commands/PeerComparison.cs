using System.Text.Json;
using FaMLNet.Cli.Peers;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using Microsoft.ML;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet benchmark --peers</c>: ML.NET's trainers beside FaMLNet's rules.</summary>
internal static class PeerComparison
{
    /// <summary>Measures all trainers, or in a process of its own the one that <c>--peer</c> names.</summary>
    /// <param name="settings">The options.</param>
    /// <param name="path">The table, or the folder of images.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="FormatException">An option has a value that it cannot have.</exception>
    public static int Run(BenchmarkSettings settings, string path, CancellationToken cancellationToken)
    {
        if (settings.Set.Length > 0 || settings.Check)
            throw new FormatException($"{(settings.Check ? "--check" : "--set")} is for a YAML file, not for --peers.");
        if (settings.Folds is < 2 or > 100)
            throw new FormatException($"--folds must be from 2 to 100; found {settings.Folds}.");
        if (settings.Rows is < 10)
            throw new FormatException($"--rows must be at least 10; found {settings.Rows}.");
        if (settings.Epochs is < 1)
            throw new FormatException($"--epochs must be at least 1; found {settings.Epochs}.");
        MLContext mlContext = new(1);
        PeerNotes notes = new();
        DataSource data = Activity.Run($"reading '{path}'", () => DataSource.ForTraining(mlContext, path, settings.Label, !settings.NoHeader,
            notes.Say, LabelTask.Parse(settings.Task), settings.ChoicesFor(path), settings.Format));
        if (settings.Rows is { } rows)
            data = data with { View = mlContext.Data.TakeRows(data.View, rows) };
        int epochs = settings.Epochs ?? (data.IsImages ? 10 : 100);
        if (settings.Peer is { } name)
        {
            Peer peer = Peer.Of(data.Task.Kind).First(peer => peer.Name == name);
            mlContext.Log += (_, message) => PeerNotes.Print(message);
            Console.WriteLine(JsonSerializer.Serialize(peer.Measure(mlContext, data, settings.Folds, epochs, Console.WriteLine),
                PeerTable.Format));
            return 0;
        }
        using StopSignals stop = new(cancellationToken);
        List<string> arguments = ["--peers", path, "--label", settings.Label, "--folds", $"{settings.Folds}", "--epochs", $"{epochs}"];
        if (settings.Rows is { } count)
            arguments.AddRange(["--rows", $"{count}"]);
        // The processes get the task that was told here, of all rows.
        arguments.AddRange(["--task", data.Task.Kind.ToString().ToLowerInvariant(), .. settings.ToArguments()]);
        IReadOnlyList<Peer> peers = Peer.Of(data.Task.Kind);
        List<PeerMeasures> measures = PeerTable.Run(peers, arguments, notes, Console.WriteLine, stop.Token);
        string table = PeerTable.Markdown(measures);
        Console.WriteLine();
        Console.WriteLine(table);
        if (settings.Output is { } output)
            WholeFile.WriteText(output, table);
        return measures.Count == peers.Count ? 0 : 1;
    }
}
