using FaMLNet.Reporting;

namespace FaMLNet.Cli.Terminal;

/// <summary>What this program knows of itself as a process.</summary>
internal static class ThisTool
{
    /// <summary>What a process returns that was stopped, by Ctrl+C or SIGTERM, and goes on later.</summary>
    public const int Stopped = 130;

    /// <summary>The versions of the tool and of what decides its results.</summary>
    public static string Version => $"{PackageVersion.Of(typeof(FeedbackRule))} (ML.NET {PackageVersion.Of(typeof(Microsoft.ML.MLContext))}, "
        + $"TorchSharp "
        + $"{PackageVersion.Of(typeof(TorchSharp.torch))}, .NET {Environment.Version})";

    /// <summary>The command that runs this very program again.</summary>
    public static (string File, IReadOnlyList<string> Arguments) Command()
    {
        string process = Environment.ProcessPath ?? throw new InvalidOperationException("It is not known by what file this process was started.");
        string dll = Path.Combine(AppContext.BaseDirectory, typeof(ThisTool).Assembly.GetName().Name + ".dll");
        bool isHost = Path.GetFileNameWithoutExtension(process).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        return (process, isHost ? ["exec", dll] : []);
    }
}
