using System.Diagnostics;
using System.Globalization;
using FaMLNet;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace TextTopics;

/// <summary>One trainer on the texts, in a process of its own, so that its memory is its own.</summary>
/// <param name="Trainer">sdca, or the short name of a rule.</param>
/// <param name="Accuracy">On the texts that were not trained on.</param>
/// <param name="Seconds">Of fitting the trainer; the features are made before.</param>
/// <param name="Megabytes">The most memory that the process had.</param>
internal sealed record Training(string Trainer, double Accuracy, double Seconds, long Megabytes)
{
    /// <summary>Trains in this process, saves the model and prints the result for <see cref="Start"/>.</summary>
    public static void Run(string trainer, string modelFile)
    {
        MLContext mlContext = new(seed: 1);
        Texts texts = Texts.Find();
        IDataView train = Texts.View(mlContext, texts.Training), test = Texts.View(mlContext, texts.Test);

        // Words and pairs of words, and runs of three characters: tens of thousands of features, of which a sentence has a hundred.
        var features = mlContext.Transforms.Conversion.MapValueToKey("Label", nameof(Document.Topic))
            .Append(mlContext.Transforms.Text.FeaturizeText("Features", nameof(Document.Text))).Fit(train);
        IDataView prepared = mlContext.Data.Cache(features.Transform(train));
        _ = prepared.GetColumn<VBuffer<float>>("Features").Count(); // fills the cache
        IEstimator<ITransformer> estimator = trainer == "sdca" ? mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy()
            : mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: FeedbackRule.Parse(trainer), numberOfEpochs: 5);
        Stopwatch watch = Stopwatch.StartNew();
        ITransformer fitted = estimator.Fit(prepared);
        double seconds = watch.Elapsed.TotalSeconds;

        IDataView scored = fitted.Transform(features.Transform(test));
        double accuracy = mlContext.MulticlassClassification.Evaluate(scored).MicroAccuracy;
        ITransformer words = mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(scored);
        mlContext.Model.Save(new TransformerChain<ITransformer>(features, fitted, words), train.Schema, modelFile);
        using Process process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{accuracy}|{seconds}|{process.PeakWorkingSet64 >> 20}"));
    }

    /// <summary>Trains in another process.</summary>
    public static Training Start(string trainer, string modelFile)
    {
        string program = Environment.ProcessPath!;
        ProcessStartInfo start = new(program) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            start.ArgumentList.Add(typeof(Training).Assembly.Location);
        foreach (string argument in (string[])["--train", trainer, modelFile])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string[] cells = process.StandardOutput.ReadToEnd().Trim().Split('\n')[^1].Split('|');
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"Training by {trainer} failed: see above.");
        return new Training(trainer, Number(cells[0]), Number(cells[1]), (long)Number(cells[2]));

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }
}
