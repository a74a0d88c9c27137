namespace FaMLNet.Tasks.Labels;

/// <summary>Mean and deviation of labels as they come, by Welford's way (1962).</summary>
internal sealed class TargetMoments
{
    private double _mean, _squares;
    private long _count;

    /// <summary>Whether labels differ.</summary>
    public bool Vary => _squares > 0;

    /// <summary>Counts a label that is a number; any other is passed over.</summary>
    public void Add(LabelKind kind, int label)
    {
        if (kind == LabelKind.Number)
            Add(LabelBits.ToNumber(label));
    }

    private void Add(float label)
    {
        double distance = label - _mean;
        _mean += distance / ++_count;
        _squares += distance * (label - _mean);
    }

    public TargetScale Scale(bool isLogarithmic) =>
        new(isLogarithmic && _mean <= 0 ? 1 : _mean, _squares > 0 ? Math.Sqrt(_squares / _count) : 1, isLogarithmic);
}
