using Microsoft.ML;

namespace FaMLNet.Cli;

/// <summary>A pipeline from a zip, whole views scored in batches.</summary>
internal static class SavedModel
{
    /// <exception cref="FileNotFoundException">Nothing is there.</exception>
    /// <exception cref="FormatException">It is no model.</exception>
    public static ITransformer Load(MLContext mlContext, string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no model '{path}'. 'famlnet train' writes one.");
        try
        {
            ITransformer model = mlContext.Model.Load(path, out _);
            model.ScoreInBatches();
            return model;
        }
        catch (Exception failure) when (failure is FormatException or InvalidDataException or InvalidOperationException)
        {
            throw new FormatException($"'{path}' is no model that this tool can load: {failure.Message}", failure);
        }
    }
}
