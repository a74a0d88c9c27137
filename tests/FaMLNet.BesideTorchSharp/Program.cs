using System.Globalization;
using FaMLNet;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.TorchSharp;

// Trains with FaMLNet where Microsoft.ML.TorchSharp is loaded as well, and prints the accuracy.
MLContext mlContext = new(seed: 1);
object other = mlContext.MulticlassClassification.Trainers.TextClassification(labelColumnName: "Label", sentence1ColumnName: "Text");
IDataView data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 200)
    .Select(i => new Row { Features = [i % 2, i % 3, 1], Label = i % 2 == 0 ? "even" : "odd" }));
ITransformer model = mlContext.Transforms.Conversion.MapValueToKey("Label")
    .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: FeedbackRule.DirectFeedbackAlignment, numberOfEpochs: 40)).Fit(data);
double accuracy = mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy;
Console.WriteLine($"{other.GetType().Assembly.GetName().Name} {accuracy.ToString(CultureInfo.InvariantCulture)}");

internal sealed class Row
{
    [VectorType(3)]
    public float[] Features { get; set; } = [];

    public string Label { get; set; } = "";
}
