using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Training.Rows;

/// <summary>Rows that are read anew in every epoch.</summary>
public sealed class StreamedRowsTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Theory, InlineData(1000, 100, 32), InlineData(1000, 5000, 32), InlineData(7, 3, 2), InlineData(1000, 1, 10)]
    public void Each_epoch_gives_every_row_once_with_its_label_in_a_new_order(int rows, int pool, int batch)
    {
        using StreamedRows source = Source(Data(rows), pool: pool);
        Assert.Equal(rows, source.Count);
        RandomGenerator shuffle = new(1, "shuffle");
        float[] first = Read(source, batch, shuffle), second = Read(source, batch, shuffle);
        Assert.Equal(Enumerable.Range(0, rows).Select(i => (float)i), first.Order());
        Assert.Equal(first.Order(), second.Order());
        if (pool > 1)
            Assert.NotEqual(first, second);
        using StreamedRows again = Source(Data(rows), pool: pool);
        Assert.Equal(first, Read(again, batch, new RandomGenerator(1, "shuffle")));
        Assert.Equal(first.Skip(2 * batch), Read(again, batch, new RandomGenerator(1, "shuffle"), skip: 2 * batch));
    }

    [Fact]
    public void Means_deviations_weights_and_validation_are_those_of_rows_in_memory()
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        using IChannel channel = ((IHostEnvironment)_mlContext).Start("test");
        using StreamedRows streamed = Source(data, classWeights: ClassWeights.Balanced);
        using InMemoryRows memory = new(TrainingDataReader.Read(data, data.Schema["Features"], data.Schema["Label"], null, channel, () => { }),
            classWeights: ClassWeights.Balanced);
        float[] a = new float[2], b = new float[2], c = new float[2], d = new float[2];
        streamed.MeasureChannels(2, a, b);
        memory.MeasureChannels(2, c, d);
        Assert.All(a.Zip(c).Concat(b.Zip(d)), pair => Assert.Equal(pair.Second, pair.First, 1e-4));
        Assert.All(streamed.Center().Zip(memory.Center()), pair => Assert.Equal(pair.Second, pair.First, 1e-4));
        double Weights(RowSource source) => source.Epoch(50, new RandomGenerator(1, "shuffle"), 0)
            .Sum(batch => batch.Rows.ToArray().Sum(row => (double)batch.Data.Weights[row] * (batch.Data.Labels[row] == 3 ? 1 : 0)));
        Assert.Equal(Weights(memory), Weights(streamed), 1e-3);
    }

    [Fact]
    public void Rows_kept_aside_are_the_same_share_of_each_class_and_never_trained_on()
    {
        using StreamedRows split = Source(Data(1000), fraction: 0.25, pool: 40);
        float[] aside = [.. split.Validation!.Rows.Select(row => split.Validation.Data.Row(row, new float[1])[0])];
        Assert.InRange(aside.Count(value => value % 2 == 0), 124, 126);
        Assert.InRange(aside.Count(value => value % 2 == 1), 124, 126);
        for (int epoch = 0; epoch < 2; epoch++)
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => (float)i).Except(aside),
                Read(split, 30, new RandomGenerator(epoch, "shuffle")).Order());
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void A_streamed_training_learns_what_one_in_memory_learns(string name)
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        FeedbackRule rule = FeedbackRule.Parse(name);
        double Accuracy(DataCaching caching)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(rule, epochs: 12);
            options.Network = NetworkDefinition.Mlp(64);
            options.DataCaching = caching;
            return Tables.ModelOf(Tables.Pipeline(_mlContext, options).Fit(data)).History[^1].Accuracy!.Value;
        }
        Assert.Equal(Accuracy(DataCaching.InMemory), Accuracy(DataCaching.Streaming), 0.03);
    }

    [Fact]
    public void Leaving_an_epoch_early_stops_the_reading_thread_and_errors_come_out()
    {
        using StreamedRows source = Source(Data(100_000), pool: 10);
        foreach (RowBatch batch in source.Epoch(10, new RandomGenerator(1, "shuffle"), 0))
        {
            Assert.Equal(10, batch.Rows.Length);
            break;
        }
        int read = 0;
        IDataView fails = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 50)
            .Select(i => new Row { Features = [++read > 80 ? float.PositiveInfinity : i], Label = (uint)(i % 2) }));
        using StreamedRows bad = Source(fails, pool: 5);
        Assert.Contains("must be finite", Assert.Throws<InvalidOperationException>(() => Read(bad, 5, new RandomGenerator(1, "shuffle"))).Message,
            StringComparison.Ordinal);
        int rows = 60;
        using StreamedRows changing = Source(_mlContext.Data.LoadFromEnumerable(Changing()), pool: 5);
        rows = 40;
        Assert.Contains("gave 40 rows in this epoch, but 60",
            Assert.Throws<InvalidOperationException>(() => Read(changing, 5, new RandomGenerator(1, "shuffle"))).Message, StringComparison.Ordinal);

        IEnumerable<Row> Changing()
        {
            for (int i = 0; i < rows; i++)
                yield return new Row { Features = [i], Label = (uint)(i % 2) };
        }
    }

    [Fact]
    public void Auto_keeps_small_data_in_memory_and_bad_data_is_refused_in_either_way()
    {
        foreach (DataCaching caching in Enum.GetValues<DataCaching>())
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
            options.DataCaching = caching;
            var trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
            Assert.Contains("have the same label", Assert.Throws<InvalidOperationException>(() =>
                trainer.Fit(_mlContext.Data.LoadFromEnumerable(Enumerable.Repeat(new Row { Features = [1], Label = 1 }, 5)))).Message,
                StringComparison.Ordinal);
            Assert.Contains("has no rows", Assert.Throws<InvalidOperationException>(() =>
                trainer.Fit(_mlContext.Data.LoadFromEnumerable(Array.Empty<Row>()))).Message, StringComparison.Ordinal);
            Assert.Contains("missing (NaN) features",
                Assert.Throws<InvalidOperationException>(() =>
                trainer.Fit(_mlContext.Data.LoadFromEnumerable(Enumerable.Repeat(new Row { Features = [float.NaN], Label = 1 }, 5)))).Message,
                StringComparison.Ordinal);
        }
    }

    private static float[] Read(StreamedRows source, int batchSize, RandomGenerator shuffle, long skip = 0)
    {
        List<float> values = [];
        foreach (RowBatch batch in source.Epoch(batchSize, shuffle, skip))
        {
            foreach (int row in batch.Rows.Span)
            {
                float value = batch.Data.Row(row, new float[1])[0];
                Assert.Equal((int)value % 2, batch.Data.Labels[row]);
                values.Add(value);
            }
        }
        return [.. values];
    }

    private StreamedRows Source(IDataView data, int? pool = null, double fraction = 0, ClassWeights? classWeights = null)
    {
        using IChannel channel = ((IHostEnvironment)_mlContext).Start("test");
        return new StreamedRows(data, new RowColumns(data.Schema["Features"], data.Schema["Label"], null), validation: null, fraction, classWeights,
            seed: 1, fingerprint: true, channel, () => { }, pool);
    }

    private IDataView Data(int rows) => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, rows)
        .Select(i => new Row { Features = [i], Label = (uint)(i % 2) }));

    private sealed class Row
    {
        [VectorType(1)]
        public float[] Features { get; set; } = [];

        [KeyType(2)]
        public uint Label { get; set; }
    }
}
