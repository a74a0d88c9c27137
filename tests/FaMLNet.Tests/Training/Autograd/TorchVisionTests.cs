using System.Diagnostics;
using FaMLNet.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training.Autograd;

/// <summary>A ready-made network of TorchVision's.</summary>
public abstract class TorchVisionFactory(Func<int, nn.Module<Tensor, Tensor>> create) : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => create(shape.Outputs);
}

[CustomNetwork("tv-resnet18")]
public sealed class ResNet18Factory() : TorchVisionFactory(classes => torchvision.models.resnet18(num_classes: classes));

[CustomNetwork("tv-resnet50")]
public sealed class ResNet50Factory() : TorchVisionFactory(classes => torchvision.models.resnet50(num_classes: classes));

[CustomNetwork("tv-alexnet")]
public sealed class AlexNetFactory() : TorchVisionFactory(classes => torchvision.models.alexnet(num_classes: classes));

[CustomNetwork("tv-vgg11")]
public sealed class Vgg11Factory() : TorchVisionFactory(classes => torchvision.models.vgg11(num_classes: classes));

[CustomNetwork("tv-mobilenet_v2")]
public sealed class MobileNetV2Factory() : TorchVisionFactory(classes => torchvision.models.mobilenet_v2(num_classes: classes));

[CustomNetwork("tv-googlenet")]
public sealed class GoogLeNetFactory() : TorchVisionFactory(classes => torchvision.models.googlenet(num_classes: classes));

[CustomNetwork("tv-inception_v3")]
public sealed class InceptionV3Factory() : TorchVisionFactory(classes => torchvision.models.inception_v3(num_classes: classes));

/// <summary>Other people's networks, by every rule: what a user brings first.</summary>
public sealed class TorchVisionTests(ITestOutputHelper output)
{
    /// <summary>
    /// Name, size of the images, rules. The largest by direct feedback alone, which cuts the graph; all by all rules have been run by hand
    /// (see docs/rules.md).
    /// </summary>
    public static TheoryData<string, int, string> Networks => new()
    {
        { "resnet18", 32, "bp,fa,dfa,usf,brsf,frsf" }, { "mobilenet_v2", 64, "bp,fa,dfa,usf,brsf,frsf" }, { "googlenet", 32, "fa,dfa" },
            { "resnet50", 32, "fa,dfa" },
        { "inception_v3", 75, "fa,dfa" }, { "alexnet", 64, "dfa" }, { "vgg11", 32, "dfa" },
        { "googlenet", 32, "kp,dkp,drtp,sdfa,pepita" },
    };

    private const long MostSaved = 30_000_000;

    [Theory, MemberData(nameof(Networks))]
    [Trait("Speed", "Slow")]
    public void A_ready_made_network_trains_at_its_rules_own_settings_and_is_saved_and_loaded(string name, int size, string rules)
    {
        LibTorch.EnsureLoaded();
        MLContext mlContext = Context();
        IDataView data = Images(mlContext, size, rows: 8);
        foreach (FeedbackRule rule in rules.Split(',').Select(FeedbackRule.Parse))
        {
            Stopwatch watch = Stopwatch.StartNew();
            using FeedbackAlignmentMulticlassTransformer model =
                mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Rule = rule,
                    Network = NetworkDefinition.Custom("tv-" + name),
                    ImageShape = new ImageShape(3, size, size),
                    NumberOfEpochs = 1,
                    BatchSize = 4,
                    Seed = 1,
                }).Fit(data);
            Assert.True(double.IsFinite(model.Model.History[^1].Loss));
            output.WriteLine($"{rule.ShortName}: {watch.Elapsed.TotalSeconds:F1} s, {model.Model.GetWeights().Count} layers, angles "
                + $"{model.Model.History[^1].AlignmentAngle.Values.DefaultIfEmpty().Average():F1}");
            // A file of hundreds of megabytes takes a minute to compress, and is no other file.
            long saved = model.Model.GetWeights().Values.Sum(weights => (long)weights.Values.Length);
            if (rule != FeedbackRule.DirectFeedbackAlignment || saved > MostSaved)
                continue;
            using MemoryStream zip = new();
            mlContext.Model.Save(model, data.Schema, zip);
            ITransformer loaded = Context().Model.Load(zip, out _);
            Assert.Equal(model.Transform(data).GetColumn<float[]>("Score"), loaded.Transform(data).GetColumn<float[]>("Score"));
            ((IDisposable)loaded).Dispose();
        }
    }

    private static MLContext Context()
    {
        MLContext mlContext = new(seed: 1);
        mlContext.ComponentCatalog.RegisterAssembly(typeof(ResNet18Factory).Assembly);
        return mlContext;
    }

    private static IDataView Images(MLContext mlContext, int size, int rows)
    {
        RandomGenerator random = new(1, "images");
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Image));
        schema[nameof(Image.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3 * size * size);
        return mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i =>
        {
            float[] features = new float[3 * size * size];
            random.FillUniform(features, 0, 1);
            return new Image { Features = features, Label = (uint)(i % 2) };
        }).ToArray(), schema);
    }

    private sealed class Image
    {
        public float[] Features { get; set; } = [];

        [KeyType(2)]
        public uint Label { get; set; }
    }
}
