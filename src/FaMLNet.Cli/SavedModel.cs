using System.ComponentModel;
using Microsoft.ML;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary>A pipeline from a zip, whole views scored in batches.</summary>
internal static class SavedModel
{
    /// <summary>What commands that use a model are given.</summary>
    internal class Settings : CommandSettings
    {
        [CommandArgument(0, "<model>"), Description("A zip that 'famlnet train' or an ML.NET pipeline saved.")]
        public string Model { get; set; } = "";

        [CommandArgument(1, "<data>"), Description("A table with the columns of the training data, or a folder whose test files are taken. 'predict' does without the label's column.")]
        public string Data { get; set; } = "";

        [CommandOption("-l|--label <COLUMN>"), Description("The label's column in the training data's table."), DefaultValue("Label")]
        public string Label { get; set; } = "Label";
    }

    /// <exception cref="FileNotFoundException">Nothing is there.</exception>
    /// <exception cref="FormatException">It is no model.</exception>
    public static ITransformer Load(MLContext mlContext, string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no model '{path}'. 'famlnet train' writes one.");
        try
        {
            return mlContext.Model.Load(path, out _);
        }
        catch (Exception failure) when (failure is FormatException or InvalidDataException or InvalidOperationException)
        {
            throw new FormatException($"'{path}' is no model that this tool can load: {failure.Message}", failure);
        }
    }
}
