using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Experiments and comparisons read tables as 'train' does, with its options as keys.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class TableKeysTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-table-keys").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_option_of_train_that_says_how_a_table_is_read_is_a_key()
    {
        ExperimentSettings settings = Read("""
            separator: tab
            quote: none
            decimal: comma
            header: false
            missing: ["-999", "x"]
            number: "1"
            category: ["2"]
            text: ["3", "4"]
            ignore: "5"
            positive: b
            """);
        Assert.Equal(new TableFormat(HasHeader: false, '\t', QuoteStyle.None), settings.TableFormat);
        TableChoices choices = settings.TableChoices;
        Assert.Equal((["-999", "x"], ["1"], ["2"]), (choices.Missing, choices.Numbers, choices.Categories), (x, y) =>
            x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2) && x.Item3.SequenceEqual(y.Item3));
        Assert.Equal(["3", "4"], choices.Texts);
        Assert.Equal(["5"], choices.Ignored);
        Assert.Equal(("b", true), (choices.Positive, choices.HasDecimalComma));
        Assert.True(Read("label: y").TableChoices.IsEmpty);
        Assert.Equal(new TableFormat(), Read("label: y").TableFormat);
    }

    [Theory]
    [InlineData("separator: xx", "data.separator must be one character")]
    [InlineData("quote: maybe", "data.quote must be one of double, single, none")]
    [InlineData("decimal: dot", "data.decimal must be one of point, comma")]
    [InlineData("seperator: tab", "Did you mean 'separator'?")]
    [InlineData("missing: 7", "write it in quotes")]
    [InlineData("missing: []", "data.missing must be a text or a list of texts")]
    public void Values_that_cannot_be_are_refused_by_key(string keys, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => Read(keys)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("separator: tab")]
    [InlineData("header: false")]
    [InlineData("missing: x")]
    public void Images_have_none_of_them(string keys) =>
        Assert.Contains($"data.{keys[..keys.IndexOf(':', StringComparison.Ordinal)]}: it is for tables (csv), and 'mnist' has images",
            Assert.Throws<FormatException>(() => Read(keys, "mnist")).Message, StringComparison.Ordinal);

    /// <summary>A table of which nothing can be told: separated by ~, with a decimal comma, with texts for missing numbers.</summary>
    [Fact]
    public void An_experiment_reads_a_table_by_its_keys_and_they_are_part_of_what_it_is()
    {
        Write("odd.csv", 60);
        Write("folder/train.csv", 60);
        Write("folder/test.csv", 30);
        string Yaml(string name, string data) => $$"""
            experiment: { name: {{name}}, output_dir: out }
            data: { dataset: csv, dataset_path: {{data}}, label: "3", header: false, separator: "~", decimal: comma, missing: none.,
                    number: ["1"], category: ["2"] }
            model: { architecture: "mlp:8", mode: { type: bp } }
            training: { hyperparameters: { epochs: 3 } }
            evaluation: { tensorboard: false, report: false }
            """;
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Yaml("one", "odd.csv"));
        File.WriteAllText(Path.Combine(_folder, "two.yaml"), Yaml("two", "folder"));
        ProcessRunner.Tool(_folder, "benchmark", "one.yaml");
        ProcessRunner.Tool(_folder, "benchmark", "two.yaml");
        foreach (string name in new[] { "one", "two" })
        {
            string result = File.ReadAllText(Path.Combine(_folder, "out", name, "result.json"));
            foreach (string recorded in new[] { "\"separator\": \"'~'\"", "\"decimal\": \"comma\"", "\"header\": false", "\"missing\": \"none.\"" })
                Assert.Contains(recorded, result, StringComparison.Ordinal);
        }
        // Read otherwise it is another experiment.
        string error = Fails("benchmark", "one.yaml", "--set", "data.category=[\"1\", \"2\"]", "--set", "data.number=null");
        Assert.Contains("data.reading.category is 2 there and 1, 2 here", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_comparison_reads_a_table_by_the_options_of_train_and_shows_notes_of_its_processes_once()
    {
        Write("odd.csv", 400, outlier: true);
        string output = ProcessRunner.Tool(_folder, "benchmark", "--peers", "odd.csv", "--label", "3", "--no-header", "--separator", "~", "--decimal",
            "comma", "--missing", "none.", "--folds", "2", "--epochs", "2");
        string[] lines = output.Split('\n');
        Assert.Single(lines, line => line.Contains("Column '1': 999999999 lies far outside", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("Task: binary", StringComparison.Ordinal));
        Assert.Contains("| SdcaLogisticRegression |", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--separator", "data.separator")]
    [InlineData("--missing", "data.missing")]
    public void With_a_file_the_options_are_refused_and_the_keys_named(string option, string key) =>
        Assert.Contains($"{option} is for --peers. A file has {key}", Fails("benchmark", "none.yaml", option, ";"), StringComparison.Ordinal);

    private string Fails(params string[] arguments) =>
        Assert.Throws<InvalidOperationException>(() => ProcessRunner.Tool(_folder, arguments)).Message;

    private void Write(string name, int rows, bool outlier = false)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, Enumerable.Range(0, rows).Select(i =>
            $"{(i == 7 ? "none." : i == 9 && outlier ? "999999999" : $"{i % 7},{i % 5}")}~{i % 3}~{"uv"[i % 2]}"));
    }

    private ExperimentSettings Read(string keys, string dataset = "csv")
    {
        string path = Path.Combine(_folder, "file.yaml");
        File.WriteAllText(path, $$"""
            experiment: { name: test }
            data:
              dataset: {{dataset}}
            {{string.Join('\n', keys.Split('\n').Select(line => "  " + line))}}
            model: { architecture: "mlp:8", mode: { type: bp } }
            training: { hyperparameters: { epochs: 1 } }
            """);
        return ExperimentSettings.Read(YamlFile.Read(path));
    }
}
