using System.Text.Json;
using System.Text.Json.Serialization;
using FaMLNet.Tasks.Labels;
using Microsoft.ML.Runtime;

namespace FaMLNet.Persistence;

/// <summary>The JSON entry of a saved model: everything but the weights. What is read is validated before it is used.</summary>
internal sealed record ModelDocument
{
    private const int CurrentVersion = 2;
    private const int MaximumCharacters = 1 << 26;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
        MaxDepth = 16,
        TypeInfoResolver = HistoryJson.Resolver,
    };

    public required string Format { get; init; }

    public required int Version { get; init; }

    public required string Rule { get; init; }

    public required int Inputs { get; init; }

    /// <summary>Outputs of the network.</summary>
    public required int Classes { get; init; }

    /// <summary>Between its output and the labels; only in a regression.</summary>
    public TargetDocument? Target { get; init; }

    /// <summary>Between each output and its labels; only in a regression of several numbers.</summary>
    public IReadOnlyList<TargetDocument>? Targets { get; init; }

    public required NetworkDocument Network { get; init; }

    /// <summary>The layers that have feedback weights, with their shapes.</summary>
    public required IReadOnlyList<FeedbackDocument> Feedback { get; init; }

    public required IReadOnlyList<EpochMetrics> History { get; init; }

    /// <summary>
    /// What it was trained with and on: options as resolved, the data by its digest, date, machine, versions; for people, nothing reads it. Null in
    /// models of before.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Training { get; init; }

    public static ModelDocument Create(ModelTask task, NetworkLayout layout, FeedbackRule rule, IReadOnlyList<FeedbackDocument> feedback,
        IReadOnlyList<EpochMetrics> history, IReadOnlyDictionary<string, string>? training, IReadOnlyList<TargetScale> targets) => new()
        {
            Training = training,
            Format = FormatOf(task),
            Target = task == ModelTask.Regression ? TargetDocument.Of(targets[0]) : null,
            Targets = task == ModelTask.VectorRegression ? [.. targets.Select(TargetDocument.Of)] : null,
            Version = CurrentVersion,
            Rule = rule.ShortName,
            Inputs = layout.Inputs,
            Classes = layout.Outputs,
            Network = NetworkDocument.Create(layout),
            Feedback = feedback,
            History = history,
        };

    /// <param name="reader">The text.</param>
    /// <param name="task">The task of the model that it is to be.</param>
    /// <exception cref="FormatException">It is not such a description.</exception>
    public static ModelDocument Read(TextReader reader, ModelTask task)
    {
        ModelDocument document;
        try
        {
            document = JsonSerializer.Deserialize<ModelDocument>(ReadAtMost(reader), Json)
                ?? throw new FormatException("The model's description is empty.");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new FormatException(
                $"The model's description is not what FaMLNet writes: {failure.Message} The file is damaged or not a FaMLNet model.", failure);
        }
        document.Check(task);
        return document.Version >= 2 ? document
            : document with { History = HistoryJson.FromVersion1(document.History, document.Feedback.Any(feedback => feedback.Direct)) };
    }

    /// <summary>What the feedback weights of a network are.</summary>
    public static IReadOnlyList<FeedbackDocument> Describe(FeedbackLayout places, NetworkLayout layout) =>
        [.. layout.WeightedLayers.Select((layer, i) => (layer.Name, Slice: places.Slices[i], Memory: places.Memory[i]))
            .Where(place => place.Slice != null).Select(place => new FeedbackDocument
            {
                Layer = place.Name,
                Direct = places.Route.Kind == FeedbackKind.Direct,
                Modulation = places.Route.Kind == FeedbackKind.Modulation ? true : null,
                Memory = place.Memory?.Length,
            })];

    public void Write(TextWriter writer) => writer.Write(JsonSerializer.Serialize(this, Json).ReplaceLineEndings("\n"));

    public NetworkLayout CreateLayout(IHostEnvironment env)
    {
        try
        {
            NetworkLayout layout = Network.CreateLayout(env, Inputs, Classes);
            return layout.Inputs == Inputs ? layout : throw new FormatException(
                $"The model's description has {Inputs} inputs, but its images have {layout.Inputs} values.");
        }
        catch (ArgumentException failure)
        {
            throw new FormatException($"The model's description does not describe a network: {failure.Message}", failure);
        }
    }

    /// <summary>The names and shapes of all arrays that the model must have, in the order of the file.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<int> Shape)> DescribeTensors(NetworkLayout layout)
    {
        List<(string, IReadOnlyList<int>)> tensors =
            [.. layout.Parameters.Concat(layout.Statistics).Select(slice => (slice.Name, (IReadOnlyList<int>)slice.Shape))];
        foreach (FeedbackDocument feedback in Feedback)
        {
            int layer = layout.WeightedLayers.FindIndex(layer => layer.Name == feedback.Layer);
            int[] shape = (layer < 0 ? null : ErrorRoute.Of(feedback.Kind).ShapeOf(layout, layer))
                ?? throw new FormatException($"The model's description gives feedback weights to a layer '{feedback.Layer}' that passes no error.");
            tensors.Add((FeedbackLayout.NameOf(feedback.Layer), shape));
            if (feedback.Memory is { } memory)
                tensors.Add((FeedbackLayout.MemoryNameOf(feedback.Layer), [memory]));
        }
        return tensors;
    }

    /// <summary>Between its outputs and the labels, as the task has them.</summary>
    /// <param name="task">The model's.</param>
    public IReadOnlyList<TargetScale> ScalesOf(ModelTask task) => task switch
    {
        ModelTask.Regression => [Target!.ToScale()],
        ModelTask.VectorRegression => [.. Targets!.Select(target => target.ToScale())],
        ModelTask.MultiLabel => [.. Enumerable.Repeat(TargetScale.None, Classes)],
        _ => TargetScale.Unscaled,
    };

    private static string ReadAtMost(TextReader reader)
    {
        char[] buffer = new char[1 << 16];
        System.Text.StringBuilder text = new();
        int read;
        while ((read = reader.Read(buffer)) > 0)
        {
            text.Append(buffer, 0, read);
            if (text.Length > MaximumCharacters)
                throw new FormatException($"The model's description is longer than {MaximumCharacters} characters: the file is damaged.");
        }
        return text.ToString();
    }

    private static string FormatOf(ModelTask task) => task switch
    {
        ModelTask.VectorRegression => "FaMLNet vector regression network",
        ModelTask.MultiLabel => "FaMLNet multi-label network",
        _ => $"FaMLNet {task.ToString().ToLowerInvariant()} network",
    };

    private void Check(ModelTask task)
    {
        if (Format != FormatOf(task))
            throw new FormatException($"The model's description is of the format '{Format}'; expected '{FormatOf(task)}'.");
        if (Version is < 1 or > CurrentVersion)
            throw new FormatException(
                $"The model is of format version {Version}; this version of FaMLNet reads up to {CurrentVersion}. Update the FaMLNet package.");
        if (Inputs < 1 || Classes < 1 || Classes > MlpDefinition.MaximumUnits)
            throw new FormatException($"The model's description has {Inputs} inputs and {Classes} classes; both must be positive, and at most "
                + $"{MlpDefinition.MaximumUnits} classes.");
        if (task is ModelTask.Binary or ModelTask.Regression && Classes != 1)
            throw new FormatException($"The model's description has {Classes} outputs; its task has one. The file is damaged.");
        bool hasTargets = Targets is { } targets && targets.Count == Classes
            && targets.All(target => target is { IsValid: true, IsLogarithmic: false });
        if ((task == ModelTask.Regression ? Target is not { IsValid: true } : Target != null)
            || (task == ModelTask.VectorRegression ? !hasTargets : Targets != null))
            throw new FormatException("The model's description lacks the mean and deviation of its labels, or has impossible ones: the "
                + "file is damaged.");
        if (string.IsNullOrWhiteSpace(Rule) || Feedback.Any(feedback => feedback?.Layer == null) || History.Any(HistoryJson.LacksSomething))
            throw new FormatException("The model's description lacks a rule or the contents of a list: the file is damaged.");
        if (Feedback.Any(feedback => feedback.Memory is <= 0 || (feedback.Direct && feedback.Modulation == true)))
            throw new FormatException("The model's description gives feedback weights of no kind, or a memory of no length: the file is damaged.");
        if (Feedback.DistinctBy(feedback => feedback.Layer).Count() != Feedback.Count)
            throw new FormatException("The model's description names a layer's feedback weights twice: the file is damaged.");
    }

    /// <summary>Mean and standard deviation of the labels, and whether the output is the logarithm of a rate.</summary>
    internal sealed record TargetDocument
    {
        public required double Mean { get; init; }

        public required double Deviation { get; init; }

        public required bool IsLogarithmic { get; init; }

        public static TargetDocument Of(TargetScale scale) =>
            new() { Mean = scale.Mean, Deviation = scale.Deviation, IsLogarithmic = scale.IsLogarithmic };

        public TargetScale ToScale() => new(Mean, Deviation, IsLogarithmic);

        [JsonIgnore]
        public bool IsValid => double.IsFinite(Mean) && double.IsFinite(Deviation) && Deviation > 0 && (!IsLogarithmic || Mean > 0);
    }

    internal sealed record FeedbackDocument
    {
        public required string Layer { get; init; }

        public required bool Direct { get; init; }

        /// <summary>Whether they feed the network's input; null for no.</summary>
        public bool? Modulation { get; init; }

        /// <summary>How many numbers the rule keeps beside them; null for none.</summary>
        public int? Memory { get; init; }

        [JsonIgnore]
        public FeedbackKind Kind => Modulation == true ? FeedbackKind.Modulation : Direct ? FeedbackKind.Direct : FeedbackKind.Layerwise;
    }
}
