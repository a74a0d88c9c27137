
namespace FaMLNet;

/// <summary>
/// A search for a small change of a row's features that makes a model see another class. The static members are the attacks of the literature
/// with their papers' settings; derive from this record for one of your own.
/// </summary>
/// <remarks>
/// An attack is written for one row, in <see cref="Perturb"/>, which asks the network by <c>await row.Ask(x)</c> and
/// <c>await row.Differentiate(x, loss)</c>; the questions of many rows are answered together. What it returns is brought within bound and input
/// range and judged by the model's own scores. Attacks keep nothing from one row to the next: threads share them.
/// <para>Bounds are in the units of the feature column: 8/255 of an image in [0, 1] is 8 of one in [0, 255].</para>
/// </remarks>
public abstract record Attack
{
    /// <summary>The attack's name in tables, for example <c>PGD</c>.</summary>
    public abstract string Name { get; }

    /// <summary>How perturbations are measured and bounded.</summary>
    public abstract AttackNorm Norm { get; }

    /// <summary>
    /// How large perturbations may be, at least 0; +∞ for no bound. In units of the feature column; by L0 the number of features or pixels. With
    /// 0 every row stays as it is.
    /// </summary>
    public abstract double Bound { get; }

    /// <summary>What else sets it apart from others of its name, for tables: <c>20 steps</c>. Empty by default.</summary>
    public virtual string Settings => "";

    /// <summary>Whether it asks for gradients: then the model must be one of FaMLNet's, or have a surrogate that is.</summary>
    public virtual bool UsesGradients => false;

    /// <summary>Whether it draws values from the range of the input, which must then be known.</summary>
    public virtual bool NeedsInputRange => false;

    /// <summary>Fast gradient sign method: one step of the bound's size (Goodfellow, Shlens and Szegedy 2015).</summary>
    /// <param name="epsilon">The L∞ bound, in units of the feature column.</param>
    public static FgsmAttack Fgsm(float epsilon) => new(epsilon);

    /// <summary>Projected gradient descent from a random start (Madry et al. 2018).</summary>
    /// <param name="epsilon">The bound, in units of the feature column.</param>
    /// <param name="steps">Gradients a start, at least 1.</param>
    /// <param name="stepSize">Of a step, in units of the feature column; null for 2.5 · ε/steps.</param>
    /// <param name="restarts">Random starts for rows that withstand, at least 1.</param>
    /// <param name="norm">L∞ or L2.</param>
    public static PgdAttack Pgd(float epsilon, int steps = 20, float? stepSize = null, int restarts = 1, AttackNorm norm = AttackNorm.LInfinity) =>
        new(epsilon) { Steps = steps, StepSize = stepSize, Restarts = restarts, AttackNorm = norm };

    /// <summary>The attack of TRADES: away from the prediction of the clean row, whatever its label (Zhang et al. 2019).</summary>
    /// <param name="epsilon">The L∞ bound, in units of the feature column.</param>
    /// <param name="steps">Gradients, at least 1.</param>
    /// <param name="stepSize">Of a step; null for 2.5 · ε/steps.</param>
    public static TpgdAttack Tpgd(float epsilon, int steps = 10, float? stepSize = null) => new(epsilon) { Steps = steps, StepSize = stepSize };

    /// <summary>Auto-PGD, which finds its step sizes by itself (Croce and Hein 2020).</summary>
    /// <param name="epsilon">The bound, in units of the feature column.</param>
    /// <param name="loss">What to raise; null for <see cref="AttackLoss.CrossEntropy"/>.</param>
    /// <param name="steps">Gradients a start, at least 2.</param>
    /// <param name="restarts">Random starts for rows that withstand, at least 1.</param>
    /// <param name="norm">L∞ or L2.</param>
    public static ApgdAttack Apgd(float epsilon, AttackLoss? loss = null, int steps = 100, int restarts = 1,
        AttackNorm norm = AttackNorm.LInfinity) =>
        new(epsilon) { Loss = loss ?? AttackLoss.CrossEntropy, Steps = steps, Restarts = restarts, AttackNorm = norm };

    /// <summary>Auto-PGD towards each of the likeliest other classes by the targeted ratio of logit differences (Croce and Hein 2020).</summary>
    /// <param name="epsilon">The bound, in units of the feature column.</param>
    /// <param name="targets">Classes to try, at least 1.</param>
    /// <param name="steps">Gradients a target, at least 2.</param>
    /// <param name="norm">L∞ or L2.</param>
    public static TargetedApgdAttack TargetedApgd(float epsilon, int targets = 9, int steps = 100, AttackNorm norm = AttackNorm.LInfinity) =>
        new(epsilon) { Targets = targets, Steps = steps, AttackNorm = norm };

    /// <summary>The nearest decision boundary of the linearised network, step by step (Moosavi-Dezfooli, Fawzi and Frossard 2016).</summary>
    /// <param name="maximumSteps">At least 1.</param>
    /// <param name="overshoot">By how much, as a share, the change goes past the boundary; at least 0.</param>
    /// <param name="classes">How many of the likeliest classes are looked at, at least 2.</param>
    /// <param name="epsilon">An L2 bound; null for none: then what counts is the size of the perturbations.</param>
    public static DeepFoolAttack DeepFool(int maximumSteps = 50, float overshoot = 0.02f, int classes = 10, float? epsilon = null) =>
        new() { MaximumSteps = maximumSteps, Overshoot = overshoot, Classes = classes, Epsilon = epsilon };

    /// <summary>Random search with square changes, without gradients (Andriushchenko et al. 2020).</summary>
    /// <param name="epsilon">The bound, in units of the feature column.</param>
    /// <param name="queries">Questions a row, at least 1.</param>
    /// <param name="norm">L∞ or L2.</param>
    public static SquareAttack Square(float epsilon, int queries = 1000, AttackNorm norm = AttackNorm.LInfinity) =>
        new(epsilon) { Queries = queries, AttackNorm = norm };

    /// <summary>A few pixels, found by differential evolution (Su, Vargas and Sakurai 2019). Needs the input range.</summary>
    /// <param name="pixels">Pixels of an image, else features, that may change; at least 0.</param>
    /// <param name="population">Candidates, at least 4.</param>
    /// <param name="generations">At least 0.</param>
    public static FewPixelAttack FewPixel(int pixels = 1, int population = 400, int generations = 100) =>
        new(pixels) { Population = population, Generations = generations };

    /// <summary>Random noise of the bound's full size, as a control: what it fools, no attack is needed for.</summary>
    /// <param name="epsilon">The bound, in units of the feature column.</param>
    /// <param name="draws">Draws a row, at least 1.</param>
    /// <param name="norm">L∞ (random signs) or L2 (a random direction).</param>
    public static NoiseAttack Noise(float epsilon, int draws = 1, AttackNorm norm = AttackNorm.LInfinity) =>
        new(epsilon) { Draws = draws, AttackNorm = norm };

    /// <summary>
    /// Auto-PGD by cross-entropy, targeted Auto-PGD and Square one after the other on what still stands: the worst case (after Croce and Hein
    /// 2020, whose set has FAB as well).
    /// </summary>
    /// <param name="epsilon">The bound, in units of the feature column.</param>
    /// <param name="norm">L∞ or L2.</param>
    public static AutoAttack AutoAttack(float epsilon, AttackNorm norm = AttackNorm.LInfinity) => new(epsilon) { AttackNorm = norm };

    /// <summary>Name, norm, bound and settings, the same in every culture.</summary>
    public sealed override string ToString()
    {
        string bound = double.IsPositiveInfinity(Bound) ? "" : Norm == AttackNorm.L0 ? InvariantText.Of($" ≤ {Bound}")
            : InvariantText.Of($" ≤ {Bound:0.######}");
        return $"{Name} {Symbol(Norm)}{bound}{(Settings.Length == 0 ? "" : $", {Settings}")}";
    }

    /// <summary>Searches for one row.</summary>
    /// <param name="row">The row, and the network to ask.</param>
    /// <returns>The changed features: those that fool the model, or the last that were tried.</returns>
    protected abstract Task<float[]> Perturb(AttackedRow row);

    /// <summary>Refuses settings that make no sense, before any work. Call the base's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names it.</exception>
    protected virtual void Validate()
    {
        if (!(Bound >= 0))
            throw Wrong("epsilon", $"must be at least 0; found {Bound}");
    }

    internal Task<float[]> Run(AttackedRow row) => Perturb(row);

    internal void Check() => Validate();

    internal static string Symbol(AttackNorm norm) => norm switch
    {
        AttackNorm.LInfinity => "L∞",
        AttackNorm.L2 => "L2",
        _ => "L0",
    };

    /// <summary>An exception that names the attack and its setting.</summary>
    private protected ArgumentOutOfRangeException Wrong(string setting, InvariantText message) =>
        new(setting, $"Attack {Name}: {setting} {message.ToString()}.");

    private protected void CheckCount(string setting, int value, int least)
    {
        if (value < least)
            throw Wrong(setting, $"must be at least {least}; found {value}");
    }

    /// <summary>Bound finite, L∞ or L2.</summary>
    private protected void CheckBall()
    {
        if (!double.IsFinite(Bound))
            throw Wrong("epsilon", $"must be a number; found {Bound}");
        if (Norm is not (AttackNorm.LInfinity or AttackNorm.L2))
            throw Wrong("norm", $"must be LInfinity or L2; found {Norm}");
    }
}

/// <summary>An attack within a ball around the row.</summary>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public abstract record BoundedAttack(float Epsilon) : Attack
{
    /// <summary>The norm of the ball.</summary>
    /// <value>Default: <see cref="AttackNorm.LInfinity"/>.</value>
    public AttackNorm AttackNorm { get; init; } = AttackNorm.LInfinity;

    /// <inheritdoc/>
    public sealed override AttackNorm Norm => AttackNorm;

    /// <inheritdoc/>
    public sealed override double Bound => Epsilon;

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckBall();
    }

    private protected void CheckStepSize(float? size)
    {
        if (size is { } given && !(given > 0 && float.IsFinite(given)))
            throw Wrong("stepSize", $"must be above 0; found {given}");
    }

    /// <summary>The size of one of so many steps: by default so that every point of the ball can be reached.</summary>
    private protected float StepOf(float? size, int steps) => size ?? 2.5f * Epsilon / steps;

    /// <summary>A random point of the ball: uniform by L∞, of uniform direction and radius by L2.</summary>
    private protected float[] RandomStart(AttackedRow row)
    {
        float[] x = row.Copy(), noise = new float[x.Length];
        if (Norm == AttackNorm.LInfinity)
        {
            row.Random.FillUniform(noise, -Epsilon, Epsilon);
            for (int i = 0; i < x.Length; i++)
                x[i] += noise[i];
        }
        else
        {
            row.Random.FillNormal(noise, 0, 1);
            AttackedRow.AddNormalized(x, noise, Epsilon * row.Random.NextSingle());
        }
        row.Project(x);
        return x;
    }
}
