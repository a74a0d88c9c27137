namespace FaMLNet.Rows;

/// <summary>
/// Decides, row by row and the same way each time, which rows of a stream are kept aside: of every class the same share, evenly spread.
/// </summary>
internal sealed class ValidationSampler
{
    private readonly double _fraction;
    private readonly double[] _level;

    public ValidationSampler(double fraction, int seed, int classes)
    {
        _fraction = fraction;
        RandomGenerator random = new(seed, "validation");
        _level = [.. Enumerable.Range(0, classes).Select(_ => (double)random.NextSingle())];
    }

    public bool Takes(int label)
    {
        _level[label] += _fraction;
        if (_level[label] < 1)
            return false;
        _level[label] -= 1;
        return true;
    }
}
