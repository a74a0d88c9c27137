using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Tests.Robustness;

/// <summary>pytorch_attacks.py: a LeNet and images handed over in a folder, and the script run on them. The benchmark compiles it too.</summary>
internal static class PyTorchAttacks
{
    /// <summary>Writes weights, images, labels and settings as the script reads them.</summary>
    public static void Export(MLContext mlContext, ITransformer model, IDataView images, string folder, float epsilon, int steps, int batch)
    {
        string zip = Path.Combine(folder, "model.zip");
        mlContext.Model.Save(model, images.Schema, zip);
        using (ZipArchive archive = ZipFile.OpenRead(zip))
            archive.Entries.Single(entry => entry.Name == "weights.safetensors").ExtractToFile(Path.Combine(folder, "weights.safetensors"));
        float[] pixels = [.. images.GetColumn<float[]>("Features").SelectMany(row => row)];
        int[] labels = [.. images.GetColumn<uint>("Label").Select(key => (int)key - 1)];
        File.WriteAllBytes(Path.Combine(folder, "images.f32"), MemoryMarshal.AsBytes(pixels.AsSpan()).ToArray());
        File.WriteAllBytes(Path.Combine(folder, "labels.i32"), MemoryMarshal.AsBytes(labels.AsSpan()).ToArray());
        File.WriteAllText(Path.Combine(folder, "settings.json"), string.Create(CultureInfo.InvariantCulture,
            $$"""{"epsilon": {{(double)epsilon}}, "steps": {{steps}}, "step": {{2.5 * epsilon / steps}}, "batch": {{batch}}}"""));
    }

    /// <summary>Runs the script; null where there is no PyTorch.</summary>
    /// <param name="folder">What <see cref="Export"/> has written.</param>
    /// <param name="threads">PyTorch's.</param>
    /// <param name="precision"><c>single</c> or <c>double</c>.</param>
    /// <param name="python">The Python that ran it.</param>
    public static JsonElement? Run(string folder, int threads, string precision, out string? python)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "pytorch_attacks.py");
        foreach (string command in new[] { Environment.GetEnvironmentVariable("FAMLNET_PYTHON") ?? "/usr/bin/python3", "python3" })
        {
            python = command;
            try
            {
                ProcessStartInfo start = new(command, [script, folder, $"{threads}", precision]) { RedirectStandardOutput = true };
                start.Environment.Remove("OPENBLAS_CORETYPE"); // some machines set an older processor's, which slows PyTorch
                using Process process = Process.Start(start)!;
                string output = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                if (process.ExitCode == 0)
                    return JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]).RootElement;
                if (process.ExitCode != 3) // PyTorch missing
                    throw new InvalidOperationException($"{script} ended with {process.ExitCode}: {output}");
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // No such command.
            }
        }
        python = null;
        return null;
    }

    /// <summary>An IDX file, plain or gzip.</summary>
    public static string FileOf(string folder, string kind)
    {
        string plain = Path.Combine(folder, $"{kind}-ubyte");
        return File.Exists(plain) ? plain : plain + ".gz";
    }
}
