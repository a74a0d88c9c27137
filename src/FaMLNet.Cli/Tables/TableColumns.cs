namespace FaMLNet.Cli.Tables;

/// <summary>A column of a file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Index">Its place, from 0.</param>
/// <param name="IsNumber">Whether its first rows hold nothing but numbers and missing values.</param>
/// <param name="IsProse">Whether they hold sentences: many values that are different and long.</param>
internal sealed record TableColumn(string Name, int Index, bool IsNumber, bool IsProse);

/// <summary>Decides what the columns of a table hold.</summary>
internal static class TableColumns
{
    /// <summary>Rows that decide whether a column holds numbers, and how they are written.</summary>
    public const int RowsLookedAt = 10_000;

    /// <summary>The kinds of the columns, and whether numbers have a decimal comma.</summary>
    public static (IReadOnlyList<TableColumn> Columns, bool HasDecimalComma) Decide(TableFile file)
    {
        int count = file.Names.Count;
        ProseSigns[] prose = [.. file.Names.Select(_ => new ProseSigns())];
        bool[] points = [.. file.Names.Select(_ => true)], commas = [.. file.Names.Select(_ => file.MayHaveDecimalComma)], fractions = new bool[count];
        using TableReader reader = file.Read();
        for (int row = 0; row < RowsLookedAt && reader.Read(); row++)
        {
            for (int i = 0; i < count; i++)
            {
                string text = reader.Text(i);
                if (TableFile.IsMissing(text))
                    continue;
                bool isPoint = TableFile.TryParse(text, decimalComma: false, out _);
                points[i] &= isPoint;
                commas[i] = commas[i] && TableFile.TryParse(text, decimalComma: true, out _);
                // Of a column of numbers nothing is kept.
                if (!points[i] && !commas[i])
                    prose[i].Look(text);
                fractions[i] |= isPoint && text.Contains('.', StringComparison.Ordinal);
            }
        }
        // Decimal commas are told by a column that is one of numbers only with them, where no column has decimal points.
        bool hasDecimalComma = Enumerable.Range(0, count).Any(i => commas[i] && !points[i])
            && !Enumerable.Range(0, count).Any(i => points[i] && fractions[i]);
        return ([.. file.Names.Select((name, i) => new TableColumn(name, i, hasDecimalComma ? commas[i] : points[i], prose[i].Decide()))],
            hasDecimalComma);
    }
}
