using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using Xunit;

namespace FaMLNet.Tests.Training.Dense;

public sealed class FloatMatrixTests
{
    public FloatMatrixTests() => LibTorch.EnsureLoaded();

    /// <summary>Stored or transposed, inside larger buffers, over what was not a number before: against sums in float64.</summary>
    [Theory]
    [InlineData(1, 1, 1), InlineData(3, 64, 32), InlineData(64, 30, 64), InlineData(5, 1, 7), InlineData(1, 9, 4), InlineData(130, 70, 90)]
    public void Products_are_those_of_the_definition(int rows, int columns, int inner)
    {
        foreach ((bool aIsTransposed, bool bIsTransposed, bool direct) in new[] { (false, false, true), (true, false, true), (false, true, true),
            (true, true, true), (false, true, false), (true, false, false) })
        {
            using FloatBuffer a = Values(rows * inner + 16, 1), b = Values(inner * columns + 16, 2), c = new(rows * columns + 32);
            c.Span.Fill(float.NaN);
            FloatMatrix left = aIsTransposed ? a.Transposed(16, inner, rows) : a.Stored(16, rows, inner), right = bIsTransposed
                ? b.Transposed(16, columns, inner) : b.Stored(16, inner, columns), product = c.Stored(16, rows, columns);
            if (direct)
                product.SetToProduct(left, right);
            else
                product.SetToProductByLibTorch(left, right);
            double[] expected = new double[rows * columns];
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++)
                {
                    for (int k = 0; k < inner; k++)
                        expected[i * columns + j] += (double)a.Span[16 + (aIsTransposed ? k * rows + i : i * inner + k)] * b.Span[16
                            + (bIsTransposed ? j * inner + k : k * columns + j)];
                }
            }
            Assert.True(RandomTask.RelativeError(c.Span.Slice(16, rows * columns), expected) < 1e-5);
            Assert.All(c.Span[..16].ToArray().Concat(c.Span[(16 + rows * columns)..].ToArray()), value => Assert.True(float.IsNaN(value)));
        }
    }

    private static FloatBuffer Values(int length, int seed)
    {
        FloatBuffer buffer = new(length);
        new RandomGenerator(seed, "matrices").FillUniform(buffer.Span, -1, 1);
        return buffer;
    }
}
