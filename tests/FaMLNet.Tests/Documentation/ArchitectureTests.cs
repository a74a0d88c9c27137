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
    private static readonly string Root = ProcessRunner.Metadata("RepositoryRoot");

    /// <summary>
    /// The tables of folders are in the order of the data's way: each folder may use what stands below it, and nothing above. Files beside the
    /// folders are the start of a program: they may use everything, and nothing uses them.
    /// </summary>
    /// <param name="project">The project.</param>
    /// <param name="leastFolders">How many folders its table has at least.</param>
    /// <param name="leastUses">How many uses of another folder's types the test sees at least, if it looks at the right thing.</param>
    [Theory]
    [Trait("Speed", "Slow")]
    [InlineData("FaMLNet", 10, 600)]
    [InlineData("FaMLNet.Cli", 10, 250)]
    public void Folders_depend_on_those_below_them_in_the_table_only(string project, int leastFolders, int leastUses)
    {
        string home = Path.Combine(Root, "src", project);
        string[] folders = Table(project);
        Assert.True(folders.Length >= leastFolders, "the table of folders is not where it was");
        SyntaxTree[] trees = [.. Sources(home).Select(path => Parse(File.ReadAllText(path), path))];
        string[] assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        CSharpCompilation compilation = CSharpCompilation.Create(project, trees.Append(Parse(
                "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;"
                + "global using System.Threading; global using System.Threading.Tasks; global using FaMLNet.Errors;", "")),
            assemblies.Where(path => Path.GetFileName(path) != project + ".dll").Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, metadataImportOptions: MetadataImportOptions.All));
        // Only of names that the library itself declares a symbol has to be found, which is what takes the time.
        HashSet<string> declared = [.. trees.SelectMany(tree => tree.GetRoot(TestContext.Current.CancellationToken).DescendantNodes()
            .Select(NameOf).OfType<string>())];
        List<string> wrong = [];
        int edges = 0;
        foreach (SyntaxTree tree in trees)
        {
            string from = FolderOf(home, tree.FilePath);
            Assert.True(from.Length == 0 || folders.Contains(from), $"the folder {from} is not in the table of docs/architecture.md");
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
                string to = FolderOf(home, file);
                edges += to == from ? 0 : 1;
                // The start of a program is in no table: number -1, above all others.
                if (Array.IndexOf(folders, to) < Array.IndexOf(folders, from))
                    wrong.Add($"{Path.GetRelativePath(home, tree.FilePath)} uses {type.Name} of {to}/");
            }
        }
        Assert.True(edges > leastUses, $"{edges} uses of another folder's types: the test looks at the wrong thing");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Distinct().Order(StringComparer.Ordinal)));
    }

    /// <summary>The folders of a project, in the order of its table in docs/architecture.md.</summary>
    private static string[] Table(string project) => [.. File.ReadLines(Path.Combine(Root, "docs", "architecture.md"))
        .SkipWhile(line => !line.StartsWith($"| folder of `src/{project}` |", StringComparison.Ordinal))
        .TakeWhile(line => line.StartsWith('|')).Select(line => Regex.Match(line, @"^\| `([A-Z][\w/]*)/` \|"))
        .Where(match => match.Success).Select(match => match.Groups[1].Value)];

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
    private static string FolderOf(string home, string path) => Path.GetDirectoryName(Path.GetRelativePath(home, path))!.Replace('\\', '/');

    private static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));
}
