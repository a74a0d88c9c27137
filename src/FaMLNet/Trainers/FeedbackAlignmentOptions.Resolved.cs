namespace FaMLNet;

public abstract partial class FeedbackAlignmentOptions
{
    /// <summary>
    /// The settings that a training by these options uses: the optimiser with its rate, the schedule, the scales, the network, seed and threads.
    /// Where an option is null, they are the rule's own.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of range, or two contradict each other; the message names them.</exception>
    /// <example><code>Console.WriteLine(options.Resolve().Optimizer.LearningRate);</code></example>
    public ResolvedOptions Resolve()
    {
        Validate();
        float feedback = FeedbackScale ?? Rule.Defaults.FeedbackScale,
            own = InitialWeightScale ?? Rule.InitialWeightScaleFor(isNormalized: false, feedback, ConstrainWeightNorms),
            normalized = InitialWeightScale ?? Rule.InitialWeightScaleFor(isNormalized: true, feedback, ConstrainWeightNorms);
        bool? isNormalized = Network switch
        {
            MlpDefinition dense => dense.Normalization != Normalization.None,
            SequentialDefinition layers => layers.UsesBatchNormalization,
            _ => null, // a module of the user's own, which is not built yet
        };
        OptimizerOptions optimizer = ChosenOptimizer ?? DefaultOptimizer;
        return new ResolvedOptions
        {
            Rule = Rule,
            Network = Network,
            Optimizer = optimizer,
            OptimizerOfSparseRows = ChosenOptimizer ?? (MayBeSparse ? RuleDefaults.OnSparseRows(optimizer) : optimizer),
            Schedule = Schedule ?? Rule.Defaults.Schedule,
            InitialWeightScale = isNormalized == true ? normalized : own,
            InitialWeightScaleIfNormalized = isNormalized == false ? own : normalized,
            FeedbackScale = feedback,
            Seed = Seed,
            ValidationSeed = ValidationSeed,
            NumberOfThreads = NumberOfThreads,
        };
    }

    /// <summary>Whether rows may be kept sparse: only a chain of dense layers makes something of that.</summary>
    private bool MayBeSparse => Network is MlpDefinition && Rule.Route.TakesSparseRows && FeatureStorage != FeatureStorage.Dense;
}
