using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Training.Rows;

/// <summary>Rows kept as the values that are not 0, and when they are.</summary>
public sealed class SparseRowsTests
{
    private const int Width = 300;
    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void Rows_of_any_legal_form_are_kept_as_what_they_are()
    {
        VBuffer<float>[] forms =
        [
            new(Width, 0, [], []), new(Width, 2, [3f, 4f], [7, 299]), new(Width, 3, [0f, 5f, -0f], [0, 1, 2]),
            new(Width, [.. Enumerable.Range(0, Width).Select(i => i == 11 ? 6f : 0)]), new(Width, 1, [8f, 9f, 9f], [5, 5, 5]),
        ];
        TrainingData rows = Read(FeatureStorage.Sparse, forms);
        Assert.True(rows.IsSparse);
        Assert.Equal([0, 2, 1, 1, 1], Enumerable.Range(0, 5).Select(row => rows.Sparse(row).Indices.Length));
        TrainingData dense = Read(FeatureStorage.Dense, forms), unpacked = rows.ToDense(null);
        for (int row = 0; row < forms.Length; row++)
        {
            float[] expected = [.. forms[row].DenseValues().Select(value => value + 0f)];
            Assert.Equal(expected, RandomTask.RowOf(rows, row));
            Assert.Equal(expected, RandomTask.RowOf(unpacked, row));
            Assert.Equal(expected, RandomTask.RowOf(dense, row).Select(value => value + 0f));
        }
        Assert.Equal(dense.Labels.ToArray(), rows.Labels.ToArray());
        Assert.Equal(rows.Hash(), Read(FeatureStorage.Sparse, [.. forms.Select(form => new VBuffer<float>(Width, [.. form.DenseValues()]))]).Hash());
        Assert.NotEqual(rows.Hash(), Read(FeatureStorage.Sparse, [.. forms.Reverse()]).Hash());
    }

    [Fact]
    public void The_share_of_values_that_are_not_0_decides_while_rows_are_read()
    {
        Assert.True(Read(FeatureStorage.Auto, Rows(700, _ => 10)).IsSparse);
        Assert.False(Read(FeatureStorage.Auto, Rows(700, _ => 30)).IsSparse);
        Assert.True(Read(FeatureStorage.Sparse, Rows(700, _ => 30)).IsSparse);
        Assert.False(Read(FeatureStorage.Dense, Rows(700, _ => 1)).IsSparse);
        // Fewer rows than are looked at, and rows that turn dense behind the first ones: all rows are there whatever was decided when.
        Assert.False(Read(FeatureStorage.Auto, Rows(9, _ => 30)).IsSparse);
        foreach (int turn in new[] { 100, 600, 1500 })
        {
            VBuffer<float>[] rows = Rows(2000, row => row < turn ? 1 : 60);
            TrainingData found = Read(FeatureStorage.Auto, rows);
            Assert.False(found.IsSparse);
            Assert.Equal(2000, found.Count);
            foreach (int row in new[] { 0, turn - 1, turn, 1999 })
                Assert.Equal(rows[row].DenseValues(), RandomTask.RowOf(found, row));
        }
        // Tables of few columns are dense.
        Assert.False(new RowColumns(View([new VBuffer<float>(100, 0, [], [])]).Schema["Features"], View([]).Schema["Label"], null)
        {
            Storage = FeatureStorage.Auto
        }.MayBeSparse);
    }

    /// <summary>A million rows of 60 values take less than 600 MB: 8 bytes a value, and little beside.</summary>
    [Fact]
    public void A_value_takes_8_bytes()
    {
        const int Rows = 100_000, Values = 60;
        TrainingData data = new(50_000, 3, sparse: true);
        int[] indices = [.. Enumerable.Range(0, Values).Select(i => i * 800)];
        float[] values = [.. Enumerable.Repeat(1f, Values)];
        Assert.InRange(AllocatedMemory.Of(Fill), 8L * Rows * Values, 600L * Rows);
        Assert.Equal((8 * Values + 12L) * Rows, data.Bytes);
        Assert.InRange(AllocatedMemory.Least(data.Clear, Fill), 0, 1000);
        Assert.Equal(indices, data.Sparse(Rows - 1).Indices.ToArray());

        void Fill()
        {
            for (int row = 0; row < Rows; row++)
                data.Add(new SparseRow(indices, values), [row % 3], null);
        }
    }

    [Fact]
    public void A_row_longer_than_a_block_is_kept_whole()
    {
        const int Features = 600_000;
        TrainingData data = new(Features, 2, sparse: true);
        float[] row = [.. Enumerable.Range(0, Features).Select(i => i + 1f)];
        data.Add(new VBuffer<float>(Features, row), [0], null);
        data.Add(new VBuffer<float>(Features, 1, [5f], [9]), [1], null);
        Assert.Equal(row, RandomTask.RowOf(data, 0));
        Assert.Equal(5f, RandomTask.RowOf(data, 1)[9]);
    }

    [Theory, InlineData(1000, 100, 32), InlineData(1000, 5000, 32), InlineData(7, 3, 2)]
    public void Streamed_they_come_once_an_epoch_in_the_order_of_dense_ones(int rows, int pool, int batch)
    {
        // What comes is told by the one value that a row has.
        IDataView data = View([.. Enumerable.Range(0, rows).Select(row => new VBuffer<float>(Width, 1, [row + 1f], [row % Width]))]);
        float[][] orders = [.. new[] { FeatureStorage.Sparse, FeatureStorage.Dense }.Select(storage =>
        {
            using IChannel channel = ((IHostEnvironment)_mlContext).Start("test");
            using StreamedRows source = new(data, Columns(data, storage), null, 0.2, null, seed: 1, fingerprint: true, channel, () => { }, pool);
            Assert.Equal(storage == FeatureStorage.Sparse, source.Sparse != null);
            Assert.True(source.Sparse == null || (source.Sparse.ValuesPerRow == 1 && source.Sparse.Rows.Sum() == source.Count));
            float[] scratch = new float[Width];
            RandomGenerator shuffle = new(1, "shuffle");
            return Enumerable.Range(0, 2).SelectMany(_ => source.Epoch(batch, shuffle, 0).SelectMany(part => part.Rows.ToArray().Select(row =>
            {
                float value = part.Data.Row(row, scratch).ToArray().Sum();
                Assert.Equal((int)(value - 1) % 2, part.Data.Labels[row]);
                return value;
            }).ToArray())).ToArray();
        })];
        Assert.Equal(orders[1], orders[0]);
        Assert.Equal(2 * (rows - rows / 5), orders[0].Length);
    }

    private TrainingData Read(FeatureStorage storage, VBuffer<float>[] rows)
    {
        IDataView data = View(rows);
        using IChannel channel = ((IHostEnvironment)_mlContext).Start("test");
        return TrainingDataReader.TryRead(data, Columns(data, storage), channel, () => { }, long.MaxValue)!;
    }

    private static RowColumns Columns(IDataView data, FeatureStorage storage) =>
        new(data.Schema["Features"], data.Schema["Label"], null) { Storage = storage };

    private static VBuffer<float>[] Rows(int count, Func<int, int> values) => [.. Enumerable.Range(0, count).Select(row =>
        new VBuffer<float>(Width, values(row), [.. Enumerable.Range(0, values(row)).Select(i => row + i + 0.5f)],
            [.. Enumerable.Range(0, values(row))]))];

    private IDataView View(VBuffer<float>[] rows)
    {
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows.Length == 0 ? Width : rows[0].Length);
        return _mlContext.Data.LoadFromEnumerable(rows.Select((row, i) => new Row { Features = row, Label = (uint)(i % 2) }).ToArray(), schema);
    }

    private sealed class Row
    {
        public VBuffer<float> Features { get; set; }

        [KeyType(2)]
        public uint Label { get; set; }
    }
}
