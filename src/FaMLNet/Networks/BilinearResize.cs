namespace FaMLNet;

/// <summary>Bilinear interpolation between pixel centres, from one size to another; the tables are made once.</summary>
internal sealed class BilinearResize(ImageShape from, ImageShape to)
{
    private readonly int _width = from.Width;
    private readonly (int First, int Second, float Share)[] _rows = Table(from.Height, to.Height), _columns = Table(from.Width, to.Width);

    /// <summary>Resizes one channel.</summary>
    /// <param name="source">Height × width of the old size.</param>
    /// <param name="destination">Height × width of the new size.</param>
    public void Run(ReadOnlySpan<float> source, Span<float> destination)
    {
        int i = 0;
        foreach ((int upperRow, int lowerRow, float down) in _rows)
        {
            ReadOnlySpan<float> upper = source.Slice(upperRow * _width, _width), lower = source.Slice(lowerRow * _width, _width);
            foreach ((int left, int right, float across) in _columns)
            {
                float above = upper[left] + across * (upper[right] - upper[left]), below = lower[left] + across * (lower[right] - lower[left]);
                destination[i++] = above + down * (below - above);
            }
        }
    }

    /// <summary>The transpose: the gradient at the old size from that at the new one.</summary>
    /// <param name="gradient">Height × width of the new size.</param>
    /// <param name="result">Height × width of the old size; overwritten.</param>
    public void RunBack(ReadOnlySpan<float> gradient, Span<float> result)
    {
        result.Clear();
        int i = 0;
        foreach ((int upperRow, int lowerRow, float down) in _rows)
        {
            Span<float> upper = result.Slice(upperRow * _width, _width), lower = result.Slice(lowerRow * _width, _width);
            foreach ((int left, int right, float across) in _columns)
            {
                float above = (1 - down) * gradient[i], below = down * gradient[i];
                i++;
                upper[left] += (1 - across) * above;
                upper[right] += across * above;
                lower[left] += (1 - across) * below;
                lower[right] += across * below;
            }
        }
    }

    private static (int First, int Second, float Share)[] Table(int from, int to)
    {
        (int, int, float)[] table = new (int, int, float)[to];
        for (int i = 0; i < to; i++)
        {
            double place = Math.Max(0, (i + 0.5) * from / to - 0.5);
            int first = Math.Min((int)place, from - 1);
            table[i] = (first, Math.Min(first + 1, from - 1), (float)(place - first));
        }
        return table;
    }
}
