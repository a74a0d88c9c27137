using System.Globalization;
using Alignment;
using FaMLNet;
using FaMLNet.Reporting;
using Microsoft.ML;
using Spectre.Console;

// Usage: Alignment [folder or - [epochs [seeds [names of configurations]]]]
// Looks at what the article by Sanfiz and Akrout (2021) states about alignment. The folder holds the IDX files of Fashion-MNIST, or CIFAR-10 as
// images; without one (or with -) the digits that ship are taken.
string? data = args.Length > 0 && args[0] != "-" ? args[0] : null;
int epochs = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10,
    seeds = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : data == null ? 3 : 1;
Configuration[] configurations = [.. Configuration.All.Where(configuration => args.Length <= 3 || args[3].Split(',').Contains(configuration.Name))];
LearningTask task = LearningTask.Open(new MLContext(seed: 1), data);
string output = $"alignment-{task.Name}";
Dictionary<Configuration, IReadOnlyList<EpochMetrics>[]> histories = Runs.Complete(task, configurations, epochs, seeds, Path.Combine(output, "runs"));

Claims.Print(histories);
TrainingReport report = new($"{task.Network}, {task.Name}");
foreach ((Configuration configuration, IReadOnlyList<EpochMetrics>[] runs) in histories)
    report.Add(configuration.Name, runs);
int pictures = report.SavePictures(Path.Combine(output, "pictures")).Count;
report.SaveHtml(Path.Combine(output, "report.html"));
AnsiConsole.WriteLine($"{pictures} pictures and report.html are in {output}, the histories in {Path.Combine(output, "runs")}.");
