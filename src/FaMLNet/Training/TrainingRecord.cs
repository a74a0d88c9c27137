using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace FaMLNet.Training;

/// <summary>What a saved model says of its training.</summary>
internal static class TrainingRecord
{
    /// <summary>The settings with every default under its value, the data by its digest, date, machine and versions.</summary>
    /// <param name="plan">The training.</param>
    /// <param name="fingerprint">The digest of the rows as they were read; empty where streamed rows have none.</param>
    public static IReadOnlyDictionary<string, string> Of(TrainingPlan plan, string fingerprint)
    {
        Dictionary<string, string> record = new(plan.Description);
        // The document describes the network itself.
        record["Network"] = $"{plan.Layout.Definition}";
        if (fingerprint.Length == 0)
            record["training data"] += "not computed, since the rows were streamed";
        foreach (string name in record.Where(pair => pair.Value.Length == 0).Select(pair => pair.Key).ToArray())
            record[name] = "none";
        record["device"] = plan.Device == null ? "cpu" : $"{plan.Device}";
        record["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        record["machine"] = InvariantText.Of($"{RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors, "
            + $"{RuntimeInformation.OSDescription}, .NET {Environment.Version}");
        record["version of FaMLNet"] = VersionOf(typeof(TrainingRecord));
        record["version of ML.NET"] = VersionOf(typeof(Microsoft.ML.MLContext));
        record["version of TorchSharp"] = VersionOf(typeof(torch));
        return record;
    }

    private static string VersionOf(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        .Split('+')[0] ?? $"{type.Assembly.GetName().Version}";
}
