using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Training;

/// <summary>Chooses where the rows of a training are.</summary>
internal static class RowSources
{
    /// <summary>Reads the training data into memory or prepares to stream it, as the options and free memory say.</summary>
    /// <param name="training">The training data.</param>
    /// <param name="validation">A validation set; null for none.</param>
    /// <param name="settings">The options.</param>
    /// <param name="channel">Receives messages.</param>
    /// <param name="checkCancelled">Throws to stop.</param>
    public static RowSource Open(RoleMappedData training, RoleMappedData? validation, TrainingSettings settings, IChannel channel,
        Action checkCancelled)
    {
        RowColumns columns = ColumnsOf(training) with
        {
            LeastLabel = settings.PredictsRates ? 0 : float.NegativeInfinity,
            Storage = settings.Storage,
        };
        if (validation != null && ColumnsOf(validation) is var other && (other.Width != columns.Width || other.Classes != columns.Classes))
            throw new InvalidOperationException($"The validation data has {other.Describe()}; the training data has {columns.Describe()}. "
                + AdviceOn(columns.Label, other.Label));
        if (settings.Caching != DataCaching.Streaming)
        {
            long free = FreeBytes(), most = settings.Caching == DataCaching.InMemory ? long.MaxValue : free / 2;
            // An image may stay bytes, so its rows may need only a quarter: reading them tells.
            // The same is true of sparse rows.
            long? rows = training.Data.GetRowCount(), least = columns.MayBeSparse ? null : rows * columns.Width;
            if (settings.Caching == DataCaching.InMemory || least is null || least <= most)
            {
                if (TrainingDataReader.TryRead(training.Data, columns, channel, checkCancelled, most) is { } data)
                    return new InMemoryRows(data, Aside(data.IsSparse), settings.ValidationFraction, settings.ClassWeights, settings.Seed);
            }
            channel.Info($"The training data{(rows is { } known ? $" of {known} rows" : "")} needs more than half of the {free >> 20} MB of free "
                + $"memory: it is streamed, read anew in every epoch (DataCaching.Auto).");
        }
        columns = columns with { Storage = StorageOf(training.Data, columns, checkCancelled) };
        return new StreamedRows(training.Data, columns, Aside(columns.Storage == FeatureStorage.Sparse), settings.ValidationFraction,
            settings.ClassWeights, settings.Seed, settings.Checkpoints != null, channel, checkCancelled);

        // A validation set is kept as the training rows are.
        TrainingData? Aside(bool sparse) => validation == null ? null : ReadValidation(validation, columns with
        {
            Storage = sparse ? FeatureStorage.Sparse : FeatureStorage.Dense
        }, channel, checkCancelled);
    }

    /// <summary>How rows are kept that are streamed: the first ones decide.</summary>
    private static FeatureStorage StorageOf(IDataView data, RowColumns columns, Action checkCancelled)
    {
        if (!columns.MayBeSparse)
            return FeatureStorage.Dense;
        if (columns.Storage == FeatureStorage.Sparse)
            return FeatureStorage.Sparse;
        SparseRows rows = new();
        using RowReader reader = new(data, columns, checkCancelled);
        while (rows.Count < RowColumns.RowsThatDecide && reader.Read(out _, out _))
            rows.Add(reader.Features);
        return columns.IsDense((double)rows.Values / Math.Max(1, rows.Count) / columns.Width) ? FeatureStorage.Dense : FeatureStorage.Sparse;
    }

    /// <summary>How two sets come to have the same classes.</summary>
    private static string AdviceOn(DataViewSchema.Column training, DataViewSchema.Column validation)
    {
        // Files of numbered classes, such as IDX: which there are is told from each file's own labels.
        return IsNumbered(training) && IsNumbered(validation) && CountOf(training) != CountOf(validation)
            ? "The classes of a file read by LoadFromIdx are 0, 1, … up to the largest label in that file. Give LoadFromIdx the same labelNames for "
            + $"both, of all {Math.Max(CountOf(training), CountOf(validation))} classes."
            : "Transform both with the transformers fitted on the training data.";

        static ulong CountOf(DataViewSchema.Column label) => (label.Type as KeyDataViewType)?.Count ?? 0;

        static bool IsNumbered(DataViewSchema.Column label)
        {
            if (!label.HasKeyValues() || ((VectorDataViewType)label.Annotations.Schema["KeyValues"].Type).ItemType is not TextDataViewType)
                return false;
            VBuffer<ReadOnlyMemory<char>> names = default;
            label.GetKeyValues(ref names);
            return names.DenseValues().Select((name, number) => name.Span.SequenceEqual(number.ToString(CultureInfo.InvariantCulture)))
                .All(same => same);
        }
    }

    private static RowColumns ColumnsOf(RoleMappedData data) => new(data.Schema.Feature!.Value, data.Schema.Label!.Value, data.Schema.Weight);

    private static TrainingData ReadValidation(RoleMappedData validation, RowColumns training, IChannel channel, Action checkCancelled)
    {
        RowColumns columns = ColumnsOf(validation) with { LeastLabel = training.LeastLabel, Storage = training.Storage };
        return TrainingDataReader.TryRead(validation.Data, columns, channel, checkCancelled, long.MaxValue, isTraining: false)!;
    }

    private static long FreeBytes()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
    }
}
