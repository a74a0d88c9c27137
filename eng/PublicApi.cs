// Writes src/*/PublicAPI.Unshipped.txt anew: every public name of the packages that PublicAPI.Shipped.txt does not have.
// Usage, from the root of the repository: dotnet run eng/PublicApi.cs
using System.Diagnostics;
using System.Text.Json;

foreach (string project in new[] { "FaMLNet", "FaMLNet.Reporting" })
{
    string folder = Path.Combine("src", project), declared = Path.Combine(folder, "PublicAPI.Unshipped.txt");
    if (!Directory.Exists(folder))
    {
        Console.Error.WriteLine($"There is no folder '{folder}' here. Run this from the root of the repository.");
        return 1;
    }
    string before = File.ReadAllText(declared), log = Path.GetTempFileName();
    File.WriteAllText(declared, "#nullable enable\n");
    using Process build = Process.Start("dotnet", ["build", folder, "-c", "Release", "-f", "net10.0", "-nologo", "-v", "q", "--no-incremental",
        "-clp:ErrorsOnly", "-p:TreatWarningsAsErrors=false", "-p:BuildProjectReferences=" + (project == "FaMLNet" ? "true" : "false"),
        $"-p:ErrorLog={log}%2Cversion=2.1"]);
    build.WaitForExit();
    if (build.ExitCode != 0)
    {
        File.WriteAllText(declared, before);
        Console.Error.WriteLine($"{project} does not build; its list is as it was.");
        return build.ExitCode;
    }
    using JsonDocument found = JsonDocument.Parse(File.ReadAllText(log));
    string[] names = [.. found.RootElement.GetProperty("runs")[0].GetProperty("results").EnumerateArray()
        .Where(result => result.GetProperty("ruleId").GetString() == "RS0016")
        .Select(result => result.GetProperty("properties").GetProperty("customProperties").GetProperty("APIName").GetString()!)
        .Distinct().Order(StringComparer.Ordinal)];
    File.WriteAllLines(declared, ["#nullable enable", .. names]);
    File.Delete(log);
    Console.WriteLine($"{declared}: {names.Length} names.");
}
return 0;
