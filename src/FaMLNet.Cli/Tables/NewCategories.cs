using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>Categories of one column that a model has not met in its training: it reads them as none of those that it knows.</summary>
internal sealed class NewCategories(ViewColumn column)
{
    private const int MostCompared = 1000;

    private readonly HashSet<string> _known = [.. column.Reading.Known!];
    private readonly HashSet<string> _values = new(StringComparer.Ordinal);
    private long _count, _rows, _firstRow;
    private string _first = "";

    /// <summary>Looks at a row.</summary>
    /// <param name="texts">Of the row, by the file's columns.</param>
    /// <param name="row">The row's number.</param>
    public void Look(string[] texts, long row)
    {
        string text = column.Reading.ReadText(texts[column.Source]);
        _rows++;
        if (text.Length == 0 || _known.Contains(text))
            return;
        if (_count++ == 0)
            (_firstRow, _first) = (row, text);
        if (_values.Count < MostCompared)
            _values.Add(text);
    }

    /// <summary>Says what was found, if anything.</summary>
    public void Describe(string path, Action<string> say)
    {
        if (_count == 0)
            return;
        string alike = AlikeTexts.Describe(_values, _known, "category");
        say(string.Create(CultureInfo.InvariantCulture, $"'{path}', row {_firstRow}, column '{column.Reading.Column}': the model does not know ")
            + $"the category '{_first}'; it knows {TableChoices.Shown(column.Reading.Known!)}. "
            + string.Create(CultureInfo.InvariantCulture, $"{_count} of {_rows} rows have a category there that it does not know.")
            + (alike.Length > 0 ? " " + alike : ""));
    }
}
