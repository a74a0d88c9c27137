namespace FaMLNet.Cli.Tables;

/// <summary>What is counted of one column while every row is looked at once.</summary>
/// <param name="mostValues">Different values that are kept at the most.</param>
/// <param name="missing">Further values that mean that a value is not known.</param>
internal sealed class ColumnScan(int mostValues, IReadOnlyCollection<string> missing)
{
    private const int RowsOfNumbers = 100;

    private readonly Dictionary<string, (long Row, long Count)> _values = new(StringComparer.Ordinal);
    private readonly ProseSigns _prose = new();
    private readonly long[] _dates = new long[DateText.Orders.Count];
    private HashSet<ulong>? _hashes = [];
    private double _pointSum, _commaSum;

    /// <summary>Rows without a value, by a gap, a question mark or the user's word.</summary>
    public long Gaps { get; private set; }

    /// <summary>Those of the user's words that occur.</summary>
    public HashSet<string> MissingFound { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows of what means no number, such as NA, if the column is one of numbers.</summary>
    public long NoNumbers { get; private set; }

    /// <summary>Other rows.</summary>
    public long Others { get; private set; }

    /// <summary>Of the others, those that are numbers with a decimal point, and with a decimal comma.</summary>
    public long Points { get; private set; }

    public long Commas { get; private set; }

    /// <summary>Of the numbers, those with a per cent sign, and those with a fraction by either way of writing.</summary>
    public long Percents { get; private set; }

    public bool HasFraction { get; private set; }

    /// <summary>The first number that is another one by the other decimal sign, as 1.100 is 1.1 or 1100.</summary>
    public (long Row, string Text)? FirstOfTwoReadings { get; private set; }

    /// <summary>Whether no value of the column tells the decimal sign, though some values depend on it.</summary>
    public bool HasTwoReadings => FirstOfTwoReadings != null && Points == Commas;

    /// <summary>The first number with a currency, and the first with another one.</summary>
    public (long Row, string Text)? FirstCurrency { get; private set; }

    public (long Row, string Text)? OtherCurrency { get; private set; }

    /// <summary>What the numbers have with them: a per cent sign, a currency, or nothing; null where it is mixed.</summary>
    public string? Unit => OtherCurrency != null || Percents > 0 && Percents < Others - Neither ? null
        : Percents > 0 ? "%" : FirstCurrency is { } first ? NumberText.CurrencyOf(first.Text) : "";

    /// <summary>The first rows that are no number by the one way, by the other, and by neither.</summary>
    public (long Row, string Text)? FirstNoPoint { get; private set; }

    public (long Row, string Text)? FirstNoComma { get; private set; }

    public List<(long Row, string Text)> NeitherRows { get; } = [];

    public long Neither { get; private set; }

    /// <summary>The first number with thousands apart or a currency.</summary>
    public (long Row, string Text)? Decorated { get; private set; }

    /// <summary>
    /// The different values: the row in which each was seen first, and in how many; some of them where <see cref="HasAllValues"/> is false.
    /// </summary>
    public IReadOnlyDictionary<string, (long Row, long Count)> Values => _values;

    public bool HasAllValues { get; private set; } = true;

    /// <summary>Whether the values are 0, 1, 2, … or 1, 2, 3, … from row to row.</summary>
    public bool CountsRows { get; private set; } = true;

    /// <summary>Whether every row has a value, and each another.</summary>
    public bool IsDifferentEverywhere => _hashes != null && Gaps == 0;

    /// <summary>Whether the column holds sentences.</summary>
    public bool IsProse => _prose.Decide();

    /// <summary>Rows that are dates by each order of a date's parts.</summary>
    public IReadOnlyList<long> Dates => _dates;

    /// <summary>Rows that are dates by any order.</summary>
    public long AnyDates { get; private set; }

    /// <summary>The sum of the numbers, by point or by comma.</summary>
    public double Sum(bool hasComma) => hasComma ? _commaSum : _pointSum;

    /// <summary>The smallest and the greatest number, by whichever decimal sign a value allows.</summary>
    public double Lowest { get; private set; } = double.PositiveInfinity;

    public double Highest { get; private set; } = double.NegativeInfinity;

    /// <summary>The first row that is no date by an order that most rows have.</summary>
    public (long Row, string Text)?[] FirstNoDate { get; } = new (long, string)?[DateText.Orders.Count];

    public void Look(string text, long row)
    {
        if (text is "" or "?" || missing.Contains(text))
        {
            Gaps++;
            if (text is not ("" or "?"))
                MissingFound.Add(text);
            CountsRows = false;
            return;
        }
        if (_values.TryGetValue(text, out (long Row, long Count) seen))
            _values[text] = (Math.Min(seen.Row, row), seen.Count + 1);
        else if (_values.Count < mostValues)
            _values.Add(text, (row, 1));
        else
            HasAllValues = false;
        // Of a column of numbers no identifiers are kept in mind.
        if (Others == RowsOfNumbers && Neither == 0)
            _hashes = null;
        if (_hashes != null && !_hashes.Add(Hash(text)))
            _hashes = null;
        if (NumberText.IsMissing(text))
        {
            NoNumbers++;
            return;
        }
        Others++;
        bool isPoint = NumberText.TryParse(text, hasDecimalComma: false, out double point), isComma = NumberText.TryParse(text, true,
            out double comma);
        Points += isPoint ? 1 : 0;
        Commas += isComma ? 1 : 0;
        _pointSum += isPoint ? point : 0;
        _commaSum += isComma ? comma : 0;
        if (!isPoint)
            FirstNoPoint = Earlier(FirstNoPoint, row, text);
        if (!isComma)
            FirstNoComma = Earlier(FirstNoComma, row, text);
        if (isPoint || isComma)
        {
            Percents += NumberText.IsPercent(text) ? 1 : 0;
            HasFraction |= isPoint && point != Math.Truncate(point) || isComma && comma != Math.Truncate(comma);
            if (isPoint && isComma && point != comma)
                FirstOfTwoReadings = Earlier(FirstOfTwoReadings, row, text);
            double number = isPoint ? point : comma;
            (Lowest, Highest) = (Math.Min(Lowest, number), Math.Max(Highest, number));
            CountsRows &= isPoint && (point == row || point == row - 1);
            if (NumberText.IsDecorated(text, hasDecimalComma: !isPoint))
                Decorated = Earlier(Decorated, row, text);
            if (NumberText.CurrencyOf(text) is { } currency)
                LookAtCurrency(currency, text, row);
            return;
        }
        CountsRows = false;
        Neither++;
        if (NeitherRows.Count < 5)
            NeitherRows.Add((row, text));
        _prose.Look(text);
        // What is no date in the first rows is not tried for ever.
        if (AnyDates >= Neither / 2 - 20)
            LookForDates(text, row);
    }

    private void LookForDates(string text, long row)
    {
        bool isDate = false;
        for (int pass = 0; pass < 2 && !isDate; pass++)
        {
            for (int i = 0; i < _dates.Length; i++)
            {
                // An order that failed in most rows is tried only where the others fail.
                bool isLikely = _dates[i] >= Neither / 2 - 20;
                if (isLikely != (pass == 0))
                    continue;
                if (!DateText.TryParse(text, DateText.Orders[i], out _))
                {
                    FirstNoDate[i] = Earlier(FirstNoDate[i], row, text);
                    continue;
                }
                _dates[i]++;
                isDate = true;
            }
        }
        AnyDates += isDate ? 1 : 0;
    }

    private void LookAtCurrency(string currency, string text, long row)
    {
        if (FirstCurrency is not { } first || NumberText.CurrencyOf(first.Text) == currency)
            FirstCurrency = Earlier(FirstCurrency, row, text);
        else
            OtherCurrency = Earlier(OtherCurrency, row, text);
    }

    /// <summary>The earlier of two rows: the first row of a table is looked at last.</summary>
    private static (long Row, string Text) Earlier((long Row, string Text)? first, long row, string text) =>
        first is { } found && found.Row < row ? found : (row, text);

    /// <summary>FNV-1a: of texts that differ, two have the same one in 2⁶⁴.</summary>
    private static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char character in text)
            hash = (hash ^ character) * 1099511628211;
        return hash;
    }
}
