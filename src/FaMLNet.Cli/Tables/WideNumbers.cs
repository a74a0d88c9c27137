using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Tables;

/// <summary>
/// Columns of numbers that the view gives as a few vectors, where a table has very many of them. ML.NET keeps a column of its own for each scalar in
/// every step of a pipeline, and saves each by itself: 20,000 of them took 1.2 GB.
/// </summary>
internal static class WideNumbers
{
    /// <summary>Columns of numbers from which on they are given as vectors.</summary>
    public const int LeastColumns = 1000;

    // ML.NET's NormalizeMeanVariance takes time that grows by the square of a vector's length.
    private const int LongestVector = 500;

    private const string Annotation = "FaMLNetColumns";

    /// <summary>Gathers columns of numbers in vectors.</summary>
    /// <param name="columns">The view's columns; changed.</param>
    /// <param name="numbers">The names of those that are features; changed.</param>
    /// <param name="alone">The names of those that stay as they are.</param>
    public static void Gather(List<ViewColumn> columns, List<string> numbers, IReadOnlySet<string> alone)
    {
        HashSet<string> gathered = [.. numbers.Where(name => !alone.Contains(name))];
        ViewColumn[][] groups = [.. columns.Where(column => gathered.Contains(column.Name)).Chunk(LongestVector)];
        columns.RemoveAll(column => gathered.Contains(column.Name));
        numbers.RemoveAll(gathered.Contains);
        for (int i = 0; i < groups.Length; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{ColumnNames.Vector}{i + 1}");
            columns.Add(Vector(name, groups[i]));
            numbers.Add(name);
        }
    }

    /// <summary>A vector of columns.</summary>
    public static ViewColumn Vector(string name, IReadOnlyList<ViewColumn> parts) =>
        new(name, Source: -1, new ColumnReading { Column = name, IsNumber = true }) { Parts = parts };

    /// <summary>Adds a vector to a schema: its slots are called after the table's columns.</summary>
    public static void AddTo(DataViewSchema.Builder schema, ViewColumn vector)
    {
        IReadOnlyList<ViewColumn> parts = vector.Parts!;
        DataViewSchema.Annotations.Builder annotations = new();
        annotations.Add("SlotNames", new VectorDataViewType(TextDataViewType.Instance, parts.Count), (ref VBuffer<ReadOnlyMemory<char>> value) =>
        {
            VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref value, parts.Count);
            for (int i = 0; i < parts.Count; i++)
                editor.Values[i] = parts[i].Name.AsMemory();
            value = editor.Commit();
        });
        string readings = JsonSerializer.Serialize(parts.Select(part => part.Reading));
        annotations.Add(Annotation, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = readings.AsMemory());
        schema.AddColumn(vector.Name, new VectorDataViewType(NumberDataViewType.Double, parts.Count), annotations.ToAnnotations());
    }

    /// <summary>The names and readings of a vector's columns; null for a column that is no such vector.</summary>
    /// <exception cref="FormatException">Its annotation is damaged.</exception>
    public static IReadOnlyList<(string Name, ColumnReading Reading)>? Of(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Annotation) is not { Type: TextDataViewType }
            || column.Type is not VectorDataViewType { Size: > 0 and int size, ItemType: NumberDataViewType })
            return null;
        ReadOnlyMemory<char> text = default;
        column.Annotations.GetValue(Annotation, ref text);
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetSlotNames(ref names);
        try
        {
            ColumnReading[] readings = JsonSerializer.Deserialize<ColumnReading[]>(text.Span) ?? throw new JsonException("it says null");
            return readings.Length == size && names.Length == size && readings.All(reading => reading is { IsNumber: true, IsSingle: false })
                ? [.. names.DenseValues().Select(name => name.ToString()).Zip(readings, (name, reading) => (name, reading.Checked()))]
                : throw new JsonException("it contradicts the column's type");
        }
        catch (JsonException failure)
        {
            throw new FormatException($"The model's column '{column.Name}' has a damaged description: {failure.Message} Train the model again.",
                failure);
        }
    }
}
