using System.Text.Json.Nodes;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Configuration;

/// <summary>An experiment, read from a configuration and checked.</summary>
internal sealed class ExperimentSettings
{
    private readonly YamlFile _file;
    private readonly ConfigurationKeys _keys;

    private ExperimentSettings(YamlFile file) => (_file, _keys) = (file, new ConfigurationKeys(file));

    public string Name => _keys.Text("experiment.name")!;

    public string OutputFolder => Path.Combine(_keys.Text("experiment.output_dir") ?? "results", Name);

    public int Seed => _keys.Int("experiment.seed") ?? 1;

    public string Dataset => _keys.Text("data.dataset")!;

    public string? DatasetPath => _keys.Text("data.dataset_path");

    public int? TargetSize => _keys.Int("data.target_size");

    public string Label => _keys.Text("data.label") ?? "Label";

    /// <summary>What there is to learn, as asked for; null to tell it from the label of a table.</summary>
    public TaskKind? AskedTask => _keys.Text("data.task") is not { } name || name == "auto" ? null : EnumNames.Find<TaskKind>(name);

    /// <summary>How a table is laid out, as far as the file says.</summary>
    public TableFormat TableFormat { get; private set; } = new();

    /// <summary>What the file says of a table's columns.</summary>
    public TableChoices TableChoices { get; private set; } = new();

    /// <summary>Of the choice of test rows and validation rows, and of the order of image files; the training's seed has no part in it.</summary>
    public int SplitSeed => _keys.Int("data.split_seed") ?? 1;

    public double TestShare => _keys.Number("data.test_share") ?? 0.2;

    public int? TrainRows => _keys.Int("data.train_rows");

    public int? TestRows => _keys.Int("data.test_rows");

    public DataCaching Caching => _keys.Text("data.caching") switch
    {
        "memory" => DataCaching.InMemory,
        "streaming" => DataCaching.Streaming,
        _ => DataCaching.Auto,
    };

    public ValidationChoice Validation { get; private set; } = ValidationChoice.None;

    public FeedbackRule Rule => FeedbackRule.Parse(_keys.Text("model.mode.type") is { } type and not "backpropagation" ? type : "bp");

    /// <summary>Null where a saved model is evaluated as it is.</summary>
    public NetworkDefinition? Network { get; private set; }

    /// <summary>A saved model to start from, or to evaluate.</summary>
    public string? Checkpoint => _keys.Text("model.checkpoint") ?? _keys.Text("model.model_checkpoint")
        ?? (_keys.Node("model.pretrained") is JsonValue value && value.TryGetValue(out string? path) ? path : null);

    public bool Trains => _keys.Node("training") is JsonObject;

    public int Epochs => _keys.Int("training.hyperparameters.epochs") ?? _keys.Int("training.hyperparameters.num_epochs") ?? 10;

    public int BatchSize => _keys.Int("training.hyperparameters.batch_size") ?? _keys.Int("data.batch_size") ?? 64;

    public int TopK => _keys.Int("training.metrics.top_k") ?? 5;

    /// <summary>The CUDA device; null for the CPU.</summary>
    public int? Gpu => _keys.Int("infrastructure.gpus") is { } gpu and >= 0 ? gpu : null;

    public int? Threads => _keys.Int("infrastructure.threads");

    public bool TestsAtEnd => _keys.Flag("evaluation") ?? _keys.Flag("evaluation.test") ?? true;

    public bool WritesTensorBoard => _keys.Flag("evaluation.tensorboard") ?? true;

    public bool WritesReport => _keys.Flag("evaluation.report") ?? true;

    public RobustnessSettings? Robustness { get; private set; }

    /// <summary>Everything that decides the result, for records: the file without what only says where it goes.</summary>
    public JsonObject Decisive => DecisiveOf(_file.Root);

    /// <summary>Reads and checks an experiment.</summary>
    /// <exception cref="FormatException">Something is wrong; the message names file, line, column and cure.</exception>
    public static ExperimentSettings Read(YamlFile file)
    {
        Schema.Check(file);
        ExperimentSettings settings = new(file);
        ConfigurationKeys keys = settings._keys;
        SettingsCheck.Check(keys, settings);
        keys.Check(settings.ReadTable, "data");
        settings.Validation = ValidationChoice.Read(keys, settings.Dataset);
        settings.Network = NetworkKeys.Read(keys, settings.Dataset);
        settings.Robustness = RobustnessSettings.Read(keys);
        settings.CheckTask(settings.AskedTask ?? TaskKind.Multiclass, isAsked: settings.AskedTask != null || settings.Dataset != "csv");
        return settings;
    }

    /// <summary>The same of a configuration that has not been checked.</summary>
    public static JsonObject DecisiveOf(JsonObject root)
    {
        JsonObject copy = (JsonObject)root.DeepClone();
        copy.Remove("sweep");
        copy.Remove("infrastructure");
        if (copy["experiment"] is JsonObject experiment)
        {
            foreach (string key in new[] { "name", "description", "output_dir" })
                experiment.Remove(key);
        }
        (copy["data"] as JsonObject)?.Remove("dataset_path");
        return copy;
    }

    /// <summary>Refuses what has no meaning for a task, and options out of range.</summary>
    /// <param name="task">The task.</param>
    /// <param name="isAsked">Whether it is certain; else only what has no meaning for any task is refused.</param>
    /// <exception cref="FormatException">The message names the key and the cure.</exception>
    public void CheckTask(TaskKind task, bool isAsked = true)
    {
        string? loss = _keys.Text("model.loss_function.name");
        bool isRegression = task == TaskKind.Regression;
        if (isAsked && isRegression && loss == "cross_entropy")
            throw _keys.Error("model.loss_function.name", "cross_entropy is a loss of classes, and the label is a number (a regression). Take "
                + "squared, absolute, huber or poisson, or leave it out; or set data.task to multiclass.");
        if (isAsked && !isRegression && loss is not (null or "cross_entropy"))
            throw _keys.Error("model.loss_function.name", $"{loss} is a loss of a regression, and the label has classes. Take cross_entropy, or set "
                + "data.task to regression.");
        if (isAsked && isRegression && _keys.Number("model.loss_function.label_smoothing") is > 0)
            throw _keys.Error("model.loss_function.label_smoothing", "it is for classes, and the label is a number (a regression). Leave it out.");
        if (isAsked && isRegression && Robustness != null)
            throw _keys.Error("evaluation.robustness", "attacks are for classes, and the label is a number (a regression). Leave it out.");
        _keys.Check(() => ToOptions(isAsked ? task : TaskKind.Multiclass).Validate());
    }

    /// <summary>The options of a multiclass trainer.</summary>
    public FeedbackAlignmentMulticlassTrainer.Options ToOptions() =>
        (FeedbackAlignmentMulticlassTrainer.Options)ToOptions(TaskKind.Multiclass);

    /// <summary>The options of the trainer for a task.</summary>
    public FeedbackAlignmentOptions ToOptions(TaskKind task) => TrainerKeys.Options(_keys, this, task);

    /// <summary>The keys that say how a table is read.</summary>
    private void ReadTable()
    {
        if (TableKeys.NamedIn(_keys.Node("data")) is { } key && Dataset != "csv")
            throw _keys.Error($"data.{key}", $"it is for tables (csv), and '{Dataset}' has images. Leave it out.");
        (TableFormat, TableChoices) = TableKeys.Read(_keys.Node("data"));
    }
}
