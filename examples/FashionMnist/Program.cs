using System.Diagnostics;
using System.Globalization;
using FaMLNet;
using FaMLNet.Views;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;

// Usage: FashionMnist <folder> [epochs]
// The folder holds the four IDX files of Fashion-MNIST (or MNIST), plain or gzip.
string[] classes = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];
if (args.Length is 0 or > 2)
{
    Console.Error.WriteLine("Usage: FashionMnist <folder with the IDX files of Fashion-MNIST> [epochs, default 10]");
    return 2;
}
int epochs = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10;
MLContext mlContext = new(seed: 1);
IDataView train = Load("train"), test = Load("t10k");

Table table = new Table().AddColumn("rule");
foreach (string heading in new[] { "test accuracy", "log-loss", "seconds", "mean alignment angle" })
    table.AddColumn(new TableColumn(heading).RightAligned());
(FeedbackRule Rule, ITransformer Model, MulticlassClassificationMetrics Metrics)? best = null;
TrainingView.Run(AnsiConsole.Console, view =>
{
    // The six of Sanfiz and Akrout (2021); FeedbackRule.All has more.
    foreach (FeedbackRule rule in FeedbackRule.All.Take(6))
    {
        Stopwatch watch = Stopwatch.StartNew();
        var model = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = rule,
            Network = NetworkDefinition.LeNet(),
            NumberOfEpochs = epochs,
            BatchSize = 64,
            MetricsCallback = view.Add(rule.Name, epochs),
        }).Fit(train);
        double seconds = watch.Elapsed.TotalSeconds;
        MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(test));
        table.AddRow(rule.Name, $"{metrics.MicroAccuracy:P2}", $"{metrics.LogLoss:F3}", $"{seconds:F0}",
            $"{model.Model.History[^1].AlignmentAngle.Values.Average():F1}°");
        if (best == null || metrics.MicroAccuracy > best.Value.Metrics.MicroAccuracy)
            best = (rule, model, metrics);
    }
});
AnsiConsole.Write(table);

(FeedbackRule winner, ITransformer saved, MulticlassClassificationMetrics results) = best!.Value;
mlContext.Model.Save(saved, train.Schema, "fashion.zip");
AnsiConsole.WriteLine($"The best, {winner}, is saved as fashion.zip. Its confusion matrix, true classes down, predicted across:");
Table confusion = new Table().AddColumn("");
foreach (string name in classes)
    confusion.AddColumn(new TableColumn(name).RightAligned());
for (int row = 0; row < classes.Length; row++)
    confusion.AddRow([classes[row], .. results.ConfusionMatrix.Counts[row].Select(count => $"{count:F0}")]);
AnsiConsole.Write(confusion);
return 0;

IDataView Load(string part)
{
    string Find(string kind)
    {
        string plain = Path.Combine(args[0], $"{part}-{kind}-ubyte");
        return File.Exists(plain) ? plain : plain + ".gz";
    }
    return mlContext.Data.LoadFromIdx(Find("images-idx3"), Find("labels-idx1"), classes);
}
