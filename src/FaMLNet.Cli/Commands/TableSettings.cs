using System.ComponentModel;
using FaMLNet.Cli.Tables;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary>The options of all commands that read a table.</summary>
internal class TableSettings : CommandSettings
{
    [CommandOption("--no-header"), Description("The table's first line is data; columns are named 1, 2, 3, …")]
    public bool NoHeader { get; set; }

    [CommandOption("--separator <CHARACTER>"), Description(
        "What stands between two values of the table: a character, or comma, semicolon, tab, pipe or space. Without it told from the table.")]
    public string? Separator { get; set; }

    [CommandOption("--quote <STYLE>"), Description(
        "How values are quoted: double, single, or none if quotes are ordinary characters. Without it told from the table.")]
    public string? Quote { get; set; }

    [CommandOption("--decimal <SIGN>"), Description("How numbers are written: point or comma. Without it told from the columns.")]
    public string? Decimal { get; set; }

    /// <summary>The layout of the table.</summary>
    /// <exception cref="FormatException">An option has a value that it cannot have.</exception>
    public TableFormat Format => new(!NoHeader, TableFormat.ParseSeparator(Separator), TableFormat.ParseQuote(Quote),
        TableFormat.ParseDecimal(Decimal));
}
