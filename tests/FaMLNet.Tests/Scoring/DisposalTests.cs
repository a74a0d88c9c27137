using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Scoring;

/// <summary>
/// A model that is disposed while others score with it fails none of them. Its native memory is freed when nothing is being scored: at once where
/// nothing is.
/// </summary>
public sealed class DisposalTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _data;
    private readonly Row[] _rows;

    public DisposalTests()
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(CountedFactory).Assembly);
        IDataView raw = Tables.Load(_mlContext, "digits");
        _data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(raw).Transform(_mlContext.Data.TakeRows(raw, 200));
        _rows = [.. _mlContext.Data.CreateEnumerable<Row>(_mlContext.Data.TakeRows(_data, 20), reuseRowObject: false)];
    }

    public static TheoryData<string> Networks => ["mlp", "lenet", "custom"];

    public static TheoryData<string> NativeNetworks => ["lenet", "custom"];

    [Theory, MemberData(nameof(NativeNetworks))]
    public void Without_a_user_the_native_memory_is_freed_at_once(string network)
    {
        FeedbackAlignmentMulticlassTransformer model = Fit(network);
        _ = Scores(model);
        using (PredictionEngine<Row, Prediction> engine = Engine(model))
            engine.Predict(_rows[0]);
        long before = Native(network);
        model.Dispose();
        long after = Native(network);
        Assert.True(after < before, "nothing was freed");
        model.Dispose();
        Assert.Equal(after, Native(network));
        // What is managed stays.
        Assert.NotEmpty(model.Model.GetWeights());
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, _data.Schema, zip);
    }

    [Theory, MemberData(nameof(Networks))]
    public void Engines_that_are_still_there_go_on_and_hold_no_memory(string network)
    {
        FeedbackAlignmentMulticlassTransformer model = Fit(network);
        PredictionEngine<Row, Prediction> first = Engine(model), second = Engine(model);
        float[] expected = first.Predict(_rows[0]).Score;
        second.Predict(_rows[0]);
        long used = Native(network);
        model.Dispose();
        long freed = Native(network);
        Assert.Equal(network != "mlp", freed < used);
        Assert.Equal(expected, first.Predict(_rows[0]).Score);
        Assert.Equal(expected, second.Predict(_rows[0]).Score);
        first.Dispose();
        Assert.Equal(expected, second.Predict(_rows[0]).Score);
        Assert.Equal(freed, Native(network));
    }

    /// <summary>ML.NET's own default: the first engine takes the model along.</summary>
    [Theory, MemberData(nameof(Networks))]
    public void An_engine_that_owns_the_transformer_leaves_the_others_working(string network)
    {
        FeedbackAlignmentMulticlassTransformer model = Fit(network);
        PredictionEngine<Row, Prediction> owner = _mlContext.Model.CreatePredictionEngine<Row, Prediction>(model), other = Engine(model);
        float[] expected = owner.Predict(_rows[1]).Score;
        long used = Native(network);
        owner.Dispose();
        Assert.Equal(expected, other.Predict(_rows[1]).Score);
        Assert.Equal(network != "mlp", Native(network) < used);
    }

    [Theory, MemberData(nameof(Networks))]
    public void An_engine_of_a_pipeline_goes_on_as_well(string network)
    {
        IDataView raw = Tables.Load(_mlContext, "digits");
        TransformerChain<Microsoft.ML.Transforms.KeyToValueMappingTransformer> chain = Tables.Pipeline(_mlContext, Options(network))
            .Fit(_mlContext.Data.TakeRows(raw, 200));
        PredictionEngine<Raw, Prediction> engine = _mlContext.Model.CreatePredictionEngine<Raw, Prediction>(chain,
            new PredictionEngineOptions { OwnsTransformer = false });
        Raw row = new() { Features = new float[64], Label = "1" };
        float[] expected = engine.Predict(row).Score;
        chain.Dispose();
        Assert.Equal(expected, engine.Predict(row).Score);
    }

    [Fact]
    public void Engines_that_go_on_for_long_are_told_once_that_the_model_is_gone()
    {
        List<string> warnings = [];
        _mlContext.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.Message);
        };
        FeedbackAlignmentMulticlassTransformer model = Fit("lenet");
        PredictionEngine<Row, Prediction> engine = Engine(model);
        warnings.Clear();
        model.Dispose();
        for (int i = 0; i < 99; i++)
            engine.Predict(_rows[0]);
        Assert.Empty(warnings);
        for (int i = 0; i < 200; i++)
            engine.Predict(_rows[0]);
        Assert.Contains("OwnsTransformer", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Networks))]
    public void A_view_that_is_being_read_is_read_to_its_end(string network)
    {
        FeedbackAlignmentMulticlassTransformer model = Fit(network);
        float[][] expected = Scores(model);
        IDataView scored = model.Transform(_data);
        List<float[]> found = [];
        long used;
        using (DataViewRowCursor cursor = scored.GetRowCursor([scored.Schema["Score"]]))
        {
            ValueGetter<VBuffer<float>> get = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
            VBuffer<float> score = default;
            used = Native(network);
            while (cursor.MoveNext())
            {
                get(ref score);
                found.Add([.. score.DenseValues()]);
                if (found.Count == 1)
                    model.Dispose();
            }
        }
        Assert.Equal(expected, found);
        Assert.Equal(network != "mlp", Native(network) < used);
    }

    /// <summary>A pool may make an engine of a model that has just been replaced.</summary>
    [Theory, MemberData(nameof(Networks))]
    public void Whoever_scores_after_all_the_same_gets_the_same_scores_and_leaves_no_tensor_behind(string network)
    {
        FeedbackAlignmentMulticlassTransformer model = Fit(network);
        float[][] expected = Scores(model);
        model.Dispose();
        long freed = Native(network);
        Assert.Equal(expected, Scores(model));
        using (PredictionEngine<Row, Prediction> late = Engine(model))
        {
            for (int row = 0; row < _rows.Length; row++)
                AssertNear(expected[row], late.Predict(_rows[row]).Score);
        }
        Assert.Equal(freed, Native(network));
    }

    /// <summary>What a pool of engines does on each reload, fifty times, while eight threads predict.</summary>
    [Theory, MemberData(nameof(Networks))]
    [Trait("Speed", "Slow")]
    public void Fifty_swaps_under_eight_threads_fail_no_prediction_and_leave_no_tensor_behind(string network)
    {
        byte[] zip;
        float[][] expected;
        using (FeedbackAlignmentMulticlassTransformer model = Fit(network))
        {
            using MemoryStream stream = new();
            _mlContext.Model.Save(model, _data.Schema, stream);
            zip = stream.ToArray();
            expected = Scores(model);
        }
        long before = (network == "custom" ? CountedModule.Live : LiveTensors.Held());
        Pool pool = new(Load(zip));
        int predictions = 0;
        using CancellationTokenSource done = new();
        Exception?[] failures = new Exception?[8];
        Thread[] threads = [.. Enumerable.Range(0, failures.Length).Select(index => new Thread(() => failures[index] = Record.Exception(() =>
        {
            for (int i = index; !done.IsCancellationRequested; i++)
            {
                Pool rented = Volatile.Read(ref pool);
                if (!rented.Engines.TryTake(out PredictionEngine<Row, Prediction>? engine))
                    engine = Engine(rented.Model);
                AssertNear(expected[i % _rows.Length], engine.Predict(_rows[i % _rows.Length]).Score);
                Interlocked.Increment(ref predictions);
                // As Microsoft's pool: an engine of a pool that has been replaced is disposed when it comes back.
                if (Volatile.Read(ref pool) == rented)
                    rented.Engines.Add(engine);
                else
                    engine.Dispose();
            }
        })))];
        foreach (Thread thread in threads)
            thread.Start();
        List<Pool> all = [pool];
        for (int swap = 0; swap < 50; swap++)
        {
            int target = Volatile.Read(ref predictions) + 10;
            SpinWait.SpinUntil(() => Volatile.Read(ref predictions) >= target || failures.Any(failure => failure != null));
            Pool old = pool;
            Volatile.Write(ref pool, new Pool(Load(zip)));
            all.Add(pool);
            ((IDisposable)old.Model).Dispose();
        }
        done.Cancel();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(failures, Assert.Null);
        ((IDisposable)pool.Model).Dispose();
        foreach (PredictionEngine<Row, Prediction> engine in all.SelectMany(old => old.Engines))
            engine.Dispose();
        Assert.Equal(before, (network == "custom" ? CountedModule.Live : LiveTensors.Held()));
    }

    [Fact]
    public void A_binary_and_a_regression_network_of_convolutions_go_on_as_well()
    {
        NetworkDefinition network = NetworkDefinition.Sequential(new Layer.Conv2d(4, 3), new Layer.Flatten(), new Layer.Dense());
        IDataView data = _mlContext.Data.LoadFromEnumerable(_rows.Select(row => new Target
        {
            Features = row.Features,
            Number = row.Label,
            Flag = row.Label > 5,
        }).ToArray());
        ITransformer binary = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentBinaryTrainer.Options
        {
            LabelColumnName = "Flag",
            Network = network,
            NumberOfEpochs = 1,
        }).Fit(data);
        ITransformer regression = _mlContext.Regression.Trainers.FeedbackAlignment(new FeedbackAlignmentRegressionTrainer.Options
        {
            LabelColumnName = "Number",
            Network = network,
            NumberOfEpochs = 1,
        }).Fit(data);
        foreach (ITransformer model in new[] { binary, regression })
        {
            PredictionEngine<Target, Single> engine = _mlContext.Model.CreatePredictionEngine<Target, Single>(model,
                new PredictionEngineOptions { OwnsTransformer = false });
            Target row = new() { Features = _rows[0].Features };
            float expected = engine.Predict(row).Score;
            long used = LiveTensors.OfThisThread;
            ((IDisposable)model).Dispose();
            Assert.Equal(expected, engine.Predict(row).Score);
            Assert.True(LiveTensors.OfThisThread < used, "nothing was freed");
        }
    }

    /// <summary>
    /// What holds native memory: tensors of this thread; of a network of the user's own, its modules, for TorchSharp's count of tensors goes up by
    /// two with every module of layers that is made and disposed.
    /// </summary>
    private static long Native(string network) => network == "custom" ? CountedModule.Live : LiveTensors.OfThisThread;

    private static void AssertNear(float[] expected, float[] found)
    {
        // A row by itself may be rounded otherwise than in a batch.
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], found[i], 1e-5);
    }

    private float[][] Scores(ITransformer model) => [.. model.Transform(_data).GetColumn<float[]>("Score")];

    private PredictionEngine<Row, Prediction> Engine(ITransformer model) =>
        _mlContext.Model.CreatePredictionEngine<Row, Prediction>(model, new PredictionEngineOptions { OwnsTransformer = false });

    private ITransformer Load(byte[] zip) =>
        _mlContext.Model.Load(new MemoryStream(zip), out _);

    private FeedbackAlignmentMulticlassTransformer Fit(string network) =>
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Options(network)).Fit(_data);

    private static FeedbackAlignmentMulticlassTrainer.Options Options(string network)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        options.Network = network switch
        {
            "lenet" => NetworkDefinition.LeNet(),
            "custom" => NetworkDefinition.Custom("counted"),
            _ => NetworkDefinition.Mlp(8)
        };
        options.ImageShape = network == "mlp" ? null : new ImageShape(1, 8, 8);
        return options;
    }

    private sealed record Pool(ITransformer Model)
    {
        public System.Collections.Concurrent.ConcurrentBag<PredictionEngine<Row, Prediction>> Engines { get; } = [];
    }

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Raw
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Target
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public float Number { get; set; }

        public bool Flag { get; set; }
    }

    private sealed class Single
    {
        public float Score { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}

[CustomNetwork("counted")]
public sealed class CountedFactory : ICustomNetworkFactory
{
    public torch.nn.Module<torch.Tensor, torch.Tensor> Create(NetworkShape shape) => new CountedModule(shape.Outputs);
}

/// <summary>A network of the user's own that counts how many of it are there.</summary>
internal sealed class CountedModule : torch.nn.Module<torch.Tensor, torch.Tensor>
{
    private static int _live;
    private readonly torch.nn.Module<torch.Tensor, torch.Tensor> _layers;
    private bool _disposed;

    public CountedModule(int outputs) : base("counted")
    {
        _layers = torch.nn.Sequential(("a", torch.nn.Conv2d(1, 4, 3)), ("b", torch.nn.ReLU()), ("c", torch.nn.Flatten()),
            ("d", torch.nn.Linear(4 * 36, outputs)));
        RegisterComponents();
        Interlocked.Increment(ref _live);
    }

    public static int Live => Volatile.Read(ref _live);

    public override torch.Tensor forward(torch.Tensor input) => _layers.call(input);

    protected override void Dispose(bool disposing)
    {
        if (!_disposed)
            Interlocked.Decrement(ref _live);
        _disposed = true;
        base.Dispose(disposing);
    }
}
