namespace FaMLNet.Cli.Tables;

/// <summary>Kinds of columns.</summary>
internal enum ColumnKind
{
    Number,
    Category,
    Text,
    Date,
    Identifier,
    LeftOut,
}

/// <summary>A column of a file, and what it is taken for.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Index">Its place, from 0.</param>
/// <param name="Kind">What it is taken for.</param>
internal sealed record TableColumn(string Name, int Index, ColumnKind Kind)
{
    /// <summary>Of numbers, whether 1,5 is one and a half.</summary>
    public bool HasDecimalComma { get; init; }

    /// <summary>Of dates, the order of their parts.</summary>
    public string? DateOrder { get; init; }

    /// <summary>The number of different values; null where there are more than were counted.</summary>
    public int? Values { get; init; }

    /// <summary>The number of rows whose value is not known.</summary>
    public long Missing { get; init; }

    /// <summary>The first row that stood against another choice, or what else is good to know; empty for nothing.</summary>
    public string Remark { get; init; } = "";

    /// <summary>Whether it is read as numbers.</summary>
    public bool IsNumber => Kind == ColumnKind.Number;
}
