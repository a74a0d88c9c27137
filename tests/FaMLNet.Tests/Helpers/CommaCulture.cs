using System.Globalization;
using System.Runtime.CompilerServices;

namespace FaMLNet.Tests;

/// <summary>
/// All tests run in a culture that writes 1.234,5 for 1,234.5, as most of Europe does: a clone of the invariant one, so that no ICU is needed.
/// What the library saves, compares, reads, logs or throws must not show it.
/// </summary>
internal static class CommaCulture
{
    public static CultureInfo Culture { get; } = Create();

    [ModuleInitializer]
    internal static void Set() =>
        (CultureInfo.DefaultThreadCurrentCulture, CultureInfo.DefaultThreadCurrentUICulture, CultureInfo.CurrentCulture,
            CultureInfo.CurrentUICulture) = (Culture, Culture, Culture, Culture);

    private static CultureInfo Create()
    {
        CultureInfo culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator) = (",", ".");
        (culture.NumberFormat.PercentDecimalSeparator, culture.NumberFormat.PercentGroupSeparator) = (",", ".");
        return culture;
    }
}
