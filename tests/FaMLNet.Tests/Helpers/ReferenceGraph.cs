namespace FaMLNet.Tests.Training.Graph;

/// <summary>
/// Convolutional networks and the six rules once more, in float64 with plain loops: what the library's gradients are held to. Shares
/// nothing with the library but the layout of the parameters.
/// </summary>
internal sealed class ReferenceGraph(GraphLayout layout, ReadOnlySpan<float> parameters, ReadOnlySpan<float> statistics, double[]?[] feedback,
    bool direct)
{
    private readonly double[] _parameters = [.. parameters.ToArray().Select(value => (double)value)];
    private readonly double[] _statistics = [.. statistics.ToArray().Select(value => (double)value)];
    private double[][] _outputError = [];

    /// <summary>Where the error is clipped as it leaves a layer with weights on its way down; infinite for nowhere.</summary>
    public double ErrorLimit { get; init; } = double.PositiveInfinity;

    /// <summary>Loss and slopes of a row's outputs, by its number; null for the cross-entropy of its label.</summary>
    public Func<double[], int, (double Loss, double[] Slopes)>? RowLoss { get; init; }

    public double[] Gradient { get; } = new double[layout.ParameterLength];

    /// <summary>The smallest distance of a value from a kink of ReLU, or of the best from the second best value in a pooling window.</summary>
    public double DistanceFromKink { get; private set; } = double.PositiveInfinity;

    /// <summary>Forward and backward; gives the loss.</summary>
    public double Run(double[][] rows, int[] labels)
    {
        double[][] x = [.. rows.Select(Place)];
        List<Func<double[][], double[][]>> backward = [];
        double[][] logits = Forward(layout.Nodes, x, backward);
        double loss = 0;
        _outputError = [.. logits.Select((row, r) =>
        {
            if (RowLoss != null)
            {
                (double own, double[] slopes) = RowLoss(row, r);
                loss += own / rows.Length;
                return slopes.Select(slope => slope / rows.Length).ToArray();
            }
            double max = row.Max(), sum = row.Sum(value => Math.Exp(value - max));
            loss += (Math.Log(sum) - (row[labels[r]] - max)) / rows.Length;
            return row.Select((value, k) => (Math.Exp(value - max) / sum - (k == labels[r] ? 1 : 0)) / rows.Length).ToArray();
        })];
        double[][] error = _outputError;
        for (int i = backward.Count - 1; i >= 0; i--)
            error = backward[i](error);
        return loss;
    }

    private double[] Place(double[] row)
    {
        ImageShape image = layout.Image, padded = layout.NetworkInput;
        double[] result = new double[padded.Length];
        int top = (padded.Height - image.Height) / 2, left = (padded.Width - image.Width) / 2;
        for (int c = 0; c < padded.Channels; c++)
        {
            for (int i = 0; i < padded.Height; i++)
            {
                for (int j = 0; j < padded.Width; j++)
                {
                    bool inside = i >= top && i < top + image.Height && j >= left && j < left + image.Width;
                    double value = inside ? row[(c * image.Height + i - top) * image.Width + j - left] : 0;
                    result[(c * padded.Height + i) * padded.Width + j] =
                        (value - _statistics[layout.InputMean.Offset + c]) / _statistics[layout.InputDeviation.Offset + c];
                }
            }
        }
        return result;
    }

    private double[][] Forward(IReadOnlyList<GraphNodeSpec> nodes, double[][] x, List<Func<double[][], double[][]>> backward)
    {
        foreach (GraphNodeSpec node in nodes)
        {
            (x, Func<double[][], double[][]> step) = Apply(node, x);
            backward.Add(step);
        }
        return x;
    }

    private (double[][] Output, Func<double[][], double[][]> Backward) Apply(GraphNodeSpec spec, double[][] x)
    {
        switch (spec.Definition)
        {
            case Layer.Conv2d conv:
                return Linear(spec, x, Taps(spec, conv));
            case Layer.Dense:
                return Linear(spec, x, Taps(spec));
            case Layer.Activate activate:
                if (activate.Activation is Activation.ReLU or Activation.LeakyReLU)
                    DistanceFromKink = Math.Min(DistanceFromKink, x.Min(row => row.Min(Math.Abs)));
                return (Map(x, value => F(activate.Activation, value)), e => Zip(e, x, (g, value) => g * D(activate.Activation, value)));
            case Layer.MaxPool2d pool:
                return Pool(spec, x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding, max: true);
            case Layer.AveragePool2d pool:
                return Pool(spec, x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding, max: false);
            case Layer.AdaptiveAveragePool2d:
                return Adaptive(spec, x);
            case Layer.BatchNorm:
                return Norm(spec, x);
            case Layer.Residual:
                {
                    List<Func<double[][], double[][]>> body = [], shortcut = [];
                    double[][] a = Forward(spec.Body, x, body), b = Forward(spec.Shortcut, x, shortcut);
                    return (Zip(a, b, (u, v) => u + v), e => Zip(Back(body, e), Back(shortcut, e), (u, v) => u + v));
                }
            case Layer.Concatenate:
                {
                    List<Func<double[][], double[][]>> body = [];
                    double[][] branch = Forward(spec.Body, x, body);
                    int own = spec.Input.Length;
                    return ([.. x.Zip(branch, (a, b) => a.Concat(b).ToArray())], e =>
                        Zip([.. e.Select(row => row[..own])], Back(body, [.. e.Select(row => row[own..])]), (u, v) => u + v));
                }
            case Layer.DownsampleWithZeros:
                return Downsample(spec, x);
            default:
                return (x, e => e);
        }
    }

    private static double[][] Back(List<Func<double[][], double[][]>> steps, double[][] e)
    {
        for (int i = steps.Count - 1; i >= 0; i--)
            e = steps[i](e);
        return e;
    }

    /// <summary>Which (output, weight, input) triples a dense layer multiplies.</summary>
    private static List<(int Out, int Weight, int In)> Taps(GraphNodeSpec spec) =>
        [.. from o in Enumerable.Range(0, spec.Output.Length) from i in Enumerable.Range(0, spec.Input.Length) select (o, o * spec.Input.Length + i,
            i)];

    private static List<(int Out, int Weight, int In)> Taps(GraphNodeSpec spec, Layer.Conv2d conv)
    {
        List<(int, int, int)> taps = [];
        ImageShape input = spec.Input, output = spec.Output;
        int below = input.Channels / conv.Groups, above = output.Channels / conv.Groups;
        for (int o = 0; o < output.Channels; o++)
            for (int y = 0; y < output.Height; y++)
                for (int x = 0; x < output.Width; x++)
                    for (int c = 0; c < below; c++)
                        for (int ky = 0; ky < conv.Kernel; ky++)
                            for (int kx = 0; kx < conv.Kernel; kx++)
                            {
                                int iy = y * conv.Stride - conv.Padding + ky * conv.Dilation, ix = x * conv.Stride - conv.Padding
                                    + kx * conv.Dilation;
                                if (iy >= 0 && iy < input.Height && ix >= 0 && ix < input.Width)
                                    taps.Add(((o * output.Height + y) * output.Width + x, ((o * below + c) * conv.Kernel + ky) * conv.Kernel + kx,
                                        ((o / above * below + c) * input.Height + iy) * input.Width + ix));
                            }
        return taps;
    }

    private (double[][], Func<double[][], double[][]>) Linear(GraphNodeSpec spec, double[][] x, List<(int Out, int Weight, int In)> taps)
    {
        int pixels = spec.Output.Height * spec.Output.Width, w = spec.Weight!.Offset;
        double[][] y = [.. x.Select(row =>
        {
            double[] result = new double[spec.Output.Length];
            if (spec.Bias != null)
            {
                for (int o = 0; o < result.Length; o++)
                    result[o] = _parameters[spec.Bias.Offset + o / pixels];
            }
            foreach ((int o, int weight, int i) in taps)
                result[o] += _parameters[w + weight] * row[i];
            return result;
        })];
        return (y, e =>
        {
            double[]? b = feedback[spec.WeightedIndex];
            return [.. e.Select((error, r) =>
            {
                double[] below = new double[spec.Input.Length];
                foreach ((int o, int weight, int i) in taps)
                {
                    Gradient[w + weight] += error[o] * x[r][i];
                    if (!direct || b == null)
                        below[i] += error[o] * (b == null ? _parameters[w + weight] : b[weight]);
                }
                if (spec.Bias != null)
                {
                    for (int o = 0; o < error.Length; o++)
                        Gradient[spec.Bias.Offset + o / pixels] += error[o];
                }
                if (direct && b != null)
                {
                    for (int i = 0; i < below.Length; i++)
                        below[i] = Enumerable.Range(0, layout.Outputs).Sum(k => b[k * below.Length + i] * _outputError[r][k]);
                }
                return below.Select(value => Math.Clamp(value, -ErrorLimit, ErrorLimit)).ToArray();
            })];
        }
        );
    }

    private (double[][], Func<double[][], double[][]>) Pool(GraphNodeSpec spec, double[][] x, int kernel, int stride, int padding, bool max)
    {
        ImageShape input = spec.Input, output = spec.Output;
        List<int>[] windows = [.. from c in Enumerable.Range(0, output.Channels) from y in Enumerable.Range(0,
            output.Height) from z in Enumerable.Range(0, output.Width)
            select (from ky in Enumerable.Range(y * stride - padding, kernel) from kx in Enumerable.Range(z * stride - padding, kernel)
                    where ky >= 0 && ky < input.Height && kx >= 0 && kx < input.Width select (c * input.Height + ky) * input.Width + kx).ToList()];
        if (!max)
        {
            double share = 1.0 / (kernel * kernel); // padding counts, as in libtorch
            return ([.. x.Select(row => windows.Select(window => window.Sum(i => row[i]) * share).ToArray())], e => Scatter(e, (error, below, _) =>
            {
                for (int o = 0; o < windows.Length; o++)
                    windows[o].ForEach(i => below[i] += error[o] * share);
            }, spec));
        }
        int[][] best = [.. x.Select(row => windows.Select(window =>
        {
            int most = window.MaxBy(i => row[i]);
            foreach (int i in window.Where(i => i != most && !(row[i] <= 0 && row[most] <= 0)))
                DistanceFromKink = Math.Min(DistanceFromKink, row[most] - row[i]);
            return most;
        }).ToArray())];
        return ([.. x.Select((row, r) => best[r].Select(i => row[i]).ToArray())], e => Scatter(e, (error, below, r) =>
        {
            for (int o = 0; o < error.Length; o++)
                below[best[r][o]] += error[o];
        }, spec));
    }

    private static (double[][], Func<double[][], double[][]>) Adaptive(GraphNodeSpec spec, double[][] x)
    {
        ImageShape input = spec.Input, output = spec.Output;
        List<int>[] windows = [.. from c in Enumerable.Range(0, output.Channels) from y in Enumerable.Range(0,
            output.Height) from z in Enumerable.Range(0, output.Width)
            let y0 = y * input.Height / output.Height let y1 = ((y + 1) * input.Height + output.Height - 1) / output.Height
            let z0 = z * input.Width / output.Width let z1 = ((z + 1) * input.Width + output.Width - 1) / output.Width
            select (from i in Enumerable.Range(y0, y1 - y0) from j in Enumerable.Range(z0, z1 - z0) select (c * input.Height + i) * input.Width + j)
                .ToList()];
        return ([.. x.Select(row => windows.Select(window => window.Average(i => row[i])).ToArray())], e => Scatter(e, (error, below, _) =>
        {
            for (int o = 0; o < windows.Length; o++)
                windows[o].ForEach(i => below[i] += error[o] / windows[o].Count);
        }, spec));
    }

    private (double[][], Func<double[][], double[][]>) Norm(GraphNodeSpec spec, double[][] x)
    {
        int pixels = spec.Input.Height * spec.Input.Width, channels = spec.Input.Channels, count = x.Length * pixels;
        double[] inverse = new double[channels];
        double[][] standardized = [.. x.Select(row => new double[row.Length])];
        for (int c = 0; c < channels; c++)
        {
            double mean = x.Sum(row => row.Skip(c * pixels).Take(pixels).Sum()) / count;
            double variance = x.Sum(row => row.Skip(c * pixels).Take(pixels).Sum(value => (value - mean) * (value - mean))) / count;
            inverse[c] = 1 / Math.Sqrt(variance + 1e-5);
            for (int r = 0; r < x.Length; r++)
                for (int i = c * pixels; i < (c + 1) * pixels; i++)
                    standardized[r][i] = (x[r][i] - mean) * inverse[c];
        }
        double[][] y = [.. standardized.Select(row =>
            row.Select((value, i) => value * _parameters[spec.Weight!.Offset + i / pixels] + _parameters[spec.Bias!.Offset + i / pixels]).ToArray())];
        return (y, e =>
        {
            double[] sum = new double[channels], product = new double[channels];
            for (int r = 0; r < e.Length; r++)
            {
                for (int i = 0; i < e[r].Length; i++)
                {
                    sum[i / pixels] += e[r][i];
                    product[i / pixels] += e[r][i] * standardized[r][i];
                }
            }
            for (int c = 0; c < channels; c++)
            {
                Gradient[spec.Weight!.Offset + c] += product[c];
                Gradient[spec.Bias!.Offset + c] += sum[c];
            }
            return [.. e.Select((row, r) => row.Select((g, i) =>
                _parameters[spec.Weight!.Offset + i / pixels] * inverse[i / pixels] * (
                    g - sum[i / pixels] / count - standardized[r][i] * product[i / pixels] / count)).ToArray())];
        }
        );
    }

    private static (double[][], Func<double[][], double[][]>) Downsample(GraphNodeSpec spec, double[][] x)
    {
        ImageShape input = spec.Input, output = spec.Output;
        int before = (output.Channels - input.Channels) / 2;
        List<(int Out, int In)> taps = [.. from c in Enumerable.Range(0, input.Channels) from y in Enumerable.Range(0,
            output.Height) from z in Enumerable.Range(0, output.Width)
            select (((c + before) * output.Height + y) * output.Width + z, (c * input.Height + 2 * y) * input.Width + 2 * z)];
        return ([.. x.Select(row =>
        {
            double[] result = new double[output.Length];
            taps.ForEach(tap => result[tap.Out] = row[tap.In]);
            return result;
        })], e => Scatter(e, (error, below, _) => taps.ForEach(tap => below[tap.In] += error[tap.Out]), spec));
    }

    private static double[][] Scatter(double[][] e, Action<double[], double[], int> add, GraphNodeSpec spec) => [.. e.Select((error, r) =>
    {
        double[] below = new double[spec.Input.Length];
        add(error, below, r);
        return below;
    })];

    private static double[][] Map(double[][] x, Func<double, double> f) => [.. x.Select(row => row.Select(f).ToArray())];

    private static double[][] Zip(double[][] a, double[][] b, Func<double, double, double> f) => [.. a.Zip(b, (u, v) => u.Zip(v, f).ToArray())];

    private static double F(Activation activation, double x) => activation switch
    {
        Activation.ReLU => Math.Max(0, x),
        Activation.Tanh => Math.Tanh(x),
        Activation.Sigmoid => 1 / (1 + Math.Exp(-x)),
        Activation.LeakyReLU => x > 0 ? x : 0.01 * x,
        Activation.ELU => x > 0 ? x : Math.Exp(x) - 1,
        _ => x,
    };

    private static double D(Activation activation, double x) => activation switch
    {
        Activation.ReLU => x > 0 ? 1 : 0,
        Activation.Tanh => 1 - Math.Tanh(x) * Math.Tanh(x),
        Activation.Sigmoid => Math.Exp(-x) / ((1 + Math.Exp(-x)) * (1 + Math.Exp(-x))),
        Activation.LeakyReLU => x > 0 ? 1 : 0.01,
        Activation.ELU => x > 0 ? 1 : Math.Exp(x),
        _ => 1,
    };
}
