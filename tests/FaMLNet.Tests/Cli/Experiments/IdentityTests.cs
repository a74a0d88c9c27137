using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Sweeps;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli.Experiments;

/// <summary>An experiment is known by everything that decides its result, and by nothing else.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class IdentityTests : IDisposable
{
    private const string Base = """
        experiment: {name: try, output_dir: results}
        data: {dataset: csv, dataset_path: iris.csv, validation: 0.2}
        model: {architecture: "mlp:8", mode: {type: fa}}
        training:
          hyperparameters: {epochs: 2, batch_size: 32}
        infrastructure: {threads: 1}
        evaluation: {tensorboard: false, report: false}

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-identity").FullName;

    public IdentityTests() => File.Copy(Tables.PathOf("iris"), At("iris.csv"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>What the file calls it, what it is called then, and the place that differs.</summary>
    public static TheoryData<string, string, string> Decisive() => new()
    {
        { "validation: 0.2", "validation: 0.3", "split.validation" },
        { "validation: 0.2", "validation: none", "options.EarlyStopping" },
        { "validation: 0.2", "validation: 0.2, split_seed: 2", "split.seed" },
        { "validation: 0.2", "validation: 0.2, test_share: 0.3", "split.test" },
        { "validation: 0.2", "validation: 0.2, train_rows: 50", "split.train_rows" },
        { "output_dir: results", "seed: 2", "options.Seed" },
        { "epochs: 2", "epochs: 3", "options.NumberOfEpochs" },
        { "batch_size: 32", "batch_size: 64", "options.BatchSize" },
        { "mlp:8", "mlp:9", "options.Network" },
        { "type: fa", "type: dfa", "options.Rule" },
        { "type: fa", "type: fa, options: {init: kaiming}", "options.FeedbackInitialization" },
        { "type: fa", "type: fa, options: {weight_scale: 0.5}", "options.InitialWeightScale" },
        { "training:", "training:\n  optimizer: {lr: 0.5}", "options.Optimizer" },
        { "training:", "training:\n  lr_scheduler: {type: constant}", "options.Schedule" },
        { "training:", "training:\n  metrics: {top_k: 2}", "measures.top_k" },
        { "report: false", "report: false, test: false", "measures.test" },
        { "report: false", "report: false, robustness: {attacks: [noise]}", "measures.robustness" },
    };

    /// <summary>Rows of a published set are tested on as published; those to validate on are chosen.</summary>
    [Theory, InlineData("0.1", true), InlineData("500", true), InlineData("none", false), InlineData("test", false)]
    public void The_splits_seed_counts_where_validation_rows_are_chosen_by_it(string validation, bool counts)
    {
        JsonObject Of(int seed, int split) => ExperimentIdentity.Of(Read($$$"""
            experiment: {name: try, seed: {{{seed}}}}
            data: {dataset: mnist, validation: {{{validation}}}, split_seed: {{{split}}}}
            model: {architecture: lenet, mode: {type: fa}}
            training: {hyperparameters: {epochs: 2}}
            """), TaskKind.Multiclass, new DataIdentity("mnist", "IDX", [new DataFile("a", 1, "x"), new DataFile("b", 1, "y")]));
        string[] places = [.. ExperimentIdentity.Differences(Of(1, 1), Of(1, 2)).Select(difference => difference.Split(' ')[0])];
        Assert.Equal(counts ? ["split.seed"] : Array.Empty<string>(), places);
        Assert.Equal(["options.Seed"], ExperimentIdentity.Differences(Of(1, 1), Of(2, 1)).Select(difference => difference.Split(' ')[0]));
    }

    /// <summary>Before, the training's seed chose the validation rows: such a result is another one's.</summary>
    [Fact]
    public void A_result_whose_validation_rows_followed_the_trainings_seed_is_not_taken_for_this_one()
    {
        ExperimentResult result = Run(Base);
        result.Identity!["split"]!["validation"] = "a share of 0.2 of the training rows, by the training's seed";
        ExperimentResult.Write(At("run/result.json"), result);
        Assert.Contains("split.validation is a share of 0.2 of the training rows, by the training's seed there and a share of 0.2 of the training "
            + "rows, by the split's seed here", Assert.Throws<InvalidOperationException>(() => Run(Base)).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Decisive))]
    public void Everything_that_decides_the_result_is_part_of_the_identity(string right, string other, string place)
    {
        Assert.Contains(right, Base, StringComparison.Ordinal);
        IReadOnlyList<string> differences = ExperimentIdentity.Differences(Identity(Base), Identity(Base.Replace(right, other,
            StringComparison.Ordinal)));
        Assert.Contains(differences, difference => difference.StartsWith($"{place} is ", StringComparison.Ordinal));
    }

    [Theory, InlineData("name: try", "name: other"), InlineData("output_dir: results", "output_dir: elsewhere, description: x"),
        InlineData("threads: 1", "threads: 2"), InlineData("tensorboard: false", "tensorboard: true"),
        InlineData("validation: 0.2", "validation: 0.2, split_seed: 1, test_share: 0.2, task: multiclass"),
        InlineData("type: fa", "type: fa, options: {feedback_scale: 1, weight_scale: 0.1}"), InlineData("output_dir: results", "seed: 1"),
        InlineData("training:", "training:\n  lr_scheduler: {type: cosine}")]
    public void Places_names_and_defaults_written_out_are_no_part_of_it(string right, string other)
    {
        Assert.Contains(right, Base, StringComparison.Ordinal);
        Assert.Empty(ExperimentIdentity.Differences(Identity(Base), Identity(Base.Replace(right, other, StringComparison.Ordinal))));
    }

    [Fact]
    public void Data_is_known_by_its_content_and_not_by_its_path()
    {
        JsonObject before = Identity(Base);
        Directory.CreateDirectory(At("far"));
        File.Copy(At("iris.csv"), At("far/moved.csv"));
        Assert.Empty(ExperimentIdentity.Differences(before, Identity(Base.Replace("iris.csv", "far/moved.csv", StringComparison.Ordinal))));
        File.AppendAllText(At("iris.csv"), "5.1,3.5,1.4,0.2,setosa\n");
        Assert.Equal(["data.files.table.bytes", "data.files.table.sha256"], ExperimentIdentity.Differences(before, Identity(Base))
            .Select(difference => difference.Split(' ')[0]));
    }

    [Fact]
    public void Another_table_of_the_same_size_does_not_get_the_first_ones_result()
    {
        Write(Base);
        Tool("benchmark", "x.yaml");
        byte[] result = File.ReadAllBytes(At("results/try/result.json")), config = File.ReadAllBytes(At("results/try/config.yaml"));
        string text = File.ReadAllText(At("iris.csv"));
        File.WriteAllText(At("second.csv"), text.Replace("5.1", "5.2", StringComparison.Ordinal));
        Write(Base.Replace("iris.csv", "second.csv", StringComparison.Ordinal) + "# another file\n");
        Fails("'results/try' has the result of another experiment: data.files.table.sha256 is ", "benchmark", "x.yaml");
        Assert.Equal(result, File.ReadAllBytes(At("results/try/result.json")));
        Assert.Equal(config, File.ReadAllBytes(At("results/try/config.yaml")));
        // The same content elsewhere is the same data; the file that made the result stays beside it.
        File.Copy(At("iris.csv"), At("copy.csv"));
        Write(Base.Replace("iris.csv", "copy.csv", StringComparison.Ordinal) + "# a copy\n");
        Assert.Contains("is complete: its result is shown again", Tool("benchmark", "x.yaml"), StringComparison.Ordinal);
        Assert.Equal(config, File.ReadAllBytes(At("results/try/config.yaml")));
    }

    /// <summary>As a later version would find results of an earlier one.</summary>
    [Theory, InlineData("options", "Optimizer", "Adam { LearningRate = 0.1 }"), InlineData("options", "InitialWeightScale", "0.7"),
        InlineData("versions", "results", "0"), InlineData("versions", "torchsharp", "0.1.0")]
    public void A_default_or_version_that_has_changed_is_named(string group, string name, string value)
    {
        ExperimentResult result = Run(Base);
        result.Identity![group]![name] = value;
        ExperimentResult.Write(At("run/result.json"), result);
        Assert.Contains($"{group}.{name} is {value} there and ", Assert.Throws<InvalidOperationException>(() => Run(Base)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_without_an_identity_is_shown_as_such_and_kept()
    {
        ExperimentResult result = Run(Base);
        ExperimentResult.Write(At("run/result.json"), result with { Identity = null });
        byte[] before = File.ReadAllBytes(At("run/result.json"));
        List<string> said = [];
        Assert.Equal(result.Last, Run(Base, said).Last);
        Assert.Contains(said, line => line.Contains("identity not recorded", StringComparison.Ordinal));
        Assert.Equal(before, File.ReadAllBytes(At("run/result.json")));
        // Settings that differ as they are written are refused as before.
        Assert.Contains("training.hyperparameters.epochs is 2 there and 3 here", Assert.Throws<InvalidOperationException>(() =>
            Run(Base.Replace("epochs: 2", "epochs: 3", StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_have_the_resolved_options_seed_data_date_machine_and_versions_and_never_default()
    {
        ExperimentResult result = Run(Base.Replace("tensorboard: false, report: false", "tensorboard: true, report: true",
            StringComparison.Ordinal));
        string digest = $"{result.Identity!["data"]!["files"]!["table"]!["sha256"]}", json = File.ReadAllText(At("run/result.json"));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(At("iris.csv")))), digest);
        Assert.Equal(1, result.Seed);
        Assert.InRange(result.Date!.Value, DateTime.UtcNow.AddHours(-1), DateTime.UtcNow);
        Assert.Equal(["famlnet", "ml_net", "torchsharp", "libtorch", "dotnet"], result.Versions!.Keys);
        Assert.StartsWith("2.", result.Versions["libtorch"], StringComparison.Ordinal);
        Assert.Contains("LearningRate = 0.004", $"{result.Identity["options"]!["Optimizer"]}", StringComparison.Ordinal);
        Assert.Equal("0.1", $"{result.Identity["options"]!["InitialWeightScale"]}");
        Assert.Contains("Cosine", $"{result.Identity["options"]!["Schedule"]}", StringComparison.Ordinal);
        Assert.DoesNotContain("\"default\"", json, StringComparison.Ordinal);
        string report = File.ReadAllText(At("run/report.html"));
        Assert.Contains(digest, report, StringComparison.Ordinal);
        Assert.Contains("LearningRate = 0.004", report, StringComparison.Ordinal);
        Assert.DoesNotContain(">default<", report, StringComparison.Ordinal);
        string events = File.ReadAllText(Assert.Single(Directory.GetFiles(At("run/logs"))), System.Text.Encoding.Latin1);
        Assert.Contains(digest, events, StringComparison.Ordinal);
        Assert.Contains("LearningRate = 0.004", events, StringComparison.Ordinal);
        Assert.DoesNotContain("default", events, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_tables_in_one_sweep_are_two_trials_with_results_of_their_own()
    {
        File.Copy(Tables.PathOf("wine"), At("wine.csv"));
        Write(Base + "sweep: {over: {data.dataset_path: [iris.csv, wine.csv]}}\n");
        Assert.Contains("2 of 2 trials done", Tool("sweep", "x.yaml"), StringComparison.Ordinal);
        string[] lines = File.ReadAllLines(At("results/try/results.csv"));
        string[] digests = [.. lines[1..].Select(line => line[(line.IndexOf("csv (table) ", StringComparison.Ordinal) + 12)..][..12])];
        Assert.Equal(2, digests.Distinct().Count());
        Assert.All(lines[1..], line => Assert.Contains(",done,recorded,multiclass,", line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_sweep_refuses_data_that_has_changed_lists_it_and_leaves_it_out_of_the_table()
    {
        Write(Base + "sweep: {over: {seed: [1, 2]}}\n");
        Tool("sweep", "x.yaml");
        File.AppendAllText(At("iris.csv"), "5.1,3.5,1.4,0.2,setosa\n");
        Fails("2 of 2 trials have such results", "sweep", "x.yaml");
        Fails("2 of 2 trials have such results", "sweep", "x.yaml", "--check");
        Assert.Equal(2, Tool("sweep", "x.yaml", "--list").Split('\n').Count(line => line.EndsWith(" another experiment's result",
            StringComparison.Ordinal)));
        Assert.Contains("0 of 2 trials done", Tool("sweep", "x.yaml", "--collect"), StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(At("results/try/results.csv")).Count(line => line.Contains(",other,", StringComparison.Ordinal)
            && line.Contains("data.files.table.sha256 is ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Results_of_before_identities_are_marked_by_a_sweep_and_not_run_again()
    {
        string path = Write(Base + "sweep: {over: {seed: [1, 2]}}\n");
        Tool("sweep", "x.yaml");
        SweepFile sweep = SweepFile.Read(path);
        string first = At($"results/try/trials/{sweep.Trials[0].Name}/result.json");
        ExperimentResult.Write(first, ExperimentResult.Read(first) with { Identity = null });
        byte[] before = File.ReadAllBytes(first);
        string output = Tool("sweep", "x.yaml");
        Assert.Contains("1 of 2 trials have results that were written before identities were recorded", output, StringComparison.Ordinal);
        Assert.Contains("Identity not recorded: 1 of 2 results", output, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(first));
        Assert.Equal(["not recorded", "recorded"], File.ReadAllLines(At("results/try/results.csv"))[1..].Select(line => line.Split(',')[2]));
        Assert.Contains("done (identity not recorded)", Tool("sweep", "x.yaml", "--list"), StringComparison.Ordinal);
        // Where the data is not, results are gathered all the same.
        File.Delete(At("iris.csv"));
        Assert.Contains("2 of 2 trials done", Tool("sweep", "x.yaml", "--collect"), StringComparison.Ordinal);
    }

    private JsonObject Identity(string text) => ExperimentIdentity.Of(Read(text), null);

    private ExperimentResult Run(string text, List<string>? said = null) => Experiment.Run(Read(text), new ExperimentRun
    {
        Folder = At("run"),
        Say = line => said?.Add(line),
    });

    /// <summary>Read in this process, whose folder is another: with the data's whole path.</summary>
    private ExperimentSettings Read(string text)
    {
        string path = Write(System.Text.RegularExpressions.Regex.Replace(text, @"dataset_path: ([\w/.]+)", match =>
            $"dataset_path: '{At(match.Groups[1].Value)}'"));
        return ExperimentSettings.Read(YamlFile.Read(path));
    }

    private string Write(string text)
    {
        File.WriteAllText(At("x.yaml"), text);
        return At("x.yaml");
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void Fails(string expected, params string[] arguments) => Assert.Contains(expected,
        Assert.Throws<InvalidOperationException>(() => Tool(arguments)).Message, StringComparison.Ordinal);

    private string Tool(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
