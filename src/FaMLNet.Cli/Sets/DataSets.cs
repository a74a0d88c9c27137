using FaMLNet.Cli.Configuration;
using Microsoft.ML;

namespace FaMLNet.Cli.Sets;

/// <summary>Opens data sets by name and folder.</summary>
internal static class DataSets
{
    private const string Variable = "FAMLNET_DATA";

    /// <summary>Opens the data of an experiment.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="settings">Names it, and where it is.</param>
    /// <param name="folder">A folder from the command line, which wins; null for none.</param>
    /// <param name="say">Receives what was found and decided; null for none.</param>
    /// <exception cref="FileNotFoundException">It is not there; the message says where it was looked for and where its owners publish it.</exception>
    public static DataSet Open(MLContext mlContext, ExperimentSettings settings, string? folder, Action<string>? say = null)
    {
        say ??= _ => { };
        string name = NameOf(settings.Dataset), path = Locate(settings, folder);
        DataSet set = name switch
        {
            "csv" => Table(mlContext, settings, path),
            "image-folder" => ImageFiles(path, settings.TargetSize, settings.Seed, settings.TestShare, say),
            "cifar10" => PublishedSet.Named(name)!.FolderOf(path) is { } binary
                ? new DataSet(mlContext.Data.LoadFromCifar10(binary), mlContext.Data.LoadFromCifar10(binary, test: true), null)
                : ImageFiles(path, settings.TargetSize, settings.Seed, settings.TestShare, say),
            "cifar100" => Cifar100(mlContext, path),
            "emnist" => Emnist(mlContext, path),
            _ => Idx(mlContext, PublishedSet.Named(name)!, path),
        };
        return set with
        {
            Train = settings.TrainRows is { } train ? mlContext.Data.TakeRows(set.Train, train) : set.Train,
            Test = settings.TestRows is { } test ? mlContext.Data.TakeRows(set.Test, test) : set.Test,
        };
    }

    /// <summary>Where the data of an experiment is, without opening it.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    public static string Locate(ExperimentSettings settings, string? folder) => Locate(NameOf(settings.Dataset), folder ?? settings.DatasetPath);

    /// <summary>The one name of a set that configurations call by several.</summary>
    public static string NameOf(string dataset) => dataset switch
    {
        "fashion_mnist" => "fashion-mnist",
        "cifar10_benchmark" => "cifar10",
        "imagenet" => "image-folder",
        _ => dataset,
    };

    /// <summary>Where the set is: the path given, or the folder of its name below FAMLNET_DATA or datasets.</summary>
    private static string Locate(string name, string? path)
    {
        if (path != null)
        {
            return File.Exists(path) || Directory.Exists(path) ? path : throw new FileNotFoundException(
                $"The data set '{name}' is not at '{path}'. Give data.dataset_path, or --data, a folder that is there{Published(name)}.", path);
        }
        string[] names = name == "cifar10" ? [name, "cifar10-jpeg"] : [name];
        string[] places = [.. new[] { Environment.GetEnvironmentVariable(Variable), "datasets" }.OfType<string>().Where(root => root.Length > 0)
            .SelectMany(root => names.Select(each => Path.Combine(root, each)))];
        return places.FirstOrDefault(Directory.Exists) ?? throw new FileNotFoundException($"The data set '{name}' is not there: looked for "
            + $"{string.Join(" and ", places.Select(place => $"'{place}'"))}. Set data.dataset_path, --data, or the variable {Variable} to the "
            + $"folder of folders{Published(name)}. Nothing is downloaded.");
    }

    private static string Published(string name) => PublishedSet.Named(name) is { } set
        ? $"; its owners publish it at {set.Owner}" : "";

    private static DataSet Idx(MLContext mlContext, PublishedSet set, string path)
    {
        string folder = set.FolderOf(path) ?? throw new FileNotFoundException($"'{path}' has not the files of {set.Title}: expected "
            + $"{string.Join(", ", set.Files.Select(file => file.Name))}, plain or .gz. Its owners publish them at {set.Owner}.");
        string[] files = [.. set.Files.Select(file => PublishedSet.Find(folder, file.Name)
            ?? throw new FileNotFoundException($"'{folder}' lacks {file.Name}, plain or .gz. {set.Title} is published at {set.Owner}."))];
        return new DataSet(mlContext.Data.LoadFromIdx(files[0], files[1]), mlContext.Data.LoadFromIdx(files[2], files[3]), null);
    }

    /// <summary>The one variant that is there, balanced where there are several.</summary>
    private static DataSet Emnist(MLContext mlContext, string path)
    {
        PublishedSet set = PublishedSet.Named("emnist")!;
        string[] train = [.. set.Places(path).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "emnist-*-train-images-idx3-ubyte*")).Order(StringComparer.Ordinal)];
        string images = train.FirstOrDefault(file => file.Contains("-balanced-", StringComparison.Ordinal)) ?? train.FirstOrDefault()
            ?? throw new FileNotFoundException($"'{path}' has no files of EMNIST, such as emnist-balanced-train-images-idx3-ubyte.gz. Its owners "
                + $"publish them at {set.Owner}.");
        string Of(string part, string kind) => Path.Combine(Path.GetDirectoryName(images)!, Path.GetFileName(images)
            .Replace("train-images-idx3", $"{part}-{kind}", StringComparison.Ordinal));
        return new DataSet(mlContext.Data.LoadFromIdx(images, Of("train", "labels-idx1")),
            mlContext.Data.LoadFromIdx(Of("test", "images-idx3"), Of("test", "labels-idx1")), null);
    }

    private static DataSet Cifar100(MLContext mlContext, string path)
    {
        PublishedSet set = PublishedSet.Named("cifar100")!;
        string folder = set.FolderOf(path) ?? throw new FileNotFoundException($"'{path}' has not the files of CIFAR-100's binary version: expected "
            + $"train.bin and test.bin. Its owners publish them at {set.Owner} (the Python version has others).");
        return new DataSet(mlContext.Data.LoadFromCifar100(folder), mlContext.Data.LoadFromCifar100(folder, test: true), null);
    }

    private static DataSet ImageFiles(string path, int? size, int seed, double testShare, Action<string> say)
    {
        // A result is one of all images: none is left out.
        ImageArchive train = ImageArchive.Open(path, ImagePart.Train, say, isStrict: true), test;
        if (ImagePart.HasParts(path))
            test = ImageArchive.Open(path, ImagePart.Test, say, train.Classes, isStrict: true);
        else
        {
            (train, test) = train.Split(testShare);
            say(FormattableString.Invariant($"  {train.Count:N0} images to train on, and {test.Count:N0} to test on (data.test_share): ")
                + "the same ones whatever the seed, with the classes in proportion.");
        }
        ImageSource.CheckClassCount(train);
        int length = size ?? train.UsualSize();
        say(train.DescribeSizes(length));
        ImageSource.SayMissing(test, train.Classes, say);
        // One order of the classes for both; what is tested on may lack a class, but not have another.
        return new DataSet(train.View(train.Classes, length, seed), test.View(train.Classes, length, seed: null), null);
    }

    private static DataSet Table(MLContext mlContext, ExperimentSettings settings, string path)
    {
        bool split = Directory.Exists(path);
        string train = split ? Path.Combine(path, "train.csv") : path;
        DataSource source = DataSource.ForTraining(mlContext, train, settings.Label, hasHeader: true, _ => { });
        if (!split)
        {
            DataOperationsCatalog.TrainTestData parts = mlContext.Data.TrainTestSplit(source.View, settings.TestShare, seed: settings.Seed);
            return new DataSet(parts.TrainSet, parts.TestSet, source);
        }
        return new DataSet(source.View, source.Like(Path.Combine(path, "test.csv")), source);
    }
}
