using System.IO.Compression;
using System.Xml.Linq;
using Xunit;

namespace FaMLNet.Tests.Interop;

/// <summary>The NuGet package, used by a project outside the solution that knows nothing but package references.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class PackageTests(PackedProjects packed)
{
    [Fact]
    public void A_project_with_only_package_references_trains_saves_loads_and_predicts_built_and_published()
    {
        string root = ProcessRunner.Metadata("RepositoryRoot"), version = packed.Version, packages = packed.Feed;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet-package");
        try
        {
            string consumer = folder.CreateSubdirectory("consumer").FullName;
            CheckContents(packed.PathOf("FaMLNet"));
            CheckReporting(packed.PathOf("FaMLNet.Reporting"), version);

            XDocument sources = XDocument.Load(Path.Combine(root, "nuget.config"));
            sources.Root!.Element("packageSources")!.Add(new XElement("add", new XAttribute("key", "test"), new XAttribute("value", packages)));
            sources.Save(Path.Combine(consumer, "nuget.config"));
            string libtorch = OperatingSystem.IsWindows() ? "libtorch-cpu-win-x64" : OperatingSystem.IsMacOS() ? "libtorch-cpu-osx-arm64"
                : "libtorch-cpu-linux-x64";
            File.WriteAllText(Path.Combine(consumer, "Consumer.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <OutputType>Exe</OutputType>
                    <TargetFramework>net10.0</TargetFramework>
                    <ImplicitUsings>enable</ImplicitUsings>
                    <Nullable>enable</Nullable>
                    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                    <SatelliteResourceLanguages>en</SatelliteResourceLanguages>
                    <CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>true</CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>
                    <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
                    <CreateHardLinksForPublishFilesIfPossible>true</CreateHardLinksForPublishFilesIfPossible>
                  </PropertyGroup>
                  <ItemGroup>
                    <PackageReference Include="FaMLNet" Version="{version}" />
                    <PackageReference Include="FaMLNet.Reporting" Version="{version}" />
                    <PackageReference Include="{libtorch}" Version="2.10.0" />
                  </ItemGroup>
                </Project>
                """);
            File.WriteAllText(Path.Combine(consumer, "Program.cs"), """
                using FaMLNet;
                using FaMLNet.Reporting;
                using Microsoft.ML;
                using Microsoft.ML.Data;

                MLContext mlContext = new(seed: 1);
                IDataView data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 200)
                    .Select(i => new Row { Features = [i % 2, i % 3, 1], Label = i % 2 == 0 ? "even" : "odd" }));
                var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
                    .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
                        rule: FeedbackRule.DirectFeedbackAlignment, numberOfEpochs: 40))
                    .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
                string zip = Path.Combine(AppContext.BaseDirectory, "model.zip");
                var model = pipeline.Fit(data);
                mlContext.Model.Save(model, data.Schema, zip);
                TrainingReport report = new("Consumer");
                report.Add("dfa", model.OfType<FeedbackAlignmentMulticlassTransformer>().Single().Model.History);
                report.SaveHtml(Path.Combine(AppContext.BaseDirectory, "report.html"));
                report.SavePictures(Path.Combine(AppContext.BaseDirectory, "pictures"));
                using var engine = mlContext.Model.CreatePredictionEngine<Row, Prediction>(mlContext.Model.Load(zip, out _));
                Console.WriteLine(engine.Predict(new Row { Features = [1, 2, 1] }).PredictedLabel + " "
                    + engine.Predict(new Row { Features = [0, 2, 1] }).PredictedLabel);

                internal sealed class Row
                {
                    [VectorType(3)]
                    public float[] Features { get; set; } = [];

                    public string Label { get; set; } = "";
                }

                internal sealed class Prediction
                {
                    public string PredictedLabel { get; set; } = "";
                }
                """);
            Assert.Equal("odd even", ProcessRunner.Run("dotnet", consumer, "run", "-c", "Release", "-p:UseSharedCompilation=false").Trim()
                .Split('\n')[^1].Trim());
            BuildWithPackagesInside(folder.CreateSubdirectory("inside").FullName, Path.Combine(consumer, "nuget.config"), version);
            string published = Path.Combine(folder.FullName, "published");
            ProcessRunner.Run("dotnet", consumer, "publish", "-c", "Release", "-o", published, "-nodeReuse:false");
            Assert.Equal("odd even", ProcessRunner.Run("dotnet", published, Path.Combine(published, "Consumer.dll")).Trim());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A project for prediction alone on .NET 8, whose packages are restored into a folder of its own, every warning an error.</summary>
    private static void BuildWithPackagesInside(string folder, string nugetConfig, string version)
    {
        File.Copy(nugetConfig, Path.Combine(folder, "nuget.config"));
        File.WriteAllText(Path.Combine(folder, "Inside.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net8.0</TargetFramework>
                <OutputType>Library</OutputType>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <MSBuildTreatWarningsAsErrors>true</MSBuildTreatWarningsAsErrors>
                <RestorePackagesPath>packages</RestorePackagesPath>
                <SatelliteResourceLanguages>en</SatelliteResourceLanguages>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="FaMLNet" Version="{version}" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Model.cs"),
            "public static class Model { public static string Rule => FaMLNet.FeedbackRule.FeedbackAlignment.ShortName; }");
        string log = ProcessRunner.Run("dotnet", folder, "build", "-c", "Release", "-p:UseSharedCompilation=false", "-nodeReuse:false");
        Assert.Contains("0 Warning(s)", log, StringComparison.Ordinal);
    }

    private static void CheckContents(string package)
    {
        using ZipArchive zip = ZipFile.OpenRead(package);
        string[] names = [.. zip.Entries.Select(entry => entry.FullName)];
        foreach (string expected in new[] { "lib/net8.0/FaMLNet.dll", "lib/net8.0/FaMLNet.xml", "lib/net10.0/FaMLNet.dll", "lib/net10.0/FaMLNet.xml",
            "buildTransitive/FaMLNet.targets", "tasks/netstandard2.0/FaMLNet.BuildTasks.dll", "README.md" })
            Assert.Contains(expected, names);
        // A project whose package folder lies below it takes every source file there for its own.
        Assert.DoesNotContain(names, name => name.EndsWith(".cs", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(names, name => name.Contains("torch", StringComparison.OrdinalIgnoreCase)
            || name.Contains("Microsoft.ML", StringComparison.Ordinal));
        using StreamReader reader = new(zip.Entries.Single(entry => entry.Name == "FaMLNet.nuspec").Open());
        string nuspec = reader.ReadToEnd();
        Assert.Contains("<license type=\"expression\">MIT</license>", nuspec, StringComparison.Ordinal);
        foreach (string unwanted in new[] { "libtorch", "OxyPlot", "Plotly", "HarfBuzz", "Sylvan", "FaMLNet.Reporting" })
            Assert.DoesNotContain(unwanted, nuspec, StringComparison.Ordinal);
    }

    private static void CheckReporting(string package, string version)
    {
        using ZipArchive zip = ZipFile.OpenRead(package);
        string[] names = [.. zip.Entries.Select(entry => entry.FullName)];
        foreach (string expected in new[] { "lib/net8.0/FaMLNet.Reporting.dll", "lib/net10.0/FaMLNet.Reporting.xml", "licenses/DejaVuSans.txt",
            "README.md" })
            Assert.Contains(expected, names);
        Assert.DoesNotContain(names, name => name.EndsWith(".cs", StringComparison.OrdinalIgnoreCase));
        using StreamReader reader = new(zip.Entries.Single(entry => entry.Name == "FaMLNet.Reporting.nuspec").Open());
        string nuspec = reader.ReadToEnd();
        Assert.Contains($"<dependency id=\"FaMLNet\" version=\"{version}\"", nuspec, StringComparison.Ordinal);
        Assert.DoesNotContain("Grpc.Tools", nuspec, StringComparison.Ordinal);
    }
}
