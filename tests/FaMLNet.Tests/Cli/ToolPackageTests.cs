using System.IO.Compression;
using System.Xml.Linq;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>The .NET tool, installed from a folder of packages as users install it.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class ToolPackageTests(PackedProjects packed)
{
    [Fact]
    public void The_tool_installs_without_libtorch_says_how_to_get_it_and_trains_with_it()
    {
        string version = packed.Version, feed = packed.Feed, package = packed.PathOf("FaMLNet.Tool");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet-tool");
        try
        {
            string bin = Path.Combine(folder.FullName, "bin");
            Assert.InRange(new FileInfo(package).Length, 1 << 20, 100 << 20);
            using (ZipArchive zip = ZipFile.OpenRead(package))
            {
                Assert.DoesNotContain(zip.Entries, entry => entry.Name.Contains("torch_cpu", StringComparison.Ordinal));
                Assert.Contains(zip.Entries, entry => entry.FullName == "experiment.schema.json");
            }
            new XDocument(new XElement("configuration", new XElement("packageSources", new XElement("clear"),
                new XElement("add", new XAttribute("key", "test"), new XAttribute("value", feed))))).Save(Path.Combine(folder.FullName,
                    "nuget.config"));
            ProcessRunner.Run("dotnet", folder.FullName, "tool", "install", "FaMLNet.Tool", "--version", version, "--tool-path", bin, "--configfile",
                Path.Combine(folder.FullName, "nuget.config"));
            string tool = Path.Combine(bin, OperatingSystem.IsWindows() ? "famlnet.exe" : "famlnet");
            string help = ProcessRunner.Run(tool, folder.FullName, "--help");
            foreach (string command in new[] { "train", "evaluate", "predict", "attack", "report", "benchmark", "sweep", "data" })
            {
                Assert.Contains($"    {command} ", help, StringComparison.Ordinal);
                Assert.Contains("EXAMPLES:", ProcessRunner.Run(tool, folder.FullName, command, "--help"), StringComparison.Ordinal);
            }
            File.Copy(Tables.PathOf("iris"), Path.Combine(folder.FullName, "iris.csv"));
            // What needs none works; what needs one says in one line how to get it.
            Assert.Contains("mnist: MNIST", ProcessRunner.Run(tool, folder.FullName, "data", "list"), StringComparison.Ordinal);
            InvalidOperationException failure = Assert.Throws<InvalidOperationException>(() => Run([], tool, "train", "iris.csv", "--epochs", "2"));
            string[] lines = failure.Message.Split("ended with 1:")[1].Split('\n',
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            // Behind what was read one line, and no trace. How long a slow machine has worked may be said before it.
            Assert.Contains("set FAMLNET_LIBTORCH to the folder with its libraries", lines[^1], StringComparison.Ordinal);
            Assert.DoesNotContain(lines, line => line.StartsWith("at ", StringComparison.Ordinal));
            failure = Assert.Throws<InvalidOperationException>(() => Run([$"FAMLNET_LIBTORCH={feed}"], tool, "train", "iris.csv", "--epochs", "2"));
            Assert.Contains($"FAMLNET_LIBTORCH is '{feed}', which has no ", failure.Message, StringComparison.Ordinal);
            // The one that this project's own output has.
            string libtorch = Path.Combine(Path.GetDirectoryName(ProcessRunner.Metadata("Cli"))!, "runtimes", "linux-x64", "native");
            if (!Directory.Exists(libtorch))
                libtorch = Path.GetDirectoryName(ProcessRunner.Metadata("Cli"))!;
            Assert.Contains("Saved as model.zip.", Run([$"FAMLNET_LIBTORCH={libtorch}"], tool, "train", "iris.csv", "--epochs", "2"),
                StringComparison.Ordinal);

            string Run(string[] variables, string command, params string[] arguments) => OperatingSystem.IsWindows()
                ? ProcessRunner.Run("cmd", folder.FullName, ["/c", .. variables.SelectMany(variable => new[] { "set", variable, "&&" }), command,
                    .. arguments])
                : ProcessRunner.Run("env", folder.FullName, ["-u", "FAMLNET_LIBTORCH", .. variables, command, .. arguments]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
