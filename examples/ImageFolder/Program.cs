using System.Diagnostics;
using System.Globalization;
using FaMLNet;
using FaMLNet.Views;
using ImageFolder;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Spectre.Console;

// Usage: ImageFolder <folder> [epochs [rule]]
// The folder holds train and test, as folders or zip archives, each with one folder of image files a class.
if (args.Length is 0 or > 3)
{
    Console.Error.WriteLine("Usage: ImageFolder <folder with train and test, folders or zip archives> [epochs, default 5 [rule, default usf]]");
    return 2;
}
int epochs = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5;
FeedbackRule rule = FeedbackRule.Parse(args.Length > 2 ? args[2] : "usf");
string trainFolder = ImageFiles.Folder(args[0], "train"), testFolder = ImageFiles.Folder(args[0], "test");
MLContext mlContext = new(seed: 1);
IDataView train = mlContext.Data.LoadFromEnumerable(ImageFiles.List(trainFolder));

TransformerChain<KeyToValueMappingTransformer> model = null!;
Stopwatch watch = Stopwatch.StartNew();
TrainingView.Run(AnsiConsole.Console, view =>
{
    var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
        .Append(mlContext.Transforms.LoadImages("Image", trainFolder, "Path"))
        .Append(mlContext.Transforms.ResizeImages("Image", 32, 32))
        .Append(mlContext.Transforms.ExtractPixels("Features", "Image")) // red, green, blue, one plane after the other, 0 to 255
        .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = rule,
            Network = NetworkDefinition.ResNet(20),
            NumberOfEpochs = epochs,
            BatchSize = 128,
            Augmentation = Augmentation.RandomCrop(4).Then(Augmentation.HorizontalFlip()),
            MetricsCallback = view.Add($"ResNet-20, {rule}", epochs),
        }))
        .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
    model = pipeline.Fit(train);
});
double seconds = watch.Elapsed.TotalSeconds;
mlContext.Model.Save(model, train.Schema, "images.zip");

// The pipeline reads images below the folder that it was trained on: the test images are named relative to it.
IDataView relative = mlContext.Data.LoadFromEnumerable(ImageFiles.List(testFolder)
    .Select(file => new ImageFile { Path = Path.GetRelativePath(trainFolder, Path.Combine(testFolder, file.Path)), Label = file.Label }));
MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(relative));
AnsiConsole.WriteLine($"{rule}: test accuracy {metrics.MicroAccuracy:P2}, log-loss {metrics.LogLoss:F3}, {seconds:F0} s of training. The model is "
    + $"saved as images.zip.");
Console.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable());
return 0;
