using Microsoft.ML;

namespace FaMLNet.Robustness;

/// <summary>What of a fitted pipeline is attacked: what lies before the model is applied once, and the column that the model reads changes.</summary>
internal sealed class AttackTarget
{
    private readonly IReadOnlyList<ITransformer> _before;

    private AttackTarget(IReadOnlyList<ITransformer> before, ITransformer predictor, string featureColumn, object? model, string role)
    {
        (_before, Predictor, FeatureColumnName, Role) = (before, predictor, featureColumn, role);
        Network = AttackedNetwork.Of(model, predictor);
        ModelType = (model ?? predictor).GetType().Name;
    }

    /// <summary>Adds the scores.</summary>
    public ITransformer Predictor { get; }

    public string FeatureColumnName { get; }

    /// <summary>The model if it is one of this library's classifiers; else null.</summary>
    public AttackedNetwork? Network { get; }

    /// <summary>For messages.</summary>
    public string ModelType { get; }

    /// <summary>The argument that holds it, for messages.</summary>
    public string Role { get; }

    /// <summary>Finds the model in a transformer or chain: its last prediction transformer, or what the user says.</summary>
    /// <param name="pipeline">The fitted pipeline.</param>
    /// <param name="featureColumn">The user's word for what is attacked; null for the column that the model reads.</param>
    /// <param name="role">The argument's name.</param>
    /// <exception cref="ArgumentException">There is no model that reads a column of features.</exception>
    public static AttackTarget Find(ITransformer pipeline, string? featureColumn, string role)
    {
        List<ITransformer> parts = [.. Flatten(pipeline)];
        int last = parts.FindLastIndex(part => part is ISingleFeaturePredictionTransformer<object>);
        if (last >= 0 && parts[last] is FeedbackAlignmentVectorRegressionTransformer or FeedbackAlignmentMultiLabelTransformer)
            throw OptionError.Argument(role, $"{parts[last].GetType().Name} predicts several numbers or labels per row; attacks change one predicted "
                + $"class into another. Attack a classifier of one class per row.");
        if (last >= 0 && parts[last] is ISingleFeaturePredictionTransformer<object> predictor
            && (featureColumn == null || featureColumn == predictor.FeatureColumnName))
            return new AttackTarget(parts[..last], parts[last], predictor.FeatureColumnName, predictor.Model, role);
        if (featureColumn != null)
            return new AttackTarget([], pipeline, featureColumn, model: null, role);
        throw OptionError.Argument(role, $"among {string.Join(", ", parts.Select(part => part.GetType().Name))} there is no prediction "
            + $"transformer, so it is not known which column to attack. Give the fitted pipeline with the trained model in it, or set "
            + $"RobustnessOptions.FeatureColumnName if its scores come from another kind of transformer.");
    }

    /// <summary>The data as the model gets it.</summary>
    public IDataView Prepare(IDataView data) => _before.Aggregate(data, (view, part) => part.Transform(view));

    private static IEnumerable<ITransformer> Flatten(ITransformer transformer) =>
        transformer is IEnumerable<ITransformer> chain ? chain.SelectMany(Flatten) : [transformer];
}
