using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Images;

/// <summary>Opens a folder of images for training, or for a saved model: MNIST's files, CIFAR-10's, or image files.</summary>
internal static class ImageSource
{
    private const int LargestSize = 4096;

    /// <summary>The images to train on. Those to test on are looked at as well, if they are there.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="say">Receives what was found and decided.</param>
    /// <param name="size">The height and width to which image files are brought; null for the usual one.</param>
    /// <exception cref="FileNotFoundException">There is nothing that the tool reads.</exception>
    /// <exception cref="FormatException">A class has no image that can be read, too many cannot be read, or a class is only among the images to
    /// test on.</exception>
    public static IDataView ForTraining(MLContext mlContext, string folder, Action<string> say, int? size = null)
    {
        if (size is < 1 or > LargestSize)
            throw new FormatException($"--image-size must be from 1 to {LargestSize} pixels; found {size}.");
        if (Published(mlContext, folder, isTraining: true, say) is { } published)
        {
            return size == null ? published
                : throw new FormatException("--image-size is for image files; those of MNIST and CIFAR-10 have their size.");
        }
        ImageArchive images = ImageArchive.Open(folder, ImagePart.Train, say);
        CheckClassCount(images);
        int length = size ?? images.UsualSize();
        say(images.DescribeSizes(length));
        if (ImagePart.IsIn(folder, ImagePart.Test))
        {
            ImageArchive test = ImageArchive.Survey(ImagePart.Find(folder, ImagePart.Test), images.Classes);
            test.Say(say);
            test.CheckClasses(images.Classes);
            SayMissing(test, images.Classes, say);
        }
        return images.View(images.Classes, length, seed: 1);
    }

    /// <summary>The images to test on, of the size and with the classes that a model was trained on.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="trained">The columns that the model was trained on.</param>
    /// <param name="isStrict">Whether an image that cannot be read is refused; else a small share is left out.</param>
    /// <param name="say">Receives what was found and decided.</param>
    /// <returns>The images, and the file of each, from the folder on; no files where the images have none of their own (MNIST, CIFAR-10).</returns>
    /// <exception cref="FileNotFoundException">There is nothing that the tool reads.</exception>
    /// <exception cref="FormatException">The model was trained on other data, or images cannot be read.</exception>
    public static (IDataView View, IReadOnlyList<string> Files) ForModel(MLContext mlContext, string folder, DataViewSchema trained, bool isStrict,
        Action<string> say)
    {
        if (Published(mlContext, folder, isTraining: false, say) is { } published)
            return (published, []);
        if (trained.GetColumnOrNull("Features")?.Type is not VectorDataViewType { Dimensions: [3, var height, var width] } || height != width)
            throw new FormatException($"'{folder}' has image files, and the model was not trained on square colour images.");
        VBuffer<ReadOnlyMemory<char>> names = default;
        trained["Label"].GetKeyValues(ref names);
        string[] classes = [.. names.DenseValues().Select(name => name.ToString())];
        ImageArchive images = ImageArchive.Open(folder, ImagePart.Test, say, classes, isStrict);
        say(images.DescribeSizes(height));
        if (isStrict)
            say("  Predictions are in the order of the files' names.");
        IDataView view = images.View(classes, height, seed: null);
        SayMissing(images, classes, say);
        string part = Path.GetRelativePath(folder, images.Path).Replace(Path.DirectorySeparatorChar, '/');
        return (view, [.. images.Files.Select(file => part == "." ? file : $"{part}/{file}")]);
    }

    /// <summary>Says which classes have no image to test on.</summary>
    public static void SayMissing(ImageArchive test, IReadOnlyList<string> classes, Action<string> say)
    {
        string[] missing = [.. classes.Except(test.Classes)];
        if (missing.Length > 0)
            say($"  No image of {ImageSurvey.Count(missing.Length, "class", "classes")} of the training: {ImageSurvey.Names(missing)}.");
    }

    /// <summary>Refuses to learn a single class.</summary>
    public static void CheckClassCount(ImageArchive images)
    {
        if (images.Classes.Count < 2)
            throw new FormatException($"'{images.Path}' has the one class '{images.Classes[0]}': at least 2 are needed to learn anything. The class "
                + "of an image is the folder directly below train, whatever lies beneath.");
    }

    private static IDataView? Published(MLContext mlContext, string folder, bool isTraining, Action<string> say)
    {
        string idx = isTraining ? "train" : "t10k";
        string? images = PublishedSet.Find(folder, $"{idx}-images-idx3-ubyte"), labels = PublishedSet.Find(folder, $"{idx}-labels-idx1-ubyte");
        IDataView? view = images != null && labels != null ? mlContext.Data.LoadFromIdx(images, labels)
            : File.Exists(Path.Combine(folder, "data_batch_1.bin")) ? mlContext.Data.LoadFromCifar10(folder, test: !isTraining) : null;
        if (view == null)
            return ImagePart.IsIn(folder) ? null : throw Nothing(folder, idx);
        string shape = string.Join(" × ", ((VectorDataViewType)view.Schema["Features"].Type).Dimensions);
        say(FormattableString.Invariant($"'{folder}': {view.GetRowCount():N0} images ({shape}) of ")
            + $"{((KeyDataViewType)view.Schema["Label"].Type).Count} classes from {(images != null && labels != null ? Path.GetFileName(images)
            + " and " + Path.GetFileName(labels) : "CIFAR-10's binary files")}.");
        if (ImagePart.IsIn(folder))
            say("  The image files in the same folder are not read.");
        return view;
    }

    private static FileNotFoundException Nothing(string folder, string idx)
    {
        string[] stray = [.. Directory.EnumerateFiles(folder).Where(FileKind.HasImageName).Select(file => Path.GetFileName(file))];
        return new FileNotFoundException($"The folder '{folder}' holds neither {idx}-images-idx3-ubyte and {idx}-labels-idx1-ubyte (MNIST and "
            + "its like, plain or .gz) nor data_batch_1.bin (CIFAR-10, binary version), nor train and test (folders or zip archives with one "
            + "folder of image files per class), nor at least two folders of image files, one per class."
            + (stray.Length == 0 ? "" : $" It has {ImageSurvey.Count(stray.Length, "image file")} directly in it ({ImageSurvey.Names(stray)}): "
            + "move each into the folder of its class."));
    }
}
