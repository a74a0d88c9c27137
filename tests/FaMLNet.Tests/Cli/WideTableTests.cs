using System.Globalization;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>A table of very many columns of numbers: a few vectors take their place.</summary>
public sealed class WideTableTests : IDisposable
{
    private const int Columns = WideNumbers.LeastColumns + 200, Rows = 40;

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-wide").FullName;
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _said = [];

    private string Path => System.IO.Path.Combine(_folder, "wide.csv");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Features_are_those_of_single_columns_under_their_names()
    {
        Write(Path, reversed: false);
        DataSource data = DataSource.ForTraining(_mlContext, Path, "Label", hasHeader: true, _said.Add);
        Assert.InRange(data.View.Schema.Count, 3, 10);
        IDataView features = TablePipeline.Prepare(_mlContext, data, _said.Add).Fit(data.View).Transform(data.View);
        float[][] rows = [.. features.GetColumn<float[]>("Features")];
        VBuffer<ReadOnlyMemory<char>> slots = default;
        features.Schema["Features"].GetSlotNames(ref slots);
        Dictionary<string, int> places = slots.DenseValues().Select((name, i) => (Name: name.ToString().Split('.')[^1], i))
            .ToDictionary(pair => pair.Name, pair => pair.i);
        Assert.Equal(Columns + 1, places.Count); // the categories x and y among them
        // Column 3 has a missing value, which becomes the mean; column 5 one far outside, which is cut and said.
        double[] values = [.. Enumerable.Range(0, Rows).Where(row => row != 7).Select(row => Value(row, 3))];
        double mean = values.Average(), deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / Rows);
        for (int row = 0; row < Rows; row++)
            Assert.Equal(row == 7 ? 0 : (Value(row, 3) - mean) / deviation, rows[row][places["g3"]], 1e-4);
        Assert.Contains(_said, said => said.StartsWith("Column 'g5': ", StringComparison.Ordinal) && said.Contains("far outside"));
        Assert.All(rows, row => Assert.InRange(row[places["g5"]], -7, 7));
    }

    [Fact]
    public void A_saved_model_reads_new_tables_by_name_whatever_the_order_of_their_columns()
    {
        Write(Path, reversed: false);
        DataSource data = DataSource.ForTraining(_mlContext, Path, "Label", hasHeader: true, _said.Add);
        FeedbackAlignmentMulticlassTrainer trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options { LabelColumnName = data.Label, NumberOfEpochs = 2, Network = NetworkDefinition.Mlp(4) });
        ITransformer model = TablePipeline.Prepare(_mlContext, data).Append(trainer).Fit(data.View);
        float[][] expected = [.. model.Transform(data.View).GetColumn<float[]>("Score")];
        string file = System.IO.Path.Combine(_folder, "model.zip"), other = System.IO.Path.Combine(_folder, "other.csv");
        _mlContext.Model.Save(model, data.View.Schema, file);
        ITransformer loaded = _mlContext.Model.Load(file, out DataViewSchema schema);
        Write(other, reversed: true);
        (TableView view, _) = ModelTable.Open(TableFile.Open(other, new TableFormat()), schema, "Label", null, labelIsNeeded: false, [],
            hasHeader: true, _said.Add);
        Assert.Equal(expected, loaded.Transform(view).GetColumn<float[]>("Score"));
        // A column that is not there is named.
        File.WriteAllLines(other, File.ReadAllLines(other).Select(line => line.Replace(",g17,", ",h17,", StringComparison.Ordinal)));
        Assert.Contains("'g17'", Assert.Throws<FormatException>(() => ModelTable.Open(TableFile.Open(other, new TableFormat()), schema, "Label", null,
            labelIsNeeded: false, [], hasHeader: true, _said.Add)).Message, StringComparison.Ordinal);
    }

    private static double Value(int row, int column) => (row * 37 + column * 11) % 29 / 10.0 + (row % 2);

    private static void Write(string path, bool reversed)
    {
        int[] order = [.. Enumerable.Range(0, Columns - 1)];
        if (reversed)
            Array.Reverse(order);
        List<string> lines = [string.Join(',', order.Select(column => $"g{column}").Append("kind").Append("Label"))];
        for (int row = 0; row < Rows; row++)
        {
            int current = row;
            lines.Add(string.Join(',', order.Select(column => (current, column) switch
            {
                (7, 3) => "",
                (9, 5) => "999999999",
                _ => Value(current, column).ToString("R", CultureInfo.InvariantCulture),
            }).Append(row % 3 == 0 ? "x" : "y").Append(row % 2 == 0 ? "u" : "v")));
        }
        File.WriteAllLines(path, lines);
    }
}
