namespace FaMLNet.Cli.Tables;

/// <summary>
/// Tells a table's separator and quotes from its first lines: the right ones give most rows the same number of values, more than one.
/// </summary>
internal static class TableSniffer
{
    private const double Nearly = 0.05, EarlyRow = 0.9;
    private const int MostCharacters = 1 << 20, MostRecords = 1000;

    /// <summary>From the one that is rarest inside values to the most frequent one: of two that fit equally well the first is taken.</summary>
    public const string Separators = "\t;|,";

    /// <summary>Completes what the user has said of the layout.</summary>
    /// <param name="text">The table from its first line of values or names.</param>
    /// <param name="format">What the user says.</param>
    /// <returns>The separator and the quotes.</returns>
    public static (char Separator, QuoteStyle Quote) Tell(TextReader text, TableFormat format)
    {
        char[] buffer = new char[MostCharacters];
        int length = text.ReadBlock(buffer);
        bool isWhole = length < buffer.Length;
        // A line that was cut says nothing about the number of values.
        if (!isWhole && Array.LastIndexOf(buffer, '\n', length - 1, length) is var end and > 0)
            length = end + 1;
        string sample = new(buffer, 0, length);
        QuoteStyle[] quotes = format.Quote is { } quote ? [quote] : [QuoteStyle.Double, QuoteStyle.None];
        char[] separators = format.Separator is { } separator ? [separator] : [.. Separators];
        (char Separator, QuoteStyle Quote, double Fit, int Values, bool IsLikeFirst) best = (format.Separator ?? ',', quotes[0], 0, 0, false);
        foreach (QuoteStyle style in quotes)
        {
            foreach (char candidate in separators)
            {
                (double fit, int values, bool isLikeFirst) = Fit(sample, candidate, style, isWhole);
                // Without quotes only where they fit clearly worse with them: such as one that is never closed. Where some rows end early, more
                // columns are worth a little, unless they divide the rows but not the header: as the commas of 0,5;0,5 below a;b do.
                bool isBetter = style == QuoteStyle.None ? fit > best.Fit + 0.001 && values >= best.Values
                    : fit != best.Fit && Math.Abs(fit - best.Fit) < Nearly && fit > 0
                        ? isLikeFirst == best.IsLikeFirst ? values > best.Values : isLikeFirst : fit > best.Fit;
                if (isBetter)
                    best = (candidate, style, fit, values, isLikeFirst);
            }
        }
        return (best.Separator, best.Quote);
    }

    /// <summary>
    /// The share of the rows that have the commonest number of values, that number, and whether the first row is divided at all. A row that ends
    /// early counts nearly, if the first does not. 0
    /// where the number is 1, or a quote is never closed.
    /// </summary>
    private static (double Fit, int Values, bool IsLikeFirst) Fit(string sample, char separator, QuoteStyle quote, bool isWhole)
    {
        Dictionary<int, int> counts = [];
        int records = 0, first = 0;
        try
        {
            using CsvRecords csv = new(new StringReader(sample), separator, quote);
            while (records < MostRecords && csv.Read())
            {
                if (csv.Count == 1 && csv.Text(0).Length == 0)
                    continue;
                if (records++ == 0)
                    first = csv.Count;
                counts[csv.Count] = counts.GetValueOrDefault(csv.Count) + 1;
            }
        }
        catch (CsvFaultException) when (isWhole || records < MostRecords / 2)
        {
            return (0, 0, false);
        }
        catch (CsvFaultException)
        {
            // The sample ends within quotes: what was read before counts.
        }
        if (records == 0)
            return (0, 0, false);
        (int values, int rows) = counts.MaxBy(pair => (pair.Value, pair.Key));
        int early = first == values ? counts.Where(pair => pair.Key < values).Sum(pair => pair.Value) : 0;
        return values > 1 ? ((rows + EarlyRow * early) / records, values, first > 1) : (0, 0, false);
    }
}
