using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Options.LearningRate of every trainer, and the settings in use as Resolve tells them before training.</summary>
public sealed class LearningRateTests
{
    private const float Rate = 0.0123f;
    private readonly MLContext _mlContext = new(seed: 1);

    public static TheoryData<TaskOf, string> TasksAndRules => [.. Enum.GetValues<TaskOf>().SelectMany(task => new[] { "bp", "fa", "kp", "nss" }
        .Select(rule => (task, rule)))];

    public static TheoryData<TaskOf, float> TasksAndBadRates => [.. Enum.GetValues<TaskOf>().SelectMany(task =>
        new[] { 0, -1, float.NaN, float.PositiveInfinity }.Select(rate => (task, rate)))];

    /// <summary>The rate of the rule's own optimiser becomes the one chosen; all else of that optimiser stays.</summary>
    [Theory, MemberData(nameof(TasksAndRules))]
    public void The_rules_own_optimiser_takes_the_rate(TaskOf task, string rule)
    {
        FeedbackAlignmentOptions options = Options(task, FeedbackRule.Parse(rule)), own = Options(task, FeedbackRule.Parse(rule));
        options.LearningRate = Rate;
        Assert.Equal(own.Resolve().Optimizer with { LearningRate = Rate }, options.Resolve().Optimizer);
        EpochMetrics trained = Train(options), asTold = Train(Options(task, FeedbackRule.Parse(rule), options.Resolve().Optimizer));
        Assert.Equal(Rate, (float)trained.LearningRate);
        Assert.Equal(asTold.Loss, trained.Loss);
        Assert.NotEqual(Train(own).Loss, trained.Loss);
    }

    [Theory, InlineData(TaskOf.Multiclass), InlineData(TaskOf.Binary), InlineData(TaskOf.Regression), InlineData(TaskOf.Vector),
        InlineData(TaskOf.MultiLabel)]
    public void On_sparse_rows_a_rate_that_is_chosen_is_used_as_given(TaskOf task)
    {
        FeedbackAlignmentOptions chosen = Options(task, FeedbackRule.FeedbackAlignment), own = Options(task, FeedbackRule.FeedbackAlignment);
        chosen.FeatureStorage = own.FeatureStorage = FeatureStorage.Sparse;
        chosen.LearningRate = Rate;
        Assert.Equal(Rate, (float)Train(chosen).LearningRate);
        Assert.Equal(Rate, chosen.Resolve().OptimizerOfSparseRows.LearningRate);
        Assert.Equal(own.Resolve().OptimizerOfSparseRows.LearningRate, (float)Train(own).LearningRate);
        Assert.Equal(2.5f * own.Resolve().Optimizer.LearningRate, own.Resolve().OptimizerOfSparseRows.LearningRate);
    }

    [Theory, InlineData(TaskOf.Multiclass), InlineData(TaskOf.Binary), InlineData(TaskOf.Regression), InlineData(TaskOf.Vector),
        InlineData(TaskOf.MultiLabel)]
    public void Both_a_rate_and_an_optimiser_are_refused_by_both_names(TaskOf task)
    {
        FeedbackAlignmentOptions options = Options(task, FeedbackRule.FeedbackAlignment, new OptimizerOptions.Sgd());
        options.LearningRate = Rate;
        foreach (Action use in new Action[] { () => Train(options), () => options.Resolve() })
        {
            ArgumentException failure = Assert.Throws<ArgumentException>(use);
            Assert.Contains("Option LearningRate: 0.0123 is set", failure.Message, StringComparison.Ordinal);
            Assert.Contains("option Optimizer (Sgd {", failure.Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(TasksAndBadRates))]
    public void A_rate_out_of_range_is_refused(TaskOf task, float rate)
    {
        FeedbackAlignmentOptions options = Options(task, FeedbackRule.FeedbackAlignment);
        options.LearningRate = rate;
        Assert.Contains("Option LearningRate must be above 0", Assert.Throws<ArgumentOutOfRangeException>(() => Train(options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_extension_methods_argument_is_the_option()
    {
        IDataView data = EveryTask.Data(_mlContext);
        float Of(IReadOnlyList<EpochMetrics> history) => (float)history[^1].LearningRate;
        // The last step of a cosine is below the rate: two trainings by the same option agree.
        FeedbackAlignmentRegressionTrainer.Options options = new() { LearningRate = Rate, NumberOfEpochs = 1 };
        Assert.Equal(Of(_mlContext.Regression.Trainers.FeedbackAlignment(options).Fit(data).Model.History),
            Of(_mlContext.Regression.Trainers.FeedbackAlignment(learningRate: Rate, numberOfEpochs: 1).Fit(data).Model.History));
        Assert.Contains("Option LearningRate", Assert.Throws<ArgumentOutOfRangeException>(
            () => _mlContext.Regression.Trainers.FeedbackAlignment(learningRate: -1)).Message, StringComparison.Ordinal);
    }

    /// <summary>Everything that Resolve tells is what an option of that value makes of the training, to the last digit of the loss.</summary>
    [Theory, MemberData(nameof(TasksAndRules))]
    public void What_Resolve_tells_is_what_is_trained_with(TaskOf task, string rule)
    {
        FeedbackAlignmentOptions open = Options(task, FeedbackRule.Parse(rule));
        open.Schedule = null;
        ResolvedOptions told = open.Resolve();
        FeedbackAlignmentOptions set = Options(task, told.Rule, told.Optimizer);
        (set.Schedule, set.Network, set.InitialWeightScale, set.FeedbackScale, set.Seed) =
            (told.Schedule, told.Network, told.InitialWeightScale, told.FeedbackScale, told.Seed);
        Assert.Equal(told with { OptimizerOfSparseRows = told.Optimizer }, set.Resolve());
        EpochMetrics one = Train(open), other = Train(set);
        Assert.Equal((one.Loss, one.LearningRate), (other.Loss, other.LearningRate));
    }

    [Fact]
    public void What_is_decided_later_is_null_and_what_is_chosen_is_there()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = new();
        ResolvedOptions open = options.Resolve();
        Assert.Null(open.Seed);
        Assert.Null(open.ValidationSeed);
        Assert.Null(open.NumberOfThreads);
        (options.Seed, options.ValidationSeed, options.NumberOfThreads) = (3, 4, 1);
        ResolvedOptions chosen = options.Resolve();
        Assert.Equal((3, 4, 1), (chosen.Seed, chosen.ValidationSeed, chosen.NumberOfThreads));
    }

    /// <summary>A module of the user's own is not built yet, so it is not known whether it normalises activations.</summary>
    [Fact]
    public void Both_scales_that_a_module_of_ones_own_may_get_are_told()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = new() { Rule = FeedbackRule.FeedbackAlignment };
        options.Network = NetworkDefinition.Custom("any");
        ResolvedOptions custom = options.Resolve();
        options.Network = NetworkDefinition.Mlp(8);
        Assert.Equal(options.Resolve().InitialWeightScale, custom.InitialWeightScale);
        options.Network = NetworkDefinition.Mlp(8) with { Normalization = Normalization.Batch };
        Assert.Equal(options.Resolve().InitialWeightScale, custom.InitialWeightScaleIfNormalized);
        Assert.NotEqual(custom.InitialWeightScale, custom.InitialWeightScaleIfNormalized);
    }

    private static FeedbackAlignmentOptions Options(TaskOf task, FeedbackRule rule, OptimizerOptions? optimizer = null) =>
        EveryTask.Options(task, rule, optimizer);

    private EpochMetrics Train(FeedbackAlignmentOptions options) =>
        EveryTask.ModelOf(EveryTask.Fit(_mlContext, options, EveryTask.Data(_mlContext))).History[^1];
}
