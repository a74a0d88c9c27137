namespace FaMLNet.Cli;

/// <summary>Places of files as users write them.</summary>
internal static class Places
{
    /// <summary>A path with the home folder in the place of a leading <c>~</c>, <c>$HOME</c> or <c>${HOME}</c>; another text as it is.</summary>
    public static string Expand(string text)
    {
        foreach (string sign in new[] { "~", "$HOME", "${HOME}" })
        {
            if (text == sign || text.StartsWith(sign + "/", StringComparison.Ordinal))
                return Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + text[sign.Length..];
        }
        return text;
    }
}
