using CsCheck;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sets;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Cli.Experiments;

/// <summary>What is trained on and what is tested on.</summary>
public sealed class SplitTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-split").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_class_keeps_a_training_row_and_the_whole_keeps_its_share() =>
        Gen.Select(Gen.Int[0, 60].Array[2, 300], Gen.Double[0.05, 0.9], Gen.Int[0, 1000]).Sample((numbers, share, seed) =>
        {
            string?[] classes = [.. numbers.Select(number => number == 0 ? null : $"{number}")];
            (int[] train, int[] test) = TableSplit.ByClass(classes, share, seed);
            Assert.Equal(Enumerable.Range(0, classes.Length), train.Concat(test).Order());
            Assert.Equal(train.Order(), train);
            Assert.Equal(test.Order(), test);
            HashSet<string?> trained = [.. train.Select(row => classes[row])];
            Assert.All(test, row => Assert.Contains(classes[row], trained));
            Assert.All(test, row => Assert.NotNull(classes[row]));
            // As many as the share, but where classes of few rows have too few to give.
            int labelled = classes.Count(name => name != null), most = labelled - trained.Count(name => name != null);
            Assert.True(test.Length <= labelled * share + 1);
            Assert.True(test.Length >= Math.Min(labelled * share, most) - trained.Count);
            Assert.Equal(test, TableSplit.ByClass(classes, share, seed).Test);
        });

    [Fact]
    public void Classes_of_two_rows_are_all_trained_on_and_a_fifth_of_the_rows_is_tested_on()
    {
        string[] classes = [.. Enumerable.Range(0, 3000).Select(row => $"class {row % 1500}")];
        (int[] train, int[] test) = TableSplit.ByClass(classes, 0.2, 1);
        Assert.Equal(1500, train.Select(row => classes[row]).Distinct().Count());
        Assert.Equal(600, test.Length);
        Assert.All(TableSplit.Folds(classes, 5, 1), fold =>
        {
            Assert.Equal(600, fold.Test.Length);
            Assert.Equal(1500, fold.Train.Select(row => classes[row]).Distinct().Count());
        });
    }

    [Fact]
    public void The_split_follows_from_its_own_seed_and_not_from_the_trainings()
    {
        File.Copy(Tables.PathOf("iris"), At("iris.csv"));
        double[] one = TestRows("seed: 1", ""), other = TestRows("seed: 2", ""), third = TestRows("seed: 1", ", split_seed: 2");
        Assert.Equal(30, one.Length);
        Assert.Equal(one, other);
        Assert.NotEqual(one, third);
    }

    /// <summary>Labels that no feature tells of, and a network that learns nothing: the error differs with the validation rows alone.</summary>
    [Fact]
    public void Seeds_of_a_training_share_the_validation_rows_of_the_split()
    {
        File.WriteAllLines(At("numbers.csv"), Enumerable.Range(0, 200).Select(row => $"0,{row * row}").Prepend("x,Label"));
        double one = ValidationError(1, 1), other = ValidationError(2, 1), third = ValidationError(1, 2);
        Assert.InRange(one - other, -0.1, 0.1);
        Assert.True(Math.Abs(one - third) > 1, $"{one} {third}");

        double ValidationError(int seed, int split) => Run($$$"""
            experiment: {name: x{{{seed}}}{{{split}}}, seed: {{{seed}}}}
            data: {dataset: csv, dataset_path: '{{{At("numbers.csv")}}}', task: regression, validation: 0.2, split_seed: {{{split}}}, test_share: 0.2}
            model: {architecture: "mlp:", mode: {type: bp}}
            training: {optimizer: {type: sgd, lr: 0.000001}, hyperparameters: {epochs: 1, batch_size: 16}}
            evaluation: {tensorboard: false, report: false}
            """, [], $"run{seed}{split}").ValidationRootMeanSquaredError!.Value;
    }

    [Theory, InlineData(null), InlineData(3)]
    public void Test_rows_of_classes_without_a_training_row_count_as_wrong_and_are_reported(int? epochs)
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("iris"));
        Directory.CreateDirectory(At("two"));
        File.WriteAllLines(At("two/train.csv"), rows.Where(row => !row.EndsWith("virginica", StringComparison.Ordinal)));
        // All that is known is tested on, all of the class that is not, and a row without a class.
        File.WriteAllLines(At("two/test.csv"), [.. rows, "5.1,3.5,1.4,0.2,"]);
        List<string> said = [];
        ExperimentResult result = Run($$$"""
            experiment: {name: x}
            data: {dataset: csv, dataset_path: '{{{At("two")}}}', validation: none, task: multiclass}
            model: {architecture: "mlp:8", mode: {type: bp}}
            training: {hyperparameters: {epochs: {{{(epochs ?? 60)}}}, batch_size: 16}}
            evaluation: {tensorboard: false, report: false}
            """, said);
        Assert.Equal(50, result.RowsOfUnseenClasses);
        Assert.Equal(["virginica"], result.UnseenClasses);
        // Setosa and versicolor are told apart without error after some epochs: a hundred right of a hundred and fifty.
        if (epochs == null)
            Assert.Equal(100 / 150.0, result.Last!.Top1!.Value, 6);
        Assert.InRange(result.Last!.Top1!.Value, 0, 100 / 150.0 + 1e-9);
        Assert.Contains(said, line => line.StartsWith("50 of 151 test rows are of 1 classes without a training row (virginica). They count as wrong.",
            StringComparison.Ordinal));
        Assert.Contains(said, line => line.StartsWith("1 of 151 test rows have no label.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_whose_classes_have_one_row_each_is_refused_before_it_trains()
    {
        File.WriteAllLines(At("ones.csv"), Enumerable.Range(0, 30).Select(row => $"{row},name {row}").Prepend("x,Label"));
        Assert.Contains("has no test rows with a label: every class has one row", Assert.Throws<FormatException>(() => Run($$$"""
            experiment: {name: x}
            data: {dataset: csv, dataset_path: '{{{At("ones.csv")}}}', task: multiclass}
            model: {architecture: "mlp:8", mode: {type: bp}}
            training: {}
            """, [])).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("run")));
    }

    [Fact]
    public void Selected_rows_are_those_and_in_their_order()
    {
        MLContext mlContext = new(1);
        IDataView view = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(number => new Number { Value = number }));
        SelectedRows selected = new(view, [0, 3, 4, 19]);
        Assert.Equal([0, 3, 4, 19], selected.GetColumn<float>("Value"));
        Assert.Equal([0, 3, 4, 19], selected.GetColumn<float>("Value"));
        Assert.Equal(4, selected.GetRowCount());
        Assert.Empty(new SelectedRows(view, []).GetColumn<float>("Value"));
    }

    private double[] TestRows(string experiment, string data)
    {
        ExperimentSettings settings = Read($$$"""
            experiment: {name: x, {{{experiment}}}}
            data: {dataset: csv, dataset_path: '{{{At("iris.csv")}}}'{{{data}}}}
            model: {architecture: "mlp:8", mode: {type: bp}}
            training: {}
            """);
        MLContext mlContext = new(1);
        IDataView test = DataSets.Open(mlContext, settings, null).Test;
        return [.. test.GetColumn<double>(test.Schema[0])];
    }

    private ExperimentResult Run(string text, List<string> said, string folder = "run") => Experiment.Run(Read(text), new ExperimentRun
    {
        Folder = At(folder),
        Say = said.Add,
        KeepsModels = false,
    });

    private ExperimentSettings Read(string text)
    {
        File.WriteAllText(At("x.yaml"), text);
        return ExperimentSettings.Read(YamlFile.Read(At("x.yaml")));
    }

    private string At(string name) => Path.Combine(_folder, name);

    private sealed class Number
    {
        public float Value { get; set; }
    }
}
