using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests;

/// <summary>The large image sets, which do not ship: in the folder that FAMLNET_DATA names, or in shared/data beside the repository.</summary>
internal static class LargeSets
{
    /// <summary>The folder of a set; skips the test, and says so, where it is not.</summary>
    public static string Require(string name)
    {
        string?[] roots = [Environment.GetEnvironmentVariable("FAMLNET_DATA"),
            Path.Combine(ProcessRunner.Metadata("RepositoryRoot"), "..", "shared", "data")];
        string? folder = roots.Where(root => !string.IsNullOrEmpty(root)).Select(root => Path.GetFullPath(Path.Combine(root!, name)))
            .FirstOrDefault(Directory.Exists);
        if (folder == null)
            Assert.Skip($"needs the image set '{name}': set FAMLNET_DATA to a folder that has it");
        return folder!;
    }
}
