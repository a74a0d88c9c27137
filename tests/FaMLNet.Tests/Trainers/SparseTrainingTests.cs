using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Sparse features from fit to prediction: what FeaturizeText, one-hot encoding and hashing give.</summary>
public sealed class SparseTrainingTests : IDisposable
{
    private const int Width = 900, Classes = 4;
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("famlnet-sparse");
    private readonly List<string> _log = [];

    public SparseTrainingTests() => _mlContext.Log += (_, message) => _log.Add(message.Message);

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Feedback.Rules.AllNames), MemberType = typeof(Feedback.Rules))]
    public void Every_rule_learns_from_sparse_rows_as_from_dense_ones(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        double[] accuracies = [.. Enum.GetValues<FeatureStorage>().Where(storage => storage != FeatureStorage.Sparse
            || rule is not InputModulationRule).Select(storage =>
        {
            _log.Clear();
            FeedbackAlignmentMulticlassTrainer.Options options = Options(rule, storage);
            options.NumberOfEpochs = 20;
            ITransformer model = Fit(options);
            bool isSparse = storage != FeatureStorage.Dense && rule is not InputModulationRule;
            Assert.Equal(isSparse ? 1 : 0, _log.Count(line => line.Contains("Rows are kept sparse: 1", StringComparison.Ordinal)));
            return _mlContext.MulticlassClassification.Evaluate(model.Transform(Documents(300, seed: 2))).MicroAccuracy;
        })];
        // PEPITA, whose rows are dense here, learns nothing from so few steps.
        Assert.All(accuracies, accuracy => Assert.True(rule is InputModulationRule || accuracy > (rule.ShortName == "drtp" ? 0.7 : 0.85),
            $"{rule}: {string.Join(", ", accuracies)}"));
    }

    /// <summary>The rate of sparse rows is a default: what a user chooses stays.</summary>
    [Fact]
    public void Only_a_rate_that_nobody_chose_is_that_of_sparse_rows()
    {
        double Rate(FeatureStorage storage, OptimizerOptions? optimizer)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Options(FeedbackRule.FeedbackAlignment, storage);
            (options.Optimizer, options.Schedule, options.NumberOfEpochs) = (optimizer, LearningRateSchedule.Constant, 1);
            return Model(Fit(options)).History[0].LearningRate;
        }
        Assert.Equal(0.004f, (float)Rate(FeatureStorage.Dense, null));
        Assert.Equal(0.01f, (float)Rate(FeatureStorage.Sparse, null), 1e-6f);
        Assert.Equal(0.003f, (float)Rate(FeatureStorage.Sparse, new OptimizerOptions.Adam { LearningRate = 0.003f }));
    }

    /// <summary>A validation set is kept as the training rows are, whatever it is like itself.</summary>
    [Theory, InlineData(DataCaching.InMemory), InlineData(DataCaching.Streaming)]
    public void A_validation_set_of_the_other_kind_is_measured_on(DataCaching caching)
    {
        Document[] full = [.. Rows(200, 5).Select(row => new Document
        {
            Features = new VBuffer<float>(Width, [.. row.Features.DenseValues().Select(value => value + 1e-4f)]),
            Label = row.Label,
        })];
        foreach ((IDataView training, IDataView validation) in new[] { (Documents(600, 1), View(full)), (View(full), Documents(600, 1)) })
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Options(FeedbackRule.Backpropagation, FeatureStorage.Auto);
            (options.DataCaching, options.NumberOfEpochs) = (caching, 20);
            Assert.InRange(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(training, validation)
                .Model.History[^1].ValidationAccuracy!.Value, 0.7, 1);
        }
    }

    [Fact]
    public void Other_tasks_learn_from_sparse_rows_too()
    {
        IDataView data = _mlContext.Transforms.CustomMapping<Document, Targets>((from, to) =>
            (to.Label, to.Number) = (from.Label > 1, from.Label * 10), null).Fit(Documents(600, 1)).Transform(Documents(600, 1));
        IDataView numbers = _mlContext.Transforms.CopyColumns("Label", "Number").Fit(data).Transform(data);
        Assert.True(_mlContext.BinaryClassification.Evaluate(_mlContext.BinaryClassification.Trainers
            .FeedbackAlignment(numberOfEpochs: 10).Fit(data).Transform(data)).AreaUnderRocCurve > 0.95);
        Assert.True(_mlContext.Regression.Evaluate(_mlContext.Regression.Trainers
            .FeedbackAlignment(numberOfEpochs: 20).Fit(numbers).Transform(numbers)).RSquared > 0.8);
        Assert.Equal(2, _log.Count(line => line.Contains("Rows are kept sparse", StringComparison.Ordinal)));
    }

    /// <summary>What ML.NET's own transforms and loaders make: hashes, bags of words, one-hot columns beside numbers, lines of index:value.</summary>
    [Fact]
    public void Pipelines_that_end_in_sparse_vectors_are_trained_and_served()
    {
        string[] cities = [.. Enumerable.Range(0, 40).Select(i => $"city {i}")], goods = ["bread", "rope", "glass", "paper", "salt", "iron"];
        Sale[] sales = [.. Enumerable.Range(0, 600).Select(i => new Sale
        {
            City = cities[i * 7 % 40],
            Remark = $"sold {goods[i % 6]} today to number {i * 11 % 97}",
            Price = i % 50 == 0 ? float.NaN : i % 6 + 0.1f * (i % 4),
            Label = goods[i % 6],
        })];
        IDataView data = _mlContext.Data.LoadFromEnumerable(sales);
        int sparse = 0;
        foreach (IEstimator<ITransformer> features in new IEstimator<ITransformer>[]
        {
            _mlContext.Transforms.Text.FeaturizeText("Features", "Remark"),
            _mlContext.Transforms.Text.ProduceHashedWordBags("Features", "Remark", numberOfBits: 14),
            _mlContext.Transforms.Categorical.OneHotHashEncoding("Features", "Remark", numberOfBits: 12),
            _mlContext.Transforms.Categorical.OneHotHashEncoding("Hash", "City", numberOfBits: 10)
                .Append(_mlContext.Transforms.ReplaceMissingValues("Price")).Append(_mlContext.Transforms.NormalizeMeanVariance("Price"))
                .Append(_mlContext.Transforms.Text.FeaturizeText("Words", "Remark"))
                .Append(_mlContext.Transforms.Concatenate("Features", "Hash", "Price", "Words")),
        })
        {
            _log.Clear();
            ITransformer model = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(features)
                .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(numberOfEpochs: 20))
                .Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(data);
            sparse += _log.Count(line => line.Contains("Rows are kept sparse", StringComparison.Ordinal));
            Assert.True(_mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy > 0.9, features.ToString());
            using MemoryStream zip = new();
            _mlContext.Model.Save(model, data.Schema, zip);
            var engine = _mlContext.Model.CreatePredictionEngine<Sale, Sold>(new MLContext().Model.Load(zip, out _));
            Assert.Equal(model.Transform(data).GetColumn<string>("PredictedLabel").Take(30),
                sales.Take(30).Select(sale => engine.Predict(sale).PredictedLabel));
        }
        Assert.InRange(sparse, 2, 4); // so few words make rows that are not all sparse
        // A row that lacks a value is left out, and said to be; lines of index:value.
        string path = Path.Combine(_folder.FullName, "rows.txt");
        File.WriteAllLines(path, Rows(300, 4).Select(row => $"{row.Label}\t{Width}\t" + string.Join('\t', row.Features.Items()
            .Select(item => FormattableString.Invariant($"{item.Key}:{item.Value}")))).Append($"1\t{Width}\t5:NaN"));
        IDataView lines = _mlContext.Data.LoadFromTextFile(path, [new("Label", DataKind.UInt32, [new(0)], new KeyCount(Classes)),
            new("Features", DataKind.Single, [new(1, Width)])], allowSparse: true);
        _log.Clear();
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Options(FeedbackRule.FeedbackAlignment, FeatureStorage.Auto)).Fit(lines);
        Assert.Single(_log, line => line.Contains("Rows are kept sparse: 1", StringComparison.Ordinal));
        Assert.Single(_log, line => line.Contains("1 with missing (NaN) features", StringComparison.Ordinal));
    }

    [Fact]
    public void A_row_is_scored_alike_whatever_its_form_and_after_saving()
    {
        foreach ((int[] hidden, bool skip) in new[] { ([], false), (new[] { 20, 9 }, false), ([20, 9], true), ([16], true) })
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Options(FeedbackRule.DirectFeedbackAlignment, FeatureStorage.Auto);
            options.NumberOfEpochs = 20;
            options.Network = NetworkDefinition.Mlp(hidden) with
            {
                Normalization = hidden.Length > 1 ? Normalization.Batch : Normalization.None,
                LinearSkip = skip,
            };
            ITransformer model = Fit(options);
            using MemoryStream zip = new();
            _mlContext.Model.Save(model, Documents(1, 1).Schema, zip);
            ITransformer loaded = new MLContext().Model.Load(zip, out _);
            VBuffer<float>[] rows = [.. Rows(50, 3).Select(row => row.Features), new(Width, 0, [], []),
                new(Width, 3, [0f, 0.5f, 0f], [1, 7, 8])];
            float[][] sparse = Scores(model, rows), dense = Scores(model, [.. rows.Select(row => new VBuffer<float>(Width, [.. row.DenseValues()]))]);
            Assert.Equal(sparse, Scores(loaded, rows));
            Assert.All(sparse.Zip(dense), pair => Assert.All(pair.First.Zip(pair.Second), both => Assert.Equal(both.Second, both.First, 1e-4)));
            Assert.Contains(sparse, scores => scores.Max() > (hidden.Length == 0 ? 0.4 : 0.9));
            var engine = _mlContext.Model.CreatePredictionEngine<Document, Prediction>(model, inputSchemaDefinition: Schema());
            Assert.Equal(sparse.Take(5), rows.Take(5).Select(row => engine.Predict(new Document { Features = row }).Score));
        }
    }

    [Theory, InlineData(DataCaching.InMemory), InlineData(DataCaching.Streaming)]
    public void Cancelled_at_any_batch_a_training_goes_on_to_the_same_weights(DataCaching caching)
    {
        foreach (string rule in new[] { "brsf", "kp", "sdfa" })
        {
            FeedbackAlignmentMulticlassTrainer.Options Make(string? folder, CancellationToken stop)
            {
                FeedbackAlignmentMulticlassTrainer.Options options = Options(FeedbackRule.Parse(rule), FeatureStorage.Sparse);
                (options.DataCaching, options.CheckpointFolder, options.CancellationToken) = (caching, folder, stop);
                (options.ValidationFraction, options.EarlyStopping) = (0.2, new EarlyStopping { Patience = 50 });
                options.Network = (MlpDefinition)options.Network with { LinearSkip = rule == "brsf" };
                return options;
            }
            FeedbackAlignmentMulticlassModelParameters expected = Model(Fit(Make(null, CancellationToken.None)));
            string folder = Path.Combine(_folder.FullName, rule + caching);
            FeedbackAlignmentMulticlassModelParameters? found = null;
            for (int tries = 0; found == null && tries < 10; tries++)
            {
                using CancellationTokenSource stop = new();
                FeedbackAlignmentMulticlassTrainer.Options options = Make(folder, stop.Token);
                int steps = 0;
                (options.DiagnosticsEverySteps, options.StepCallback, options.Diagnostics) = (1, _ =>
                {
                    if (++steps == 31)
                        stop.Cancel();
                }, LayerDiagnostics.None);
                try
                {
                    found = Model(Fit(options));
                }
                catch (OperationCanceledException)
                {
                }
            }
            PipelineTests.AssertSameWeights(expected, found!);
        }
        // What was trained on sparse rows is not gone on with on dense ones, whose steps are others.
        FeedbackAlignmentMulticlassTrainer.Options other = Options(FeedbackRule.Parse("kp"), FeatureStorage.Dense);
        (other.DataCaching, other.CheckpointFolder) = (caching, Path.Combine(_folder.FullName, "kp" + caching));
        (other.ValidationFraction, other.EarlyStopping) = (0.2, new EarlyStopping { Patience = 50 });
        Assert.Contains(", sparse, now ", Assert.Throws<InvalidOperationException>(() => Fit(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Trainings_side_by_side_give_the_models_of_trainings_one_after_the_other()
    {
        FeedbackAlignmentMulticlassModelParameters Train(int index)
        {
            MLContext mlContext = new(seed: 1);
            FeedbackAlignmentMulticlassTrainer.Options options = Options(Feedback.Rules.Six[index % 6], FeatureStorage.Sparse);
            (options.Seed, options.NumberOfThreads, options.NumberOfEpochs) = (index, 1, 3);
            return mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(Documents(600, 1)).Model;
        }
        ConcurrencyTests.AssertSameSideBySide(Train);
    }

    [Fact]
    public void A_model_is_trained_further_on_rows_of_the_other_kind()
    {
        foreach ((FeatureStorage first, FeatureStorage second, bool skip) in new[] { (FeatureStorage.Dense, FeatureStorage.Sparse, false),
            (FeatureStorage.Sparse, FeatureStorage.Dense, false), (FeatureStorage.Sparse, FeatureStorage.Sparse, false),
            (FeatureStorage.Dense, FeatureStorage.Sparse, true), (FeatureStorage.Sparse, FeatureStorage.Dense, true) })
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Options(FeedbackRule.FeedbackAlignment, first);
            options.Network = (MlpDefinition)options.Network with { LinearSkip = skip };
            ITransformer model = Fit(options);
            options = Options(FeedbackRule.FeedbackAlignment, second);
            options.Network = (MlpDefinition)options.Network with { LinearSkip = skip };
            (options.NumberOfEpochs, options.Optimizer) = (1, new OptimizerOptions.Sgd { LearningRate = 1e-9f, Momentum = 0 });
            ITransformer further = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(Documents(600, 1), Model(model));
            VBuffer<float>[] rows = [.. Rows(40, 3).Select(row => row.Features)];
            Assert.All(Scores(model, rows).Zip(Scores(further, rows)),
                pair => Assert.All(pair.First.Zip(pair.Second), both => Assert.Equal(both.First, both.Second, 1e-3)));
        }
    }

    /// <summary>Networks that compute on all values see the same rows, however they are kept.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void Other_networks_are_the_same_on_sparse_and_on_dense_rows()
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        FeedbackAlignmentMulticlassModelParameters Train(FeatureStorage storage, DataCaching caching) => Tables.ModelOf(Tables.Pipeline(_mlContext,
            new FeedbackAlignmentMulticlassTrainer.Options
            {
                Network = NetworkDefinition.Sequential(new Layer.Conv2d(6, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
                    new Layer.Dense()),
                FeatureStorage = storage,
                DataCaching = caching,
                NumberOfEpochs = 1,
                Seed = 1,
            }).Fit(data));
        foreach (DataCaching caching in new[] { DataCaching.InMemory, DataCaching.Streaming })
        {
            FeedbackAlignmentMulticlassModelParameters dense = Train(FeatureStorage.Dense, caching), sparse = Train(FeatureStorage.Sparse, caching);
            foreach ((string name, ParameterTensor values) in dense.GetParameters())
            {
                Assert.All(values.Values.ToArray().Zip(sparse.GetParameters()[name].Values.ToArray()),
                    pair => Assert.Equal(pair.First, pair.Second, caching == DataCaching.InMemory ? 0 : 1e-3));
            }
        }
        Assert.Contains(_log, line => line.Contains("The network computes on all of them.", StringComparison.Ordinal));
    }

    [Fact]
    public void Options_that_do_not_go_together_are_refused_by_name()
    {
        Assert.Contains("Option FeatureStorage must be Auto or Dense with the rule pepita, which changes every feature of its input; found Sparse",
            Assert.Throws<ArgumentOutOfRangeException>(() => Fit(Options(FeedbackRule.Parse("pepita"), FeatureStorage.Sparse))).Message,
            StringComparison.Ordinal);
        Assert.Contains("Option FeatureStorage must be one of Auto, Dense, Sparse; found 9",
            Assert.Throws<ArgumentOutOfRangeException>(() => Fit(Options(FeedbackRule.FeedbackAlignment, (FeatureStorage)9))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { 5, 3 }, "index 3 comes after 5, but indices must rise"), InlineData(new[] { 4, 4 }, "index 4 comes after 4"),
        InlineData(new[] { -1, 3 }, "a value at index -1, outside of 0 to 899"), InlineData(new[] { 2, 900 }, "a value at index 900, outside")]
    public void A_malformed_vector_is_refused_with_what_is_wrong(int[] indices, string expected)
    {
        VBuffer<float> bad = new(Width, 2, [1f, 2f], indices);
        Document[] rows = [.. Rows(20, 1), new Document { Features = bad, Label = 1 }];
        foreach (FeatureStorage storage in Enum.GetValues<FeatureStorage>())
        {
            string message = Assert.Throws<InvalidOperationException>(() => _mlContext.MulticlassClassification.Trainers
                .FeedbackAlignment(Options(FeedbackRule.FeedbackAlignment, storage)).Fit(View(rows))).Message;
            Assert.Contains("Feature column 'Features', row 21: the vector is malformed: ", message, StringComparison.Ordinal);
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }
        ITransformer model = Fit(Options(FeedbackRule.FeedbackAlignment, FeatureStorage.Auto));
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => Scores(model, [bad])).GetBaseException().Message, StringComparison.Ordinal);
    }

    /// <summary>A million vectors in wrong order, with duplicates, out of range: each is scored or refused by the message.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void Hostile_vectors_never_crash_a_prediction()
    {
        ITransformer model = Fit(Options(FeedbackRule.FeedbackAlignment, FeatureStorage.Auto));
        var engine = _mlContext.Model.CreatePredictionEngine<Document, Prediction>(model, inputSchemaDefinition: Schema());
        Document document = new();
        Prediction prediction = new();
        RandomGenerator random = new(1, "hostile");
        int[] indices = new int[6];
        float[] values = new float[6];
        int refused = 0, scored = 0;
        for (int i = 0; i < 1_000_000; i++)
        {
            int length = random.NextInt32(20) == 0 ? random.NextInt32(2000) + 6 : Width;
            int count = random.NextInt32(7), step = random.NextInt32(400) + 1;
            for (int place = 0; place < count; place++)
            {
                indices[place] = random.NextInt32(4) == 0 ? random.NextInt32(int.MaxValue) - int.MaxValue / 2 : place * step % (Width + 1);
                values[place] = random.NextInt32(8) == 0 ? float.NaN : random.NextSingle();
            }
            document.Features = new VBuffer<float>(length, count, values, indices);
            try
            {
                engine.Predict(document, ref prediction);
                scored++;
            }
            catch (InvalidOperationException failure)
            {
                Assert.True(failure.Message.Contains("is malformed: ", StringComparison.Ordinal)
                    || failure.Message.Contains("the row has", StringComparison.Ordinal), failure.Message);
                refused++;
            }
        }
        Assert.True(refused > 100_000 && scored > 100_000, $"{refused} refused, {scored} scored");
    }

    private static FeedbackAlignmentMulticlassTrainer.Options Options(FeedbackRule rule, FeatureStorage storage) => new()
    {
        Rule = rule,
        Network = NetworkDefinition.Mlp(32, 16),
        NumberOfEpochs = 8,
        Seed = 1,
        FeatureStorage = storage,
    };

    private ITransformer Fit(FeedbackAlignmentMulticlassTrainer.Options options) =>
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(Documents(600, 1));

    private static FeedbackAlignmentMulticlassModelParameters Model(ITransformer transformer) => ((FeedbackAlignmentMulticlassTransformer)transformer)
        .Model;

    private float[][] Scores(ITransformer model, VBuffer<float>[] rows) =>
        [.. model.Transform(View([.. rows.Select(row => new Document { Features = row, Label = 1 })])).GetColumn<float[]>("Score")];

    private IDataView Documents(int count, int seed) => View(Rows(count, seed));

    private IDataView View(Document[] rows) => _mlContext.Data.LoadFromEnumerable(rows, Schema());

    private static SchemaDefinition Schema()
    {
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Document));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Width);
        return schema;
    }

    /// <summary>Rows of about 15 words at unit length: a few of their class's own, the others anyone's.</summary>
    private static Document[] Rows(int count, int seed)
    {
        RandomGenerator random = new(seed, "documents");
        return [.. Enumerable.Range(0, count).Select(row =>
        {
            int label = row % Classes;
            SortedSet<int> words = [];
            for (int i = 0; i < 15; i++)
                words.Add(i < 4 ? label * 100 + random.NextInt32(100) : 400 + random.NextInt32(480));
            float value = 1 / MathF.Sqrt(words.Count);
            return new Document
            {
                Features = new VBuffer<float>(Width, words.Count, [.. words.Select(_ => value)], [.. words]),
                Label = (uint)label,
            };
        })];
    }

    private sealed class Document
    {
        public VBuffer<float> Features { get; set; }

        [KeyType(Classes)]
        public uint Label { get; set; }
    }

    private sealed class Sale
    {
        public string City { get; set; } = "";

        public string Remark { get; set; } = "";

        public float Price { get; set; }

        public string Label { get; set; } = "";
    }

    private sealed class Sold
    {
        public string PredictedLabel { get; set; } = "";
    }

    private sealed class Targets
    {
        public bool Label { get; set; }

        public float Number { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
