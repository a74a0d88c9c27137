using System.Diagnostics;
using System.Globalization;
using FaMLNet;
using FaMLNet.Reporting;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;

namespace Robustness;

/// <summary>Data, a network for it, and attacks of fitting strengths.</summary>
/// <param name="MlContext">The context.</param>
/// <param name="Name">For file names.</param>
/// <param name="Title">For titles.</param>
/// <param name="Network">The network.</param>
/// <param name="Shape">The images, with values in [0, 1].</param>
/// <param name="TrainingRows">What is trained on.</param>
/// <param name="TestRows">What is attacked.</param>
/// <param name="Bounds">L∞ bounds.</param>
/// <param name="Classes">Their names.</param>
internal sealed record AttackedTask(MLContext MlContext, string Name, string Title, NetworkDefinition Network, ImageShape Shape,
    IDataView TrainingRows, IDataView TestRows, float[] Bounds, string[] Classes)
{
    private const int Pixels = 1, PixelPopulation = 100, PixelGenerations = 10, SquareQueries = 1000, ApgdSteps = 50;

    /// <summary>The data in a folder of IDX files; the digits that ship without one.</summary>
    public static AttackedTask Open(MLContext mlContext, string? folder)
    {
        if (folder == null)
        {
            IDataView table = mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, 63), new("Label", DataKind.String, 64)],
                separatorChar: ',', hasHeader: true).Load(Path.Combine(AppContext.BaseDirectory, "digits.csv"));
            IDataView data = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMinMax("Features",
                maximumExampleCount: long.MaxValue, fixZero: true)).Fit(table).Transform(table);
            DataOperationsCatalog.TrainTestData split = mlContext.Data.TrainTestSplit(data, testFraction: 0.3, seed: 1);
            return new AttackedTask(mlContext, "digits", "A small convolutional network on UCI digits",
                NetworkDefinition.Sequential(new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.Activate(Activation.ReLU), new Layer.MaxPool2d(2),
                    new Layer.Conv2d(32, 3) { Padding = 1 }, new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense(64),
                    new Layer.Activate(Activation.ReLU), new Layer.Dense()), new ImageShape(1, 8, 8), mlContext.Data.Cache(split.TrainSet),
                mlContext.Data.Cache(split.TestSet), [0.03f, 0.1f, 0.2f], KeyNames(data.Schema["Label"]));
        }
        IDataView Load(string part)
        {
            string Find(string kind) => Directory.EnumerateFiles(folder, $"{part}-{kind}-ubyte*").First();
            return mlContext.Data.LoadFromIdx(Find("images-idx3"), Find("labels-idx1"));
        }
        string name = new DirectoryInfo(folder).Name;
        bool isFashion = name.Contains("fashion", StringComparison.OrdinalIgnoreCase);
        string[] classes = isFashion ? ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]
            : [.. Enumerable.Range(0, 10).Select(digit => digit.ToString(CultureInfo.InvariantCulture))];
        return new AttackedTask(mlContext, name, $"LeNet on {(isFashion ? "Fashion-MNIST" : "MNIST")}", NetworkDefinition.LeNet(),
            new ImageShape(1, 28, 28), Load("train"), Load("t10k"), isFashion ? [0.02f, 0.05f, 0.1f] : [0.05f, 0.1f, 0.2f], classes);
    }

    /// <summary>Trains with the rule's defaults.</summary>
    public ITransformer Train(FeedbackRule rule, int epochs, int seed)
    {
        Stopwatch watch = Stopwatch.StartNew();
        FeedbackAlignmentMulticlassTransformer model = MlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = rule,
                Network = Network,
                ImageShape = Shape,
                NumberOfEpochs = epochs,
                BatchSize = 64,
                Seed = seed,
            }).Fit(TrainingRows);
        double accuracy = MlContext.MulticlassClassification.Evaluate(model.Transform(TestRows)).MicroAccuracy;
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{rule.ShortName}, seed {seed}: test accuracy {accuracy:P2} after {epochs} epochs, {watch.Elapsed.TotalSeconds:F0} s"));
        return model;
    }

    /// <summary>All attacks in every strength; those without gradients once, not once a threat model.</summary>
    public RobustnessReport Attack(ITransformer model, ThreatModel threat, int rows, int seed)
    {
        List<Attack> attacks = [];
        foreach (float bound in Bounds)
        {
            if (threat == ThreatModel.TrueGradient)
                attacks.AddRange([FaMLNet.Attack.Noise(bound), FaMLNet.Attack.Square(bound, SquareQueries)]);
            attacks.AddRange([FaMLNet.Attack.Fgsm(bound), FaMLNet.Attack.Pgd(bound), FaMLNet.Attack.Apgd(bound, steps: ApgdSteps)]);
        }
        if (threat == ThreatModel.TrueGradient)
            attacks.Add(FaMLNet.Attack.FewPixel(Pixels, PixelPopulation, PixelGenerations));
        return MlContext.MulticlassClassification.EvaluateRobustness(model, TestRows, attacks,
            new RobustnessOptions { MaximumRows = rows, Seed = seed, ThreatModel = threat, InputRange = (0, 1) });
    }

    /// <summary>Eight images that PGD has made the model see as something else.</summary>
    public void SaveSheet(ITransformer model, string path)
    {
        float bound = Bounds[1];
        IDataView examples = MlContext.MulticlassClassification.CreateAdversarialExamples(model, TestRows, FaMLNet.Attack.Pgd(bound),
            new RobustnessOptions { MaximumRows = 100, Seed = 1, InputRange = (0, 1) });
        float[][] changed = [.. examples.GetColumn<float[]>("Features")], clean = [.. examples.GetColumn<float[]>("CleanFeatures")];
        float[][] after = [.. model.Transform(examples).GetColumn<float[]>("Score")],
            before = [.. model.Transform(TestRows).GetColumn<float[]>("Score").Take(100)];
        bool[] fooled = [.. examples.GetColumn<bool>("Fooled")];
        AdversarialImage[] images = [.. Enumerable.Range(0, clean.Length).Where(row => fooled[row]).Take(8)
            .Select(row => new AdversarialImage(clean[row], changed[row], Verdict(before[row]), Verdict(after[row])))];
        if (images.Length > 0)
            AdversarialSheet.Save(path, string.Create(CultureInfo.InvariantCulture, $"{Title}: PGD, L∞ ≤ {bound}"), images, Shape, (0, 1));
    }

    private string Verdict(float[] scores)
    {
        int best = Array.IndexOf(scores, scores.Max());
        return string.Create(CultureInfo.InvariantCulture, $"{Classes[best]}: {100 * scores[best]:F0} %");
    }

    private static string[] KeyNames(DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetKeyValues(ref names);
        return [.. names.DenseValues().Select(name => $"{name}")];
    }
}
