using FaMLNet;
using FaMLNet.Data;

namespace Microsoft.ML;

/// <summary>Loads the image sets of the field, as lazy views that any pipeline takes.</summary>
/// <remarks>
/// All give <c>Features</c>, the pixels in [0, 1], channel by channel, row by row, as a vector of dimensions channels × height × width; and
/// <c>Label</c>, a key with the classes' names. Nothing is read but headers and labels until a cursor runs; each cursor reads for itself.
/// </remarks>
public static class ImageDataCatalog
{
    /// <summary>Loads images and labels in the IDX format: MNIST, Fashion-MNIST, EMNIST, KMNIST and their like, plain or gzip.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Data</c>.</param>
    /// <param name="imagesPath">The images, for example <c>train-images-idx3-ubyte.gz</c>.</param>
    /// <param name="labelsPath">The labels, for example <c>train-labels-idx1-ubyte.gz</c>.</param>
    /// <param name="labelNames">The classes' names; null for <c>0</c>, <c>1</c>, … up to the largest label in the file. Two files that
    /// belong together, to train and to test on, need the same names where one lacks the last classes.</param>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="FormatException">A file is truncated, corrupt or not IDX, or the two do not belong together.</exception>
    /// <exception cref="ArgumentException">There are fewer names than labels.</exception>
    public static IDataView LoadFromIdx(this DataOperationsCatalog catalog, string imagesPath, string labelsPath,
        IReadOnlyList<string>? labelNames = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(imagesPath);
        ArgumentException.ThrowIfNullOrEmpty(labelsPath);
        using IdxFile images = new(imagesPath, 3), labels = new(labelsPath, 1);
        int rows = images.Dimensions[0];
        if (labels.Dimensions[0] != rows)
            throw new FormatException($"'{imagesPath}' has {rows} images, but '{labelsPath}' has {labels.Dimensions[0]} labels. They do not belong "
                + $"together: training and test files may have been mixed.");
        byte[] values = new byte[rows];
        labels.ReadExactly(values);
        labels.CheckEnd();
        int classes = Math.Max(values.Max() + 1, 2);
        if (labelNames != null && labelNames.Count < classes)
            throw new ArgumentException($"'{labelsPath}' has labels up to {classes - 1}, so {classes} names are needed; found {labelNames.Count}.",
                nameof(labelNames));
        classes = labelNames?.Count ?? classes;
        ImageShape shape = new(1, images.Dimensions[1], images.Dimensions[2]);
        return new ImageRecords(shape, labelNames
            ?? [.. Enumerable.Range(0, classes).Select(label => label.ToString(System.Globalization.CultureInfo.InvariantCulture))], rows,
            () => new IdxReader(imagesPath, labelsPath, classes));
    }

    /// <summary>Loads CIFAR-10 from a folder of its binary version.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder with <c>data_batch_1.bin</c> to <c>data_batch_5.bin</c> and <c>test_batch.bin</c>.</param>
    /// <param name="test">Whether to load the test set instead of the training set.</param>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="FormatException">A file is truncated or not of CIFAR-10.</exception>
    public static IDataView LoadFromCifar10(this DataOperationsCatalog catalog, string folder, bool test = false)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string[] files = test ? ["test_batch.bin"] : [.. Enumerable.Range(1, 5).Select(batch => $"data_batch_{batch}.bin")];
        return Cifar([.. files.Select(file => Path.Combine(folder, file))], labelBytes: 1,
            ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]);
    }

    /// <summary>Loads CIFAR-100, with its 100 fine labels, from a folder of its binary version.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder with <c>train.bin</c> and <c>test.bin</c>; with <c>fine_label_names.txt</c>, labels have those names.</param>
    /// <param name="test">Whether to load the test set instead of the training set.</param>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="FormatException">A file is truncated or not of CIFAR-100.</exception>
    public static IDataView LoadFromCifar100(this DataOperationsCatalog catalog, string folder, bool test = false)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string names = Path.Combine(folder, "fine_label_names.txt");
        string[] labels = File.Exists(names) ? [.. File.ReadLines(names).Select(line => line.Trim()).Where(line => line.Length > 0)]
            : [.. Enumerable.Range(0, 100).Select(label => label.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        if (labels.Length != 100)
            throw new FormatException($"'{names}' has {labels.Length} names; expected 100.");
        return Cifar([Path.Combine(folder, test ? "test.bin" : "train.bin")], labelBytes: 2, labels);
    }

    private static ImageRecords Cifar(string[] files, int labelBytes, string[] labels) =>
        new(new ImageShape(3, 32, 32), labels, CifarReader.CountRows(files, labelBytes), () => new CifarReader(files, labelBytes, labels.Length));
}
