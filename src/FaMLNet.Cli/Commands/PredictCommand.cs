using System.ComponentModel;
using System.Globalization;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using FaMLNet.Reporting;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet predict</c>: a saved model's answers as a table.</summary>
internal sealed class PredictCommand : Command<PredictCommand.Settings>
{
    internal sealed class Settings : ModelSettings
    {
        [Output(MayBeStandard = true)]
        [CommandOption("-o|--output <FILE>"), Description(
            "One line per row: columns kept, or the file of an image, and the predicted class and the probabilities of all, or the predicted number; "
            + "of several labels each prediction by the label's name. "
            + "- stands for standard output."),
            DefaultValue("predictions.csv")]
        public string Output { get; set; } = "predictions.csv";

        [CommandOption("-k|--keep <COLUMNS>"), Description(
            "Columns of the table to copy through, separated by commas: what joins a prediction to its row.")]
        public string? Keep { get; set; }
    }

    private const int BufferBytes = 1 << 15;

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        MLContext mlContext = new();
        SavedModel model = SavedModel.Load(mlContext, settings.Model, settings.Label);
        string[] keep = settings.Keep?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct().ToArray() ?? [];
        DataSource data = Activity.Run($"reading '{settings.Data}'", () => DataSource.ForModel(mlContext, settings.Data, model,
            labelIsNeeded: false, !settings.NoHeader, keep, settings.Format, Console.Error.WriteLine));
        IDataView scored = model.Transformer.Transform(data.View);
        if (scored.Schema.GetColumnOrNull("PredictedLabel") is { Type: not (TextDataViewType or VectorDataViewType) })
            scored = mlContext.Transforms.Conversion.ConvertType("PredictedLabel", outputKind: DataKind.String).Fit(scored).Transform(scored);
        long rows = 0;
        using Activity writing = Activity.Start($"predicting '{settings.Data}'", progress: () => FormattableString.Invariant(
            $"{Volatile.Read(ref rows):N0} rows"));
        void WriteTo(Stream stream) => Write(scored, data, model.Task, keep, stream, count => Volatile.Write(ref rows, count), cancellationToken);
        if (Places.IsStandardOutput(settings.Output))
        {
            using Stream standard = Console.OpenStandardOutput();
            WriteTo(standard);
            return 0;
        }
        WholeFile.Write(settings.Output, path =>
        {
            using FileStream file = new(path, FileMode.Create, FileAccess.Write);
            WriteTo(file);
        });
        // Beside the table, where that goes to standard output by the name of a device.
        Console.Error.WriteLine($"Written to {settings.Output}.");
        return 0;
    }

    private static void Write(IDataView scored, DataSource data, LabelTask task, string[] keep, Stream stream, Action<long> done,
        CancellationToken cancellationToken)
    {
        // Whole lines are handed on, so that nothing said in between can break one.
        using MemoryStream buffer = new(2 * BufferBytes);
        using StreamWriter file = new(buffer) { NewLine = "\n", AutoFlush = true };
        void HandOn(int least)
        {
            if (buffer.Length <= least)
                return;
            stream.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
            buffer.SetLength(0);
        }
        string[] files = data.Files.Count > 0 ? ["File"] : [];
        // Of several labels of two values, each is written by its own name, and its probability behind them.
        LabelPart[] truths = task.Kind == TaskKind.Binary ? [.. task.Parts] : [];
        DataViewSchema.Column score = scored.Schema[truths.Length > 0 ? "Probability" : "Score"];
        bool isVector = score.Type is VectorDataViewType;
        // A regression has no predicted label, a binary classifier one score and its probability.
        DataViewSchema.Column[] texts = [.. keep.Select(name => scored.Schema[ColumnNames.KeptAs(name)]),
            .. scored.Schema.Where(column => column.Name == "PredictedLabel" && !column.IsHidden && truths.Length == 0)];
        DataViewSchema.Column[] flags = truths.Length > 0 ? [scored.Schema["PredictedLabel"]] : [];
        DataViewSchema.Column[] numbers = isVector ? [score]
            : [.. scored.Schema.Where(column => column.Name is "Score" or "Probability" && !column.IsHidden)];
        file.WriteLine(HistoryFile.Join(OutputNames.Of(keep, [.. files, .. texts.Skip(keep.Length).Select(column => column.Name),
            .. truths.Select(part => part.Column), .. isVector ? [] : numbers.Select(column => column.Name)],
            truths.Length > 0 ? [.. truths.Select(part => $"Probability: {part.Column}")]
            : task.HasSeveral ? [.. task.Parts.Select(part => part.Column)] : isVector ? Classes(score) : [], Console.Error.WriteLine)));
        using DataViewRowCursor cursor = scored.GetRowCursor([.. texts, .. flags, .. numbers]);
        ValueGetter<VBuffer<bool>>[] getFlags = [.. flags.Select(cursor.GetGetter<VBuffer<bool>>)];
        VBuffer<bool> predicted = default;
        ValueGetter<ReadOnlyMemory<char>>[] getTexts = [.. texts.Select(cursor.GetGetter<ReadOnlyMemory<char>>)];
        ValueGetter<VBuffer<float>>? getScores = isVector ? cursor.GetGetter<VBuffer<float>>(score) : null;
        ValueGetter<float>[] getNumbers = isVector ? [] : [.. numbers.Select(cursor.GetGetter<float>)];
        ReadOnlyMemory<char> text = default;
        VBuffer<float> scores = default;
        float number = 0;
        for (int row = 0; cursor.MoveNext(); row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            List<string> cells = [.. files.Select(_ => data.Files[row])];
            foreach (ValueGetter<ReadOnlyMemory<char>> getter in getTexts)
            {
                getter(ref text);
                cells.Add(text.ToString());
            }
            foreach (ValueGetter<VBuffer<bool>> getter in getFlags)
            {
                getter(ref predicted);
                cells.AddRange(predicted.DenseValues().Select((value, i) => value ? truths[i].Task.True : truths[i].Task.False));
            }
            foreach (ValueGetter<float> getter in getNumbers)
            {
                getter(ref number);
                cells.Add(number.ToString(CultureInfo.InvariantCulture));
            }
            getScores?.Invoke(ref scores);
            file.WriteLine(HistoryFile.Join([.. cells, .. scores.DenseValues().Select(value => value.ToString(CultureInfo.InvariantCulture))]));
            HandOn(BufferBytes);
            done(row + 1L);
        }
        HandOn(0);
    }

    private static string[] Classes(DataViewSchema.Column score)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        if (score.HasSlotNames())
            score.GetSlotNames(ref names);
        return names.Length > 0 ? [.. names.DenseValues().Select(name => name.ToString())]
            : [.. Enumerable.Range(0, ((VectorDataViewType)score.Type).Size).Select(i => $"Score{i}")];
    }
}
