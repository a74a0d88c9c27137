namespace FaMLNet.Cli.Tables;

/// <summary>
/// Tells whether a whole file quotes its values by <c>'</c>. Since that is also an apostrophe, nothing may speak against it: no <c>"</c> anywhere,
/// every <c>'</c> at an end of a value or doubled inside one, at least one quoted value in every row of data, and as many values in each.
/// </summary>
internal static class SingleQuotes
{
    private const int LeastRows = 2;

    /// <param name="text">The table from its first line of values or names.</param>
    /// <param name="separator">What stands between two values.</param>
    /// <param name="hasHeader">Whether the first row names the columns, which may be without quotes.</param>
    public static bool Are(TextReader text, char separator, bool hasHeader)
    {
        int rows = 0, width = 0;
        while (Record(text, separator) is { } record)
        {
            if (record is { IsSound: true, Length: 0 })
                continue;
            bool isHeader = hasHeader && rows == 0;
            if (!record.IsSound || rows > 0 && record.Values != width || record.Quoted == 0 && !isHeader)
                return false;
            width = record.Values;
            rows++;
        }
        return rows - (hasHeader ? 1 : 0) >= LeastRows && width > 1;
    }

    /// <summary>Reads a record; null at the end of the text.</summary>
    private static (bool IsSound, int Values, int Quoted, int Length)? Record(TextReader text, char separator)
    {
        if (text.Peek() < 0)
            return null;
        int values = 1, quoted = 0, length = 0;
        bool isInside = false, isAtStart = true, isBehind = false;
        while (text.Read() is var code and >= 0)
        {
            char character = (char)code;
            if (character == '"')
                return (false, 0, 0, 0);
            if (isInside)
            {
                if (character == '\'' && text.Peek() == '\'')
                    text.Read();
                else if (character == '\'')
                    (isInside, isBehind) = (false, true);
            }
            else if (character is '\n' or '\r')
            {
                if (character == '\r' && text.Peek() == '\n')
                    text.Read();
                return (true, values, quoted, length);
            }
            else if (character == separator)
                (values, isAtStart, isBehind) = (values + 1, true, false);
            else if (character == '\'' && isAtStart)
                (isInside, isAtStart, quoted) = (true, false, quoted + 1);
            else if (character == '\'' || isBehind && character != ' ')
                return (false, 0, 0, 0);
            else if (character != ' ')
                isAtStart = false;
            length++;
        }
        return (!isInside, values, quoted, length);
    }
}
