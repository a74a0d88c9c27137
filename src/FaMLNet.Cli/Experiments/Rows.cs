using Microsoft.ML;

namespace FaMLNet.Cli.Experiments;

/// <summary>Rows of views.</summary>
internal static class Rows
{
    /// <summary>How many rows a view has: of a table they have to be counted.</summary>
    public static long CountOf(IDataView view)
    {
        if (view.GetRowCount() is { } known)
            return known;
        long rows = 0;
        using DataViewRowCursor cursor = view.GetRowCursor([]);
        while (cursor.MoveNext())
            rows++;
        return rows;
    }
}
