using System.IO.Compression;
using System.Text;
using FaMLNet.Tests.Training.Autograd;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Persistence;

/// <summary>
/// Models of each kind, damaged in many ways: what reaches the user from <c>mlContext.Model.Load</c> is a message that names entry, problem
/// and cure.
/// </summary>
public sealed class DamagedModelTests
{
    private const string Document = "model.json", Weights = "weights.safetensors", ModelKey = "/Model/Model.key", Schema = "TrainSchema";

    private static readonly Lazy<Dictionary<string, byte[]>> Models = new(() => new()
    {
        ["dense"] = Train(NetworkDefinition.Mlp(6)),
        ["convolutional"] = Train(NetworkDefinition.Sequential(new Layer.Conv2d(4, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
            new Layer.Flatten(), new Layer.Dense())),
        ["custom"] = Train(NetworkDefinition.Custom("chain")),
    });

    /// <summary>Entry, damage, and a part of the message.</summary>
    public static IEnumerable<(string Entry, Func<byte[], byte[]?> Damage, string Expected)> EveryModelHas =>
    [
        (Document, _ => null, "entry 'model.json' is missing"),
        (Weights, _ => null, "entry 'weights.safetensors' is missing"),
        (Document, _ => [], "entry 'model.json'"),
        (Weights, _ => [], "entry 'weights.safetensors'"),
        (Document, bytes => bytes[..(bytes.Length / 2)], "entry 'model.json'"),
        (Weights, bytes => bytes[..(bytes.Length / 2)], "it ends early"),
        (Weights, bytes => bytes[..^1], "it ends early"),
        (Weights, bytes => bytes[..12], "it ends early"),
        (Weights, bytes => [.. bytes, 1], "more data"),
        (Document, _ => "{}"u8.ToArray(), "entry 'model.json'"),
        (Document, _ => "null"u8.ToArray(), "entry 'model.json'"),
        (Document, _ => "[]"u8.ToArray(), "entry 'model.json'"),
        (Document, _ => [.. Enumerable.Repeat((byte)'[', 100_000)], "entry 'model.json'"),
        (Document, _ => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"network\":", 5000))), "entry 'model.json'"),
        (Document, _ => [0xff, 0xfe, 0x00], "entry 'model.json'"),
        (Document, Replace("\"version\": 2", "\"version\": 99"), "format version 99"),
        (Document, Replace("\"version\": 2", "\"version\": \"one\""), "entry 'model.json'"),
        (Document, Replace("\"inputs\": 64", "\"inputs\": -64"), "-64 inputs"),
        (Document, Replace("\"inputs\": 64", "\"inputs\": 63"), "entry"),
        (Document, Replace("\"classes\": 10", "\"classes\": 11"), "entry"),
        (Document, Replace("\"classes\": 10", "\"classes\": 0"), "0 classes"),
        (Document, Replace("\"rule\": \"fa\"", "\"rule\": \"\""), "lacks a rule"),
        (Document, Replace("\"format\": \"FaMLNet", "\"format\": \"FaMLNyet"), "of the format"),
        (Document, Replace("\"kind\": \"", "\"kind\": \"un"), "entry 'model.json'"),
        (Document, Replace("\"normRatio\": {", "\"weightNorm\": null, \"normRatio\": {"), "lacks"),
        (Document, Replace("\"direct\": false", "\"direct\": 7"), "entry 'model.json'"),
        (Weights, Replace("\"dtype\":\"F32\"", "\"dtype\":\"F16\""), "expected F32"),
        (Weights, Replace(".feedback\"", ".feedbank\""), "that the network does not"),
        (Weights, Replace("\"data_offsets\":[0,", "\"data_offsets\":[8,"), "lies at"),
        (Weights, bytes => [.. BitConverter.GetBytes(long.MaxValue), .. bytes[8..]], "its header claims"),
        (Weights, bytes => [.. bytes[..^4], .. BitConverter.GetBytes(float.NaN)], "must be finite"),
        (ModelKey, _ => [], "cannot be read"),
        (ModelKey, bytes => bytes[..10], "cannot be read"),
        (Schema, _ => null, "cannot be read"),
        (Schema, bytes => bytes[..(bytes.Length / 2)], "cannot be read"),
    ];

    public static TheoryData<string> Kinds => ["dense", "convolutional", "custom"];

    [Theory, MemberData(nameof(Kinds))]
    public void Whatever_is_damaged_is_named_in_the_message_itself(string kind)
    {
        byte[] zip = Models.Value[kind];
        Load(zip); // sound as it is
        List<string> wrong = [];
        int ways = 0;
        foreach ((string entry, Func<byte[], byte[]?> damage, string expected) in EveryModelHas)
        {
            Exception? failure = Record.Exception(() => Load(Damage(zip, entry, damage)));
            if (failure is not FormatException || !failure.Message.Contains(expected, StringComparison.Ordinal)
                || !failure.Message.Contains("model", StringComparison.OrdinalIgnoreCase))
                wrong.Add($"{entry}, expected '{expected}': {failure?.GetType().Name} {failure?.Message}");
            ways++;
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(ways >= 25);
    }

    [Fact]
    public void Entries_of_another_model_and_of_another_kind_are_refused()
    {
        foreach ((string kind, string other) in new[] { ("dense", "convolutional"), ("convolutional", "custom"), ("custom", "dense") })
        {
            foreach (string entry in new[] { Document, Weights })
            {
                byte[] foreign = ModelZip.Entries(Models.Value[other]).Single(pair => pair.Key.EndsWith(entry, StringComparison.Ordinal)).Value;
                FormatException failure = Assert.Throws<FormatException>(() => Load(Damage(Models.Value[kind], entry, _ => foreign)));
                Assert.Contains("model's entry", failure.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_renamed_layer_and_a_network_that_is_not_registered_are_named()
    {
        FormatException failure = Assert.Throws<FormatException>(() =>
            Load(Damage(Models.Value["convolutional"], Weights, Replace("conv1.weight", "conv9.weight"))));
        Assert.Contains("'conv9.weight'", failure.Message, StringComparison.Ordinal);
        failure = Assert.Throws<FormatException>(() => Load(Damage(Models.Value["custom"], Weights, Replace("\"a.weight\"", "\"z.weight\""))));
        Assert.Contains("'z.weight'", failure.Message, StringComparison.Ordinal);
        InvalidOperationException missing = Assert.Throws<InvalidOperationException>(() =>
            new MLContext().Model.Load(new MemoryStream(Models.Value["custom"]), out _));
        Assert.Contains("no factory of the network 'chain' is registered", missing.Message, StringComparison.Ordinal);
        Assert.Contains("RegisterAssembly", missing.Message, StringComparison.Ordinal);
    }

    /// <summary>These never reach FaMLNet: what ML.NET says must at least be about the file. The tool adds the file's name.</summary>
    [Fact]
    public void What_is_no_model_at_all_is_refused_by_ml_net()
    {
        byte[] zip = Models.Value["dense"], other;
        using (MemoryStream stream = new())
        {
            using (ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true))
                archive.CreateEntry("readme.txt");
            other = stream.ToArray();
        }
        foreach (byte[] file in new[] { "no zip"u8.ToArray(), [], other, zip[..(zip.Length / 2)] })
        {
            Exception failure = Assert.ThrowsAny<Exception>(() => Load(file));
            Assert.DoesNotContain("target of an invocation", failure.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A model within another program's chain of chains.</summary>
    [Fact]
    public void A_failure_in_a_nested_chain_surfaces_as_well()
    {
        MLContext mlContext = Context();
        IDataView data = Tables.Load(mlContext, "iris");
        ITransformer inner = Tables.Pipeline(mlContext, Tables.Quick(epochs: 1)).Fit(data);
        ITransformer outer = new Microsoft.ML.Data.TransformerChain<ITransformer>(new Microsoft.ML.Data.TransformerChain<ITransformer>(inner));
        using MemoryStream stream = new();
        mlContext.Model.Save(outer, data.Schema, stream);
        FormatException failure = Assert.Throws<FormatException>(() => Load(Damage(stream.ToArray(), Weights, bytes => bytes[..20])));
        Assert.Contains("entry 'weights.safetensors'", failure.Message, StringComparison.Ordinal);
        // And what loads after a failure loads.
        Load(stream.ToArray());
    }

    /// <summary>A sound model of a kind.</summary>
    internal static byte[] Sound(string kind) => Models.Value[kind];

    internal static byte[] Damage(byte[] zip, string entry, Func<byte[], byte[]?> damage)
    {
        Dictionary<string, byte[]> entries = ModelZip.Entries(zip);
        // The outermost entries of that name that are the model's: chains have keys of their own.
        string name = entries.Keys.Where(key => key.EndsWith(entry, StringComparison.Ordinal)).OrderByDescending(key => key.Length).First();
        using MemoryStream stream = new();
        using (ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string key, byte[] content) in entries)
            {
                byte[]? bytes = key == name ? damage(content) : content;
                if (bytes == null)
                    continue;
                Assert.False(key == name && bytes.AsSpan().SequenceEqual(content), $"{entry} has not been changed");
                using Stream file = archive.CreateEntry(key).Open();
                file.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    private static Func<byte[], byte[]?> Replace(string part, string replacement) => bytes =>
    {
        // Latin 1 keeps every byte; the length of a safetensors header is brought up to date.
        string text = Encoding.Latin1.GetString(bytes);
        int at = text.IndexOf(part, StringComparison.Ordinal);
        Assert.True(at >= 0, $"'{part}' not found in {text[..Math.Min(text.Length, 2000)]}");
        byte[] changed = Encoding.Latin1.GetBytes(text[..at] + replacement + text[(at + part.Length)..]);
        if (bytes[0] != '{')
            BitConverter.TryWriteBytes(changed, BitConverter.ToInt64(bytes) + replacement.Length - part.Length);
        return changed;
    };

    private static void Load(byte[] zip) => Context().Model.Load(new MemoryStream(zip), out _);

    private static MLContext Context()
    {
        MLContext mlContext = new(seed: 1);
        mlContext.ComponentCatalog.RegisterAssembly(typeof(ChainFactory).Assembly);
        return mlContext;
    }

    private static byte[] Train(NetworkDefinition network)
    {
        MLContext mlContext = Context();
        IDataView data = Tables.Load(mlContext, "digits");
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.FeedbackAlignment, epochs: 1);
        options.Network = network;
        options.ImageShape = network is MlpDefinition ? null : new ImageShape(1, 8, 8);
        using MemoryStream stream = new();
        mlContext.Model.Save(Tables.Pipeline(mlContext, options).Fit(data), data.Schema, stream);
        return stream.ToArray();
    }
}
