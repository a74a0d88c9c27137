using System.Text.RegularExpressions;
using FaMLNet.Tests.Interop;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace FaMLNet.Tests.Documentation;

/// <summary>The house is built as docs/architecture.md says.</summary>
public sealed class ArchitectureTests
{
    private static readonly string Root = ProcessRunner.Metadata("RepositoryRoot"), Library = Path.Combine(Root, "src", "FaMLNet");

    /// <summary>The table of folders is in the order of the data's way: each may use what stands below it, and nothing above.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void Folders_depend_on_those_below_them_in_the_table_only()
    {
        string[] folders = [.. Regex.Matches(File.ReadAllText(Path.Combine(Root, "docs", "architecture.md")), @"^\| `([A-Z][\w/]*)/` \|",
            RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value)];
        Assert.True(folders.Length >= 10, "the table of folders is not where it was");
        SyntaxTree[] trees = [.. Sources(Library).Select(path => Parse(File.ReadAllText(path), path))];
        string[] assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        CSharpCompilation compilation = CSharpCompilation.Create("FaMLNet", trees.Append(Parse(
                "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;"
                + "global using System.Threading; global using System.Threading.Tasks; global using FaMLNet.Errors;", "")),
            assemblies.Where(path => Path.GetFileName(path) != "FaMLNet.dll").Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, metadataImportOptions: MetadataImportOptions.All));
        // Only of names that the library itself declares a symbol has to be found, which is what takes the time.
        HashSet<string> declared = [.. trees.SelectMany(tree => tree.GetRoot(TestContext.Current.CancellationToken).DescendantNodes()
            .Select(NameOf).OfType<string>())];
        List<string> wrong = [];
        int edges = 0;
        foreach (SyntaxTree tree in trees)
        {
            string from = FolderOf(tree.FilePath);
            Assert.True(folders.Contains(from), $"the folder {from} is not in the table of docs/architecture.md");
            SemanticModel model = compilation.GetSemanticModel(tree);
            foreach (SimpleNameSyntax name in tree.GetCompilationUnitRoot(TestContext.Current.CancellationToken).DescendantNodes()
                .OfType<SimpleNameSyntax>().Where(name => name.IsVar
                    || declared.Contains(name.Identifier.ValueText) || declared.Contains(name.Identifier.ValueText + "Attribute")))
            {
                ISymbol? symbol = model.GetSymbolInfo(name, TestContext.Current.CancellationToken).Symbol;
                INamedTypeSymbol? type = symbol as INamedTypeSymbol
                    ?? (symbol is IMethodSymbol { IsExtensionMethod: true } method ? method.ContainingType : null);
                if (type?.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath is not { Length: > 0 } file)
                    continue;
                string to = FolderOf(file);
                edges += to == from ? 0 : 1;
                if (Array.IndexOf(folders, to) < Array.IndexOf(folders, from))
                    wrong.Add($"{Path.GetRelativePath(Library, tree.FilePath)} uses {type.Name} of {to}/");
            }
        }
        Assert.True(edges > 600, $"{edges} uses of another folder's types: the test looks at the wrong thing");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Distinct().Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Lines_are_no_longer_than_the_editor_is_told()
    {
        Match limit = Regex.Match(File.ReadAllText(Path.Combine(Root, ".editorconfig")), @"max_line_length = (\d+)");
        int most = int.Parse(limit.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        string[] longer = [.. new[] { "src", "tests", "examples" }.SelectMany(folder => Sources(Path.Combine(Root, folder)))
            .SelectMany(path => File.ReadLines(path)
            .Select((line, i) => (line, i)).Where(pair => pair.line.Length > most)
            .Select(pair => $"{Path.GetRelativePath(Root, path)}:{pair.i + 1} has {pair.line.Length}"))];
        Assert.True(longer.Length == 0, string.Join('\n', longer));
    }

    /// <summary>The name of a type or an extension method where it is declared, or of an alias; null for other nodes.</summary>
    private static string? NameOf(SyntaxNode node) => node switch
    {
        BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
        DelegateDeclarationSyntax type => type.Identifier.ValueText,
        UsingDirectiveSyntax { Alias.Name.Identifier: var alias } => alias.ValueText,
        MethodDeclarationSyntax { ParameterList.Parameters: [{ } first, ..] } method when first.Modifiers.Any(SyntaxKind.ThisKeyword) =>
            method.Identifier.ValueText,
        _ => null,
    };

    private static SyntaxTree Parse(string text, string path) =>
        CSharpSyntaxTree.ParseText(text, path: path, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>A file's own folder: sub-folders have rows of their own, so that the test sees inside.</summary>
    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetRelativePath(Library, path))!.Replace('\\', '/');

    private static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));
}
