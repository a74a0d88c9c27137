using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Images;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Sets;

/// <summary>Opens data sets by name and folder.</summary>
internal static class DataSets
{
    private const string Variable = "FAMLNET_DATA";

    /// <summary>Opens the data of an experiment.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="settings">Names it, and where it is.</param>
    /// <param name="folder">A folder from the command line, which wins; null for none.</param>
    /// <exception cref="FileNotFoundException">It is not there; the message says where it was looked for and where its owners publish it.</exception>
    /// <exception cref="FormatException">A table cannot be read, or has no label for the task.</exception>
    /// <param name="say">Receives what is good to know.</param>
    /// <param name="model">A model that is only measured: its task and its classes count, not those of the training rows.</param>
    public static DataSet Open(MLContext mlContext, ExperimentSettings settings, string? folder, Action<string>? say = null,
        SavedModel? model = null)
    {
        string path = Locate(settings, folder);
        return Activity.Run($"reading '{path}'", () => OpenAt(path, mlContext, settings, say ?? (_ => { }), model));
    }

    private static DataSet OpenAt(string path, MLContext mlContext, ExperimentSettings settings, Action<string> say, SavedModel? model)
    {
        string name = NameOf(settings.Dataset);
        if (name == "csv")
            return Table(mlContext, settings, path, say, model);
        DataSet set = name switch
        {
            "image-folder" => ImageFiles(path, settings.TargetSize, settings.SplitSeed, settings.TestShare, say),
            "cifar10" => PublishedSet.Named(name)!.FolderOf(path) is { } binary
                ? new DataSet(mlContext.Data.LoadFromCifar10(binary), mlContext.Data.LoadFromCifar10(binary, test: true), null)
                : Cifar10AsImages(settings, path, say),
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
    public static string Locate(ExperimentSettings settings, string? folder) =>
        Locate(NameOf(settings.Dataset), folder ?? settings.DatasetPath);

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

    private static DataSet Emnist(MLContext mlContext, string path)
    {
        (string Images, string Labels)[] files = EmnistFiles(path);
        return new DataSet(mlContext.Data.LoadFromIdx(files[0].Images, files[0].Labels), mlContext.Data.LoadFromIdx(files[1].Images,
            files[1].Labels), null);
    }

    /// <summary>The files to train on and to test on, of the one variant that is there; balanced where there are several.</summary>
    public static (string Images, string Labels)[] EmnistFiles(string path)
    {
        PublishedSet set = PublishedSet.Named("emnist")!;
        string[] train = [.. set.Places(path).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "emnist-*-train-images-idx3-ubyte*")).Order(StringComparer.Ordinal)];
        string images = train.FirstOrDefault(file => file.Contains("-balanced-", StringComparison.Ordinal)) ?? train.FirstOrDefault()
            ?? throw new FileNotFoundException($"'{path}' has no files of EMNIST, such as emnist-balanced-train-images-idx3-ubyte.gz. Its owners "
                + $"publish them at {set.Owner}.");
        string Of(string part, string kind) => Path.Combine(Path.GetDirectoryName(images)!, Path.GetFileName(images)
            .Replace("train-images-idx3", $"{part}-{kind}", StringComparison.Ordinal));
        return [(images, Of("train", "labels-idx1")), (Of("test", "images-idx3"), Of("test", "labels-idx1"))];
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

    private static DataSet Cifar10AsImages(ExperimentSettings settings, string path, Action<string> say)
    {
        say($"'{path}' has image files and not the published binary version of CIFAR-10 ({PublishedSet.Named("cifar10")!.Owner}). Files such as "
            + "JPEG have other pixels than the published set: results are not those of CIFAR-10. They are recorded as "
            + $"'{DataIdentity.Cifar10AsImageFiles}'.");
        return ImageFiles(path, settings.TargetSize, settings.SplitSeed, settings.TestShare, say);
    }

    /// <summary>A table's columns and its label's task, by its training rows.</summary>
    public static DataSource OpenTable(MLContext mlContext, ExperimentSettings settings, string? folder, Action<string> say) =>
        Activity.Run($"reading '{Locate(settings, folder)}'", () => OpenTable(mlContext, settings, settings.AskedTask,
            TrainFile(Locate(settings, folder)), say));

    private static string TrainFile(string path) => Directory.Exists(path) ? Path.Combine(path, "train.csv") : path;

    private static DataSource OpenTable(MLContext mlContext, ExperimentSettings settings, TaskKind? task, string path, Action<string> say) =>
        InKeys(() => DataSource.ForTraining(mlContext, path, settings.Label, settings.TableFormat.HasHeader, text => say(TableKeys.AsKeys(text)),
            task, settings.TableChoices, settings.TableFormat));

    private static T InKeys<T>(Func<T> open)
    {
        try
        {
            return open();
        }
        catch (FormatException failure)
        {
            throw new FormatException(TableKeys.AsKeys(failure.Message), failure);
        }
    }

    private static DataSet Table(MLContext mlContext, ExperimentSettings settings, string path, Action<string> say, SavedModel? model)
    {
        DataSource source = OpenTable(mlContext, settings, settings.AskedTask ?? model?.Task.Kind, TrainFile(path), say);
        IDataView testView = Directory.Exists(path) ? InKeys(() => source.Like(Path.Combine(path, "test.csv"),
            settings.TableFormat, text => say(TableKeys.AsKeys(text)))) : source.View;
        List<string?> labels = TableSplit.Labels(source.View, source.Label), testLabels = labels;
        int[] train, test;
        if (Directory.Exists(path))
        {
            testLabels = TableSplit.Labels(testView, source.Label);
            (train, test) = ([.. Enumerable.Range(0, labels.Count)], [.. Enumerable.Range(0, testLabels.Count)]);
        }
        else
        {
            (train, test) = source.Task.Kind == TaskKind.Regression ? TableSplit.ByChance(labels.Count, settings.TestShare, settings.SplitSeed)
                : TableSplit.ByClass(labels, settings.TestShare, settings.SplitSeed);
        }
        train = train[..Math.Min(train.Length, settings.TrainRows ?? train.Length)];
        test = test[..Math.Min(test.Length, settings.TestRows ?? test.Length)];
        HashSet<string> known = source.Task.Kind == TaskKind.Regression ? [.. test.Select(row => testLabels[row]).OfType<string>()]
            : model != null ? ClassesOf(model, source) : [.. train.Select(row => labels[row]).OfType<string>()];
        (int[] measurable, UnseenClasses unseen, int unlabelled) = TableSplit.Measurable(known, testLabels, test);
        if (unseen.Rows > 0)
        {
            string names = string.Join(", ", unseen.Classes.Take(5)) + (unseen.Classes.Count > 5 ? ", …" : "");
            string alike = AlikeTexts.Describe(unseen.Classes, known, "class");
            say($"{unseen.Rows} of {test.Length} test rows are of {unseen.Classes.Count} classes without a training row ({names}). They count as "
                + $"wrong.{(alike.Length > 0 ? " " + alike : "")}");
        }
        if (unlabelled > 0)
            say($"{unlabelled} of {test.Length} test rows have no label. Nothing is measured on them.");
        if (settings.TestsAtEnd && measurable.Length + unseen.Rows == 0)
            throw new FormatException($"'{path}' has no test rows with a label: every class has one row. Give more rows, a folder with train.csv and "
                + "test.csv, or set evaluation.test to false.");
        return new DataSet(new SelectedRows(source.View, train), new SelectedRows(testView, measurable), source)
        {
            Unseen = unseen,
            Unlabelled = unlabelled,
        };
    }

    /// <summary>The classes that a model knows.</summary>
    private static HashSet<string> ClassesOf(SavedModel model, DataSource source)
    {
        if (model.Task.Values is { } values)
            return [.. values];
        VBuffer<ReadOnlyMemory<char>> names = default;
        model.Transformer.Transform(new SelectedRows(source.View, [])).Schema[source.Label].GetKeyValues(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }
}
