using System.Globalization;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Rows;

/// <summary>What the columns of a training call its classes and its features: by that, not by their numbers, data and models are compared.</summary>
/// <remarks>They are read when they are asked for: a schema of many features has them already.</remarks>
/// <param name="FeatureColumn">The features.</param>
/// <param name="LabelColumn">The label; null if it is not known.</param>
internal sealed record ColumnNames(DataViewSchema.Column FeatureColumn, DataViewSchema.Column? LabelColumn)
{
    private const int MostShown = 20;

    /// <summary>The values of the label's keys, in their order; null for a label without such values.</summary>
    public IReadOnlyList<string>? Classes => LabelColumn is { } label ? ClassesOf(label) : null;

    /// <summary>Whether the classes are called by their numbers, from 0, as texts: so a file of numbered classes names them.</summary>
    public bool AreNumbers => LabelColumn?.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues)
        is { Type: VectorDataViewType { ItemType: TextDataViewType } } && Classes is { } classes
        && classes.Select((name, number) => name == number.ToString(CultureInfo.InvariantCulture)).All(same => same);

    /// <summary>The values of a column's keys as texts, the same in every culture; null if it has none.</summary>
    public static string[]? ClassesOf(DataViewSchema.Column column)
    {
        if (column.Type is not KeyDataViewType key
            || column.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues) is not { Type: VectorDataViewType type })
            return null;
        string[] values = (string[])typeof(ColumnNames).GetMethod(nameof(Texts), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(type.ItemType.RawType).Invoke(null, [column])!;
        return (ulong)values.Length == key.Count ? values : null;
    }

    /// <summary>The slot names of a column of vectors, empty where a slot has none; null if the column has none.</summary>
    public static IReadOnlyList<string>? SlotNamesOf(DataViewSchema.Column column) => SlotsOf(column)?.Select(name => $"{name}").ToArray();

    /// <summary>Of each class, its number among others; −1 if it is not there. Null where numbers are all there is, or are the same.</summary>
    public static int[]? Map(IReadOnlyList<string>? classes, IReadOnlyList<string>? others)
    {
        if (classes == null || others == null || classes.SequenceEqual(others))
            return null;
        Dictionary<string, int> numbers = [];
        for (int i = 0; i < others.Count; i++)
            numbers.TryAdd(others[i], i);
        return [.. classes.Select(name => numbers.GetValueOrDefault(name, -1))];
    }

    /// <summary>Classes as messages show them: the first, if they are many.</summary>
    public static string Text(IReadOnlyList<string> classes) =>
        string.Join(", ", classes.Take(MostShown).Select(name => $"'{name}'")) + (classes.Count > MostShown ? ", …" : "");

    /// <summary>How the slot names of features differ from those expected; null if they do not, or if either has none.</summary>
    public static FeatureDifference? Compare(DataViewSchema.Column expected, DataViewSchema.Column found)
    {
        if (SlotsOf(expected) is not { } these || SlotsOf(found) is not { } those || these.Length != those.Length)
            return null;
        int slot = 0;
        while (slot < those.Length && (these[slot].IsEmpty || those[slot].IsEmpty || these[slot].Span.SequenceEqual(those[slot].Span)))
            slot++;
        if (slot == those.Length)
            return null;
        HashSet<string> known = [.. these.Where(name => !name.IsEmpty).Select(name => name.ToString())];
        return new FeatureDifference(slot, $"{these[slot]}", $"{those[slot]}", those.Any(name => known.Contains(name.ToString())));
    }

    /// <summary>The slot names of a column of vectors; null if it has none.</summary>
    private static ReadOnlyMemory<char>[]? SlotsOf(DataViewSchema.Column column)
    {
        if (column.Type is not VectorDataViewType { Size: > 0 } || !column.HasSlotNames())
            return null;
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetSlotNames(ref names);
        return [.. names.DenseValues()];
    }

    private static string[] Texts<T>(DataViewSchema.Column column)
    {
        VBuffer<T> values = default;
        column.Annotations.GetValue(AnnotationUtils.Kinds.KeyValues, ref values);
        return [.. values.DenseValues().Select(value => value switch
        {
            DateTime or DateTimeOffset => ((IFormattable)value).ToString("O", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        })];
    }
}

/// <summary>The first feature that is called otherwise than expected.</summary>
/// <param name="Slot">Its number, from 0.</param>
/// <param name="Expected">What it should be.</param>
/// <param name="Found">What it is called.</param>
/// <param name="IsSameKind">Whether some names are those expected: then they mean the same, and their places count.</param>
internal sealed record FeatureDifference(int Slot, string Expected, string Found, bool IsSameKind);
