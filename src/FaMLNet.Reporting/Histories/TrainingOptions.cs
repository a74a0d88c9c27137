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
        ResolvedOptions resolved = famlnet.Resolve();
        // The rate is shown with its optimiser.
        return [.. set.Where(option => option.Name != nameof(famlnet.LearningRate))
            .Select(option => (option.Name, option.Value ?? InUse(option.Name, famlnet, resolved) ?? None))];
    }

    /// <summary>The value of an option that is null, in words where it depends on the rows or the layers.</summary>
    private static object? InUse(string option, FeedbackAlignmentOptions options, ResolvedOptions resolved) => option switch
    {
        nameof(options.Optimizer) => resolved.Optimizer == resolved.OptimizerOfSparseRows ? resolved.Optimizer
            : string.Create(CultureInfo.InvariantCulture, $"{resolved.Optimizer}, {SparseFactor(resolved)} times that rate on sparse rows"),
        nameof(options.Schedule) => resolved.Schedule,
        nameof(options.FeedbackScale) => resolved.FeedbackScale,
        nameof(options.InitialWeightScale) => resolved.InitialWeightScale == resolved.InitialWeightScaleIfNormalized ? resolved.InitialWeightScale
            : string.Create(CultureInfo.InvariantCulture, $"{resolved.InitialWeightScale}, or {resolved.InitialWeightScaleIfNormalized} if the "
                + $"network normalises activations"),
        nameof(options.Seed) => "drawn from the context",
        nameof(options.ValidationSeed) => "that of the training",
        nameof(options.NumberOfThreads) => "all",
        nameof(options.ImageShape) => "that of the column",
        _ => null,
    };

    // Two rates of single precision give 2.4999998.
    private static double SparseFactor(ResolvedOptions resolved) =>
        Math.Round(resolved.OptimizerOfSparseRows.LearningRate / (double)resolved.Optimizer.LearningRate, 3);

    private static IReadOnlyList<(string Name, object? Value)> Set(TrainerInputBase? options) => options == null ? []
        : [.. options.GetType().GetMembers(BindingFlags.Instance | BindingFlags.Public)
            .Select(member => (member.Name, Value: ValueOf(member, options), Type: TypeOf(member)))
            .Where(option => option.Type is { } type && !typeof(Delegate).IsAssignableFrom(type) && type != typeof(CancellationToken))
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
