using System.Numerics.Tensors;
using FaMLNet.Diagnostics;

namespace FaMLNet;

/// <summary>
/// Square attack: random search without gradients. Each try changes one square of the image, ever smaller ones as the search goes on, always by
/// as much as the bound allows, and is kept if the margin of the right class shrinks. Andriushchenko, Croce, Flammarion and Hein, "Square attack:
/// a query-efficient black-box adversarial attack via random search", ECCV 2020.
/// </summary>
/// <remarks>What is no image has windows of neighbouring features for squares.</remarks>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public sealed record SquareAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    /// <summary>The tries, of 10,000, after which the share of the image is halved.</summary>
    private static readonly int[] Halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

    /// <summary>Questions a row.</summary>
    /// <value>Default: 1,000.</value>
    public int Queries { get; init; } = 1000;

    /// <summary>The share of the image that the first squares cover, above 0 and at most 1.</summary>
    /// <value>Default: 0.8, as in AutoAttack.</value>
    public float FirstShare { get; init; } = 0.8f;

    /// <inheritdoc/>
    public override string Name => "Square";

    /// <inheritdoc/>
    public override string Settings => $"{Queries} queries";

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckCount("queries", Queries, 1);
        if (FirstShare is not (> 0 and <= 1))
            throw Wrong("firstShare", $"must be above 0 and at most 1; found {FirstShare}");
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        ImageShape image = row.Image ?? new ImageShape(1, 1, row.Features);
        float[] best = Norm == AttackNorm.LInfinity ? Stripes(row, image) : Tiles(row, image);
        AttackAnswer answer = await row.Ask(best);
        double margin = Margin(answer.Logits, row.Label);
        float[] x = new float[best.Length];
        for (int query = 1; query < Queries && !answer.Fools; query++)
        {
            best.CopyTo(x, 0);
            if (Norm == AttackNorm.LInfinity)
                ChangeSquare(x, row, image, query);
            else
                MoveMass(x, row, image, query);
            answer = await row.Ask(x);
            double found = Margin(answer.Logits, row.Label);
            if (found < margin || answer.Fools)
                (best, x, margin) = (x, best, found);
        }
        return best;
    }

    /// <summary>z_y − max_{i≠y} z_i.</summary>
    private static double Margin(ReadOnlySpan<float> logits, int label)
    {
        float other = float.NegativeInfinity;
        for (int i = 0; i < logits.Length; i++)
            other = i != label && logits[i] > other ? logits[i] : other;
        return (double)logits[label] - other;
    }

    private static float Sign(RandomGenerator random) => random.NextInt32(2) == 0 ? -1 : 1;

    /// <summary>Where a window of the image begins, and its size.</summary>
    private static Window Place(RandomGenerator random, ImageShape image, int side)
    {
        int height = Math.Min(side, image.Height), width = image.Height == 1 ? Math.Min(side * side, image.Width) : Math.Min(side, image.Width);
        return new Window(random.NextInt32(image.Height - height + 1), random.NextInt32(image.Width - width + 1), height, width);
    }

    /// <summary>The side of the square that a try changes.</summary>
    private int Side(ImageShape image, int query, int least)
    {
        double share = FirstShare, scaled = (double)query / Queries * 10_000;
        foreach (int halving in Halvings)
            share = scaled > halving ? share / 2 : share;
        return Math.Max((int)Math.Round(Math.Sqrt(share * image.Height * image.Width)), least);
    }

    /// <summary>Vertical stripes of ±ε, a pixel wide, in each channel (section 3.3).</summary>
    private float[] Stripes(AttackedRow row, ImageShape image)
    {
        float[] x = row.Copy();
        for (int channel = 0; channel < image.Channels; channel++)
        {
            for (int column = 0; column < image.Width; column++)
            {
                float change = Epsilon * Sign(row.Random);
                for (int line = 0; line < image.Height; line++)
                    x[(channel * image.Height + line) * image.Width + column] += change;
            }
        }
        row.Project(x);
        return x;
    }

    /// <summary>In one square every channel goes to one end of what is allowed (algorithm 2).</summary>
    private void ChangeSquare(float[] x, AttackedRow row, ImageShape image, int query)
    {
        Window window = Place(row.Random, image, Side(image, query, least: 1));
        for (int channel = 0; channel < image.Channels; channel++)
        {
            float change = 2 * Epsilon * Sign(row.Random);
            for (int line = 0; line < window.Height; line++)
            {
                Span<float> part = window.Line(x, image, channel, line);
                TensorPrimitives.Add(part, change, part);
            }
        }
        row.Project(x);
    }

    /// <summary>The start by L2: a grid of five by five bumps of random signs, as large as the bound (section 3.4).</summary>
    private float[] Tiles(AttackedRow row, ImageShape image)
    {
        float[] x = row.Copy(), change = new float[x.Length];
        int side = Math.Max(1, (image.Height == 1 ? (int)Math.Sqrt(image.Width) : Math.Min(image.Height, image.Width)) / 5);
        int height = Math.Min(side, image.Height), width = image.Height == 1 ? side * side : side;
        for (int top = 0; top + height <= image.Height; top += height)
        {
            for (int left = 0; left + width <= image.Width; left += width)
            {
                Window window = new(top, left, height, width);
                float[] bump = Bump(row.Random, height, width);
                for (int channel = 0; channel < image.Channels; channel++)
                    window.Add(change, image, channel, bump, Sign(row.Random));
            }
        }
        AttackedRow.AddNormalized(x, change, Epsilon);
        row.Project(x);
        return x;
    }

    /// <summary>The mass of two squares goes into one of them, in the shape of a bump added to what is there (algorithm 3).</summary>
    private void MoveMass(float[] x, AttackedRow row, ImageShape image, int query)
    {
        int side = Side(image, query, least: 3);
        side += side % 2 == 0 ? 1 : 0;
        Window window = Place(row.Random, image, side), other = Place(row.Random, image, side);
        float[] change = new float[x.Length];
        TensorPrimitives.Subtract(x, row.Clean, change);
        double used = Square(change), free = Math.Max(0, (double)Epsilon * Epsilon - used) / image.Channels;
        float[] bump = Bump(row.Random, window.Height, window.Width);
        for (int channel = 0; channel < image.Channels; channel++)
        {
            float[] own = window.Take(change, image, channel);
            double mass = Square(own) + free, length = Math.Sqrt(Square(own));
            float[] added = new float[own.Length];
            window.Clear(change, image, channel);
            mass += Square(other.Take(change, image, channel));
            other.Clear(change, image, channel);
            float sign = Sign(row.Random);
            for (int i = 0; i < own.Length; i++)
                added[i] = sign * bump[i] + (length > 0 ? (float)(own[i] / length) : 0);
            double size = Math.Sqrt(Square(added));
            window.Add(change, image, channel, added, size > 0 ? (float)(Math.Sqrt(mass) / size) : 0);
        }
        row.Clean.CopyTo(x);
        AttackedRow.AddNormalized(x, change, Epsilon);
        row.Project(x);
    }

    private static double Square(ReadOnlySpan<float> values)
    {
        double length = Vectors.Norm(values);
        return length * length;
    }

    /// <summary>Two halves of opposite sign, each a hill of centred rectangles whose heights fall with the square of their number; length
    /// 1.</summary>
    private static float[] Bump(RandomGenerator random, int height, int width)
    {
        float[] bump = new float[height * width];
        bool across = height == 1 || (width > 1 && random.NextInt32(2) == 0);
        int half = (across ? width : height) / 2;
        if (across)
        {
            Hill(bump, width, 0, 0, height, half, 1);
            Hill(bump, width, 0, half, height, width - half, -1);
        }
        else
        {
            Hill(bump, width, 0, 0, half, width, 1);
            Hill(bump, width, half, 0, height - half, width, -1);
        }
        double length = Vectors.Norm(bump);
        if (length > 0)
            TensorPrimitives.Multiply(bump, (float)(1 / length), bump);
        return bump;
    }

    private static void Hill(float[] bump, int stride, int top, int left, int height, int width, float sign)
    {
        int middleRow = height / 2, middleColumn = width / 2, most = Math.Max(middleRow, middleColumn) + 1;
        for (int ring = 0; ring < most; ring++)
        {
            float step = sign / ((ring + 1) * (ring + 1));
            for (int row = Math.Max(middleRow - ring, 0); row <= Math.Min(middleRow + ring, height - 1); row++)
            {
                for (int column = Math.Max(middleColumn - ring, 0); column <= Math.Min(middleColumn + ring, width - 1); column++)
                    bump[(top + row) * stride + left + column] += step;
            }
        }
    }

    /// <summary>A rectangle of an image.</summary>
    private readonly record struct Window(int Top, int Left, int Height, int Width)
    {
        public Span<float> Line(float[] values, ImageShape image, int channel, int line) =>
            values.AsSpan((channel * image.Height + Top + line) * image.Width + Left, Width);

        public float[] Take(float[] values, ImageShape image, int channel)
        {
            float[] taken = new float[Height * Width];
            for (int line = 0; line < Height; line++)
                Line(values, image, channel, line).CopyTo(taken.AsSpan(line * Width));
            return taken;
        }

        public void Clear(float[] values, ImageShape image, int channel)
        {
            for (int line = 0; line < Height; line++)
                Line(values, image, channel, line).Clear();
        }

        public void Add(float[] values, ImageShape image, int channel, float[] added, float factor)
        {
            for (int line = 0; line < Height; line++)
            {
                Span<float> part = Line(values, image, channel, line);
                TensorPrimitives.MultiplyAdd(added.AsSpan(line * Width, Width), factor, part, part);
            }
        }
    }
}
