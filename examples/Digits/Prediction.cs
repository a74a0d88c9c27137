using Microsoft.ML;
using Spectre.Console;

namespace Digits;

/// <summary>Loads a saved model in a process that never trained, and predicts a few digits.</summary>
internal static class Prediction
{
    private const string Shades = " .:-=+*#%@";

    public static void Run(string dataPath, string modelPath)
    {
        MLContext mlContext = new();
        ITransformer model = mlContext.Model.Load(modelPath, out _);
        using PredictionEngine<Digit, DigitPrediction> engine = mlContext.Model.CreatePredictionEngine<Digit, DigitPrediction>(model);
        IDataView data = mlContext.Data.LoadFromTextFile<Digit>(dataPath, separatorChar: ',', hasHeader: true);
        Digit[] digits = [.. mlContext.Data.CreateEnumerable<Digit>(data, reuseRowObject: false).Where((_, row) => row % 300 == 42)];

        AnsiConsole.WriteLine($"A fresh process has loaded {Path.GetFileName(modelPath)} and predicts:");
        Table table = new Table().AddColumns("image", "prediction", "probability", "truth").ShowRowSeparators();
        foreach (Digit digit in digits)
        {
            DigitPrediction prediction = engine.Predict(digit);
            table.AddRow(new Text(Draw(digit.Features)), new Text(prediction.PredictedLabel), new Text($"{prediction.Score.Max():P1}"),
                new Text(digit.Label));
        }
        AnsiConsole.Write(table);
    }

    private static string Draw(float[] pixels) =>
        string.Join('\n', pixels.Chunk(8).Select(row =>
            string.Concat(row.Select(pixel => new string(Shades[(int)(pixel / 16 * (Shades.Length - 1))], 2)))));
}
