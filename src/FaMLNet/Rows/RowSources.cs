using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Rows;

/// <summary>Chooses where the rows of a training are.</summary>
internal static class RowSources
{
    /// <summary>Reads the training data into memory or prepares to stream it, as the options and free memory say.</summary>
    /// <param name="training">The training data.</param>
    /// <param name="validation">A validation set; null for none.</param>
    /// <param name="plan">Decides how rows are read and kept.</param>
    /// <param name="channel">Receives messages.</param>
    /// <param name="checkCancelled">Throws to stop.</param>
    public static RowSource Open(RoleMappedData training, RoleMappedData? validation, RowPlan plan, IChannel channel,
        Action checkCancelled)
    {
        RowColumns columns = ColumnsOf(training) with
        {
            LeastLabel = plan.LeastLabel,
            Storage = plan.Storage,
            AreImages = plan.AreImages,
            AreStandardized = plan.AreStandardized,
            AreForOwnModule = plan.AreForOwnModule,
        };
        columns.CheckClasses();
        RowColumns? aside = validation == null ? null : ColumnsOf(validation).AsValidationOf(columns, message => channel.Warning(message));
        if (plan.Caching != DataCaching.Streaming)
        {
            long free = FreeBytes(), most = plan.Caching == DataCaching.InMemory ? long.MaxValue : free / 2;
            // An image may stay bytes, so its rows may need only a quarter: reading them tells.
            // The same is true of sparse rows.
            long? rows = training.Data.GetRowCount(), least = columns.MayBeSparse ? null : rows * columns.Width;
            if (plan.Caching == DataCaching.InMemory || least is null || least <= most)
            {
                if (TrainingDataReader.TryRead(training.Data, columns, channel, checkCancelled, most) is { } data)
                    return new InMemoryRows(data, Aside(data.IsSparse), plan.ValidationFraction, plan.ClassWeights, plan.Seed,
                        checkCancelled);
            }
            channel.Info($"The training data{(rows is { } known ? $" of {known} rows" : "")} needs more than half of the {free >> 20} MB of free "
                + $"memory: it is streamed, read anew in every epoch (DataCaching.Auto).");
        }
        columns = columns with { Storage = StorageOf(training.Data, columns, checkCancelled) };
        return new StreamedRows(training.Data, columns, Aside(columns.Storage == FeatureStorage.Sparse), plan.ValidationFraction,
            plan.ClassWeights, plan.Seed, plan.NeedsHash, channel, checkCancelled);

        // A validation set is kept as the training rows are.
        TrainingData? Aside(bool sparse) => aside == null ? null : TrainingDataReader.TryRead(validation!.Data, aside with
        {
            Storage = sparse ? FeatureStorage.Sparse : FeatureStorage.Dense
        }, channel, checkCancelled, long.MaxValue, isTraining: false);
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
        while (rows.Count < RowColumns.RowsThatDecide && reader.Read(out ReadOnlySpan<int> _, out float _))
            rows.Add(reader.Features);
        return columns.IsDense((double)rows.Values / Math.Max(1, rows.Count) / columns.Width) ? FeatureStorage.Dense : FeatureStorage.Sparse;
    }

    /// <summary>The columns of a training or validation set.</summary>
    public static RowColumns ColumnsOf(RoleMappedData data) => new(data.Schema.Feature!.Value, data.Schema.Label!.Value, data.Schema.Weight);

    private static long FreeBytes()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
    }
}
