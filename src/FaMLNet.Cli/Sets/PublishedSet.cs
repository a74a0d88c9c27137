namespace FaMLNet.Cli.Sets;

/// <summary>A file as its owners publish it.</summary>
/// <param name="Name">Its name; a file without <c>.gz</c> may be there compressed instead.</param>
/// <param name="Bytes">Its size, uncompressed.</param>
/// <param name="Sha256">Of its bytes, uncompressed; null where it is not known to us.</param>
/// <param name="Md5">Likewise: what owners of older sets publish.</param>
internal sealed record PublishedFile(string Name, long Bytes, string? Sha256 = null, string? Md5 = null);

/// <summary>A data set as its owners publish it, and where its files may lie below the folder given.</summary>
/// <param name="Name">The name in configurations.</param>
/// <param name="Title">For people.</param>
/// <param name="Owner">Where the owners publish it.</param>
/// <param name="Licence">Its licence, or what is known of it.</param>
/// <param name="Folders">Where other tools put its files, below the folder.</param>
/// <param name="Files">Its files.</param>
internal sealed record PublishedSet(string Name, string Title, string Owner, string Licence, IReadOnlyList<string> Folders,
    IReadOnlyList<PublishedFile> Files)
{
    private const string Images = "images-idx3-ubyte", Labels = "labels-idx1-ubyte";

    /// <summary>Sizes of the uncompressed files of MNIST and its like: 16 or 8 bytes of header, and 60,000 or 10,000 records.</summary>
    private static PublishedFile[] IdxFiles(string?[] sha, string?[] md5) =>
    [
        new($"train-{Images}", 16 + 60_000 * 784, sha[0], md5[0]), new($"train-{Labels}", 8 + 60_000, sha[1], md5[1]),
        new($"t10k-{Images}", 16 + 10_000 * 784, sha[2], md5[2]), new($"t10k-{Labels}", 8 + 10_000, sha[3], md5[3]),
    ];

    public static IReadOnlyList<PublishedSet> All { get; } =
    [
        new("mnist", "MNIST", "http://yann.lecun.com/exdb/mnist/ (mirrored by the owners of PyTorch and TensorFlow)", "CC BY-SA 3.0",
            ["MNIST/raw", "mnist"], IdxFiles(
            [
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ],
            ["6bbc9ace898e44ae57da46a324031adb", null, "2646ac647ad5339dbf082846283269ea", null])),
        new("fashion-mnist", "Fashion-MNIST", "https://github.com/zalandoresearch/fashion-mnist", "MIT", ["FashionMNIST/raw", "fashion-mnist"],
            IdxFiles([null, null, null, null], [null, null, null, null])),
        new("kmnist", "Kuzushiji-MNIST", "http://codh.rois.ac.jp/kmnist/", "CC BY-SA 4.0", ["KMNIST/raw", "kmnist"],
            IdxFiles([null, null, null, null], [null, null, null, null])),
        new("cifar10", "CIFAR-10, binary version", "https://www.cs.toronto.edu/~kriz/cifar.html", "not stated by the owners; cite Krizhevsky 2009",
            ["cifar-10-batches-bin", "cifar10"],
            [.. Enumerable.Range(1, 5).Select(batch => new PublishedFile($"data_batch_{batch}.bin", 10_000L * 3073)),
                new("test_batch.bin", 10_000L * 3073)]),
        new("cifar100", "CIFAR-100, binary version", "https://www.cs.toronto.edu/~kriz/cifar.html", "not stated by the owners; cite Krizhevsky 2009",
            ["cifar-100-binary", "cifar100"], [new("train.bin", 50_000L * 3074), new("test.bin", 10_000L * 3074)]),
    ];

    /// <summary>The folder at or below a given one where the first of the files lies, plain or compressed; null if none.</summary>
    public string? FolderOf(string root) => Folders.Prepend("").Select(below => Path.Combine(root, below))
        .FirstOrDefault(folder => Find(folder, Files[0].Name) != null);

    /// <summary>A file, plain or compressed; null if it is not there.</summary>
    public static string? Find(string folder, string name) =>
        new[] { name, name + ".gz" }.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
}
