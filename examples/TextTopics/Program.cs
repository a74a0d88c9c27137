using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;
using TextTopics;

// Topics of short texts: .NET's namespaces, told from the sentences of their documentation, by a linear model and by three learning rules.
if (args is ["--train", string only, string file])
{
    Training.Run(only, file);
    return;
}
if (args is ["--write-sample", string path])
{
    Texts.WriteSample(path);
    return;
}
Texts texts = Texts.Find();
Console.WriteLine($"{texts.Training.Length} texts to train on, {texts.Test.Length} others; from {texts.Source}.");
string folder = Directory.CreateTempSubdirectory("text-topics").FullName;
Table table = new Table().AddColumns("trainer", "test accuracy", "fit, s", "peak memory, MB");
foreach (string trainer in new[] { "sdca", "bp", "fa", "dfa" })
{
    Training result = Training.Start(trainer, Path.Combine(folder, trainer + ".zip"));
    table.AddRow(trainer, Text($"{result.Accuracy:0.000}"), Text($"{result.Seconds:0.0}"), Text($"{result.Megabytes}"));
}
AnsiConsole.Write(table);

// A model from its file; scoring text needs no libtorch.
MLContext mlContext = new(seed: 1);
PredictionEngine<Document, TopicPrediction> engine =
    mlContext.Model.CreatePredictionEngine<Document, TopicPrediction>(mlContext.Model.Load(Path.Combine(folder, "dfa.zip"), out _));
VBuffer<ReadOnlyMemory<char>> names = default;
engine.OutputSchema["Score"].GetSlotNames(ref names);
string[] topics = [.. names.DenseValues().Select(name => name.ToString())];

Console.WriteLine("Words that by themselves speak most for a topic, by direct feedback alignment:");
string[] words = [.. texts.Training.SelectMany(document => document.Text.Split([' ', '.', ',', '(', ')', ';', ':', '"']))
    .Where(word => word.Length > 3).CountBy(word => word.ToLowerInvariant()).Where(pair => pair.Value >= 10).Select(pair => pair.Key)];
float[][] scores = [.. words.Select(word => engine.Predict(new Document { Text = word }).Score)];
foreach (int topic in Enumerable.Range(0, topics.Length).OrderBy(topic => topics[topic], StringComparer.Ordinal))
    Console.WriteLine($"  {topics[topic]}: "
        + string.Join(", ", Enumerable.Range(0, words.Length).OrderByDescending(word => scores[word][topic]).Take(6).Select(word => words[word])));

bool asks = !Console.IsInputRedirected;
if (asks)
    Console.WriteLine("Type a sentence (an empty line ends):");
foreach (string sentence in asks ? Typed() : Typed().DefaultIfEmpty("Encrypts data with a key and an initialization vector."))
{
    TopicPrediction prediction = engine.Predict(new Document { Text = sentence });
    Console.WriteLine(Text($"  {sentence} → {prediction.PredictedLabel} ({prediction.Score.Max():P0})"));
}
Console.WriteLine($"The models are in {folder}.");

static IEnumerable<string> Typed()
{
    while (Console.ReadLine() is { Length: > 0 } line)
        yield return line;
}

static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
