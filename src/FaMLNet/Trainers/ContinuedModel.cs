using FaMLNet.Persistence;
using FaMLNet.Rows;
using FaMLNet.Training;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>Makes a model that is trained further fit the data: classes and features are compared by name where they have names.</summary>
internal static class ContinuedModel
{
    /// <summary>The model's network, its outputs in the order of the data's classes.</summary>
    /// <param name="model">The model to continue.</param>
    /// <param name="request">What the trainer is to train.</param>
    /// <param name="columns">The training data's columns.</param>
    /// <param name="channel">Receives what is done or taken for granted.</param>
    /// <exception cref="ArgumentException">The model has another network, other features, other classes, or images of another shape.</exception>
    /// <exception cref="InvalidOperationException">The features bear the names of others.</exception>
    public static TrainedNetwork Open(INetworkModel model, TrainingRequest request, RowColumns columns, IChannel channel)
    {
        int[]? map = ColumnNames.Map(columns.Names.Classes, model.Names?.Classes);
        if (map != null && columns.Width == model.NumberOfFeatures)
            CheckClasses(columns, model.Names!.Classes!, map);
        TrainedNetwork trained = model.ToTrained(request.Network, columns.Width, columns.Outputs);
        if (request.ImageShape is { } shape && model.Layout.ImageInput is { } image && !VectorDimensions.Agree(shape.Dimensions, image.Dimensions))
            throw OptionError.Invalid("ImageShape", $"the model to continue was trained on images of {image}; the training data has images of "
                + $"{shape}. Give it images of its shape.");
        if (model.Names is { } names)
        {
            columns.CheckFeatures(names, "training", "the model to continue", message => channel.Warning(message));
            columns.CheckTargets(names.LabelColumn, "training", "the model to continue", message => channel.Warning(message));
        }
        if (map == null)
            return trained;
        string label = columns.Label.Name;
        TrainedNetwork ordered = OutputOrder.Apply(trained, map) ?? throw new ArgumentException($"Label column '{label}': the keys of the training "
            + $"data number the classes otherwise than the model to continue does ({ColumnNames.Text(model.Names!.Classes!)}), and the outputs of "
            + $"{request.Network} cannot be reordered. Key the label as the model's: MapValueToKey(\"{label}\", keyData: …) with the classes in "
            + "that order.");
        bool draws = trained.Feedback.Length > 0 && ordered.Feedback.Length == 0;
        channel.Info($"The keys of label column '{label}' number the classes otherwise than the model to continue does: its outputs are "
            + $"reordered{(draws ? ", and its feedback weights drawn anew" : "")}.");
        return ordered;
    }

    private static void CheckClasses(RowColumns columns, IReadOnlyList<string> known, int[] map)
    {
        IReadOnlyList<string> classes = columns.Names.Classes!;
        string[] unknown = [.. classes.Where((_, i) => map[i] < 0)], missing = [.. known.Except(classes)];
        if (unknown.Length == 0 && missing.Length == 0)
            return;
        string what = unknown.Length > 0
            ? $"the model to continue does not know the class{(unknown.Length > 1 ? "es" : "")} {ColumnNames.Text(unknown)}"
            : $"it lacks the model's class{(missing.Length > 1 ? "es" : "")} {ColumnNames.Text(missing)}";
        throw new ArgumentException($"Label column '{columns.Label.Name}' of the training data: {what}; the model knows {ColumnNames.Text(known)}. "
            + $"Key the label with the model's classes: MapValueToKey(\"{columns.Label.Name}\", keyData: …).");
    }
}
