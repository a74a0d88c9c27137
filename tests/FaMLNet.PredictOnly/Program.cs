using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

MLContext mlContext = new(seed: 1);
switch (args)
{
    // Loads a model that another process saved and predicts rows of a CSV file with a header and a text label in the last column. Writes JSON:
    // the predicted labels where they are texts, the scores, and the names of the native modules and assemblies that the process has loaded by then.
    case ["predict", string zip, string csv, string count]:
        ITransformer model = mlContext.Model.Load(zip, out DataViewSchema schema);
        int features = ((VectorDataViewType)schema["Features"].Type).Size;
        IDataView data = mlContext.Data.CreateTextLoader(
            [new("Features", DataKind.Single, 0, features - 1), new("Label", DataKind.String, features)], separatorChar: ',', hasHeader: true)
                .Load(csv);
        IDataView scored = model.Transform(mlContext.Data.TakeRows(data, long.Parse(count, CultureInfo.InvariantCulture)));
        string[] labels = scored.Schema.GetColumnOrNull("PredictedLabel")?.Type is not TextDataViewType ? []
            : [.. scored.GetColumn<ReadOnlyMemory<char>>("PredictedLabel").Select(label => label.ToString())];
        float[][] scores = scored.Schema["Score"].Type is VectorDataViewType ? [.. scored.GetColumn<float[]>("Score")]
            : [.. scored.GetColumn<float>("Score").Select(score => new[] { score })];
        string[] modules = [.. Process.GetCurrentProcess().Modules.Cast<ProcessModule>().Select(module => module.ModuleName),
            .. AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name + ".dll")];
        Console.WriteLine(JsonSerializer.Serialize(new { labels, scores, modules }));
        return 0;

    // Trains where there is no libtorch, and writes what it is told.
    case ["try-training"]:
        try
        {
            IDataView rows = mlContext.Data.LoadFromEnumerable([new Row { Features = [0, 1] }, new Row { Features = [1, 0], Label = 1 }]);
            mlContext.MulticlassClassification.Trainers.FeedbackAlignment().Fit(rows);
            Console.WriteLine("trained");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Console.WriteLine($"{failure.GetType().Name}: {failure.Message}");
        }
        return 0;

    default:
        Console.Error.WriteLine("Usage: predict <model.zip> <data.csv> <rows> | try-training");
        return 2;
}

internal sealed class Row
{
    [VectorType(2)]
    public float[] Features { get; set; } = [];

    [KeyType(2)]
    public uint Label { get; set; }
}
