using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace FaMLNet.Rows;

/// <summary>
/// Rows read anew in every epoch: a thread of its own reads them through a pool, from which a row at random goes out for each that comes in, and
/// hands them on in blocks, ahead of the computation. Memory is that of the pool and a few blocks, whatever the number of rows.
/// </summary>
internal sealed class StreamedRows : RowSource
{
    /// <summary>Bytes of the pool's features.</summary>
    public const int PoolBytes = 64 << 20;

    private const int MostPoolRows = 1 << 17, BlocksAhead = 3, BlockBytes = 4 << 20;

    private readonly IDataView _view;
    private readonly RowColumns _columns;
    private readonly Action _checkCancelled;
    private readonly double _validationFraction;
    private readonly int _seed, _poolRows;
    private readonly FeatureSums _sums;
    private readonly float[]? _classFactors;
    private readonly double _factor;
    private float[]? _means;
    private readonly bool _sparse;
    private RowPool? _pool;

    /// <summary>Reads everything once: counts, means, hash, the rows kept aside.</summary>
    /// <param name="view">The training data.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="validation">A set of its own; null for a share of the rows, or none.</param>
    /// <param name="validationFraction">Share of each class's rows that is kept aside, in memory.</param>
    /// <param name="classWeights">Weights by class; null for none.</param>
    /// <param name="seed">Decides which rows are kept aside.</param>
    /// <param name="fingerprint">Whether a hash is wanted.</param>
    /// <param name="channel">Receives messages.</param>
    /// <param name="checkCancelled">Called every few rows; throws to stop.</param>
    /// <param name="poolRows">Rows of the pool; null for what fits <see cref="PoolBytes"/>.</param>
    public StreamedRows(IDataView view, RowColumns columns, TrainingData? validation, double validationFraction, ClassWeights? classWeights, int seed,
        bool fingerprint,
        IChannel channel, Action checkCancelled, int? poolRows = null)
    {
        _view = view;
        _columns = columns;
        _checkCancelled = checkCancelled;
        _validationFraction = validation == null ? validationFraction : 0;
        _seed = seed;
        _sparse = columns.Storage == FeatureStorage.Sparse;
        _sums = new FeatureSums(columns.Width, _sparse);
        Targets = new TargetMoments(columns.LabelWidth);
        long[] counts = new long[columns.Classes];
        double[] weights = new double[columns.Classes];
        TrainingData? aside = _validationFraction > 0 ? NewData() : null;
        using IncrementalHash? hash = fingerprint ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        Scan(aside, counts, weights, hash, channel);
        _poolRows = poolRows ?? Math.Clamp((int)(PoolBytes / BytesPerRow), 256, MostPoolRows);
        // Rows kept aside are among those of the stream; a set of its own is not.
        Fingerprint = hash == null ? "" : Convert.ToHexString(hash.GetHashAndReset()) + validation?.Hash();
        if (validation != null)
            Validation = new ValidationRows(validation, [.. Enumerable.Range(0, validation.Count)]);
        else if (aside != null)
        {
            if (aside.Count == 0)
                throw new NoRowLeftException(InvariantText.Of($"Option ValidationFraction: {validationFraction} of {Count} rows leaves no "
                    + $"row for validation. Raise the fraction, or give a validation set to Fit."));
            Validation = new ValidationRows(aside, [.. Enumerable.Range(0, aside.Count)]);
        }
        (_classFactors, _factor) = WeightFactors(classWeights, counts, weights);
        Validation?.Data.MultiplyWeights(_classFactors, _factor);
        CheckValidationWeight();
    }

    public override int Features => _columns.Width;

    public override int Classes => _columns.Classes;

    public override LabelKind Kind => _columns.Kind;

    public override long Count => _sums.Rows;

    public override string Fingerprint { get; }

    public override int LabelWidth => _columns.LabelWidth;

    private double BytesPerRow => Sparse is { } sparse ? 8 * sparse.ValuesPerRow + 64 : (double)sizeof(float) * Features;

    private bool IsWeighted => _columns.Weight != null || _classFactors != null;

    public override float[] Center()
    {
        _means = _sums.Means();
        Validation?.Data.Center(_means);
        return _means;
    }

    public override void MeasureChannels(int channels, Span<float> mean, Span<float> deviation) => _sums.MeasureChannels(channels, mean, deviation);

    public override IEnumerable<RowBatch> Epoch(int batchSize, RandomGenerator shuffle, long skip)
    {
        int blockRows = Math.Max(1, (int)(BlockBytes / BytesPerRow / batchSize)) * batchSize;
        using BlockingCollection<TrainingData> full = new(BlocksAhead), empty = [];
        for (int i = 0; i < BlocksAhead; i++)
            empty.Add(NewData(blockRows, packs: false));
        using CancellationTokenSource stop = new();
        Task producer = Task.Factory.StartNew(() => Produce(full, empty, blockRows, shuffle, stop.Token), CancellationToken.None,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            int[] places = [.. Enumerable.Range(0, blockRows)];
            long done = 0;
            foreach (TrainingData block in full.GetConsumingEnumerable())
            {
                for (int from = 0; from < block.Count; from += batchSize)
                {
                    int count = Math.Min(batchSize, block.Count - from);
                    if (done >= skip)
                        yield return new RowBatch(block, places.AsMemory(from, count));
                    done += count;
                }
                empty.Add(block);
            }
            producer.GetAwaiter().GetResult(); // an exception of the reading thread comes out here
        }
        finally
        {
            stop.Cancel();
            try
            {
                producer.Wait();
            }
            catch (AggregateException)
            {
                // Reported above, or made moot by what ended the epoch.
            }
        }
    }

    private TrainingData NewData(long? rows = null, bool packs = true) => new(Features, Classes, rows, packs, Kind, _sparse, LabelWidth);

    private void Scan(TrainingData? aside, long[] counts, double[] weights, IncrementalHash? hash, IChannel channel)
    {
        ValidationSampler sampler = new(_validationFraction, _seed, Classes);
        using RowReader reader = new(_view, _columns, _checkCancelled);
        float[] row = new float[_sparse ? 0 : Features];
        TrainingData? one = _sparse ? NewData(1) : null;
        long usable = 0;
        while (reader.Read(out ReadOnlySpan<int> label, out float weight))
        {
            usable++;
            if (one != null)
            {
                one.Clear();
                one.Add(reader.Features, label, null);
                if (hash != null)
                    TrainingData.AppendTo(hash, one.Sparse(0));
            }
            else
            {
                reader.Features.CopyTo(row);
                hash?.AppendData(MemoryMarshal.AsBytes(row.AsSpan()));
            }
            hash?.AppendData(MemoryMarshal.AsBytes(label));
            hash?.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<float>(in weight)));
            if (aside != null && sampler.Takes(Kind.ClassOf(label[0])))
            {
                aside.Add(reader.Features, label, _columns.Weight == null ? null : weight);
                if (aside.Bytes > PoolBytes)
                    throw new InvalidOperationException(InvariantText.Of($"Option ValidationFraction: with streamed data the rows kept aside must "
                        + $"fit {PoolBytes >> 20} MB; {_validationFraction} is too much. Lower it, or give a validation set to Fit."));
                continue;
            }
            counts[Kind.ClassOf(label[0])]++;
            weights[Kind.ClassOf(label[0])] += weight;
            Targets.Add(Kind, label);
            if (one != null)
                _sums.Add(one.Sparse(0));
            else
                _sums.Add(row);
        }
        if (_sparse)
            Sparse = _sums.Occurrences;
        TrainingDataReader.CheckUsable(_columns, reader.Counts, counts, Targets, anyWeight: weights.Sum() > 0 || usable == 0, isTraining: true);
        TrainingDataReader.Report(_columns, reader, usable, channel, arePixels: false);
        TargetChecks.Warn(_columns, Targets, channel);
    }

    private void Produce(BlockingCollection<TrainingData> full, BlockingCollection<TrainingData> empty, int blockRows, RandomGenerator shuffle,
        CancellationToken stop)
    {
        try
        {
            ValidationSampler sampler = new(_validationFraction, _seed, Classes);
            using RowReader reader = new(_view, _columns, () => { stop.ThrowIfCancellationRequested(); _checkCancelled(); });
            int poolRows = (int)Math.Min(_poolRows, Count), filled = 0;
            // Made once: epochs follow each other, and so much memory is slow to come and go.
            RowPool pool = _pool ??= RowPool.Create(_sparse, poolRows, Features, LabelWidth);
            bool Fill(int slot)
            {
                while (reader.Read(out ReadOnlySpan<int> label, out float weight))
                {
                    if (_validationFraction > 0 && sampler.Takes(Kind.ClassOf(label[0])))
                        continue;
                    pool.Put(slot, reader, _means, label, (float)(weight * (_classFactors?[Kind.ClassOf(label[0])] ?? 1) * _factor));
                    return true;
                }
                return false;
            }
            while (filled < poolRows && Fill(filled))
                filled++;
            TrainingData block = empty.Take(stop);
            block.Clear();
            bool more = true;
            long handed = 0;
            while (filled > 0)
            {
                int slot = shuffle.NextInt32(filled);
                pool.AddTo(block, slot, IsWeighted);
                handed++;
                more = more && Fill(slot);
                if (!more && slot != --filled)
                    pool.Move(filled, slot);
                if (block.Count == blockRows)
                {
                    full.Add(block, stop);
                    block = empty.Take(stop);
                    block.Clear();
                }
            }
            if (block.Count > 0)
                full.Add(block, stop);
            if (handed != Count)
                throw new InvalidOperationException($"The training data gave {handed} rows in this epoch, but {Count} when it was first read. "
                    + $"Streamed data must be the same each time: use DataCaching.InMemory for data that changes.");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The epoch was left before its end.
        }
        finally
        {
            full.CompleteAdding();
        }
    }
}
