using System.Globalization;
using System.Reflection;
using Microsoft.ML.Trainers;

namespace FaMLNet.Reporting;

/// <summary>A trainer's options as names and values, for people to read and to compare.</summary>
internal static class TrainingOptions
{
    private const string None = "none";

    /// <summary>
    /// What a training takes, in the order of the names; callbacks and tokens are left out. Where an option of FaMLNet's is null, its value is the
    /// one that the training takes instead.
    /// </summary>
    public static IReadOnlyList<(string Name, object? Value)> Of(TrainerInputBase? options)
    {
        IReadOnlyList<(string Name, object? Value)> set = Set(options);
        if (options is not FeedbackAlignmentOptions famlnet)
            return set;
        IReadOnlyDictionary<string, object> defaults = famlnet.GetDefaultsInUse();
        return [.. set.Select(option => (option.Name, option.Value ?? defaults.GetValueOrDefault(option.Name) ?? None))];
    }

    private static IReadOnlyList<(string Name, object? Value)> Set(TrainerInputBase? options) => options == null ? []
        : [.. options.GetType().GetMembers(BindingFlags.Instance | BindingFlags.Public)
            .Select(member => (member.Name, Value: ValueOf(member, options), Type: TypeOf(member)))
            .Where(option => option.Type is { } type && !typeof(Delegate).IsAssignableFrom(type) && type != typeof(CancellationToken)
                && option.Name != "TrackAlignment")
            .OrderBy(option => option.Name, StringComparer.Ordinal).Select(option => (option.Name, option.Value))];

    /// <summary>A value as text, alike in every culture; "default" for null, which other trainers have.</summary>
    public static string Text(object? value) => value switch
    {
        null => "default",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static object? ValueOf(MemberInfo member, object options) => member switch
    {
        PropertyInfo property => property.GetValue(options),
        FieldInfo field => field.GetValue(options),
        _ => null,
    };

    private static Type? TypeOf(MemberInfo member) => member switch
    {
        PropertyInfo property => property.PropertyType,
        FieldInfo field => field.FieldType,
        _ => null,
    };
}
