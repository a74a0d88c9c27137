using FaMLNet.Scoring;

namespace FaMLNet.Robustness;

/// <summary>What an attack needs of one of this library's classifiers.</summary>
/// <param name="Model">The network.</param>
/// <param name="Threshold">Of a binary one, the score above which its word is true; null for a multiclass one.</param>
internal sealed record AttackedNetwork(INetworkModel Model, float? Threshold)
{
    /// <summary>The classifier of a transformer; null if it is none of this library's.</summary>
    public static AttackedNetwork? Of(object? model, object transformer) => model switch
    {
        FeedbackAlignmentMulticlassModelParameters multiclass => new(multiclass, Threshold: null),
        FeedbackAlignmentBinaryModelParameters binary => new(binary, (transformer as FeedbackAlignmentBinaryTransformer)?.Threshold ?? 0),
        _ => null,
    };

    public NetworkLayout Layout => Model.Layout;

    /// <summary>Whether scoring goes through libtorch.</summary>
    public bool NeedsLibTorch => Layout is not DenseLayout;

    /// <summary>Whether several threads may work on it at a time without taking turns.</summary>
    public bool IsThreadSafe => Layout is not CustomLayout;

    /// <summary>Rows that networks with libtorch's kernels compute at once, whatever the number of rows.</summary>
    private int Block => Math.Clamp((1 << 20) / Layout.Inputs, 4, 64);

    /// <summary>What the model says, for one thread.</summary>
    public AttackScorer OpenScorer()
    {
        IScoringSession session = ((IBatchedModel)Model).OpenSession();
        int block = NeedsLibTorch ? Block : 1;
        return Threshold is { } threshold ? new BinaryNetworkScorer(session, Layout.Inputs, threshold, block)
            : new MulticlassNetworkScorer(session, Layout.Inputs, Layout.Outputs, block);
    }

    /// <summary>Whether an attacker can differentiate the network so.</summary>
    /// <exception cref="InvalidOperationException">The rule is not registered, so that it is not known what its feedback weights do.</exception>
    public void CheckGradient(ThreatModel threatModel)
    {
        if (threatModel != ThreatModel.FeedbackGradient || Model.GetFeedbackWeights().Count == 0)
            return;
        if (Model.Rule.Route.RunsTwice || Model.Rule.SendsTarget)
            throw new InvalidOperationException($"Option ThreatModel: by the rule {Model.Rule} no error of the output comes down to the layers, so "
                + "there is no feedback gradient of the input. Choose ThreatModel.TrueGradient.");
        if (Model.Rule.Route == ErrorRoute.Backpropagation)
            throw new InvalidOperationException($"Option ThreatModel: the model was trained by the rule {Model.Rule}, and without its class it is "
                + "not known how its feedback weights carry the error. Call mlContext.ComponentCatalog.RegisterAssembly with the assembly of its "
                + "class and load the model again, or choose ThreatModel.TrueGradient.");
    }

    /// <summary>The way back to the input from the classes' logits, for one thread.</summary>
    public InputGradient OpenGradient(ThreatModel threatModel)
    {
        FeedbackPath? path = threatModel == ThreatModel.TrueGradient || Model.GetFeedbackWeights().Count == 0 ? null : Feedback();
        float[] parameters = Model.Parameters, statistics = Model.Statistics;
        InputGradient gradient = Layout switch
        {
            DenseLayout dense => new DenseInputGradient(dense, parameters, statistics, path),
            CustomLayout custom => new ModuleInputGradient(custom, custom.Network.Build(Model.Environment, custom.Shape), parameters, statistics,
                path, Block),
            _ => new GraphInputGradient((GraphLayout)Layout, parameters, statistics, path, Block),
        };
        return Threshold is { } threshold ? new BinaryInputGradient(gradient, threshold) : gradient;
    }

    private FeedbackPath Feedback()
    {
        FeedbackLayout places = new(Model.Rule, Layout);
        return new FeedbackPath(Model.Rule, places.Slices, Model.CopyFeedback(places));
    }
}
