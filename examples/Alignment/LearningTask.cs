using FaMLNet;
using ImageFolder;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Alignment;

/// <summary>Data and the network for it.</summary>
/// <param name="Name">For titles and file names.</param>
/// <param name="Network">The network.</param>
/// <param name="Shape">The images; null where the column says it.</param>
/// <param name="BatchSize">Rows a step.</param>
/// <param name="SgdRate">Learning rate of SGD: LeNet, which has no normalisation, diverges by FA at a higher one.</param>
/// <param name="Train">What is trained on.</param>
internal sealed record LearningTask(string Name, NetworkDefinition Network, ImageShape? Shape, int BatchSize, float SgdRate, IDataView Train)
{
    /// <summary>The data in a folder; the digits that ship without one.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="folder">IDX files (Fashion-MNIST, MNIST), or train as a folder or archive of images (CIFAR-10); null for the digits.</param>
    public static LearningTask Open(MLContext mlContext, string? folder) => folder == null ? Digits(mlContext)
        : Directory.EnumerateFiles(folder, "train-images-idx3-ubyte*").Any() ? Idx(mlContext, folder) : Images(mlContext, folder);

    private static LearningTask Digits(MLContext mlContext)
    {
        IDataView table = mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, 63), new("Label", DataKind.String, 64)],
            separatorChar: ',', hasHeader: true).Load(Path.Combine(AppContext.BaseDirectory, "digits.csv"));
        IDataView data = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMinMax("Features"))
            .Fit(table).Transform(table);
        SequentialDefinition network = NetworkDefinition.Sequential(new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.Activate(Activation.ReLU),
            new Layer.MaxPool2d(2), new Layer.Conv2d(32, 3) { Padding = 1 }, new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
            new Layer.Dense(64), new Layer.Activate(Activation.ReLU), new Layer.Dense());
        return new LearningTask("digits", network, new ImageShape(1, 8, 8), 32, 0.01f, data);
    }

    private static LearningTask Idx(MLContext mlContext, string folder)
    {
        string Find(string kind) => Directory.EnumerateFiles(folder, $"train-{kind}-ubyte*").First();
        return new LearningTask(new DirectoryInfo(folder).Name, NetworkDefinition.LeNet(), null, 64, 0.001f,
            mlContext.Data.LoadFromIdx(Find("images-idx3"), Find("labels-idx1")));
    }

    private static LearningTask Images(MLContext mlContext, string folder)
    {
        string train = ImageFiles.Folder(folder, "train");
        IDataView files = mlContext.Data.LoadFromEnumerable(ImageFiles.List(train));
        IDataView images = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.LoadImages("Image", train, "Path"))
            .Append(mlContext.Transforms.ResizeImages("Image", 32, 32)).Append(mlContext.Transforms.ExtractPixels("Features", "Image"))
            .Fit(files).Transform(files);
        return new LearningTask(new DirectoryInfo(folder).Name, NetworkDefinition.ResNet(20), null, 128, 0.01f, images);
    }
}
