namespace FaMLNet.Cli.Naming;

/// <summary>Values of an enumeration as options name them.</summary>
internal static class EnumNames
{
    /// <summary>The value of a name, in any case; null if there is none. Numbers and lists, which <c>Enum.TryParse</c> takes, are no names.</summary>
    public static T? Find<T>(string name) where T : struct, Enum => Enum.GetValues<T>().Cast<T?>()
        .FirstOrDefault(value => value.ToString()!.Equals(name, StringComparison.OrdinalIgnoreCase));
}
