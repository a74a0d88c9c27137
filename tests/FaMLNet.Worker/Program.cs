using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FaMLNet;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sweeps;
using FaMLNet.Reporting;
using Microsoft.ML;
using Microsoft.ML.Data;

// Work in a process of its own, for tests that kill it. Where it has come as far as it was told, it prints "here" and waits to be killed.
// FaMLNet.Worker train <checkpoint folder or -> <epochs> <in-memory, streaming or sparse> [<step> [go-on]]
//     Trains on the digits with everything that has a state, and prints a hash of the weights. It waits before its first step (0) or after a step,
//     counted from 1 through all epochs; with "go-on" it prints "here" at that step or the first one behind it, and does not wait.
// FaMLNet.Worker score <model>
//     Scores the digits by a model from a file, and prints how it did and a hash of the scores.
// FaMLNet.Worker folds <folder> <epochs until it waits, or 0>
//     Cross-validates in three folds of four epochs, with checkpoints and logs in the folder.
// FaMLNet.Worker trial <file of a sweep> <trial> <epoch after which it waits>
//     Runs a trial as 'famlnet sweep --trial' does.
if (args[0] == "trial")
{
    SweepFile sweep = SweepFile.Read(args[1]);
    SweepFolder folder = SweepFolder.Open(sweep);
    Trial trial = sweep.Trials.Single(trial => trial.Name == args[2]);
    using IDisposable claim = folder.Claim(trial) ?? throw new InvalidOperationException("Another process has the trial.");
    Experiment.Run(trial.Settings, new ExperimentRun
    {
        Folder = folder.FolderOf(trial),
        KeepsModels = sweep.KeepsModels,
        EpochDone = metrics =>
        {
            if (metrics.Epoch == int.Parse(args[3], CultureInfo.InvariantCulture))
                Here(waits: true);
        },
    });
    return;
}
MLContext mlContext = new(seed: 1);
IDataView data = mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, 63), new("Label", DataKind.String, 64)], separatorChar: ',',
    hasHeader: true)
    .Load(Path.Combine(AppContext.BaseDirectory, "digits.csv"));
using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
if (args[0] == "score")
{
    ITransformer loaded = mlContext.Model.Load(args[1], out _);
    IDataView scored = ((IEnumerable<ITransformer>)loaded).OfType<FeedbackAlignmentMulticlassTransformer>().Single()
        .Transform(((IEnumerable<ITransformer>)loaded).TakeWhile(part => part is not FeedbackAlignmentMulticlassTransformer)
        .Aggregate(data, (view, part) => part.Transform(view)));
    foreach (float[] scores in loaded.Transform(data).GetColumn<float[]>("Score"))
        hash.AppendData(MemoryMarshal.AsBytes(scores.AsSpan()));
    Console.WriteLine($"{scored.GetType().Name} {Convert.ToHexString(hash.GetHashAndReset())}");
    return;
}
var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMinMax("Features"));
IDataView transformed = pipeline.Fit(data).Transform(data);
if (args[0] == "folds")
{
    HistoryLog table = new(Path.Combine(args[1], "history.csv"));
    using TensorBoardLog board = new(Path.Combine(args[1], "board"));
    int left = int.Parse(args[2], CultureInfo.InvariantCulture);
    mlContext.MulticlassClassification.CrossValidate(transformed, mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
        new FeedbackAlignmentMulticlassTrainer.Options
        {
            Network = NetworkDefinition.Mlp(16),
            NumberOfEpochs = 4,
            NumberOfThreads = 1,
            CheckpointFolder = Path.Combine(args[1], "state"),
            MetricsCallback = metrics =>
            {
                table.Write(metrics);
                board.Write(metrics);
                if (--left == 0)
                    Here(waits: true);
            },
        }), 3, seed: 2);
    return;
}
bool isHere = false;
int? stop = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : null;
if (stop == 0)
    Here(waits: true);
FeedbackAlignmentMulticlassModelParameters model =
    mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
    {
        Rule = FeedbackRule.BatchwiseRandomSignConcordant,
        Network = NetworkDefinition.Mlp(64, 32) with { Dropout = 0.2f, Normalization = Normalization.Batch },
        NumberOfEpochs = int.Parse(args[2], CultureInfo.InvariantCulture),
        BatchSize = 100, // 17 steps an epoch: 1,617 of the 1,797 rows are trained on
        Seed = 7,
        ValidationFraction = 0.1,
        EarlyStopping = new EarlyStopping { Patience = 1000 },
        Schedule = LearningRateSchedule.ReduceOnPlateau(0.5, patience: 1),
        FeatureStorage = args[3] == "sparse" ? FeatureStorage.Sparse : FeatureStorage.Dense,
        DataCaching = args[3] == "streaming" ? DataCaching.Streaming : DataCaching.InMemory,
        CheckpointFolder = args[1] == "-" ? null : args[1],
        CheckpointEveryMinutes = 1e-9, // after every step
        DiagnosticsEverySteps = 1,
        StepCallback = metrics =>
        {
            if (isHere || metrics.Step < stop || stop == null)
                return;
            isHere = true;
            Here(waits: args.Length < 6);
        },
        NumberOfThreads = 1,
    }).Fit(transformed).Model;
foreach (ParameterTensor tensor in model.GetParameters().Values.Concat(model.GetFeedbackWeights().Values))
    hash.AppendData(MemoryMarshal.AsBytes(tensor.Values.Span));
Console.WriteLine($"{Convert.ToHexString(hash.GetHashAndReset())} {model.History.Count}");
if (stop != null && !isHere)
    Here(waits: false); // went on from behind that step

static void Here(bool waits)
{
    Console.WriteLine("here");
    if (waits)
        Thread.Sleep(Timeout.Infinite);
}
