using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>Dates as tables write them, and the numbers that are made of them.</summary>
internal static class DateText
{
    private static readonly string[] Times =
        ["", " H:mm", " H:mm:ss", " H:mm:ss.FFFFFFF", "'T'H:mm", "'T'H:mm:ss", "'T'H:mm:ss.FFFFFFF", " h:mm tt", " h:mm:ss tt"];

    /// <summary>Orders of a date's parts, the first that fits a column before the others.</summary>
    public static IReadOnlyList<string> Orders { get; } = ["year-month-day", "day.month.year", "month/day/year", "day/month/year",
        "month in letters"];

    /// <summary>The numbers that a date becomes.</summary>
    public static IReadOnlyList<string> Parts { get; } = ["year", "month", "day", "weekday", "hour"];

    private static readonly Dictionary<string, string[]> Formats = new()
    {
        ["year-month-day"] = WithTimes("yyyy-M-d", "yyyy/M/d", "yyyy.M.d"),
        ["day.month.year"] = WithTimes("d.M.yyyy", "d.M.yy"),
        ["month/day/year"] = WithTimes("M/d/yyyy", "M/d/yy", "M-d-yyyy"),
        ["day/month/year"] = WithTimes("d/M/yyyy", "d/M/yy", "d-M-yyyy"),
        ["month in letters"] = WithTimes("d MMM yyyy", "d MMMM yyyy", "MMM d yyyy", "MMM d, yyyy", "MMMM d, yyyy", "d-MMM-yyyy", "d-MMM-yy"),
    };

    /// <summary>Reads a date by an order of its parts.</summary>
    /// <param name="text">The date, without blanks around it.</param>
    /// <param name="order">One of <see cref="Orders"/>.</param>
    /// <param name="value">Date and time as written; a time zone is not applied.</param>
    public static bool TryParse(string text, string order, out DateTime value)
    {
        value = default;
        if (text.Length is < 6 or > 40 || !text.Any(char.IsAsciiDigit) || !DateTimeOffset.TryParseExact(text, Formats[order],
            CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset read))
            return false;
        value = read.DateTime;
        return true;
    }

    /// <summary>One of <see cref="Parts"/> of a date: the month from 1, the weekday from Monday = 1, the hour with its fraction.</summary>
    public static double PartOf(DateTime value, string part) => part switch
    {
        "year" => value.Year,
        "month" => value.Month,
        "day" => value.Day,
        "weekday" => value.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)value.DayOfWeek,
        _ => value.TimeOfDay.TotalHours,
    };

    private static string[] WithTimes(params string[] dates) =>
        [.. dates.SelectMany(date => Times.SelectMany(time => time.Length == 0 || time.Contains("tt", StringComparison.Ordinal)
            ? new[] { date + time } : [date + time, date + time + "K"]))];
}
