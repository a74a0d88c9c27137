using System.Reflection;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Scoring;

/// <summary>Whole views are scored in batches: in order, with all other columns untouched, whoever asks for what.</summary>
public sealed class BatchedScoringTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _data;
    private readonly ITransformer _model;
    private readonly float[][] _rowByRow;

    public BatchedScoringTests()
    {
        _data = _mlContext.Data.LoadFromEnumerable(Rows(600));
        _model = Pipeline().Fit(_data);
        PredictionEngine<Row, Scored> engine = _mlContext.Model.CreatePredictionEngine<Row,
            Scored>(_model, new PredictionEngineOptions { OwnsTransformer = false });
        _rowByRow = [.. Rows(600).Select(row => engine.Predict(row).Score)];
    }

    [Fact]
    public void A_fitted_and_a_loaded_model_score_in_batches_and_give_what_row_by_row_scoring_gives()
    {
        Check(_model.Transform(_data));
        Check(Reload().Transform(_data));
        Assert.Equal(_model.Transform(_data).GetColumn<float[]>("Score"), Reload().Transform(_data).GetColumn<float[]>("Score"));
    }

    [Fact]
    public void Schema_and_annotations_are_those_of_ml_net()
    {
        // ML.NET's own transformer around the same model.
        FeedbackAlignmentMulticlassTransformer ours = (FeedbackAlignmentMulticlassTransformer)_model;
        DataViewSchema batched = _model.Transform(_data).Schema, rows = ((ITransformer)Activator.CreateInstance(
            typeof(MulticlassPredictionTransformer<FeedbackAlignmentMulticlassModelParameters>), BindingFlags.Instance | BindingFlags.NonPublic, null,
            [_mlContext, ours.Model, _data.Schema, "Features", "Label", "Score", "PredictedLabel"], null)!).Transform(_data).Schema;
        Assert.Equal(rows.Select(column => (column.Name, column.Type)), batched.Select(column => (column.Name, column.Type)));
        Assert.Equal(rows["Score"].Annotations.Schema.Select(column => column.Name),
            batched["Score"].Annotations.Schema.Select(column => column.Name));
    }

    [Fact]
    public void Other_columns_pass_through_untouched_in_order()
    {
        IDataView scored = _model.Transform(_data);
        Row[] expected = [.. Rows(600)];
        Scored[] found = [.. _mlContext.Data.CreateEnumerable<Scored>(scored, reuseRowObject: false)];
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < found.Length; i++)
        {
            Assert.Equal(expected[i].Name, found[i].Name);
            Assert.Equal(expected[i].Number, found[i].Number);
            Assert.Equal(expected[i].Variable, found[i].Variable);
            Assert.Equal(expected[i].Features, found[i].Features);
            Assert.Equal(Array.IndexOf(found[i].Score, found[i].Score.Max()) + 1u, found[i].PredictedLabel);
        }
        // A reused row object must not reach back into the buffers.
        Assert.Equal(expected.Select(row => row.Variable.Sum()),
            _mlContext.Data.CreateEnumerable<Scored>(scored, reuseRowObject: true).Select(row => row.Variable.Sum()));
    }

    [Fact]
    public void Several_cursors_at_once_and_some_columns_only()
    {
        IDataView scored = _model.Transform(_data);
        Parallel.For(0, 4, _ => Check(scored));
        using DataViewRowCursor one = scored.GetRowCursor([scored.Schema["Name"]]), two = scored.GetRowCursor([scored.Schema["PredictedLabel"]]);
        ValueGetter<ReadOnlyMemory<char>> name = one.GetGetter<ReadOnlyMemory<char>>(scored.Schema["Name"]);
        ValueGetter<uint> label = two.GetGetter<uint>(scored.Schema["PredictedLabel"]);
        ReadOnlyMemory<char> text = default;
        uint key = 0;
        for (int i = 0; i < 300; i++)
        {
            Assert.True(one.MoveNext());
            Assert.Equal(i, one.Position);
            if (i % 2 == 0)
            {
                Assert.True(two.MoveNext());
                label(ref key);
                Assert.Equal(Array.IndexOf(_rowByRow[i / 2], _rowByRow[i / 2].Max()) + 1u, key);
            }
            name(ref text);
            Assert.Equal($"row {i}", text.ToString());
        }
        Assert.ThrowsAny<Exception>(() => one.GetGetter<VBuffer<float>>(scored.Schema["Score"]));
        Assert.ThrowsAny<Exception>(() => two.GetGetter<float>(scored.Schema["PredictedLabel"]));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(255), InlineData(256), InlineData(257), InlineData(512)]
    public void Any_number_of_rows_comes_out_whole(int rows)
    {
        IDataView some = rows == 0 ? _mlContext.Data.SkipRows(_data, 600) : _mlContext.Data.TakeRows(_data, rows);
        Assert.Equal(rows, _model.Transform(some).GetColumn<float[]>("Score").Count());
        using DataViewRowCursor cursor = _model.Transform(some).GetRowCursor(some.Schema.Take(0));
        int count = 0;
        while (cursor.MoveNext())
            count++;
        Assert.Equal(rows, count);
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void Evaluation_filters_chains_and_engines_work_on_it()
    {
        MulticlassClassificationMetrics batched = _mlContext.MulticlassClassification.Evaluate(_model.Transform(_data)),
            rows = _mlContext.MulticlassClassification.Evaluate(Reload().Transform(_data));
        Assert.Equal(rows.LogLoss, batched.LogLoss, 1e-5);
        Assert.Equal(rows.MicroAccuracy, batched.MicroAccuracy);
        IDataView filtered = _mlContext.Data.SkipRows(_mlContext.Data.FilterRowsByColumn(_model.Transform(_data), "Number", 100, 500), 10);
        Assert.Equal(_rowByRow[110][0], filtered.GetColumn<float[]>("Score").First()[0], 1e-5);
        IDataView shuffled = _model.Transform(_mlContext.Data.ShuffleRows(_data, seed: 3));
        foreach (Scored row in _mlContext.Data.CreateEnumerable<Scored>(shuffled, false))
            Assert.Equal(_rowByRow[(int)row.Number][0], row.Score[0], 1e-5);
        using PredictionEngine<Row, Scored> engine = _mlContext.Model.CreatePredictionEngine<Row, Scored>(_model);
        Assert.Equal(_rowByRow[5][2], engine.Predict(Rows(6).Last()).Score[2], 1e-5);
    }

    private void Check(IDataView scored)
    {
        float[][] found = [.. scored.GetColumn<float[]>("Score")];
        Assert.IsType<BatchedView>(scored);
        Assert.Equal(_rowByRow.Length, found.Length);
        for (int i = 0; i < found.Length; i++)
        {
            for (int k = 0; k < found[i].Length; k++)
                Assert.Equal(_rowByRow[i][k], found[i][k], 1e-5);
        }
    }

    private ITransformer Reload()
    {
        using MemoryStream zip = new();
        _mlContext.Model.Save(_model, _data.Schema, zip);
        return new MLContext().Model.Load(zip, out _);
    }

    private IEstimator<ITransformer> Pipeline() =>
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = FeedbackRule.UniformSignConcordant,
            Network = NetworkDefinition.Sequential(new Layer.Conv2d(8, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
            new Layer.MaxPool2d(2), new Layer.Flatten(), new Layer.Dense()),
            NumberOfEpochs = 1,
            Seed = 1,
        });

    private static IEnumerable<Row> Rows(int count)
    {
        RandomGenerator random = new(1, "rows");
        for (int i = 0; i < count; i++)
        {
            float[] features = new float[64];
            random.FillUniform(features, 0, 1);
            yield return new Row
            {
                Features = features,
                Label = (uint)random.NextInt32(3) + 1,
                Name = $"row {i}",
                Number = i,
                Variable = [.. Enumerable.Range(0, i % 4).Select(k => (float)(i + k))]
            };
        }
    }

    private class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }

        public string Name { get; set; } = "";

        public float Number { get; set; }

        public float[] Variable { get; set; } = [];
    }

    private sealed class Scored : Row
    {
        public float[] Score { get; set; } = [];

        public uint PredictedLabel { get; set; }
    }
}
