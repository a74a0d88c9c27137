namespace FaMLNet.Cli.Images;

/// <summary>A file as its owners publish it.</summary>
/// <param name="Name">Its name; a file without <c>.gz</c> may be there compressed instead.</param>
/// <param name="Bytes">Its size, uncompressed; 0 where it is not fixed.</param>
/// <param name="Sha256">Of its bytes, uncompressed; null where it is not known.</param>
/// <param name="CompressedSha256">Of the published <c>.gz</c>; null where it is not known.</param>
internal sealed record PublishedFile(string Name, long Bytes, string? Sha256 = null, string? CompressedSha256 = null);

/// <summary>A data set as its owners publish it, and where its files may lie below the folder given.</summary>
/// <param name="Name">The name in configurations.</param>
/// <param name="Title">For people.</param>
/// <param name="Owner">Where the owners publish it.</param>
/// <param name="Licence">Its licence, or what is known of it.</param>
/// <param name="Folders">Where other tools put its files, below the folder.</param>
/// <param name="Files">Its files.</param>
/// <param name="Archive">The archive that the files come in, with the MD5 that the owners publish of it; null for none.</param>
internal sealed record PublishedSet(string Name, string Title, string Owner, string Licence, IReadOnlyList<string> Folders,
    IReadOnlyList<PublishedFile> Files, (string Name, string Md5)? Archive = null)
{
    public static IReadOnlyList<PublishedSet> All { get; } =
    [
        // SHA-256 of the uncompressed files, whose MD5 the data's owners or their mirrors give.
        new("mnist", "MNIST", "http://yann.lecun.com/exdb/mnist/", "CC BY-SA 3.0", ["MNIST/raw", "mnist"], IdxFiles(
            ("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", null),
            ("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", null),
            ("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", null),
            ("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", null))),
        // SHA-256 of the owners' .gz, and of what Debian's package of the original files holds.
        new("fashion-mnist", "Fashion-MNIST", "https://github.com/zalandoresearch/fashion-mnist", "MIT", ["FashionMNIST/raw", "fashion-mnist"],
            IdxFiles(
            ("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            ("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            ("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            ("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"))),
        new("kmnist", "Kuzushiji-MNIST", "http://codh.rois.ac.jp/kmnist/", "CC BY-SA 4.0", ["KMNIST/raw", "kmnist"], IdxFiles(
            (null, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (null, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (null, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (null, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"))),
        new("emnist", "EMNIST, balanced", "https://www.nist.gov/itl/products-and-services/emnist-dataset", "public domain (NIST)",
            ["gzip", "EMNIST/raw", "emnist"], [
                new("emnist-balanced-train-images-idx3-ubyte", 16 + 112_800 * 784), new("emnist-balanced-train-labels-idx1-ubyte", 8 + 112_800),
                new("emnist-balanced-test-images-idx3-ubyte", 16 + 18_800 * 784), new("emnist-balanced-test-labels-idx1-ubyte", 8 + 18_800)],
            ("gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e")),
        new("cifar10", "CIFAR-10, binary version", "https://www.cs.toronto.edu/~kriz/cifar.html", "not stated by the owners; cite Krizhevsky 2009",
            ["cifar-10-batches-bin", "cifar10"],
            [.. Enumerable.Range(1, 5).Select(batch => new PublishedFile($"data_batch_{batch}.bin", 10_000 * 3073)),
                new("test_batch.bin", 10_000 * 3073)], ("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530")),
        new("cifar100", "CIFAR-100, binary version", "https://www.cs.toronto.edu/~kriz/cifar.html", "not stated by the owners; cite Krizhevsky 2009",
            ["cifar-100-binary", "cifar100"], [new("train.bin", 50_000 * 3074), new("test.bin", 10_000 * 3074)],
            ("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8")),
    ];

    /// <summary>A set by its name in configurations; null if none has it.</summary>
    public static PublishedSet? Named(string name) => All.FirstOrDefault(set => set.Name == name);

    /// <summary>The folder at or below a given one where the first of the files lies, plain or compressed; null if none.</summary>
    public string? FolderOf(string root) => Places(root).FirstOrDefault(folder => Find(folder, Files[0].Name) != null);

    /// <summary>Where the files may be.</summary>
    public IEnumerable<string> Places(string root) => Folders.Select(below => Path.Combine(root, below)).Prepend(root);

    /// <summary>A file, plain or compressed; null if it is not there.</summary>
    public static string? Find(string folder, string name) =>
        new[] { name, name + ".gz" }.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists);

    /// <summary>MNIST's and its like: 16 or 8 bytes of header, and 60,000 or 10,000 records.</summary>
    private static PublishedFile[] IdxFiles((string?, string?) trainImages, (string?, string?) trainLabels, (string?, string?) testImages,
        (string?, string?) testLabels) =>
    [
        new("train-images-idx3-ubyte", 16 + 60_000 * 784, trainImages.Item1, trainImages.Item2),
        new("train-labels-idx1-ubyte", 8 + 60_000, trainLabels.Item1, trainLabels.Item2),
        new("t10k-images-idx3-ubyte", 16 + 10_000 * 784, testImages.Item1, testImages.Item2),
        new("t10k-labels-idx1-ubyte", 8 + 10_000, testLabels.Item1, testLabels.Item2),
    ];
}
