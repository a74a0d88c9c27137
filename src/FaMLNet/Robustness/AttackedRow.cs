using System.Numerics.Tensors;
using FaMLNet.Diagnostics;
using FaMLNet.Robustness;

namespace FaMLNet;

/// <summary>
/// One row under attack: its clean features, what may be done to them, and the network to ask. An attack is written for one row; the questions
/// of many rows are answered together.
/// </summary>
public sealed class AttackedRow
{
    private readonly float[] _clean;
    private readonly PerturbationLimits _limits;
    private readonly AttackAnswer _answer;
    private Action? _continuation;
    private bool _ended;

    internal AttackedRow(int index, float[] clean, int label, int classes, ImageShape? image, PerturbationLimits limits, RandomGenerator random,
        bool stopsWhenFooled)
    {
        (Index, _clean, Label, Classes, Image, _limits, Random, StopsWhenFooled) =
            (index, clean, label, classes, image, limits, random, stopsWhenFooled);
        _answer = new AttackAnswer(classes, clean.Length);
    }

    /// <summary>The row's number in the data, from 0.</summary>
    public int Index { get; }

    /// <summary>The features as they are, in the units of the feature column.</summary>
    public ReadOnlySpan<float> Clean => _clean;

    /// <summary>How many features.</summary>
    public int Features => _clean.Length;

    /// <summary>The right class, from 0, which the model sees in the clean row.</summary>
    public int Label { get; }

    /// <summary>How many classes.</summary>
    public int Classes { get; }

    /// <summary>How the features are an image; null if they are none, as far as is known.</summary>
    public ImageShape? Image { get; }

    /// <summary>The least value of a feature; −∞ if none is known.</summary>
    public float Lower => _limits.Lower;

    /// <summary>The largest value of a feature; +∞ if none is known.</summary>
    public float Upper => _limits.Upper;

    /// <summary>A stream of the row's own: the same for a seed, an attack and a row, whatever is attacked beside it.</summary>
    public RandomGenerator Random { get; }

    /// <summary>
    /// Whether the attack may end as soon as an answer says that the model is fooled. Not with a surrogate: more steps carry over better.
    /// </summary>
    public bool StopsWhenFooled { get; }

    internal long ForwardQueries { get; private set; }

    internal long GradientQueries { get; private set; }

    /// <summary>What is asked about; null if nothing is.</summary>
    internal float[]? Asked { get; private set; }

    /// <summary>The loss whose gradient is wanted; null for logits alone.</summary>
    internal AttackLoss? AskedLoss { get; private set; }

    internal AttackAnswer Answer => _answer;

    /// <summary>A copy of the clean features to change.</summary>
    public float[] Copy() => [.. _clean];

    /// <summary>Asks what the model says of an input: <c>AttackAnswer answer = await row.Ask(x);</c>.</summary>
    /// <param name="x">One value per feature; not to be changed before the answer is there.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another length than <see cref="Features"/>.</exception>
    public AttackQuery Ask(float[] x)
    {
        Question(x, null);
        ForwardQueries++;
        return new AttackQuery(this);
    }

    /// <summary>Asks for the gradient of a loss at an input, by the threat model; the answer has logits as well.</summary>
    /// <param name="x">One value per feature; not to be changed before the answer is there.</param>
    /// <param name="loss">What to raise.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another length than <see cref="Features"/>.</exception>
    public AttackQuery Differentiate(float[] x, AttackLoss loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        Question(x, loss);
        GradientQueries++;
        return new AttackQuery(this);
    }

    /// <summary>
    /// Moves an input to the nearest one within the attack's bound and the input range. Both then hold exactly: |x′ − x| ≤ bound for the numbers
    /// as they are stored.
    /// </summary>
    /// <param name="x">Changed in place.</param>
    public void Project(Span<float> x) => _limits.Project(_clean, x);

    /// <summary>x += step · sign(gradient), the steepest step by L∞.</summary>
    /// <param name="x">Changed in place.</param>
    /// <param name="gradient">One per feature.</param>
    /// <param name="step">Its size.</param>
    public static void AddSign(Span<float> x, ReadOnlySpan<float> gradient, float step)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] += gradient[i] > 0 ? step : gradient[i] < 0 ? -step : 0;
    }

    /// <summary>x += step · gradient/‖gradient‖₂, the steepest step by L2; nothing for a gradient of 0.</summary>
    /// <param name="x">Changed in place.</param>
    /// <param name="gradient">One per feature.</param>
    /// <param name="step">Its length.</param>
    public static void AddNormalized(Span<float> x, ReadOnlySpan<float> gradient, float step)
    {
        double length = Vectors.Norm(gradient);
        if (length > 0)
            TensorPrimitives.MultiplyAdd(gradient, (float)(step / length), x, x);
    }

    /// <summary>The steepest step by the attack's own norm.</summary>
    internal void AddStep(Span<float> x, ReadOnlySpan<float> gradient, float step)
    {
        if (_limits.Norm == AttackNorm.LInfinity)
            AddSign(x, gradient, step);
        else
            AddNormalized(x, gradient, step);
    }

    internal void ContinueWith(Action continuation) => _continuation = continuation;

    internal AttackAnswer TakeAnswer() => _ended ? throw new OperationCanceledException("The evaluation has ended.") : _answer;

    /// <summary>Lets the attack go on with the answer.</summary>
    internal void Resume()
    {
        Action? continuation = _continuation;
        (_continuation, Asked, AskedLoss) = (null, null, null);
        continuation?.Invoke();
    }

    /// <summary>Unwinds the attack.</summary>
    internal void End()
    {
        _ended = true;
        Resume();
    }

    private void Question(float[] x, AttackLoss? loss)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Length != Features)
            throw new ArgumentException($"The input must have {Features} values, as many as the row; found {x.Length}.", nameof(x));
        if (Asked != null)
            throw new InvalidOperationException("A row has one question at a time: await the answer before the next.");
        (Asked, AskedLoss) = (x, loss);
    }
}
