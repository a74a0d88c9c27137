using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FaMLNet;
using FaMLNet.Reporting;
using Microsoft.ML;
using Microsoft.ML.Data;

// Usage: FaMLNet.Worker <checkpoint folder or -> <epochs> <in-memory, streaming or sparse>
//        FaMLNet.Worker score <model>
// Trains on the digits with everything that has a state, and prints a hash of the weights.
//        FaMLNet.Worker folds <folder> <epochs until it waits to be killed, or 0>
// The second scores the digits by a model from a file, and prints how it did and a hash of the scores.
// The third cross-validates in three folds of four epochs, with checkpoints and logs in the folder.
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
                if (--left != 0)
                    return;
                Console.WriteLine("waiting");
                Thread.Sleep(Timeout.Infinite);
            },
        }), 3, seed: 2);
    return;
}
Console.WriteLine("training");
FeedbackAlignmentMulticlassModelParameters model =
    mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
    {
        Rule = FeedbackRule.BatchwiseRandomSignConcordant,
        Network = NetworkDefinition.Mlp(64, 32) with { Dropout = 0.2f, Normalization = Normalization.Batch },
        NumberOfEpochs = int.Parse(args[1], CultureInfo.InvariantCulture),
        BatchSize = 50,
        Seed = 7,
        ValidationFraction = 0.1,
        EarlyStopping = new EarlyStopping { Patience = 1000 },
        Schedule = LearningRateSchedule.ReduceOnPlateau(0.5, patience: 5),
        FeatureStorage = args[2] == "sparse" ? FeatureStorage.Sparse : FeatureStorage.Dense,
        DataCaching = args[2] == "streaming" ? DataCaching.Streaming : DataCaching.InMemory,
        CheckpointFolder = args[0] == "-" ? null : args[0],
        CheckpointEveryMinutes = 0.0002,
        NumberOfThreads = 1,
    }).Fit(transformed).Model;
foreach (ParameterTensor tensor in model.GetParameters().Values.Concat(model.GetFeedbackWeights().Values))
    hash.AppendData(MemoryMarshal.AsBytes(tensor.Values.Span));
Console.WriteLine($"{Convert.ToHexString(hash.GetHashAndReset())} {model.History.Count}");
