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
    string before = File.ReadAllText(declared);
    SortedSet<string> names = new(StringComparer.Ordinal);
    // The analyzer reports some members, such as those of positional records, only when their type is declared: until nothing is added.
    for (int known = -1; known != names.Count;)
    {
        known = names.Count;
        File.WriteAllLines(declared, ["#nullable enable", .. names]);
        if (Undeclared(folder, project == "FaMLNet") is not { } found)
        {
            File.WriteAllText(declared, before);
            Console.Error.WriteLine($"{project} does not build; its list is as it was.");
            return 1;
        }
        names.UnionWith(found);
    }
    Console.WriteLine($"{declared}: {names.Count} names.");
}
return 0;

static IEnumerable<string>? Undeclared(string folder, bool buildsReferences)
{
    string log = Path.GetTempFileName();
    using Process build = Process.Start("dotnet", ["build", folder, "-c", "Release", "-f", "net10.0", "-nologo", "-v", "q", "--no-incremental",
        "-clp:ErrorsOnly", "-p:TreatWarningsAsErrors=false", $"-p:BuildProjectReferences={(buildsReferences ? "true" : "false")}",
        $"-p:ErrorLog={log}%2Cversion=2.1"]);
    build.WaitForExit();
    if (build.ExitCode != 0)
        return null;
    using JsonDocument found = JsonDocument.Parse(File.ReadAllText(log));
    string[] names = [.. found.RootElement.GetProperty("runs")[0].GetProperty("results").EnumerateArray()
        .Where(result => result.GetProperty("ruleId").GetString() == "RS0016")
        .Select(result => result.GetProperty("properties").GetProperty("customProperties").GetProperty("APIName").GetString()!)];
    File.Delete(log);
    return names;
}
