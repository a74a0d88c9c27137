using CsCheck;
using Xunit;

namespace FaMLNet.Tests.Training;

public sealed class RandomGeneratorTests
{
    [Fact]
    public void Gives_the_same_numbers_on_every_machine()
    {
        // Recorded once: a change here changes every seeded training in the world.
        RandomGenerator random = new(42, "test");
        Assert.Equal(ExpectedIntegers, Enumerable.Range(0, 8).Select(_ => random.NextInt32(1000)));
        float[] values = new float[11];
        random.FillUniform(values, -1, 1);
        Assert.Equal(ExpectedUniform, values);
    }

    [Fact]
    public void Purposes_and_seeds_are_independent()
    {
        float[] a = Draw(1, "shuffle"), b = Draw(1, "initial weights"), c = Draw(2, "shuffle");
        Assert.NotEqual(a, b);
        Assert.NotEqual(a, c);
        Assert.Equal(a, Draw(1, "shuffle"));
    }

    [Fact]
    public void Goes_on_from_a_saved_state() =>
        Gen.Select(Gen.Int, Gen.Int[0, 40]).Sample((seed, skip) =>
        {
            RandomGenerator random = new(seed, "state");
            for (int i = 0; i < skip; i++)
                random.NextSingle();
            RandomGenerator other = new(0, "other");
            other.SetState(random.GetState());
            for (int i = 0; i < 30; i++)
                Assert.Equal(random.NextSingle(), other.NextSingle());
        }, iter: 100);

    [Fact]
    public void Rejects_a_state_that_is_none() => Assert.Throws<ArgumentException>(() => new RandomGenerator(1, "x").SetState(new uint[3]));

    [Fact]
    public void Uniform_numbers_have_the_right_moments_and_range()
    {
        float[] values = new float[100_003];
        new RandomGenerator(3, "moments").FillUniform(values, -2, 4);
        Assert.All(values, value => Assert.InRange(value, -2, 4));
        Assert.Equal(1, values.Average(value => (double)value), 0.02);
        Assert.Equal(3, values.Average(value => (value - 1.0) * (value - 1.0)), 0.05);
    }

    [Fact]
    public void Normal_numbers_have_the_right_moments()
    {
        float[] values = new float[100_001];
        new RandomGenerator(4, "moments").FillNormal(values, 2, 3);
        Assert.Equal(2, values.Average(value => (double)value), 0.05);
        Assert.Equal(9, values.Average(value => (value - 2.0) * (value - 2.0)), 0.2);
        Assert.Equal(0.6827, values.Count(value => Math.Abs(value - 2) < 3) / 100_001.0, 0.01);
    }

    [Fact]
    public void Integers_are_uniform_and_a_shuffle_is_a_permutation()
    {
        RandomGenerator random = new(5, "integers");
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
            counts[random.NextInt32(7)]++;
        Assert.All(counts, count => Assert.InRange(count, 9_600, 10_400));
        int[] items = [.. Enumerable.Range(0, 100)];
        random.Shuffle(items);
        Assert.NotEqual(Enumerable.Range(0, 100), items);
        Assert.Equal(Enumerable.Range(0, 100), items.Order());
        Assert.Throws<ArgumentOutOfRangeException>(() => random.NextInt32(0));
    }

    private static readonly int[] ExpectedIntegers = [985, 467, 543, 919, 300, 290, 493, 107];
    private static readonly float[] ExpectedUniform =
        [0.8298353f, -0.7200812f, -0.7845293f, 0.085876346f, 0.43974304f, -0.371804f, 0.25200295f, 0.6679511f, 0.69200706f, 0.042395473f,
            -0.21431136f];

    private static float[] Draw(int seed, string purpose)
    {
        float[] values = new float[20];
        new RandomGenerator(seed, purpose).FillUniform(values, 0, 1);
        return values;
    }
}
