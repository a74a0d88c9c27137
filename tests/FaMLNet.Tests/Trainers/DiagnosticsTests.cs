using FaMLNet.Rows;
using FaMLNet.Training;
using FaMLNet.Training.Checkpoints;
using Microsoft.ML;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Trainers;

[CustomNetwork("with dropout")]
public sealed class DropoutFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => nn.Sequential(("a", nn.Linear(shape.Input[0], 20)), ("b", nn.ReLU()),
        ("c", nn.Dropout(0.5)), ("d", nn.Linear(20, shape.Outputs)));
}

/// <summary>What a user asks to be measured, from the options to the callbacks, the history and the file.</summary>
public sealed class DiagnosticsTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    public DiagnosticsTests() => _mlContext.ComponentCatalog.RegisterAssembly(typeof(DropoutFactory).Assembly);

    [Fact]
    public void Each_flag_asks_for_its_own_measurements_and_no_others()
    {
        (LayerDiagnostics Flag, Func<EpochMetrics, bool> IsMeasured)[] measurements =
        [
            (LayerDiagnostics.Alignment, epoch => epoch.AlignmentAngle.Count > 0 && epoch.NormRatio.Count > 0),
            (LayerDiagnostics.UpdateAngle, epoch => epoch.UpdateAngle.Count > 0 && epoch.TotalUpdateAngle != null),
            (LayerDiagnostics.Norms, epoch => epoch.WeightNorm.Count > 0 && epoch.GradientNorm.Count > 0 && epoch.UpdateRatio.Count > 0),
            (LayerDiagnostics.DeadUnits, epoch => epoch.DeadUnits.Count > 0),
            (LayerDiagnostics.Histograms, epoch => epoch.Histograms != null),
        ];
        foreach (LayerDiagnostics asked in new[] { LayerDiagnostics.None, LayerDiagnostics.Alignment, LayerDiagnostics.UpdateAngle,
            LayerDiagnostics.Norms, LayerDiagnostics.DeadUnits, LayerDiagnostics.Histograms, LayerDiagnostics.All })
        {
            List<EpochMetrics> seen = [];
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.DirectFeedbackAlignment, epochs: 2);
            options.Diagnostics = asked;
            options.MetricsCallback = seen.Add;
            Train(options);
            Assert.Equal(2, seen.Count);
            foreach ((LayerDiagnostics flag, Func<EpochMetrics, bool> isMeasured) in measurements)
                Assert.All(seen, epoch => Assert.Equal(asked.HasFlag(flag), isMeasured(epoch)));
        }
        Assert.Equal(LayerDiagnostics.Alignment, new FeedbackAlignmentMulticlassTrainer.Options().Diagnostics);
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    [Trait("Speed", "Slow")]
    public void Measuring_changes_no_weight_whatever_the_network(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        foreach (NetworkDefinition network in new NetworkDefinition[]
        {
            NetworkDefinition.Mlp(12, 8) with { Dropout = 0.2f, Normalization = Normalization.Batch },
            NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU), new Layer.Dropout(0.2f),
                new Layer.Flatten(), new Layer.Dense()),
        })
        {
            FeedbackAlignmentMulticlassModelParameters Fit(LayerDiagnostics diagnostics, int? everySteps)
            {
                FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(rule, epochs: 2);
                options.Network = network;
                options.Diagnostics = diagnostics;
                options.DiagnosticsEverySteps = everySteps;
                options.StepCallback = everySteps == null ? null : _ => { };
                return Train(options, "digits");
            }
            PipelineTests.AssertSameWeights(Fit(LayerDiagnostics.None, null), Fit(LayerDiagnostics.All, 7));
        }
    }

    /// <summary>A module's own dropout draws from libtorch's stream, which the comparison with backpropagation must leave where it was.</summary>
    [Fact]
    public void Measuring_leaves_the_random_numbers_of_a_users_module_alone()
    {
        FeedbackAlignmentMulticlassModelParameters Fit(LayerDiagnostics diagnostics)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.FeedbackAlignment, epochs: 3);
            options.Network = NetworkDefinition.Custom("with dropout");
            options.Diagnostics = diagnostics;
            return Train(options);
        }
        torch.random.manual_seed(5);
        FeedbackAlignmentMulticlassModelParameters measured = Fit(LayerDiagnostics.All);
        torch.random.manual_seed(5);
        PipelineTests.AssertSameWeights(measured, Fit(LayerDiagnostics.None));
    }

    [Fact]
    public void Points_within_an_epoch_come_every_so_many_steps()
    {
        List<StepMetrics> points = [];
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.FeedbackAlignment, epochs: 4);
        options.BatchSize = 32; // wine: 178 rows, 6 steps an epoch
        options.Diagnostics = LayerDiagnostics.All;
        options.DiagnosticsEverySteps = 5;
        options.StepCallback = points.Add;
        FeedbackAlignmentMulticlassModelParameters model = Train(options);
        Assert.Equal([5L, 10, 15, 20], points.Select(point => point.Step));
        Assert.Equal([1, 2, 3, 4], points.Select(point => point.Epoch));
        Assert.All(points, point =>
        {
            Assert.InRange(point.Loss, 1e-3, 5);
            Assert.InRange(point.Accuracy!.Value, 0, 1);
            Assert.True(point.LearningRate > 0);
            Assert.Equal(["dense1", "dense2", "dense3"], point.UpdateRatio.Keys);
            Assert.Equal(["dense1", "dense2"], point.DeadUnits.Keys);
            Assert.All(point.UpdateRatio.Values, ratio => Assert.InRange(ratio, 1e-9, 1));
            Assert.NotNull(point.Histograms);
        });
        Assert.Equal(4, model.History.Count);
        Assert.All(model.History, epoch => Assert.Null(epoch.Histograms));
        // A step that is an epoch's last as well: both see the same.
        points.Clear();
        options.DiagnosticsEverySteps = 6;
        model = Train(options);
        Assert.Equal(model.History.Select(epoch => epoch.TotalUpdateAngle), points.Select(point => point.TotalUpdateAngle));
    }

    [Fact]
    public void On_another_device_points_have_the_loss_of_their_own_batch()
    {
        List<StepMetrics> host = [], device = [];
        foreach ((List<StepMetrics> points, bool elsewhere) in new[] { (host, false), (device, true) })
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.FeedbackAlignment, epochs: 2);
            options.DiagnosticsEverySteps = 4;
            options.StepCallback = points.Add;
            TrainingRequest request = options.ToRequest(() => 1) with { Device = elsewhere ? torch.CPU : null };
            EpochMetrics[] history = Loop(request, points.Add);
            Assert.Equal(2, history.Length);
        }
        Assert.Equal(host.Count, device.Count);
        foreach ((StepMetrics one, StepMetrics other) in host.Zip(device))
        {
            Assert.Equal(one.Loss, other.Loss, 1e-4);
            Assert.Equal(one.Accuracy!.Value, other.Accuracy!.Value, 1e-9);
            Assert.Equal(one.NormRatio["dense2"], other.NormRatio["dense2"], 1e-4);
        }
    }

    [Fact]
    public void Measurements_are_in_the_model_and_come_back_with_it()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.DirectFeedbackAlignment, epochs: 2);
        options.Diagnostics = LayerDiagnostics.All;
        IDataView data = Tables.Load(_mlContext, "wine");
        ITransformer model = Tables.Pipeline(_mlContext, options).Fit(data);
        using MemoryStream stream = new();
        _mlContext.Model.Save(model, data.Schema, stream);
        stream.Position = 0;
        EpochMetrics[] saved = [.. Tables.ModelOf(model).History], loaded = [.. Tables.ModelOf(new MLContext().Model.Load(stream, out _)).History];
        foreach ((EpochMetrics one, EpochMetrics other) in saved.Zip(loaded))
        {
            Assert.Equal(one.TotalUpdateAngle, other.TotalUpdateAngle);
            foreach (Func<EpochMetrics, IReadOnlyDictionary<string, double>> part in new Func<EpochMetrics, IReadOnlyDictionary<string, double>>[]
            {
                epoch => epoch.AlignmentAngle, epoch => epoch.NormRatio, epoch => epoch.WeightNorm, epoch => epoch.GradientNorm,
                epoch => epoch.UpdateRatio, epoch => epoch.DeadUnits, epoch => epoch.UpdateAngle,
            })
            {
                Assert.NotEmpty(part(one));
                Assert.Equal(part(one), part(other));
            }
        }
    }

    /// <summary>Files of builds in which a direct rule's alignment angle was its update angle.</summary>
    [Fact]
    public void Models_and_checkpoints_of_the_first_format_load_with_their_angles_where_they_belong()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Data", "Version1");
        EpochMetrics epoch = Tables.ModelOf(_mlContext.Model.Load(Path.Combine(folder, "dfa.model"), out _)).History[^1];
        Assert.Empty(epoch.AlignmentAngle);
        Assert.Equal(20.916022784497773, epoch.UpdateAngle["dense1"]);
        Assert.Equal(["dense2", "dense3"], epoch.NormRatio.Keys);
        Assert.Null(epoch.TotalUpdateAngle);
        Assert.Empty(epoch.WeightNorm);
        epoch = Tables.ModelOf(_mlContext.Model.Load(Path.Combine(folder, "fa.model"), out _)).History[^1];
        Assert.Equal(["dense2", "dense3"], epoch.AlignmentAngle.Keys);
        Assert.Empty(epoch.UpdateAngle);

        DirectoryInfo checkpoints = Directory.CreateTempSubdirectory("famlnet-version1");
        try
        {
            File.Copy(Path.Combine(folder, "dfa.checkpoint"), Path.Combine(checkpoints.FullName, "checkpoint-000002-000000000000.zip"));
            using CheckpointFolder read = new(checkpoints.FullName, keep: 3);
            Assert.Equal(checkpoints.FullName, Assert.Single(read.Identify(message => Assert.Fail(message))).Folder);
            Checkpoint checkpoint = CheckpointFolder.ReadLatest(checkpoints.FullName, message => Assert.Fail(message))!;
            Assert.Equal(20.916022784497773, checkpoint.History[^1].UpdateAngle["dense1"]);
        }
        finally
        {
            checkpoints.Delete(recursive: true);
        }
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        void Refused(string option, Action<FeedbackAlignmentMulticlassTrainer.Options> change)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
            change(options);
            ArgumentException failure = Assert.Throws<ArgumentOutOfRangeException>(() => Train(options));
            Assert.Contains($"Option {option} ", failure.Message, StringComparison.Ordinal);
        }
        Refused("Diagnostics", options => options.Diagnostics = (LayerDiagnostics)64);
        Refused("DiagnosticsEverySteps", options => options.DiagnosticsEverySteps = 0);
        Refused("DiagnosticsEverySteps", options => options.StepCallback = _ => { });
    }

    [Fact]
    public void An_exception_from_the_step_callback_stops_the_training_as_it_is()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 3);
        options.DiagnosticsEverySteps = 2;
        options.StepCallback = point => throw new TimeoutException($"at {point.Step}");
        Assert.Equal("at 2", Assert.Throws<TimeoutException>(() => Train(options)).Message);
    }

    private EpochMetrics[] Loop(TrainingRequest request, Action<StepMetrics> stepDone)
    {
        IDataView raw = Tables.Load(_mlContext, "wine");
        IDataView data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Fit(raw).Transform(raw);
        using Microsoft.ML.Runtime.IChannel channel = ((Microsoft.ML.Runtime.IHostEnvironment)_mlContext).Start("test");
        TrainingData rows = TrainingDataReader.Read(data, data.Schema["Features"], data.Schema["Label"], null, channel, () => { });
        using RowSource source = new InMemoryRows(rows, validationFraction: 0, seed: 1);
        return [.. Training.Trainings.Run(request, source, TrainingListener.None with { StepDone = stepDone }).History];
    }

    private FeedbackAlignmentMulticlassModelParameters Train(FeedbackAlignmentMulticlassTrainer.Options options, string table = "wine") =>
        Tables.ModelOf(Tables.Pipeline(_mlContext, options).Fit(Tables.Load(_mlContext, table)));
}
