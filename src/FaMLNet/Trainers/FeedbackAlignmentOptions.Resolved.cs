namespace FaMLNet;

public abstract partial class FeedbackAlignmentOptions
{
    /// <summary>
    /// What a training takes where an option is null: the rule's optimiser, schedule and scales, and in words what null means for the others. For
    /// records: with it a report says what was trained with, also after a default has changed.
    /// </summary>
    /// <returns>
    /// By the option's name: an <see cref="OptimizerOptions"/>, a <see cref="LearningRateSchedule"/>, a <see cref="float"/>, or a text where it
    /// depends on the rows or the layers. Options that are set are not among them.
    /// </returns>
    public IReadOnlyDictionary<string, object> GetDefaultsInUse()
    {
        Dictionary<string, object> values = [];
        if (Optimizer == null)
        {
            bool mayBeSparse = Network is MlpDefinition && Rule.Route.TakesSparseRows && FeatureStorage != FeatureStorage.Dense;
            values[nameof(Optimizer)] = !mayBeSparse ? DefaultOptimizer
                : InvariantText.Of($"{DefaultOptimizer}, {RuleDefaults.SparseRateFactor} times that rate on sparse rows");
        }
        if (Schedule == null)
            values[nameof(Schedule)] = Rule.Defaults.Schedule;
        float feedback = FeedbackScale ?? Rule.Defaults.FeedbackScale,
            own = Rule.InitialWeightScaleFor(isNormalized: false, feedback, ConstrainWeightNorms),
            normalized = Rule.InitialWeightScaleFor(isNormalized: true, feedback, ConstrainWeightNorms);
        if (FeedbackScale == null)
            values[nameof(FeedbackScale)] = feedback;
        if (InitialWeightScale == null)
        {
            bool? isNormalized = Network switch
            {
                MlpDefinition dense => dense.Normalization != Normalization.None,
                SequentialDefinition layers => layers.UsesBatchNormalization,
                _ => null, // a module of the user's own, which is not built yet
            };
            values[nameof(InitialWeightScale)] = isNormalized == false || normalized == own ? own
                : isNormalized == true ? normalized
                : InvariantText.Of($"{own}, or {normalized} if the network normalises activations");
        }
        if (Seed == null)
            values[nameof(Seed)] = "drawn from the context";
        if (ValidationSeed == null)
            values[nameof(ValidationSeed)] = "that of the training";
        if (NumberOfThreads == null)
            values[nameof(NumberOfThreads)] = "all";
        if (ImageShape == null)
            values[nameof(ImageShape)] = "that of the column";
        return values;
    }
}
