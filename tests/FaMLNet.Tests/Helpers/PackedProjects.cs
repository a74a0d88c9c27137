namespace FaMLNet.Tests.Interop;

/// <summary>The projects of the packages, packed once for all tests that use them: what takes the time is to compile the library.</summary>
public sealed class PackedProjects : IDisposable
{
    private readonly Lazy<DirectoryInfo> _folder;

    public PackedProjects() => _folder = new(Pack);

    /// <summary>A version of its own: NuGet would otherwise go on using the package of an earlier run.</summary>
    public string Version { get; } = $"0.0.1-test.{DateTime.UtcNow:yyyyMMddHHmmss}.{Environment.ProcessId}";

    /// <summary>The folder of the packages, which are made when it is first asked for.</summary>
    public string Feed => Path.Combine(_folder.Value.FullName, "feed");

    /// <summary>A package's file.</summary>
    public string PathOf(string package) => Path.Combine(Feed, $"{package}.{Version}.nupkg");

    public void Dispose()
    {
        if (!_folder.IsValueCreated)
            return;
        _folder.Value.Delete(recursive: true);
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (string unpacked in new[] { "famlnet", "famlnet.reporting", "famlnet.tool" }.Select(name => Path.Combine(cache, name, Version))
            .Where(Directory.Exists))
            Directory.Delete(unpacked, recursive: true);
    }

    private DirectoryInfo Pack()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet-packages");
        foreach (string project in new[] { "src/FaMLNet", "src/FaMLNet.Reporting", "src/FaMLNet.Cli" })
        {
            // Analyzers look at the same sources when the tests are built.
            ProcessRunner.Run("dotnet", ProcessRunner.Metadata("RepositoryRoot"), "pack", project, "-c", ProcessRunner.Metadata("Configuration"),
                "-o", Path.Combine(folder.FullName, "feed"), $"-p:Version={Version}", "-p:RunAnalyzers=false", "--artifacts-path",
                Path.Combine(folder.FullName, "artifacts"), "-nodeReuse:false");
        }
        return folder;
    }
}
