using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace TextTopics;

/// <summary>
/// Texts that a machine with a .NET SDK has: the summaries of the members of .NET's own assemblies, from the XML files of its reference pack,
/// labelled by namespace.
/// </summary>
internal static partial class DocumentationText
{
    private const int LeastWords = 4;

    /// <summary>The texts of the most common namespaces, in an order that depends on the texts alone.</summary>
    /// <param name="classes">How many namespaces.</param>
    /// <param name="most">The most texts; the same share of each namespace.</param>
    /// <returns>Nothing where there are no reference packs beside the SDK that runs.</returns>
    public static IReadOnlyList<(string Namespace, string Text)> Read(int classes, int most)
    {
        Dictionary<string, string> byText = [];
        foreach (string file in Files())
            Read(file, byText);
        HashSet<string> common = [.. byText.GroupBy(pair => pair.Value).OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal).Take(classes).Select(group => group.Key)];
        // By a hash that is the same everywhere, so that neighbours are not of one namespace.
        return [.. byText.Where(pair => common.Contains(pair.Value)).Select(pair => (Namespace: pair.Value, Text: pair.Key))
            .OrderBy(document => Hash(document.Text)).ThenBy(document => document.Text, StringComparer.Ordinal).Take(most)];
    }

    private static IEnumerable<string> Files()
    {
        // …/dotnet/shared/Microsoft.NETCore.App/x.y.z/ → …/dotnet/packs
        string root = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        string packs = Path.Combine(root, "packs", "Microsoft.NETCore.App.Ref");
        return !Directory.Exists(packs) ? []
            : Directory.EnumerateFiles(packs, "*.xml", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
    }

    private static void Read(string file, Dictionary<string, string> byText)
    {
        XDocument document;
        try
        {
            document = XDocument.Load(file);
        }
        catch (XmlException)
        {
            return; // not documentation
        }
        XElement[] members = [.. document.Descendants("member")];
        HashSet<string> types = [.. members.Select(NameOf).Where(name => name.StartsWith("T:", StringComparison.Ordinal)).Select(name => name[2..])];
        foreach (XElement member in members)
        {
            if (member.Element("summary") is not { } summary)
                continue;
            string text = Spaces().Replace(TextOf(summary), " ").Trim();
            if (text.Count(character => character == ' ') + 1 < LeastWords || NamespaceOf(NameOf(member), types) is not { } name)
                continue;
            byText.TryAdd(text, name);
        }
    }

    private static string NameOf(XElement member) => member.Attribute("name")?.Value ?? "";

    /// <summary>The namespace of the outermost type that a member is of.</summary>
    private static string? NamespaceOf(string name, HashSet<string> types)
    {
        if (name.Length < 3)
            return null;
        string path = name[2..].Split('(')[0];
        string? type = null;
        for (int dot = path.Length; dot > 0; dot = path.LastIndexOf('.', dot - 1))
        {
            if (types.Contains(path[..dot]))
                type = path[..dot];
        }
        int last = type?.LastIndexOf('.') ?? -1;
        return last > 0 ? type![..last] : null;
    }

    private static string TextOf(XElement element)
    {
        StringBuilder text = new();
        foreach (XNode node in element.Nodes())
        {
            if (node is XText part)
                text.Append(part.Value);
            else if (node is XElement inner)
            {
                string? reference = (inner.Attribute("cref") ?? inner.Attribute("name") ?? inner.Attribute("langword"))?.Value;
                // Of a reference its own name, not the namespace that it is in: that is what is to be told.
                text.Append(reference == null ? TextOf(inner) : reference.Split('(')[0].Split('.', ':')[^1].Split('`')[0]);
            }
        }
        return text.ToString();
    }

    private static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char character in text)
            hash = (hash ^ character) * 1099511628211;
        return hash;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
