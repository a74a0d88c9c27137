namespace FaMLNet.Tasks.Labels;

/// <summary>Mean and deviation of labels as they come, by Welford's way (1962), separately for each value of a label that is a vector.</summary>
/// <param name="width">Values per label.</param>
internal sealed class TargetMoments(int width = 1)
{
    private readonly double[] _mean = new double[width], _squares = new double[width];
    private readonly long[] _count = new long[width];

    /// <summary>Values per label.</summary>
    public int Width => width;

    /// <summary>Labels in which a value was known.</summary>
    public long CountOf(int target) => _count[target];

    /// <summary>Whether a value differs from label to label.</summary>
    public bool Varies(int target) => _squares[target] > 0;

    /// <summary>Counts a label that is a number, or a vector; any other is passed over.</summary>
    /// <param name="kind">What the label is.</param>
    /// <param name="label">Its values.</param>
    public void Add(LabelKind kind, ReadOnlySpan<int> label)
    {
        switch (kind)
        {
            case LabelKind.Number:
                Add(0, LabelBits.ToNumber(label[0]));
                break;
            case LabelKind.Numbers:
                for (int i = 0; i < label.Length; i++)
                {
                    if (!LabelBits.IsMissing(label[i]))
                        Add(i, LabelBits.ToNumber(label[i]));
                }
                break;
            case LabelKind.Booleans:
                for (int i = 0; i < label.Length; i++)
                    Add(i, label[i]);
                break;
        }
    }

    /// <summary>The scale of a target.</summary>
    /// <param name="target">Which value of the label.</param>
    /// <param name="isLogarithmic">Whether the network's output is a logarithm.</param>
    public TargetScale Scale(int target, bool isLogarithmic) => new(isLogarithmic && _mean[target] <= 0 ? 1 : _mean[target],
        _squares[target] > 0 ? Math.Sqrt(_squares[target] / _count[target]) : 1, isLogarithmic);

    private void Add(int target, float value)
    {
        double distance = value - _mean[target];
        _mean[target] += distance / ++_count[target];
        _squares[target] += distance * (value - _mean[target]);
    }
}
