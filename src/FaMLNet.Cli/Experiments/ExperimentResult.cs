using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Experiments;

/// <summary>One attack's outcome.</summary>
internal sealed record AttackMeasures(string Attack, string ThreatModel, double RobustAccuracy, int Rows, IReadOnlyList<string> Warnings);

/// <summary>What an experiment has shown: the content of result.json.</summary>
internal sealed record ExperimentResult
{
    public static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        // For people: no page of the web shows it.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
    };

    public required string Name { get; init; }

    /// <summary>Why a result of a version before identities were recorded has none.</summary>
    public const string NotRecorded = "identity not recorded";

    /// <summary>The settings as the configuration has them, without what only says where things go.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>
    /// Everything that decides the result, as <see cref="ExperimentIdentity"/> resolves it; null in a result that was written before identities were
    /// recorded.
    /// </summary>
    public JsonObject? Identity { get; init; }

    /// <summary>multiclass, binary or regression.</summary>
    public string Task { get; init; } = "multiclass";

    public int? Seed { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public DateTime? Date { get; init; }

    /// <summary>Versions of what has computed it.</summary>
    public IReadOnlyDictionary<string, string>? Versions { get; init; }

    /// <summary>What a reader of the figures must know of the data.</summary>
    public IReadOnlyList<string>? Notes { get; init; }

    /// <summary>Test rows of classes without a training row, which count as wrong.</summary>
    public int? RowsOfUnseenClasses { get; init; }

    /// <summary>Those classes.</summary>
    public IReadOnlyList<string>? UnseenClasses { get; init; }

    public required int K { get; init; }

    /// <summary>After the last epoch; null where the test rows were not asked.</summary>
    public TestMeasures? Last { get; init; }

    /// <summary>After the epoch that was best; null where nothing chose one.</summary>
    public TestMeasures? Best { get; init; }

    /// <summary>What chose the best epoch: <c>validation</c>, or <c>test</c> where the file says so.</summary>
    public string? ChosenOn { get; init; }

    /// <summary>Accuracy on the validation rows after the last epoch, and the best of all epochs.</summary>
    public double? ValidationAccuracy { get; init; }

    public double? BestValidationAccuracy { get; init; }

    /// <summary>Of a regression: the root mean squared error on the validation rows after the last epoch, and the best of all epochs.</summary>
    public double? ValidationRootMeanSquaredError { get; init; }

    public double? BestValidationRootMeanSquaredError { get; init; }

    /// <summary>Of a regression, on the training rows, in the last epoch.</summary>
    public double? TrainingRootMeanSquaredError { get; init; }

    /// <summary>On the training rows, in the last epoch.</summary>
    public double? TrainingAccuracy { get; init; }

    public double? TrainingLoss { get; init; }

    /// <summary>Epochs trained.</summary>
    public required int Epochs { get; init; }

    /// <summary>Epochs times the median epoch's time, without measuring and validation; pauses do not count.</summary>
    public required double TrainingSeconds { get; init; }

    /// <summary>By layer, in the last epoch: degrees between weights and feedback weights.</summary>
    public IReadOnlyDictionary<string, double>? AlignmentAngle { get; init; }

    /// <summary>By layer, in the last epoch: norm of the feedback weights to that of the weights.</summary>
    public IReadOnlyDictionary<string, double>? NormRatio { get; init; }

    public IReadOnlyList<AttackMeasures>? Robustness { get; init; }

    /// <summary>Processor, threads and versions.</summary>
    public required string Machine { get; init; }

    /// <summary>The task of <see cref="Task"/>.</summary>
    [JsonIgnore]
    public TaskKind Kind => EnumNames.Find<TaskKind>(Task) ?? TaskKind.Multiclass;

    public static void Write(string path, ExperimentResult result) =>
        WholeFile.WriteText(path, JsonSerializer.Serialize(result, Json) + "\n");

    /// <exception cref="FormatException">The file is damaged.</exception>
    public static ExperimentResult Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<ExperimentResult>(File.ReadAllText(path), Json) ?? throw new JsonException("it says null.");
        }
        catch (JsonException failure)
        {
            throw new FormatException($"'{path}' is no result of an experiment: {failure.Message} Delete it, and the experiment runs again.",
                failure);
        }
    }
}
