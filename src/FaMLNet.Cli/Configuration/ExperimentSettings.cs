using System.Text.Json.Nodes;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Configuration;

/// <summary>Which rows tell the best epoch.</summary>
/// <param name="Share">Share of the training rows, kept aside.</param>
/// <param name="Rows">So many of the training rows, kept aside; null where a share says it.</param>
/// <param name="OnTest">Whether it is the test set, because the file says so.</param>
internal sealed record ValidationChoice(double Share, long? Rows, bool OnTest)
{
    public static ValidationChoice None { get; } = new(0, null, false);

    public bool IsNone => Share == 0 && Rows == null && !OnTest;
}

/// <summary>An attack's settings in a configuration.</summary>
internal sealed record RobustnessSettings(IReadOnlyList<Attack> Attacks, int? Rows, IReadOnlyList<ThreatModel> ThreatModels);

/// <summary>An experiment, read from a configuration and checked.</summary>
internal sealed class ExperimentSettings
{
    private readonly YamlFile _file;

    private ExperimentSettings(YamlFile file) => _file = file;

    public string Name => Text("experiment.name")!;

    public string OutputFolder => Path.Combine(Text("experiment.output_dir") ?? "results", Name);

    public int Seed => Int("experiment.seed") ?? 1;

    public string Dataset => Text("data.dataset")!;

    public string? DatasetPath => Text("data.dataset_path");

    public int? TargetSize => Int("data.target_size");

    public string Label => Text("data.label") ?? "Label";

    /// <summary>What there is to learn, as asked for; null to tell it from the label of a table.</summary>
    public TaskKind? AskedTask => Text("data.task") is not { } name || name == "auto" ? null : EnumNames.Find<TaskKind>(name);

    /// <summary>How a table is laid out, as far as the file says.</summary>
    public TableFormat TableFormat { get; private set; } = new();

    /// <summary>What the file says of a table's columns.</summary>
    public TableChoices TableChoices { get; private set; } = new();

    /// <summary>Of the choice of test rows and validation rows, and of the order of image files; the training's seed has no part in it.</summary>
    public int SplitSeed => Int("data.split_seed") ?? 1;

    public double TestShare => Number("data.test_share") ?? 0.2;

    public int? TrainRows => Int("data.train_rows");

    public int? TestRows => Int("data.test_rows");

    public DataCaching Caching => Text("data.caching") switch
    {
        "memory" => DataCaching.InMemory,
        "streaming" => DataCaching.Streaming,
        _ => DataCaching.Auto,
    };

    public ValidationChoice Validation { get; private set; } = ValidationChoice.None;

    public FeedbackRule Rule => FeedbackRule.Parse(Text("model.mode.type") is { } type and not "backpropagation" ? type : "bp");

    /// <summary>Null where a saved model is evaluated as it is.</summary>
    public NetworkDefinition? Network { get; private set; }

    /// <summary>A saved model to start from, or to evaluate.</summary>
    public string? Checkpoint => Text("model.checkpoint") ?? Text("model.model_checkpoint")
        ?? (Node("model.pretrained") is JsonValue value && value.TryGetValue(out string? path) ? path : null);

    public bool Trains => Node("training") is JsonObject;

    public int Epochs => Int("training.hyperparameters.epochs") ?? Int("training.hyperparameters.num_epochs") ?? 10;

    public int BatchSize => Int("training.hyperparameters.batch_size") ?? Int("data.batch_size") ?? 64;

    public int TopK => Int("training.metrics.top_k") ?? 5;

    /// <summary>The CUDA device; null for the CPU.</summary>
    public int? Gpu => Int("infrastructure.gpus") is { } gpu and >= 0 ? gpu : null;

    public int? Threads => Int("infrastructure.threads");

    public bool TestsAtEnd => Flag("evaluation") ?? Flag("evaluation.test") ?? true;

    public bool WritesTensorBoard => Flag("evaluation.tensorboard") ?? true;

    public bool WritesReport => Flag("evaluation.report") ?? true;

    public RobustnessSettings? Robustness { get; private set; }

    /// <summary>Everything that decides the result, for records: the file without what only says where it goes.</summary>
    public JsonObject Decisive => WithoutPlaces(_file.Root);

    /// <summary>Reads and checks an experiment.</summary>
    /// <exception cref="FormatException">Something is wrong; the message names file, line, column and cure.</exception>
    public static ExperimentSettings Read(YamlFile file)
    {
        Schema.Check(file);
        ExperimentSettings settings = new(file);
        settings.CheckMeaning();
        settings.Check(settings.ReadTable, "data");
        settings.Validation = settings.ReadValidation();
        settings.Network = settings.ReadNetwork();
        settings.Robustness = settings.ReadRobustness();
        settings.CheckTask(settings.AskedTask ?? TaskKind.Multiclass, isAsked: settings.AskedTask != null || settings.Dataset != "csv");
        return settings;
    }

    /// <summary>Everything that decides the result, for records: the file without what only says where it goes.</summary>
    private static JsonObject WithoutPlaces(JsonObject root)
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
        string? loss = Text("model.loss_function.name");
        bool isRegression = task == TaskKind.Regression;
        if (isAsked && isRegression && loss == "cross_entropy")
            throw Error("model.loss_function.name", "cross_entropy is a loss of classes, and the label is a number (a regression). Take squared, "
                + "absolute, huber or poisson, or leave it out; or set data.task to multiclass.");
        if (isAsked && !isRegression && loss is not (null or "cross_entropy"))
            throw Error("model.loss_function.name", $"{loss} is a loss of a regression, and the label has classes. Take cross_entropy, or set "
                + "data.task to regression.");
        if (isAsked && isRegression && Number("model.loss_function.label_smoothing") is > 0)
            throw Error("model.loss_function.label_smoothing", "it is for classes, and the label is a number (a regression). Leave it out.");
        if (isAsked && isRegression && Robustness != null)
            throw Error("evaluation.robustness", "attacks are for classes, and the label is a number (a regression). Leave it out.");
        Check(() => ToOptions(isAsked ? task : TaskKind.Multiclass).Validate());
    }

    /// <summary>The options of a multiclass trainer.</summary>
    public FeedbackAlignmentMulticlassTrainer.Options ToOptions() =>
        (FeedbackAlignmentMulticlassTrainer.Options)ToOptions(TaskKind.Multiclass);

    /// <summary>The options of the trainer for a task.</summary>
    public FeedbackAlignmentOptions ToOptions(TaskKind task)
    {
        bool isRegression = task == TaskKind.Regression;
        FeedbackAlignmentOptions options = task switch
        {
            TaskKind.Binary => new FeedbackAlignmentBinaryTrainer.Options(),
            TaskKind.Regression => new FeedbackAlignmentRegressionTrainer.Options { Loss = Loss() },
            _ => new FeedbackAlignmentMulticlassTrainer.Options { TopK = TopK },
        };
        if (options is FeedbackAlignmentClassifierOptions classes)
            classes.LabelSmoothing = (float?)Number("model.loss_function.label_smoothing") ?? 0;
        FeedbackRule rule = Rule;
        NetworkDefinition network = Network ?? rule.Defaults.Network;
        string? init = Text("model.mode.options.init");
        bool all = Flag("training.metrics.all") ?? false, alignment = Flag("training.metrics.layer_alignment")
            ?? Flag("training.metrics.weight_alignment") ?? true, ratio = Flag("training.metrics.weight_ratio") ?? true;
        options.Rule = rule;
        options.Network = network;
        (OptimizerOptions? optimizer, LearningRateSchedule? schedule) = ReadOptimizer(options);
        options.NumberOfEpochs = Epochs;
        options.BatchSize = BatchSize;
        options.Seed = Seed;
        options.Optimizer = optimizer;
        options.Schedule = schedule;
        // An explicit initializer disables scaling.
        options.InitialWeightScale = (float?)Number("model.mode.options.weight_scale") ?? (init == null ? null : 1);
        options.FeedbackScale = (float?)Number("model.mode.options.feedback_scale") ?? (init == null ? null : 1);
        options.FeedbackInitialization = Initialization(init) ?? WeightInitialization.XavierUniform;
        options.ConstrainWeightNorms = Flag("model.mode.options.constrain_weights") ?? false;
        options.GradientClipping = ErrorLimit() is { } limit ? GradientClipping.OfErrors(limit) : null;
        options.Augmentation = Augments ? Augmentation.RandomCrop(4).Then(Augmentation.HorizontalFlip()) : null;
        options.DataCaching = Caching;
        options.NumberOfThreads = Threads;
        options.Diagnostics = all ? LayerDiagnostics.All : alignment || ratio ? LayerDiagnostics.Alignment : LayerDiagnostics.None;
        options.ValidationFraction = Validation.Rows == null && !Validation.OnTest ? Validation.Share : 0;
        options.ValidationSeed = Validation.IsNone || Validation.OnTest ? null : SplitSeed;
        options.EarlyStopping = Validation.IsNone ? null : new EarlyStopping
        {
            Metric = isRegression ? StoppingMetric.ValidationLoss : StoppingMetric.ValidationAccuracy,
            Patience = Int("training.hyperparameters.patience") ?? Epochs,
        };
        return options;
    }

    private RegressionLoss Loss() => Text("model.loss_function.name") switch
    {
        "absolute" => RegressionLoss.Absolute,
        "huber" => RegressionLoss.Huber(),
        "poisson" => RegressionLoss.Poisson,
        _ => RegressionLoss.Squared,
    };

    private bool Augments => Text("data.augmentation") switch
    {
        "crop-flip" => true,
        "none" => false,
        _ => Dataset == "cifar10_benchmark",
    };

    /// <summary>The keys that say how a table is read.</summary>
    private void ReadTable()
    {
        if (TableKeys.NamedIn(Node("data")) is { } key && Dataset != "csv")
            throw Error($"data.{key}", $"it is for tables (csv), and '{Dataset}' has images. Leave it out.");
        (TableFormat, TableChoices) = TableKeys.Read(Node("data"));
    }

    private void CheckMeaning()
    {
        if (Dataset != "csv" && AskedTask is not (null or TaskKind.Multiclass))
            throw Error("data.task", $"'{Dataset}' has images in classes: the task must be auto or multiclass. Tables (csv) have every task.");
        if (Node("infrastructure.gpus") is JsonArray)
            throw Error("infrastructure.gpus", "a list of devices is not supported: a training runs on one. Give one number (-1 is the CPU), and "
                + "run trials side by side with 'famlnet sweep'.");
        if (Node("model.pretrained") is JsonValue value && value.TryGetValue(out bool pretrained) && pretrained && Checkpoint == null)
            throw Error("model.pretrained",
                "FaMLNet ships no pretrained weights and downloads none. Give the path of a saved model instead of true.");
        if (Node("model.architecture") is null && Checkpoint == null)
            throw Error("model", "expected an architecture, or a checkpoint to start from.");
        if (!Trains && Checkpoint == null)
            throw Error("model", "there is no 'training', so a 'checkpoint' to evaluate is needed. Add one of the two.");
        if (Checkpoint is { } path && !File.Exists(path))
            throw Error("model.checkpoint",
                $"the saved model '{path}' is not there. Give the path of a zip that 'famlnet train' or 'benchmark' saved.");
        if (Trains && Node("model.mode") is null)
            throw Error("model", "expected 'mode' with the 'type' of the rule, for example fa.");
        if (Flag("model.mode.options.scaling_factor") == true)
            throw Error("model.mode.options.scaling_factor", "it has no meaning, here and in BioTorch's code: uSF's weights always have the standard "
                + "deviation of the initialisation. Leave it out, or set feedback_scale.");
        if (Text("training.optimizer.type") is "default" or null && Node("training.optimizer") is JsonObject optimizer
            && optimizer.Select(pair => pair.Key).FirstOrDefault(key => key is not ("type" or "lr" or "weight_decay")) is { } odd)
            throw Error($"training.optimizer.{odd}", "the default optimizer takes lr and weight_decay only. Name a type.");
        if (Text("training.lr_scheduler.type") == "multistep_lr" && Node("training.lr_scheduler.milestones") is null)
            throw Error("training.lr_scheduler", "multistep_lr needs 'milestones', a list of epochs, and 'gamma'.");
        if (Text("training.lr_scheduler.type") == "step_lr" && Int("training.lr_scheduler.step_size") is null)
            throw Error("training.lr_scheduler", "step_lr needs 'step_size', a number of epochs, and 'gamma'.");
    }

    private ValidationChoice ReadValidation()
    {
        // BioTorch's own splits: CIFAR-10's benchmark keeps 5,000 images aside.
        if (Node("data.validation") is not { } node)
            return Dataset == "cifar10_benchmark" ? new ValidationChoice(0, 5000, false) : new ValidationChoice(0.1, null, false);
        if (Number("data.validation") is not { } amount)
            return node.GetValue<string>() == "test" ? new ValidationChoice(0, null, true) : ValidationChoice.None;
        return amount < 1 ? new ValidationChoice(amount, null, false)
            : amount == Math.Floor(amount) ? new ValidationChoice(0, (long)amount, false)
            : throw Error("data.validation", "must be a share below 1 or a whole number of rows.");
    }

    private NetworkDefinition? ReadNetwork()
    {
        if (Text("model.architecture") is not { } name)
            return null;
        NetworkDefinition network = NetworkNames.Find(name)
            ?? throw Error("model.architecture", $"the network '{name}' is not known. Take {NetworkNames.Known}.");
        if (Initialization(Text("model.mode.options.init")) is { } initialization)
        {
            network = network switch
            {
                MlpDefinition mlp => mlp with { Initialization = initialization },
                SequentialDefinition sequential => sequential with { Initialization = initialization },
                _ => network,
            };
        }
        // Image files are brought to their size while they are decoded; images of that size already need nothing.
        int? own = Dataset switch
        {
            "mnist" or "fashion-mnist" or "fashion_mnist" or "kmnist" or "emnist" => 28,
            "cifar10" or "cifar10_benchmark" or "cifar100" => 32,
            _ => null,
        };
        return TargetSize is { } size && own is { } known && size != known && network is SequentialDefinition layers ? layers.Resized(size) : network;
    }

    private RobustnessSettings? ReadRobustness()
    {
        if (Node("evaluation.robustness") is not JsonObject group)
            return null;
        string[] names = [.. ((JsonArray)group["attacks"]!).Select(name => name!.GetValue<string>())];
        float[] bounds = group["eps"] is JsonArray list ? [.. list.Select(bound => (float)bound!.GetValue<double>())] : [0.02f, 0.05f, 0.1f];
        AttackNorm norm = group["norm"]?.GetValue<string>() == "l2" ? AttackNorm.L2 : AttackNorm.LInfinity;
        IReadOnlyList<Attack> attacks = null!;
        Check(() => attacks = AttackNames.Parse(names, bounds, norm, group["pixels"]?.GetValue<int>() ?? 1), "evaluation.robustness.attacks");
        ThreatModel[] models = group["threat_models"] is JsonArray threats
            ? [.. threats.Select(threat => threat!.GetValue<string>() == "true" ? ThreatModel.TrueGradient : ThreatModel.FeedbackGradient)]
            : [ThreatModel.TrueGradient];
        return new RobustnessSettings(attacks, group["rows"]?.GetValue<int>(), models);
    }

    private (OptimizerOptions?, LearningRateSchedule?) ReadOptimizer(FeedbackAlignmentOptions options)
    {
        float? rate = (float?)Number("training.optimizer.lr"), decay = (float?)Number("training.optimizer.weight_decay"),
            momentum = (float?)Number("training.optimizer.momentum"), epsilon = (float?)Number("training.optimizer.epsilon");
        float[]? betas = Node("training.optimizer.betas") is JsonArray list ? [.. list.Select(beta => (float)beta!.GetValue<double>())] : null;
        OptimizerOptions? optimizer = (Text("training.optimizer.type") ?? "default").ToLowerInvariant() switch
        {
            "sgd" => new OptimizerOptions.Sgd { Momentum = momentum ?? 0.9f, Nesterov = Flag("training.optimizer.nesterov") ?? false },
            "adam" => new OptimizerOptions.Adam { Beta1 = betas?[0] ?? 0.9f, Beta2 = betas?[1] ?? 0.999f, Epsilon = Positive(epsilon) },
            "adamw" => new OptimizerOptions.AdamW { Beta1 = betas?[0] ?? 0.9f, Beta2 = betas?[1] ?? 0.999f, Epsilon = Positive(epsilon) },
            "rmsprop" => new OptimizerOptions.RmsProp { Momentum = momentum ?? 0, Epsilon = Positive(epsilon) },
            _ => rate == null && decay == null ? null : options.DefaultOptimizer,
        };
        if (optimizer != null)
            optimizer = optimizer with { LearningRate = rate ?? optimizer.LearningRate, WeightDecay = decay ?? optimizer.WeightDecay };
        int[] milestones = Node("training.lr_scheduler.milestones") is JsonArray steps ? [.. steps.Select(step => step!.GetValue<int>()).Order()]
            : [];
        double gamma = Number("training.lr_scheduler.gamma") ?? 0.1;
        LearningRateSchedule? schedule = Text("training.lr_scheduler.type") switch
        {
            "multistep_lr" => LearningRateSchedule.MultiStep(gamma, [.. milestones.Where(step => step > 0).Distinct()]),
            "step_lr" => LearningRateSchedule.Step(gamma, Int("training.lr_scheduler.step_size")!.Value),
            "exponential" => LearningRateSchedule.Exponential(gamma),
            "cosine" => LearningRateSchedule.Cosine(),
            "plateau" => LearningRateSchedule.ReduceOnPlateau(gamma, Int("training.lr_scheduler.patience") ?? 10),
            "constant" => LearningRateSchedule.Constant,
            // A file that names its optimiser and no schedule means a constant rate, as PyTorch does.
            null when Text("training.optimizer.type") is { } type and not "default" => LearningRateSchedule.Constant,
            _ => null,
        };
        // PyTorch multiplies at a milestone of 0 before the first epoch.
        if (optimizer != null && milestones.Contains(0))
            optimizer = optimizer with { LearningRate = (float)(optimizer.LearningRate * gamma) };
        if (schedule != null && Number("training.lr_scheduler.warmup_epochs") is { } warmup)
            schedule = schedule with { WarmupEpochs = warmup };
        return (optimizer, schedule);

        static float Positive(float? value) => value is > 0 ? value.Value : 1e-8f;
    }

    private float? ErrorLimit() => Node("model.mode.options.gradient_clip") switch
    {
        JsonValue value when value.TryGetValue(out bool clips) => clips ? 1 : null,
        JsonValue value => (float)value.GetValue<double>(),
        _ => null,
    };

    private static WeightInitialization? Initialization(string? name) => name switch
    {
        "xavier" => WeightInitialization.XavierUniform,
        "xavier_normal" => WeightInitialization.XavierNormal,
        "kaiming" => WeightInitialization.KaimingUniform,
        "kaiming_normal" => WeightInitialization.KaimingNormal,
        "pytorch" => WeightInitialization.PyTorchDefault,
        _ => null,
    };

    /// <summary>Runs a check of the library's, whose errors get the file's name.</summary>
    private void Check(Action check, string place = "")
    {
        try
        {
            check();
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException)
        {
            throw Error(place, failure.Message);
        }
    }

    private FormatException Error(string place, string message) =>
        _file.Error(place.Length == 0 ? "" : $"/{place.Replace('.', '/')}", place.Length == 0 ? message : $"{place}: {message}");

    private string? Text(string place) => Node(place) is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private bool? Flag(string place) => Node(place) is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    private int? Int(string place) => Node(place) is JsonValue value && value.TryGetValue(out long number) ? (int)Math.Clamp(number, int.MinValue,
        int.MaxValue) : null;

    private double? Number(string place) => Node(place) is JsonValue value && value.TryGetValue(out double number) ? number : null;

    private JsonNode? Node(string place)
    {
        JsonNode? node = _file.Root;
        foreach (string key in place.Split('.'))
            node = (node as JsonObject)?[key];
        return node;
    }
}
