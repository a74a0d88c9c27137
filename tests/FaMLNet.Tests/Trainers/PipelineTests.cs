using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>The trainer among the other parts of ML.NET.</summary>
public sealed class PipelineTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void Scores_and_predicted_labels_are_annotated_as_other_trainers_annotate_them()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        IEstimator<ITransformer> before = _mlContext.Transforms.Conversion.MapValueToKey("Label");
        DataViewSchema mine = before.Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick())).Fit(data).Transform(data)
            .Schema;
        DataViewSchema theirs = before.Append(_mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy(maximumNumberOfIterations: 1)).Fit(data)
            .Transform(data).Schema;
        foreach (string column in new[] { "Score", "PredictedLabel" })
        {
            Assert.Equal(theirs[column].Type, mine[column].Type);
            Assert.Equal(theirs[column].Annotations.Schema.Select(annotation => (annotation.Name, annotation.Type.ToString())),
                mine[column].Annotations.Schema.Select(annotation => (annotation.Name, annotation.Type.ToString())));
        }
        VBuffer<ReadOnlyMemory<char>> names = default;
        mine["Score"].GetSlotNames(ref names);
        Assert.Equal(["setosa", "versicolor", "virginica"], names.DenseValues().Select(name => name.ToString()).Order());
        VBuffer<ReadOnlyMemory<char>> values = default;
        mine["PredictedLabel"].GetKeyValues(ref values);
        Assert.Equal(names.DenseValues().Select(name => name.ToString()), values.DenseValues().Select(name => name.ToString()));
    }

    [Fact]
    public void The_output_schema_is_known_before_fitting()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        IEstimator<ITransformer> pipeline = Tables.Pipeline(_mlContext, Tables.Quick());
        SchemaShape shape = pipeline.GetOutputSchema(Tables.ShapeOf(data));
        DataViewSchema real = pipeline.Fit(data).Transform(data).Schema;
        foreach (DataViewSchema.Column column in real.Where(column => !column.IsHidden))
        {
            SchemaShape.Column expected = shape.Single(other => other.Name == column.Name);
            Assert.Equal(expected.IsKey, column.Type is KeyDataViewType);
            Assert.Equal(expected.Kind, column.Type is VectorDataViewType ? SchemaShape.Column.VectorKind.Vector
                : SchemaShape.Column.VectorKind.Scalar);
        }
    }

    [Fact]
    public void Scores_are_probabilities_and_the_prediction_is_their_largest()
    {
        IDataView data = Tables.Load(_mlContext, "wine");
        IDataView scored = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick(epochs: 30))).Fit(data).Transform(data);
        float[][] scores = [.. scored.GetColumn<float[]>("Score")];
        uint[] predictions = [.. scored.GetColumn<uint>("PredictedLabel")];
        Assert.All(scores, row => Assert.Equal(1, row.Sum(), 1e-5));
        Assert.All(scores, row => Assert.All(row, value => Assert.InRange(value, 0, 1)));
        Assert.Equal(scores.Select(row => (uint)Array.IndexOf(row, row.Max()) + 1), predictions);
    }

    [Fact]
    public void Cross_validates()
    {
        var results = _mlContext.MulticlassClassification.CrossValidate(Tables.Load(_mlContext, "iris"),
            Tables.Pipeline(_mlContext, new() { NumberOfEpochs = 60, Seed = 1 }), numberOfFolds: 4);
        Assert.Equal(4, results.Count);
        Assert.True(results.Average(result => result.Metrics.MicroAccuracy) > 0.85);
    }

    [Fact]
    public void Permutation_feature_importance_finds_the_feature_that_matters()
    {
        IDataView data = TwoFeatures(rows: 300, informative: 1);
        var model = _mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick(epochs: 40))).Fit(data);
        var importance = _mlContext.MulticlassClassification.PermutationFeatureImportance(model.LastTransformer, model.Transform(data),
            permutationCount: 3);
        Assert.True(importance[1].MicroAccuracy.Mean < importance[0].MicroAccuracy.Mean - 0.2);
    }

    [Fact]
    public void A_cache_checkpoint_before_the_trainer_changes_nothing()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        IEstimator<ITransformer> Before() => _mlContext.Transforms.Conversion.MapValueToKey("Label");
        var cached = new EstimatorChain<ITransformer>().Append(Before()).AppendCacheCheckpoint(_mlContext)
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick()));
        var plain = Before().Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick()));
        AssertSameWeights(Tables.ModelOf(plain.Fit(data)), Tables.ModelOf(cached.Fit(data)));
    }

    [Fact]
    public void Sparse_and_dense_features_give_the_same_model_and_the_same_scores()
    {
        float[][] rows = [.. Enumerable.Range(0, 60).Select(i => Enumerable.Range(0, 20).Select(j => (i + j) % 7 == 0 ? i % 3 + 1f : 0).ToArray())];
        IDataView dense = _mlContext.Data.LoadFromEnumerable(
            rows.Select((row, i) => new SparseRow { Features = new VBuffer<float>(20, row), Label = (uint)(i % 3) }));
        IDataView sparse = _mlContext.Data.LoadFromEnumerable(rows.Select((row, i) =>
        {
            int[] indices = [.. Enumerable.Range(0, 20).Where(j => row[j] != 0)];
            return new SparseRow
            {
                Features = new VBuffer<float>(20, indices.Length, [.. indices.Select(j => row[j])], indices),
                Label = (uint)(i % 3)
            };
        }));
        var pipeline = _mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick()));
        var fromDense = pipeline.Fit(dense);
        var fromSparse = pipeline.Fit(sparse);
        AssertSameWeights(Tables.ModelOf(fromDense), Tables.ModelOf(fromSparse));
        Assert.Equal(fromDense.Transform(dense).GetColumn<float[]>("Score"), fromDense.Transform(sparse).GetColumn<float[]>("Score"));
    }

    [Fact]
    public void Labels_may_be_text_numbers_booleans_or_keys()
    {
        var rows = Enumerable.Range(0, 60).Select(i => new LabelsRow
        {
            Features = [i % 2, i % 2 == 0 ? 1 : -1, i / 60f],
            Text = i % 2 == 0 ? "even" : "odd",
            Number = i % 2 * 10,
            Boolean = i % 2 == 0,
            Key = (uint)(i % 2),
        });
        IDataView data = _mlContext.Data.LoadFromEnumerable(rows);
        foreach (string column in new[] { "Text", "Number", "Boolean", "Key" })
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 60);
            options.LabelColumnName = column == "Key" ? "Key" : "Label";
            FeedbackAlignmentMulticlassTrainer trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
            IEstimator<ITransformer> pipeline = column == "Key" ? trainer
                : _mlContext.Transforms.Conversion.MapValueToKey("Label", column).Append(trainer);
            double accuracy = _mlContext.MulticlassClassification.Evaluate(pipeline.Fit(data).Transform(data), options.LabelColumnName).MicroAccuracy;
            Assert.Equal(1, accuracy);
        }
    }

    [Fact]
    public void Columns_of_other_names_work_and_other_columns_pass_through()
    {
        IDataView data = _mlContext.Transforms.CopyColumns("Pixels", "Features")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Species", "Label")).Fit(Tables.Load(_mlContext, "iris"))
            .Transform(Tables.Load(_mlContext, "iris"));
        var trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment("Species", "Pixels", rule: FeedbackRule.UniformSignConcordant,
            network: NetworkDefinition.Mlp(8), numberOfEpochs: 2, batchSize: 10, learningRate: 0.01f);
        IDataView scored = trainer.Fit(data).Transform(data);
        Assert.Equal(data.GetColumn<float[]>("Features"), scored.GetColumn<float[]>("Features"));
        Assert.NotNull(scored.Schema.GetColumnOrNull("PredictedLabel"));
    }

    [Fact]
    public void Rows_of_weight_zero_do_not_count_and_the_unit_of_weights_does_not_matter()
    {
        LabelsRow[] rows = [.. Enumerable.Range(0, 64)
            .Select(i => new LabelsRow { Features = [i % 2, 1 - i % 2, i % 5], Key = (uint)(i % 2), Weight = 1 })];
        LabelsRow[] poisoned = [.. rows, .. rows.Select(row => new LabelsRow { Features = row.Features, Key = 1 - row.Key, Weight = 0 })];
        double Accuracy(LabelsRow[] training)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 60);
            (options.LabelColumnName, options.ExampleWeightColumnName) = ("Key", "Weight");
            IDataView test = _mlContext.Data.LoadFromEnumerable(rows);
            return _mlContext.MulticlassClassification.Evaluate(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options)
                .Fit(_mlContext.Data.LoadFromEnumerable(training)).Transform(test), "Key").MicroAccuracy;
        }
        Assert.Equal(1, Accuracy(poisoned));
        FeedbackAlignmentMulticlassModelParameters Train(float unit)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick();
            (options.LabelColumnName, options.ExampleWeightColumnName) = ("Key", "Weight");
            return _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_mlContext.Data.LoadFromEnumerable(
                rows.Select((row, i) => new LabelsRow { Features = row.Features, Key = row.Key, Weight = unit * (1 + i % 3) }))).Model;
        }
        AssertSameWeights(Train(1), Train(1024));
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Same_seed_same_weights_bit_for_bit_and_another_seed_others(string name)
    {
        IDataView data = Tables.Load(_mlContext, "wine");
        FeedbackRule rule = FeedbackRule.Parse(name);
        FeedbackAlignmentMulticlassModelParameters Train(int? seed, MLContext context)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(rule);
            options.Seed = seed;
            options.Network = NetworkDefinition.Mlp(16, 8) with { Dropout = 0.1f, Normalization = Normalization.Batch };
            return Tables.ModelOf(Tables.Pipeline(context, options).Fit(data));
        }
        AssertSameWeights(Train(5, new MLContext()), Train(5, new MLContext(99)));
        AssertSameWeights(Train(null, new MLContext(7)), Train(null, new MLContext(7)));
        Assert.NotEqual(Train(5, _mlContext).GetWeights()["dense1"].Values.ToArray(),
            Train(6, _mlContext).GetWeights()["dense1"].Values.ToArray());
    }

    [Fact]
    public void Fitting_twice_gives_the_same_model()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        IEstimator<ITransformer> pipeline = Tables.Pipeline(new MLContext(3), new() { Network = NetworkDefinition.Mlp(8), NumberOfEpochs = 2 });
        AssertSameWeights(Tables.ModelOf(pipeline.Fit(data)), Tables.ModelOf(pipeline.Fit(data)));
    }

    [Fact]
    public void Centring_is_folded_into_the_first_bias()
    {
        // With all the mass on means, an uncentred network sees inputs around 1000; folded back it must score as the centred one did.
        IDataView data = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 90)
            .Select(i => new LabelsRow { Features = [1000 + i % 3, 1000 - i % 3, 1000], Key = (uint)(i % 3) }));
        data = _mlContext.Transforms.Conversion.MapValueToKey("Label", "Key").Fit(data).Transform(data);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.Backpropagation, epochs: 300);
        var model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(data);
        Assert.Equal(1, model.Model.History[^1].Accuracy);
        Assert.Equal(1, _mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy);
    }

    internal static void AssertSameWeights(FeedbackAlignmentMulticlassModelParameters a, FeedbackAlignmentMulticlassModelParameters b)
    {
        Assert.Equal(a.GetParameters().Keys, b.GetParameters().Keys);
        foreach ((string name, ParameterTensor tensor) in a.GetParameters())
            Assert.Equal(tensor.Values.ToArray(), b.GetParameters()[name].Values.ToArray());
        Assert.Equal(a.GetFeedbackWeights().Keys, b.GetFeedbackWeights().Keys);
        foreach ((string name, ParameterTensor tensor) in a.GetFeedbackWeights())
            Assert.Equal(tensor.Values.ToArray(), b.GetFeedbackWeights()[name].Values.ToArray());
    }

    private IDataView TwoFeatures(int rows, int informative)
    {
        Random random = new(1);
        return _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(_ =>
        {
            float[] features = [(float)random.NextDouble() * 2 - 1, (float)random.NextDouble() * 2 - 1];
            return new TwoFeaturesRow { Features = features, Label = features[informative] > 0 ? "up" : "down" };
        }).ToArray());
    }

    private sealed class TwoFeaturesRow
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class SparseRow
    {
        [VectorType(20)]
        public VBuffer<float> Features { get; set; }

        public uint Label { get; set; }
    }

    internal sealed class LabelsRow
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public string Text { get; set; } = "";

        public int Number { get; set; }

        public bool Boolean { get; set; }

        [KeyType(3)]
        public uint Key { get; set; }

        public float Weight { get; set; } = 1;
    }
}
