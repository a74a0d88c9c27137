namespace FaMLNet;

/// <summary>
/// One or a few pixels, found by differential evolution over their places and values, without crossover: a child x_r1 + F (x_r2 − x_r3) takes
/// its parent's place if it lowers the probability of the right class. Su, Vargas and Sakurai, "One pixel attack for fooling deep neural
/// networks", IEEE Transactions on Evolutionary Computation 2019.
/// </summary>
/// <remarks>What is no image counts each feature as a pixel.</remarks>
/// <param name="Pixels">Pixels of an image, else features, that may change; at least 0.</param>
public sealed record FewPixelAttack(int Pixels) : Attack
{
    private const float Factor = 0.5f;

    /// <summary>Candidates.</summary>
    /// <value>Default: 400, as in the paper.</value>
    public int Population { get; init; } = 400;

    /// <summary>Generations after the first.</summary>
    /// <value>Default: 100, as in the paper.</value>
    public int Generations { get; init; } = 100;

    /// <inheritdoc/>
    public override string Name => Pixels == 1 ? "One pixel" : "Few pixels";

    /// <inheritdoc/>
    public override AttackNorm Norm => AttackNorm.L0;

    /// <inheritdoc/>
    public override double Bound => Pixels;

    /// <inheritdoc/>
    public override string Settings => $"{Population} × {Generations}";

    /// <inheritdoc/>
    public override bool NeedsInputRange => true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        CheckCount("pixels", Pixels, 0);
        CheckCount("population", Population, 4);
        CheckCount("generations", Generations, 0);
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        // A candidate is, for each pixel, its row and column and a value per channel, all in [0, 1).
        ImageShape image = row.Image ?? new ImageShape(1, 1, row.Features);
        int genes = Pixels * (2 + image.Channels);
        float[][] parents = new float[Population][], children = new float[Population][];
        double[] fitness = new double[Population];
        float[] best = row.Copy();
        double bestFitness = double.NegativeInfinity;
        for (int generation = 0; generation <= Generations; generation++)
        {
            for (int i = 0; i < Population; i++)
                children[i] = generation == 0 ? First(row, genes) : Child(parents, row.Random);
            for (int i = 0; i < Population; i++)
            {
                float[] x = Apply(children[i], row, image);
                AttackAnswer answer = await row.Ask(x);
                if (answer.Fools)
                    return x;
                double value = Lead(answer.Logits, row.Label);
                if (value > bestFitness)
                    (best, bestFitness) = (x, value);
                if (generation == 0 || value > fitness[i])
                    (parents[i], fitness[i]) = (children[i], value);
            }
        }
        return best;
    }

    private static float[] First(AttackedRow row, int genes)
    {
        float[] candidate = new float[genes];
        row.Random.FillUniform(candidate, 0, 1);
        return candidate;
    }

    private static float[] Child(float[][] parents, RandomGenerator random)
    {
        int a = random.NextInt32(parents.Length), b, c;
        do
            b = random.NextInt32(parents.Length);
        while (b == a);
        do
            c = random.NextInt32(parents.Length);
        while (c == a || c == b);
        float[] child = new float[parents[a].Length];
        for (int i = 0; i < child.Length; i++)
        {
            child[i] = parents[a][i] + Factor * (parents[b][i] - parents[c][i]);
            if (child[i] is < 0 or >= 1)
                child[i] = random.NextSingle(); // out of range: drawn anew
        }
        return child;
    }

    private float[] Apply(float[] candidate, AttackedRow row, ImageShape image)
    {
        float[] x = row.Copy();
        int stride = 2 + image.Channels, area = image.Height * image.Width;
        for (int pixel = 0; pixel < Pixels; pixel++)
        {
            ReadOnlySpan<float> genes = candidate.AsSpan(pixel * stride, stride);
            int place = (int)(genes[0] * image.Height) * image.Width + (int)(genes[1] * image.Width);
            for (int channel = 0; channel < image.Channels; channel++)
                x[channel * area + place] = row.Lower + genes[2 + channel] * (row.Upper - row.Lower);
        }
        row.Project(x);
        return x;
    }

    /// <summary>−log p of the right class.</summary>
    private static double Lead(ReadOnlySpan<float> logits, int label)
    {
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp((double)logit - logits[label]);
        return Math.Log(sum);
    }
}
