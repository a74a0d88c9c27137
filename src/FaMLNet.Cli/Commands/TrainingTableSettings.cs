using System.ComponentModel;
using FaMLNet.Cli.Tables;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary>The options of all commands that decide what the columns of a table are.</summary>
internal class TrainingTableSettings : TableSettings
{
    [CommandOption("--number <COLUMNS>"), Description("Columns of numbers, whatever they look like; what is no number is missing.")]
    public string[] Number { get; set; } = [];

    [CommandOption("--category <COLUMNS>"), Description("Columns of categories, whatever they look like.")]
    public string[] Category { get; set; } = [];

    [CommandOption("--text <COLUMNS>"), Description("Columns of sentences, whatever they look like.")]
    public string[] Text { get; set; } = [];

    [CommandOption("--ignore <COLUMNS>"), Description("Columns to leave out. Like the three before: separated by commas, or given more than "
        + "once.")]
    public string[] Ignore { get; set; } = [];

    [CommandOption("--missing <VALUE>"), Description("A value that means that a value is not known, in every column; may be given more than "
        + "once.")]
    public string[] Missing { get; set; } = [];

    [CommandOption("--positive <VALUE>"), Description("The value of a label of two values that counts as true.")]
    public string? Positive { get; set; }

    /// <summary>What the options say of the columns.</summary>
    /// <param name="path">The table.</param>
    /// <exception cref="FormatException">An option has a value that it cannot have.</exception>
    public TableChoices ChoicesFor(string path)
    {
        bool isFolder = Directory.Exists(path);
        string[] all = [.. Number, .. Category, .. Text, .. Ignore];
        // A name may hold a comma itself.
        IReadOnlyCollection<string> names = isFolder || !all.Any(name => name.Contains(',', StringComparison.Ordinal)) ? all
            : TableFile.Open(path, Format).Names.ToHashSet();
        return new TableChoices
        {
            Numbers = TableChoices.Split(Number, names),
            Categories = TableChoices.Split(Category, names),
            Texts = TableChoices.Split(Text, names),
            Ignored = TableChoices.Split(Ignore, names),
            Missing = Missing,
            Positive = Positive,
            HasDecimalComma = TableFormat.ParseDecimal(Decimal),
        };
    }

    /// <summary>The options that were given, as a command line has them.</summary>
    public IReadOnlyList<string> ToArguments()
    {
        List<string> arguments = NoHeader ? ["--no-header"] : [];
        foreach ((string option, IEnumerable<string?> values) in new (string, IEnumerable<string?>)[]
        {
            ("--separator", [Separator]), ("--quote", [Quote]), ("--decimal", [Decimal]), ("--positive", [Positive]), ("--number", Number),
            ("--category", Category), ("--text", Text), ("--ignore", Ignore), ("--missing", Missing),
        })
        {
            foreach (string value in values.OfType<string>())
                arguments.AddRange([option, value]);
        }
        return arguments;
    }
}
