using FaMLNet;
using Microsoft.ML;
using Microsoft.ML.Data;
using OwnRule;
using Spectre.Console;

// The rules alone first, on layers made by hand: that takes no training.
RuleChecks.Run();

// Two rules of one's own beside three of the library: trained, measured, saved, loaded by name and attacked.
MLContext mlContext = new(seed: 1);
IDataView data = mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, 63), new("Label", DataKind.String, 64)], separatorChar: ',',
    hasHeader: true).Load(Path.Combine(AppContext.BaseDirectory, "digits.csv"));
DataOperationsCatalog.TrainTestData split = mlContext.Data.TrainTestSplit(data, testFraction: 0.2, seed: 1);
string folder = Directory.CreateTempSubdirectory("own-rule").FullName;

Table table = new Table().AddColumns("rule", "test accuracy, %", "mean angle, °", "mean norm ratio", "after FGSM, %");
foreach (FeedbackRule rule in new[] { FeedbackRule.Backpropagation, FeedbackRule.FeedbackAlignment, FeedbackRule.DirectFeedbackAlignment,
    new LaggedTransportRule(), new OrthogonalDirectRule() })
{
    var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
        .Append(mlContext.Transforms.NormalizeMinMax("Features"))
        .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: rule, numberOfEpochs: 60));
    string path = Path.Combine(folder, rule.ShortName + ".zip");
    mlContext.Model.Save(pipeline.Fit(split.TrainSet), data.Schema, path);

    // Another context, as another process would have: it finds the rule's class by its name once it knows the assembly.
    MLContext other = new(seed: 1);
    other.ComponentCatalog.RegisterAssembly(typeof(LaggedTransportRule).Assembly);
    ITransformer loaded = other.Model.Load(path, out _);
    FeedbackAlignmentMulticlassModelParameters model = ((IEnumerable<ITransformer>)loaded).OfType<FeedbackAlignmentMulticlassTransformer>().Single()
        .Model;
    EpochMetrics last = model.History[^1];
    RobustnessReport attacked = other.MulticlassClassification.EvaluateRobustness(loaded, split.TestSet, [Attack.Fgsm(0.1f)],
        new RobustnessOptions { ThreatModel = ThreatModel.FeedbackGradient });
    table.AddRow(model.Rule.Name, $"{100 * attacked.CleanAccuracy:F1}", $"{last.AlignmentAngle.Values.Average():F1}",
        $"{last.NormRatio.Values.Average():F2}", $"{100 * attacked.Results[0].RobustAccuracy:F1}");
}
AnsiConsole.Write(table);
AnsiConsole.WriteLine($"The models are in {folder}.");
