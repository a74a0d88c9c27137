using System.Runtime.CompilerServices;

namespace FaMLNet;

/// <summary>The optimiser and its settings: one of the nested records. All follow PyTorch's definitions to the letter.</summary>
/// <remarks>
/// On sparse rows (<see cref="FeatureStorage"/>) the first layer's steps are lazy: in a step the weights of the features that occur in the
/// mini-batch, and what is remembered of them, change as said here, those of all others stay as they are, weight decay included; corrections for
/// the start count the steps of the whole training. That is what TensorFlow Addons calls <c>LazyAdam</c>, PyTorch <c>SparseAdam</c>. SGD without
/// momentum and decay takes the very same steps; with momentum, and by the others, a feature that does not occur does not coast on, so a rare one
/// moves less than by the dense form: rates for sparse rows are higher (<see cref="RuleDefaults.DenseOptimizer"/>).
/// </remarks>
public abstract record OptimizerOptions
{
    /// <inheritdoc/>
    public sealed override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    private OptimizerOptions(float learningRate) => LearningRate = learningRate;

    /// <summary>Step size.</summary>
    /// <value>Range: above 0. Defaults: 0.01 for <see cref="Sgd"/> and <see cref="RmsProp"/>, 0.001 for <see cref="Adam"/> and
    /// <see cref="AdamW"/>.</value>
    public float LearningRate { get; init; }

    /// <summary>L2 penalty λ: adds λ·w to every gradient (in <see cref="AdamW"/>: shrinks every weight by learning rate × λ).</summary>
    /// <value>Range: 0 or more. Defaults: 0; for <see cref="AdamW"/> 0.01.</value>
    public float WeightDecay { get; init; }

    /// <summary>The share of themselves that a step's decay takes from the weights, where it acts alone.</summary>
    internal virtual float DecayOfStep(float learningRate) => learningRate * WeightDecay;

    /// <summary>Stochastic gradient descent, with momentum if wanted (Sutskever et al. 2013 for the Nesterov form).</summary>
    public sealed record Sgd() : OptimizerOptions(0.01f)
    {
        /// <summary>Share of the last step's velocity that is kept.</summary>
        /// <value>Range: [0, 1). Default: 0.9.</value>
        public float Momentum { get; init; } = 0.9f;

        /// <summary>Whether to look ahead along the velocity.</summary>
        /// <value>Default: false. Needs <see cref="Momentum"/> above 0.</value>
        public bool Nesterov { get; init; }

        internal override float DecayOfStep(float learningRate) => base.DecayOfStep(learningRate) / (1 - Momentum);

        internal override void Validate()
        {
            base.Validate();
            CheckShare(Momentum);
            if (Nesterov && Momentum == 0)
                throw OptionError.Invalid("Optimizer",
                    $"Sgd.Nesterov needs a Momentum above 0, found 0. Set Momentum (0.9 is usual) or leave Nesterov off.");
        }
    }

    /// <summary>Adam (Kingma and Ba 2015).</summary>
    public sealed record Adam() : OptimizerOptions(0.001f)
    {
        /// <summary>Decay of the average of gradients.</summary>
        /// <value>Range: [0, 1). Default: 0.9.</value>
        public float Beta1 { get; init; } = 0.9f;

        /// <summary>Decay of the average of squared gradients.</summary>
        /// <value>Range: [0, 1). Default: 0.999.</value>
        public float Beta2 { get; init; } = 0.999f;

        /// <summary>Added to the root of the average of squared gradients.</summary>
        /// <value>Range: above 0. Default: 1e-8.</value>
        public float Epsilon { get; init; } = 1e-8f;

        internal override void Validate()
        {
            base.Validate();
            CheckShare(Beta1);
            CheckShare(Beta2);
            CheckPositive(Epsilon);
        }
    }

    /// <summary>Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).</summary>
    public sealed record AdamW : OptimizerOptions
    {
        /// <summary>The defaults.</summary>
        public AdamW() : base(0.001f) => WeightDecay = 0.01f;

        /// <summary>Decay of the average of gradients.</summary>
        /// <value>Range: [0, 1). Default: 0.9.</value>
        public float Beta1 { get; init; } = 0.9f;

        /// <summary>Decay of the average of squared gradients.</summary>
        /// <value>Range: [0, 1). Default: 0.999.</value>
        public float Beta2 { get; init; } = 0.999f;

        /// <summary>Added to the root of the average of squared gradients.</summary>
        /// <value>Range: above 0. Default: 1e-8.</value>
        public float Epsilon { get; init; } = 1e-8f;

        internal override void Validate()
        {
            base.Validate();
            CheckShare(Beta1);
            CheckShare(Beta2);
            CheckPositive(Epsilon);
        }
    }

    /// <summary>RMSProp (Tieleman and Hinton 2012).</summary>
    public sealed record RmsProp() : OptimizerOptions(0.01f)
    {
        /// <summary>Decay of the average of squared gradients.</summary>
        /// <value>Range: [0, 1). Default: 0.99.</value>
        public float Decay { get; init; } = 0.99f;

        /// <summary>Added to the root of the average of squared gradients.</summary>
        /// <value>Range: above 0. Default: 1e-8.</value>
        public float Epsilon { get; init; } = 1e-8f;

        /// <summary>Share of the last step's velocity that is kept.</summary>
        /// <value>Range: [0, 1). Default: 0.</value>
        public float Momentum { get; init; }

        internal override void Validate()
        {
            base.Validate();
            CheckShare(Decay);
            CheckPositive(Epsilon);
            CheckShare(Momentum);
        }
    }

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first setting out of range.</summary>
    internal virtual void Validate()
    {
        CheckPositive(LearningRate);
        if (!(WeightDecay >= 0 && float.IsFinite(WeightDecay)))
            throw OutOfRange(nameof(WeightDecay), WeightDecay, "0 or more, for example 0.0001");
    }

    private protected void CheckPositive(float value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!(value > 0 && float.IsFinite(value)))
            throw OutOfRange(name, value, name == nameof(LearningRate) ? "above 0, for example 0.001" : "above 0");
    }

    private protected void CheckShare(float value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!(value >= 0 && value < 1))
            throw OutOfRange(name, value, "at least 0 and below 1");
    }

    private ArgumentOutOfRangeException OutOfRange(string name, float value, string expected) =>
        OptionError.OutOfRange("Optimizer", $"{GetType().Name}.{name} must be {expected}; found {value}.");
}
