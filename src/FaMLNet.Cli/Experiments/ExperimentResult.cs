using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace FaMLNet.Cli.Experiments;

/// <summary>What a network shows on the test rows.</summary>
/// <param name="Epoch">The epoch whose network it is.</param>
/// <param name="Top1">Share of rows right.</param>
/// <param name="TopK">Share of rows whose class is among the k likeliest.</param>
/// <param name="LogLoss">Mean of −ln(probability of the class).</param>
internal sealed record TestMeasures(int Epoch, double Top1, double TopK, double LogLoss);

/// <summary>One attack's outcome.</summary>
internal sealed record AttackMeasures(string Attack, string ThreatModel, double RobustAccuracy, int Rows, IReadOnlyList<string> Warnings);

/// <summary>What an experiment has shown: the content of result.json.</summary>
internal sealed record ExperimentResult
{
    public static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
    };

    public required string Name { get; init; }

    /// <summary>Everything that decides the result, as the configuration has it.</summary>
    public required JsonObject Settings { get; init; }

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
