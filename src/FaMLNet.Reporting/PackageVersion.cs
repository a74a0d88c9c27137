using System.Reflection;

namespace FaMLNet.Reporting;

/// <summary>The version of the package that a type is from; its assembly's may be another (ML.NET's is 1.0.0 in every release).</summary>
internal static class PackageVersion
{
    public static string Of(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? $"{type.Assembly.GetName().Version}";
}
