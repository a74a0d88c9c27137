using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Interop;

/// <summary>A process that never touched the trainer, whose output folder has no libtorch.</summary>
[Trait("Speed", "Slow")]
public sealed class SeparateProcessTests
{
    [Fact]
    public void A_saved_model_predicts_the_same_without_loading_libtorch()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        ITransformer model = Tables.Pipeline(mlContext, Tables.Quick(FeedbackRule.FixedRandomSignConcordant, epochs: 10)).Fit(data);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet");
        try
        {
            string zip = Path.Combine(folder.FullName, "model.zip");
            mlContext.Model.Save(model, data.Schema, zip);
            string json = ProcessRunner.Run("dotnet", folder.FullName, ProcessRunner.Metadata("PredictOnly"), "predict", zip, Tables.PathOf("digits"),
                "50");
            using JsonDocument result = JsonDocument.Parse(json);
            IDataView scored = model.Transform(mlContext.Data.TakeRows(data, 50));
            Assert.Equal(scored.GetColumn<ReadOnlyMemory<char>>("PredictedLabel").Select(label => label.ToString()),
                result.RootElement.GetProperty("labels").EnumerateArray().Select(label => label.GetString()!));
            Assert.Equal(scored.GetColumn<float[]>("Score"),
                result.RootElement.GetProperty("scores").EnumerateArray()
                .Select(row => row.EnumerateArray().Select(score => score.GetSingle()).ToArray()));
            string[] modules = [.. result.RootElement.GetProperty("modules").EnumerateArray().Select(module => module.GetString()!)];
            Assert.Contains(modules, module => module.Equals("FaMLNet.dll", StringComparison.OrdinalIgnoreCase));
            // TorchSharp.dll is managed code, and may be loaded when ML.NET looks through the types of FaMLNet.dll; the native libraries
            // are what costs.
            Assert.DoesNotContain(modules, module => module != "TorchSharp.dll"
                && (module.Contains("torch", StringComparison.OrdinalIgnoreCase) || module.StartsWith("libc10", StringComparison.Ordinal)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Dense_models_of_the_other_tasks_predict_without_libtorch_too()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "breast-cancer");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet");
        var label = mlContext.Transforms.Conversion.MapValue("Label", new Dictionary<string, bool> { ["malignant"] = true, ["benign"] = false });
        var scale = mlContext.Transforms.NormalizeMeanVariance("Features");
        ITransformer[] models =
        [
            label.Append(scale).Append(mlContext.BinaryClassification.Trainers.FeedbackAlignment(numberOfEpochs: 2)).Fit(data),
            label.Append(scale).Append(mlContext.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.Single))
                .Append(mlContext.Regression.Trainers.FeedbackAlignment(numberOfEpochs: 2)).Fit(data),
        ];
        try
        {
            foreach (ITransformer model in models)
            {
                string zip = Path.Combine(folder.FullName, "model.zip");
                mlContext.Model.Save(model, data.Schema, zip);
                using JsonDocument result = JsonDocument.Parse(ProcessRunner.Run("dotnet", folder.FullName, ProcessRunner.Metadata("PredictOnly"),
                    "predict", zip, Tables.PathOf("breast-cancer"), "50"));
                Assert.Equal(model.Transform(mlContext.Data.TakeRows(data, 50)).GetColumn<float>("Score"),
                    result.RootElement.GetProperty("scores").EnumerateArray().Select(row => row[0].GetSingle()));
                Assert.DoesNotContain(result.RootElement.GetProperty("modules").EnumerateArray().Select(module => module.GetString()!),
                    module => module != "TorchSharp.dll" && (module.Contains("torch", StringComparison.OrdinalIgnoreCase)
                        || module.StartsWith("libc10", StringComparison.Ordinal)));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void An_application_that_references_microsofts_torchsharp_trainers_as_well_trains()
    {
        string output = ProcessRunner.Run("dotnet", AppContext.BaseDirectory, ProcessRunner.Metadata("BesideTorchSharp"));
        Assert.Equal("Microsoft.ML.TorchSharp 1", output.Trim());
    }

    [Fact]
    public void A_loaded_convolutional_model_scores_in_batches_in_a_fresh_process_with_the_same_bits()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        (options.Network, options.ImageShape) = (NetworkDefinition.LeNet(), new ImageShape(1, 8, 8));
        using TransformerChain<Microsoft.ML.Transforms.KeyToValueMappingTransformer> model = Tables.Pipeline(mlContext, options).Fit(data);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet");
        try
        {
            string zip = Path.Combine(folder.FullName, "model.zip");
            mlContext.Model.Save(model, data.Schema, zip);
            using System.Security.Cryptography.IncrementalHash hash =
                System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
            foreach (float[] scores in model.Transform(data).GetColumn<float[]>("Score"))
                hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(scores.AsSpan()));
            string output = ProcessRunner.Run("dotnet", folder.FullName, ProcessRunner.Metadata("Worker"), "score", zip);
            Assert.Equal($"BatchedView {Convert.ToHexString(hash.GetHashAndReset())}", output.Trim());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Training_without_libtorch_is_an_exception_that_names_cause_and_cure()
    {
        string message = ProcessRunner.Run("dotnet", AppContext.BaseDirectory, ProcessRunner.Metadata("PredictOnly"), "try-training");
        Assert.Contains("DllNotFoundException", message, StringComparison.Ordinal);
        Assert.Contains("Training needs TorchSharp's native libraries", message, StringComparison.Ordinal);
        Assert.Contains("<PackageReference Include=\"libtorch-cpu", message, StringComparison.Ordinal);
        Assert.DoesNotContain("LoadNativeBackend", message, StringComparison.Ordinal);
    }
}
