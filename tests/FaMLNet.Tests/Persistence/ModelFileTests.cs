using System.IO.Compression;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Persistence;

/// <summary>Saved models: round trips, and files that are damaged or hostile.</summary>
public sealed class ModelFileTests
{
    private static readonly Lazy<(byte[] Zip, IDataView Data, ITransformer Model)> Saved = new(() =>
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "iris");
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.DirectFeedbackAlignment);
        options.Network = NetworkDefinition.Mlp(16, 8)
            with
        {
            Normalization = Normalization.Batch,
            Activation = Activation.GELU,
            Dropout = 0.25f,
            Initialization = WeightInitialization.KaimingNormal
        };
        ITransformer model = Tables.Pipeline(mlContext, options).Fit(data);
        return (Save(mlContext, model, data.Schema), data, model);
    });

    [Fact]
    public void Everything_survives_saving_and_loading()
    {
        MLContext mlContext = new();
        ITransformer loaded = mlContext.Model.Load(new MemoryStream(Saved.Value.Zip), out DataViewSchema schema);
        FeedbackAlignmentMulticlassModelParameters a = Tables.ModelOf(Saved.Value.Model), b = Tables.ModelOf(loaded);
        Trainers.PipelineTests.AssertSameWeights(a, b);
        Assert.Equal(a.Network, b.Network);
        Assert.Same(a.Rule, b.Rule);
        Assert.Equal(a.History.Count, b.History.Count);
        foreach ((EpochMetrics x, EpochMetrics y) in a.History.Zip(b.History))
        {
            Assert.Equal(x with { AlignmentAngle = y.AlignmentAngle, NormRatio = y.NormRatio }, y);
            Assert.Equal(x.AlignmentAngle, y.AlignmentAngle);
            Assert.Equal(x.NormRatio, y.NormRatio);
        }
        Assert.Equal(Saved.Value.Model.Transform(Saved.Value.Data).GetColumn<float[]>("Score"),
            loaded.Transform(Saved.Value.Data).GetColumn<float[]>("Score"));
        Assert.NotNull(schema.GetColumnOrNull("Features"));
    }

    [Fact]
    public void A_saved_model_says_what_it_was_trained_with_and_on()
    {
        static Dictionary<string, string> Record(byte[] zip)
        {
            byte[] json = ModelZip.Entries(zip).Single(entry => entry.Key.EndsWith("model.json", StringComparison.Ordinal)).Value;
            return System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("training").EnumerateObject()
                .ToDictionary(property => property.Name, property => property.Value.GetString()!);
        }
        Dictionary<string, string> record = Record(Saved.Value.Zip);
        Assert.Contains("Adam { LearningRate = 0.004", record["Optimizer"], StringComparison.Ordinal);
        Assert.Contains("Cosine", record["Schedule"], StringComparison.Ordinal);
        Assert.Equal(("0.1", "0.1", "1", "none"), (record["InitialWeightScale"], record["FeedbackScale"], record["Seed"],
            record["GradientClipping"]));
        Assert.Matches("^150 rows of 4 features and 3 classes, SHA-256 [0-9A-F]{64}$", record["training data"]);
        Assert.Matches(@"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$", record["date"]);
        Assert.All(new[] { "machine", "device", "version of FaMLNet", "version of ML.NET", "version of TorchSharp" }, name =>
            Assert.NotEqual("", record[name]));
        // Other rows have another digest, and the same rows the same one, whatever the seed.
        MLContext mlContext = new(seed: 1);
        string Digest(IDataView data, int seed)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick();
            options.Seed = seed;
            return Record(Save(mlContext, Tables.Pipeline(mlContext, options).Fit(data), data.Schema))["training data"];
        }
        Assert.Equal(record["training data"], Digest(Tables.Load(mlContext, "iris"), 2));
        Assert.NotEqual(record["training data"], Digest(mlContext.Data.SkipRows(Tables.Load(mlContext, "iris"), 1), 2));
    }

    [Theory, MemberData(nameof(Feedback.Rules.AllNames), MemberType = typeof(Feedback.Rules))]
    public void Saving_loading_and_saving_again_gives_the_same_bytes(string shortName)
    {
        FeedbackRule rule = FeedbackRule.Parse(shortName);
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "iris");
        byte[] first = Save(mlContext, Tables.Pipeline(mlContext, Tables.Quick(rule)).Fit(data), data.Schema);
        MLContext other = new();
        byte[] second = Save(other, other.Model.Load(new MemoryStream(first), out DataViewSchema schema), schema);
        Dictionary<string, byte[]> a = ModelZip.Entries(first), b = ModelZip.Entries(second);
        Assert.Equal(a.Keys.Order(), b.Keys.Order());
        Assert.Contains(a.Keys, name => name.EndsWith("weights.safetensors", StringComparison.Ordinal));
        Assert.Contains(a.Keys, name => name.EndsWith("model.json", StringComparison.Ordinal));
        Assert.All(a, entry => Assert.Equal(entry.Value, b[entry.Key]));
    }

    [Fact]
    public void Weights_are_plain_safetensors()
    {
        byte[] bytes = Entry("weights.safetensors");
        long length = BitConverter.ToInt64(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, (int)length);
        Assert.Contains("\"dense1.weight\":{\"dtype\":\"F32\",\"shape\":[16,4],\"data_offsets\":[0,256]}", header, StringComparison.Ordinal);
        Assert.Equal(Tables.ModelOf(Saved.Value.Model).GetWeights()["dense1"].Values.Span[0], BitConverter.ToSingle(bytes, 8 + (int)length));
    }

    public static TheoryData<string, string> DocumentDamage => new()
    {
        { "\"version\": 2", "\"version\": 3" },
        { "\"version\": 2", "\"version\": 0" },
        { "FaMLNet multiclass network", "Another network" },
        { "\"inputs\": 4", "\"inputs\": 5" },
        { "\"inputs\": 4", "\"inputs\": -4" },
        { "\"inputs\": 4", "\"inputs\": 2000000000" },
        { "\"classes\": 3", "\"classes\": 0" },
        { "\"classes\": 3", "\"classes\": 4" },
        { "\"classes\": 3", "\"classes\": 3.5" },
        { "\"rule\": \"dfa\"", "\"rule\": null" },
        { "\"rule\": \"dfa\"", "\"rule\": \"\"" },
        { "\"kind\": \"mlp\"", "\"kind\": \"System.Diagnostics.Process\"" },
        { "\"activation\": \"GELU\"", "\"activation\": \"Exotic\"" },
        { "\"activation\": \"GELU\"", "\"activation\": 3" },
        { "\"dropout\": 0.25", "\"dropout\": 1.25" },
        { "\"dropout\": 0.25", "\"dropout\": \"NaN\"" },
        { "16,", "17," },
        { "16,", "2147483647," },
        { "16,", "-1," },
        { "\"layer\": \"dense2\"", "\"layer\": \"dense1\"" },
        { "\"layer\": \"dense2\"", "\"layer\": \"dense3\"" },
        { "\"layer\": \"dense2\"", "\"layer\": null" },
        { "\"direct\": true", "\"direct\": false" },
        { "\"history\": [", "\"history\": [ null, " },
        { "\"history\": [", "\"extra\": 1, \"history\": [" },
        { "\"format\":", "\"format\"" },
        { "{", "[" },
    };

    [Theory, MemberData(nameof(DocumentDamage))]
    public void A_damaged_description_is_a_clear_exception(string part, string replacement)
    {
        string document = Encoding.UTF8.GetString(Entry("model.json"));
        int at = document.IndexOf(part, StringComparison.Ordinal);
        Assert.True(at >= 0, document);
        Refused("model.json", Encoding.UTF8.GetBytes(document[..at] + replacement + document[(at + part.Length)..]));
    }

    public static TheoryData<string, string> HeaderDamage => new()
    {
        { "F32", "F64" },
        { "[16,4]", "[4,16]" },
        { "[16,4]", "[64,1]" },
        { "[16,4]", "[-1,4]" },
        { "[16,4]", "[16.0,4]" },
        { "[0,256]", "[0,255]" },
        { "[0,256]", "[0,999999999]" },
        { "[0,256]", "[-1,256]" },
        { "[0,256]", "[4,256]" },
        { "[0,256]", "[0]" },
        { "dense1.weight", "dense9.weight" },
        { "dense1.weight", "dense2.weight" },
        { "{\"dense1", "[\"dense1" },
    };

    [Theory, MemberData(nameof(HeaderDamage))]
    public void A_damaged_header_of_the_weights_is_a_clear_exception(string part, string replacement)
    {
        byte[] bytes = Entry("weights.safetensors");
        int length = (int)BitConverter.ToInt64(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, length).TrimEnd();
        int at = header.IndexOf(part, StringComparison.Ordinal);
        Assert.True(at >= 0, header);
        byte[] changed = Encoding.UTF8.GetBytes(header[..at] + replacement + header[(at + part.Length)..]);
        Refused("weights.safetensors", [.. BitConverter.GetBytes((long)changed.Length), .. changed, .. bytes[(8 + length)..]]);
    }

    [Fact]
    public void Truncated_lengthened_or_non_finite_weights_are_clear_exceptions()
    {
        byte[] bytes = Entry("weights.safetensors");
        foreach (int length in new[] { 0, 1, 7, 8, 9, 100, bytes.Length / 2, bytes.Length - 1 })
            Refused("weights.safetensors", bytes[..length]);
        Refused("weights.safetensors", [.. bytes, 0]);
        foreach (long claimed in new[] { -1, 0, 1, long.MaxValue, 1L << 40, bytes.Length })
            Refused("weights.safetensors", [.. BitConverter.GetBytes(claimed), .. bytes[8..]]);
        foreach (float value in new[] { float.NaN, float.PositiveInfinity })
            Refused("weights.safetensors", [.. bytes[..^4], .. BitConverter.GetBytes(value)]);
        Refused("weights.safetensors", null);
        Refused("model.json", null);
        Refused("model.json", []);
    }

    [Fact]
    public void A_file_that_claims_a_huge_network_does_not_get_the_memory()
    {
        string document = Encoding.UTF8.GetString(Entry("model.json")).Replace("16,", "1000000,", StringComparison.Ordinal)
            .Replace("\"inputs\": 4", "\"inputs\": 2000", StringComparison.Ordinal);
        byte[] bytes = Entry("weights.safetensors");
        int length = (int)BitConverter.ToInt64(bytes);
        byte[] header = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes, 8, length).Replace("[16,4]", "[1000000,2000]", StringComparison.Ordinal)
            .Replace("[0,256]", "[0,8000000000]", StringComparison.Ordinal));
        Assert.InRange(AllocatedMemory.Of(() => Refused(("model.json", Encoding.UTF8.GetBytes(document)),
            ("weights.safetensors", [.. BitConverter.GetBytes((long)header.Length), .. header, .. bytes[(8 + length)..]]))), 0, 100_000_000);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void Random_damage_never_crashes()
    {
        // Any byte may change; loading then fails with an exception or gives a model with other finite weights.
        Random random = new(1);
        foreach (string entry in new[] { "model.json", "weights.safetensors" })
        {
            byte[] bytes = Entry(entry);
            for (int trial = 0; trial < 300; trial++)
            {
                byte[] damaged = [.. bytes];
                for (int i = 0; i <= trial % 4; i++)
                    damaged[random.Next(entry == "model.json" ? damaged.Length : Math.Min(damaged.Length, 1500))] = (byte)random.Next(256);
                try
                {
                    Load((entry, damaged));
                }
                catch (Exception error)
                {
                    AssertClear(error);
                }
            }
        }
    }

    private static void Refused(string entry, byte[]? content) => Refused((entry, content));

    private static void Refused(params (string Entry, byte[]? Content)[] changes) => AssertClear(Assert.ThrowsAny<Exception>(() => Load(changes)));

    /// <summary>ML.NET wraps what a loader throws unless it is marked: the user must see our own message.</summary>
    private static void AssertClear(Exception error)
    {
        Assert.True(error is FormatException, error.ToString());
        Assert.Contains("model", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    private static void Load(params (string Entry, byte[]? Content)[] changes)
    {
        using MemoryStream changed = new();
        using (ZipArchive zip = new(changed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in ModelZip.Entries(Saved.Value.Zip))
            {
                byte[]? bytes = content;
                foreach ((string entry, byte[]? replacement) in changes)
                {
                    if (name.EndsWith(entry, StringComparison.Ordinal))
                        bytes = replacement;
                }
                if (bytes == null)
                    continue;
                using Stream stream = zip.CreateEntry(name).Open();
                stream.Write(bytes);
            }
        }
        changed.Position = 0;
        new MLContext().Model.Load(changed, out _);
    }

    private static byte[] Save(MLContext mlContext, ITransformer model, Microsoft.ML.DataViewSchema schema)
    {
        using MemoryStream stream = new();
        mlContext.Model.Save(model, schema, stream);
        return stream.ToArray();
    }

    private static byte[] Entry(string name) =>
        ModelZip.Entries(Saved.Value.Zip).Single(entry => entry.Key.EndsWith(name, StringComparison.Ordinal)).Value;
}
