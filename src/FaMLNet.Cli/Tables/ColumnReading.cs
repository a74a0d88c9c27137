using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Tables;

/// <summary>
/// How a column of the view is read from a file: what was decided when the model was trained. It travels with the model, as an annotation
/// of the column in the schema that ML.NET saves.
/// </summary>
internal sealed record ColumnReading
{
    private const string Annotation = "FaMLNetColumn";

    /// <summary>The column's name in the file.</summary>
    public required string Column { get; init; }

    /// <summary>Whether it becomes a number.</summary>
    public bool IsNumber { get; init; }

    /// <summary>Whether the number is of single precision, as labels must be.</summary>
    public bool IsSingle { get; init; }

    /// <summary>Whether a class is written as a number: 1 and 1.0 are one class.</summary>
    public bool IsNumericClass { get; init; }

    /// <summary>Whether 1,5 is one and a half.</summary>
    public bool HasDecimalComma { get; init; }

    /// <summary>The order of a date's parts; null for another column.</summary>
    public string? DateOrder { get; init; }

    /// <summary>The part of the date.</summary>
    public string? DatePart { get; init; }

    /// <summary>Further values that mean that a value is not known.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>
    /// Of numbers what the training's had with them: a per cent sign, a currency, or nothing. Null where it is not known or was mixed.
    /// </summary>
    public string? Unit { get; init; }

    /// <summary>The categories that the training had; null where they are not known or were very many.</summary>
    public IReadOnlyList<string>? Known { get; init; }

    /// <summary>Whether every text is passed through as it is.</summary>
    public bool IsRaw { get; init; }

    /// <summary>The type of the view's column.</summary>
    [JsonIgnore]
    public DataViewType Type => !IsNumber ? TextDataViewType.Instance : IsSingle ? NumberDataViewType.Single : NumberDataViewType.Double;

    /// <summary>Whether a text means that the value is not known.</summary>
    public bool IsMissing(string text) => !IsRaw && (text is "" or "?" || Missing.Contains(text) || IsNumber && NumberText.IsMissing(text));

    /// <summary>Reads a number.</summary>
    /// <returns>False for a text that is neither a number nor one that means that it is not known.</returns>
    public bool TryReadNumber(string text, out double value)
    {
        value = double.NaN;
        if (IsMissing(text))
            return true;
        if (DateOrder == null)
            return NumberText.TryParse(text, HasDecimalComma, out value);
        if (!DateText.TryParse(text, DateOrder, out DateTime date))
            return false;
        value = DateText.PartOf(date, DatePart!);
        return true;
    }

    /// <summary>Reads a text; empty where it is not known.</summary>
    public string ReadText(string text) => IsMissing(text) ? "" : IsNumericClass ? NumberText.ClassOf(text, HasDecimalComma) : text;

    /// <summary>The annotation that carries this reading.</summary>
    public DataViewSchema.Annotations ToAnnotations()
    {
        DataViewSchema.Annotations.Builder builder = new();
        string text = JsonSerializer.Serialize(this);
        builder.Add(Annotation, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = text.AsMemory());
        return builder.ToAnnotations();
    }

    /// <summary>This reading, if a file that was not damaged can hold it.</summary>
    /// <exception cref="JsonException">It cannot.</exception>
    public ColumnReading Checked() => (DateOrder == null || DateText.Orders.Contains(DateOrder) && DatePart != null) && Column != null
        && Missing != null ? this : throw new JsonException("it lacks what a column needs");

    /// <summary>The reading of a trained model's column; by its type alone where an earlier build saved the model.</summary>
    /// <exception cref="FormatException">The column cannot be read from a table, or its annotation is damaged.</exception>
    public static ColumnReading Of(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Annotation) is { Type: TextDataViewType })
        {
            ReadOnlyMemory<char> text = default;
            column.Annotations.GetValue(Annotation, ref text);
            try
            {
                ColumnReading read = JsonSerializer.Deserialize<ColumnReading>(text.Span) ?? throw new JsonException("it says null");
                return read.Type.Equals(column.Type) ? read.Checked() : throw new JsonException("it contradicts the column's type");
            }
            catch (JsonException failure)
            {
                throw new FormatException($"The model's column '{column.Name}' has a damaged description: {failure.Message} Train the model again.",
                    failure);
            }
        }
        bool isSingle = column.Type == NumberDataViewType.Single;
        return isSingle || column.Type == NumberDataViewType.Double || column.Type is TextDataViewType
            ? new ColumnReading { Column = ColumnNames.InTable(column.Name), IsNumber = column.Type is NumberDataViewType, IsSingle = isSingle }
            : throw new FormatException($"The model reads column '{column.Name}' of type {column.Type}, which a table cannot have. It was trained on "
                + "images, or by a program of its own: use it from there.");
    }
}
