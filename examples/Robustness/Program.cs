using System.Globalization;
using FaMLNet;
using FaMLNet.Reporting;
using Microsoft.ML;
using Robustness;
using Spectre.Console;

// Usage: Robustness [folder or - [epochs [seeds [rows]]]]
// Trains one network by the six rules and attacks it in both threat models. The folder holds the IDX files of Fashion-MNIST or MNIST; without one
// (or with -) the digits that ship are taken.
string? folder = args.Length > 0 && args[0] != "-" ? args[0] : null;
int epochs = Number(1) ?? (folder == null ? 20 : 10), seeds = Number(2) ?? 1, rows = Number(3) ?? 300;
AttackedTask task = AttackedTask.Open(new MLContext(seed: 1), folder);
string output = $"robustness-{task.Name}";
Directory.CreateDirectory(output);

RobustnessCurves curves = new($"{task.Title}: accuracy on {rows} test images against the strength of attacks");
List<ResultLine> lines = [];
// The six of Sanfiz and Akrout (2021); FeedbackRule.All has more.
foreach (FeedbackRule rule in FeedbackRule.All.Take(6))
{
    List<RobustnessReport> reports = [];
    for (int seed = 1; seed <= seeds; seed++)
    {
        ITransformer model = task.Train(rule, epochs, seed);
        foreach (ThreatModel threat in Enum.GetValues<ThreatModel>())
        {
            RobustnessReport report = task.Attack(model, threat, rows, seed);
            reports.Add(report);
            lines.AddRange(report.Results.Select(result => new ResultLine(rule, seed, report.CleanAccuracy, result)));
            foreach (string warning in report.Warnings)
                AnsiConsole.WriteLine($"{rule.ShortName}, seed {seed}: {warning}");
        }
        if (seed == 1 && rule == FeedbackRule.Backpropagation)
            task.SaveSheet(model, Path.Combine(output, "examples.png"));
    }
    curves.Add(rule.Name, reports);
    curves.SavePicture(Path.Combine(output, "accuracy-against-strength"));
    ResultLine.Save(lines, Path.Combine(output, "robustness.csv"));
}
AnsiConsole.Write(ResultLine.Table(lines));
AnsiConsole.WriteLine($"Curves, examples and robustness.csv are in {output}.");

int? Number(int index) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : null;
