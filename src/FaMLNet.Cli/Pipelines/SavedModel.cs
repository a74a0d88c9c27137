using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Pipelines;

/// <summary>A pipeline from a zip.</summary>
/// <param name="Transformer">The pipeline.</param>
/// <param name="Schema">The columns that it was trained on, label included.</param>
/// <param name="Label">The label's column.</param>
internal sealed record SavedModel(ITransformer Transformer, DataViewSchema Schema, string Label)
{
    /// <summary>What it was trained for.</summary>
    public LabelTask Task { get; private init; } = LabelTask.Multiclass;

    /// <summary>The values of the label that it knows; null for a number, or where they cannot be told.</summary>
    public IReadOnlyList<string>? Classes { get; private init; }

    /// <summary>Its transformers, in order.</summary>
    public IEnumerable<ITransformer> Parts => PartsOf(Transformer);

    /// <summary>The network in it; null in a model of others.</summary>
    public IFeedbackAlignmentModel? Network => NetworkOf(Transformer);

    /// <summary>The network in a pipeline; null where there is none.</summary>
    public static IFeedbackAlignmentModel? NetworkOf(ITransformer pipeline) =>
        PartsOf(pipeline).OfType<ISingleFeaturePredictionTransformer<IFeedbackAlignmentModel>>().LastOrDefault()?.Model;

    /// <param name="mlContext">The context.</param>
    /// <param name="path">The zip.</param>
    /// <param name="label">The label's column; null for the model's own.</param>
    /// <exception cref="FileNotFoundException">Nothing is there.</exception>
    /// <exception cref="FormatException">It is no model.</exception>
    public static SavedModel Load(MLContext mlContext, string path, string? label)
    {
        SavedModel loaded = Read(mlContext, path, label);
        return label == null || !loaded.Task.HasSeveral ? loaded : throw new FormatException(
            $"--label: '{path}' predicts several labels, which the option cannot rename. Leave it out; the table's columns are "
            + $"{string.Join(", ", loaded.Task.Parts.Select(part => $"'{part.Column}'"))}.");
    }

    private static SavedModel Read(MLContext mlContext, string path, string? label)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no model '{path}'. 'famlnet train' writes one.");
        try
        {
            ITransformer model = mlContext.Model.Load(path, out DataViewSchema schema);
            if (schema == null)
                throw new FormatException("it does not say what columns it reads. Save it with its input's schema.");
            string? own = PartsOf(model).Select(part => part switch
            {
                FeedbackAlignmentMulticlassTransformer multiclass => multiclass.LabelColumnName,
                FeedbackAlignmentBinaryTransformer binary => binary.LabelColumnName,
                FeedbackAlignmentRegressionTransformer regression => regression.LabelColumnName,
                FeedbackAlignmentVectorRegressionTransformer numbers => numbers.LabelColumnName,
                FeedbackAlignmentMultiLabelTransformer labels => labels.LabelColumnName,
                _ => null,
            }).LastOrDefault(name => name != null);
            SavedModel loaded = new(model, schema, label == null ? own ?? "Label" : ColumnNames.InPipeline(label))
            {
                Task = TaskOf(mlContext, model, schema),
            };
            return loaded with { Classes = loaded.Task.Values ?? ClassesOf(loaded) };
        }
        catch (Exception failure) when (Failures.CauseOf(failure) is not (OutOfMemoryException or FileNotFoundException
            or UnauthorizedAccessException or DllNotFoundException))
        {
            throw new FormatException($"'{path}' is no model that this tool can load: {Failures.ReasonOf(failure)}", failure);
        }
    }

    /// <summary>The classes of a multiclass model: the values that the label's texts become keys of.</summary>
    private static string[]? ClassesOf(SavedModel model)
    {
        if (model.Task.Kind != TaskKind.Multiclass || model.Schema.GetColumnOrNull(model.Label)?.Type is not TextDataViewType
            || model.Transformer.GetOutputSchema(model.Schema).GetColumnOrNull(model.Label) is not { Type: KeyDataViewType } label
            || label.Annotations.Schema.GetColumnOrNull("KeyValues")?.Type is not VectorDataViewType { ItemType: TextDataViewType })
            return null;
        VBuffer<ReadOnlyMemory<char>> names = default;
        label.GetKeyValues(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }

    private static IEnumerable<ITransformer> PartsOf(ITransformer pipeline) => pipeline as IEnumerable<ITransformer> ?? [pipeline];

    /// <summary>The task; of a binary one what it calls true and false, which the last transformer knows.</summary>
    private static LabelTask TaskOf(MLContext mlContext, ITransformer model, DataViewSchema schema)
    {
        ITransformer[] parts = [.. PartsOf(model)];
        if (parts.Any(part => part is FeedbackAlignmentVectorRegressionTransformer or FeedbackAlignmentMultiLabelTransformer))
            return SeveralOf(model, schema, parts.Any(part => part is FeedbackAlignmentMultiLabelTransformer));
        if (parts.Any(part => part is FeedbackAlignmentRegressionTransformer))
            return new LabelTask(TaskKind.Regression);
        if (!parts.Any(part => part is FeedbackAlignmentBinaryTransformer))
            return LabelTask.Multiclass;
        IDataView both = mlContext.Data.LoadFromEnumerable([new Truth(), new Truth { PredictedLabel = true }]);
        if (parts[^1] is not FeedbackAlignmentBinaryTransformer)
            both = parts[^1].Transform(both);
        string[] names = both.Schema["PredictedLabel"].Type is TextDataViewType ? [.. both.GetColumn<string>("PredictedLabel")] : ["False", "True"];
        return new LabelTask(TaskKind.Binary, names[1], names[0]);
    }

    /// <summary>The task of several labels: their columns are the slots of the score, and what two values are called is with each column.</summary>
    private static LabelTask SeveralOf(ITransformer model, DataViewSchema schema, bool areTruths)
    {
        VBuffer<ReadOnlyMemory<char>> slots = default;
        DataViewSchema.Column score = model.GetOutputSchema(schema)["Score"];
        if (score.HasSlotNames())
            score.GetSlotNames(ref slots);
        LabelPart PartOf(string name)
        {
            ColumnReading reading = schema.GetColumnOrNull(name) is { } column ? ColumnReading.Of(column)
                : throw new FormatException($"it has a label '{name}', and no column of that name. It was trained by a program of its own: "
                    + "use it from there.");
            if (!areTruths)
                return new LabelPart(name, reading.Column, new LabelTask(TaskKind.Regression));
            return reading.Known is [var no, var yes] ? new LabelPart(name, reading.Column, new LabelTask(TaskKind.Binary, yes, no))
                : throw new FormatException($"it does not say what the two values of its label '{name}' are. It was trained by a program of its own: "
                    + "use it from there.");
        }
        LabelPart[] parts = [.. slots.DenseValues().Select(name => PartOf(name.ToString()))];
        return parts.Length > 0 ? new LabelTask(areTruths ? TaskKind.Binary : TaskKind.Regression) { Parts = parts }
            : throw new FormatException("its labels have no names. It was trained by a program of its own: use it from there.");
    }

    private sealed class Truth
    {
        public bool PredictedLabel { get; set; }
    }
}
