using FaMLNet.Scoring;

namespace FaMLNet.Robustness;

/// <summary>What an attack needs of one of this library's models.</summary>
internal static class AttackedNetwork
{
    /// <summary>Whether scoring goes through libtorch.</summary>
    public static bool NeedsLibTorch(this FeedbackAlignmentMulticlassModelParameters model) => model.Layout is not DenseLayout;

    /// <summary>Whether several threads may work on it at a time without taking turns.</summary>
    public static bool IsThreadSafe(this FeedbackAlignmentMulticlassModelParameters model) => model.Layout is not CustomLayout;

    /// <summary>What the model says, for one thread.</summary>
    public static AttackScorer OpenScorer(this FeedbackAlignmentMulticlassModelParameters model) => new NetworkAttackScorer(
        ((IBatchedModel)model).OpenSession(), model.NumberOfFeatures, model.NumberOfClasses, model.NeedsLibTorch() ? Block(model) : 1);

    /// <summary>Whether an attacker can differentiate the network so.</summary>
    /// <exception cref="InvalidOperationException">The rule is not registered, so that it is not known what its feedback weights do.</exception>
    public static void CheckGradient(this FeedbackAlignmentMulticlassModelParameters model, ThreatModel threatModel)
    {
        if (threatModel != ThreatModel.FeedbackGradient || model.GetFeedbackWeights().Count == 0)
            return;
        if (model.Rule is InputModulationRule or DirectFeedbackRule { Projects: ProjectedSignal.Target })
            throw new InvalidOperationException($"Option ThreatModel: by the rule {model.Rule} no error of the output comes down to the layers, so "
                + "there is no feedback gradient of the input. Choose ThreatModel.TrueGradient.");
        if (model.Rule is not RuleWithFeedbackWeights)
            throw new InvalidOperationException($"Option ThreatModel: the model was trained by the rule {model.Rule}, and without its class it is "
                + "not known how its feedback weights carry the error. Call mlContext.ComponentCatalog.RegisterAssembly with the assembly of its "
                + "class and load the model again, or choose ThreatModel.TrueGradient.");
    }

    /// <summary>The way back to the input, for one thread.</summary>
    public static InputGradient OpenGradient(this FeedbackAlignmentMulticlassModelParameters model, ThreatModel threatModel)
    {
        FeedbackPath? path = threatModel == ThreatModel.TrueGradient || model.GetFeedbackWeights().Count == 0 ? null : FeedbackOf(model);
        float[] parameters = model.FlatParameters, statistics = model.FlatStatistics;
        return model.Layout switch
        {
            DenseLayout dense => new DenseInputGradient(dense, parameters, statistics, path),
            CustomLayout custom => new ModuleInputGradient(custom, custom.Network.Build(model.Environment, custom.Shape), parameters, statistics,
                path, Block(model)),
            _ => new GraphInputGradient((GraphLayout)model.Layout, parameters, statistics, path, Block(model)),
        };
    }

    private static FeedbackPath FeedbackOf(FeedbackAlignmentMulticlassModelParameters model)
    {
        FeedbackLayout places = new(model.Rule, model.Layout);
        return new FeedbackPath(model.Rule, places.Slices, model.FlatFeedback(places));
    }

    /// <summary>Rows that networks with libtorch's kernels compute at once, whatever the number of rows.</summary>
    private static int Block(FeedbackAlignmentMulticlassModelParameters model) => Math.Clamp((1 << 20) / model.NumberOfFeatures, 4, 64);
}
