using System.Runtime.InteropServices;
using FaMLNet.Tasks.Labels;

namespace FaMLNet.Rows;

/// <summary>All rows in memory, in a new random order each epoch.</summary>
internal sealed class InMemoryRows : RowSource
{
    private string? _fingerprint;
    private readonly TrainingData _data;
    private readonly Action? _checkCancelled;
    private readonly int[] _rows, _order;

    /// <param name="data">The rows; owned from now on, and changed.</param>
    /// <param name="validation">A set of its own; null for a share of the rows, or none.</param>
    /// <param name="validationFraction">Share of each class's rows that is kept aside.</param>
    /// <param name="classWeights">Weights by class; null for none.</param>
    /// <param name="seed">Decides which rows are kept aside.</param>
    /// <param name="checkCancelled">Called while all rows are gone through; throws to stop. Null for nothing.</param>
    public InMemoryRows(TrainingData data, TrainingData? validation = null, double validationFraction = 0, ClassWeights? classWeights = null,
        int seed = 0, Action? checkCancelled = null)
    {
        _checkCancelled = checkCancelled;
        _data = data;
        _rows = AllRows(data);
        if (validation != null)
            Validation = new ValidationRows(validation, AllRows(validation));
        else if (validationFraction > 0)
        {
            (_rows, int[] aside) = Split(data, validationFraction, new RandomGenerator(seed, "validation"));
            Validation = new ValidationRows(data, aside);
        }
        _order = new int[_rows.Length];
        long[] counts = new long[data.Classes];
        double[] weights = new double[data.Classes];
        foreach (int row in _rows)
        {
            int label = data.ClassOf(row);
            counts[label]++;
            weights[label] += data.Weights.IsEmpty ? 1 : data.Weights[row];
        }
        Targets = data.MomentsOf(_rows);
        Sparse = data.IsSparse ? SparseFeatures.Of(data, _rows) : null;
        (float[]? byClass, double factor) = WeightFactors(classWeights, counts, weights);
        data.MultiplyWeights(byClass, factor);
        validation?.MultiplyWeights(byClass, factor);
        CheckValidationWeight();
    }

    public override int Features => _data.Features;

    public override int Classes => _data.Classes;

    public override LabelKind Kind => _data.Kind;

    public override int LabelWidth => _data.LabelWidth;

    public override long Count => _rows.Length;

    // Of the rows as they were read: asked for before they are centred, and kept.
    public override string Fingerprint => _fingerprint ??= _data.Hash(_checkCancelled) + (Validation is { } validation
        && validation.Data != _data ? validation.Data.Hash(_checkCancelled) : "");

    public override float[] Center()
    {
        float[] means = _data.MeansOf(_rows);
        _data.Center(means);
        if (Validation != null && Validation.Data != _data)
            Validation.Data.Center(means);
        return means;
    }

    public override void MeasureChannels(int channels, Span<float> mean, Span<float> deviation) =>
        _data.MeasureChannels(_rows, channels, mean, deviation);

    public override IEnumerable<RowBatch> Epoch(int batchSize, RandomGenerator shuffle, long skip)
    {
        // From the same start each time, so that an epoch's order depends on the generator alone.
        _rows.CopyTo(_order, 0);
        shuffle.Shuffle(_order);
        for (int from = (int)skip; from < _order.Length; from += batchSize)
            yield return new RowBatch(_data, _order.AsMemory(from, Math.Min(batchSize, _order.Length - from)));
    }

    private static int[] AllRows(TrainingData data)
    {
        int[] rows = new int[data.Count];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = i;
        return rows;
    }

    /// <summary>The same share of every class, rounded; no class loses its last training row.</summary>
    private static (int[] Training, int[] Aside) Split(TrainingData data, double fraction, RandomGenerator random)
    {
        List<int>[] byClass = [.. Enumerable.Range(0, data.Classes).Select(_ => new List<int>())];
        for (int row = 0; row < data.Count; row++)
            byClass[data.ClassOf(row)].Add(row);
        List<int> training = [], aside = [];
        foreach (List<int> rows in byClass)
        {
            random.Shuffle(CollectionsMarshal.AsSpan(rows));
            int share = Math.Min((int)Math.Round(fraction * rows.Count, MidpointRounding.AwayFromZero), Math.Max(0, rows.Count - 1));
            aside.AddRange(rows.Take(share));
            training.AddRange(rows.Skip(share));
        }
        if (aside.Count == 0)
            throw new NoRowLeftException(InvariantText.Of($"Option ValidationFraction: {fraction} of {data.Count} rows leaves no row for "
                + $"validation. Raise the fraction, or give a validation set to Fit."));
        training.Sort();
        aside.Sort();
        return ([.. training], [.. aside]);
    }
}
