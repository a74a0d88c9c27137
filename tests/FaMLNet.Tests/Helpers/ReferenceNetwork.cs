namespace FaMLNet.Tests.Training;

/// <summary>
/// A dense network and the six rules once more, in float64 with plain loops and no cleverness: what the library's gradients are held to.
/// Written from the formulas of docs/rules.md, sharing nothing with the library but the layout of the parameters.
/// </summary>
internal sealed class ReferenceNetwork
{
    private readonly DenseLayout _layout;
    private readonly double[] _parameters;
    private readonly double[]?[] _feedback;
    private readonly bool _direct;

    /// <param name="layout">Where the parameters lie.</param>
    /// <param name="parameters">The flat parameters.</param>
    /// <param name="feedback">By layer: null for backpropagation through that layer, else the feedback weights, row by row.</param>
    /// <param name="direct">Whether the output's error goes straight to every layer.</param>
    public ReferenceNetwork(DenseLayout layout, ReadOnlySpan<float> parameters, double[]?[] feedback, bool direct)
    {
        _layout = layout;
        _parameters = [.. parameters.ToArray().Select(value => (double)value)];
        _feedback = feedback;
        _direct = direct;
    }

    /// <summary>Where the error is clipped as it leaves a layer on its way down; infinite for nowhere.</summary>
    public double ErrorLimit { get; init; } = double.PositiveInfinity;

    /// <summary>Loss and slopes of a row's outputs, by its number; null for the cross-entropy of its label.</summary>
    public Func<double[], int, (double Loss, double[] Slopes)>? RowLoss { get; init; }

    /// <summary>Masks of dropout by hidden layer, unit by row; null without dropout.</summary>
    public Func<int, int, int, double>? Mask { get; init; }

    /// <summary>
    /// The smallest |x| that an activation with a kink at 0 has met: where it is within rounding of 0, float32 may fall on the other side.
    /// </summary>
    public double DistanceFromKink { get; private set; } = double.PositiveInfinity;

    /// <summary>Σ weight·loss/rows and its gradient in the flat layout.</summary>
    public (double Loss, double[] Gradient) Gradient(double[][] x, int[] labels, double[] weights)
    {
        int rows = x.Length, top = _layout.Layers.Count - 1;
        double[][][] output = new double[top + 1][][];
        double[][][] before = new double[top + 1][][];
        double[][][] standardized = new double[top + 1][][];
        double[][] inverse = new double[top + 1][];
        for (int i = 0; i <= top; i++)
        {
            DenseLayer layer = _layout.Layers[i];
            double[][] below = i == 0 ? x : output[i - 1];
            double[][] z = [.. below.Select(row => Enumerable.Range(0, layer.Outputs)
                .Select(unit => At(layer.Bias, unit) + Enumerable.Range(0, layer.Inputs).Sum(j => At(layer.Weight, unit * layer.Inputs + j) * row[j]))
                .ToArray())];
            if (i == top)
            {
                if (_layout.Skip is { } skip)
                    z = [.. z.Select((row, r) => row.Select((value, unit) => value + Enumerable.Range(0, _layout.Inputs)
                        .Sum(j => At(skip, unit * _layout.Inputs + j) * x[r][j])).ToArray())];
                output[i] = z;
                break;
            }
            if (layer.NormScale != null)
                (z, standardized[i], inverse[i]) = Normalize(layer, z);
            before[i] = z;
            if (_layout.Network.Activation is Activation.ReLU or Activation.LeakyReLU)
                DistanceFromKink = Math.Min(DistanceFromKink, z.Min(row => row.Min(Math.Abs)));
            output[i] = [.. z.Select((row, r) => row.Select((value, unit) => F(value) * (Mask?.Invoke(i, unit, r) ?? 1)).ToArray())];
        }

        double loss = 0;
        double[][] outputError = new double[rows][];
        for (int r = 0; r < rows; r++)
        {
            if (RowLoss != null)
            {
                (double own, double[] slopes) = RowLoss(output[top][r], r);
                loss += weights[r] / rows * own;
                outputError[r] = [.. slopes.Select(slope => weights[r] / rows * slope)];
                continue;
            }
            double max = output[top][r].Max(), sum = output[top][r].Sum(value => Math.Exp(value - max));
            loss += weights[r] / rows * (Math.Log(sum) - (output[top][r][labels[r]] - max));
            outputError[r] = [.. output[top][r].Select((value, k) => weights[r] / rows * (Math.Exp(value - max) / sum - (k == labels[r] ? 1 : 0)))];
        }

        double[] gradient = new double[_parameters.Length];
        for (int i = 0; i < (_layout.Skip?.Length ?? 0); i++)
            gradient[_layout.Skip!.Offset + i] = Enumerable.Range(0, rows).Sum(r => outputError[r][i / _layout.Inputs] * x[r][i % _layout.Inputs]);
        double[][] error = outputError;
        for (int i = top; i >= 0; i--)
        {
            DenseLayer layer = _layout.Layers[i];
            double[][] below = i == 0 ? x : output[i - 1];
            for (int r = 0; r < rows; r++)
            {
                for (int unit = 0; unit < layer.Outputs; unit++)
                {
                    gradient[layer.Bias.Offset + unit] += error[r][unit];
                    for (int j = 0; j < layer.Inputs; j++)
                        gradient[layer.Weight.Offset + unit * layer.Inputs + j] += error[r][unit] * below[r][j];
                }
            }
            if (i == 0)
                break;
            double[][] source = _direct ? outputError : error;
            error = new double[rows][];
            for (int r = 0; r < rows; r++)
            {
                error[r] = new double[layer.Inputs];
                for (int j = 0; j < layer.Inputs; j++)
                {
                    double sum = 0;
                    for (int unit = 0; unit < source[r].Length; unit++)
                        sum += (_feedback[i] is { } b ? b[unit * layer.Inputs + j] : At(layer.Weight, unit * layer.Inputs + j)) * source[r][unit];
                    error[r][j] = Math.Clamp(sum, -ErrorLimit, ErrorLimit) * (Mask?.Invoke(i - 1, j, r) ?? 1) * Derivative(before[i - 1][r][j]);
                }
            }
            DenseLayer hidden = _layout.Layers[i - 1];
            if (hidden.NormScale != null)
                error = NormalizeBackward(hidden, error, standardized[i - 1], inverse[i - 1], gradient);
        }
        return (loss, gradient);
    }

    private bool IsBatch => _layout.Network.Normalization == Normalization.Batch;

    private double At(ParameterSlice slice, int index) => _parameters[slice.Offset + index];

    private (double[][] Z, double[][] Standardized, double[] Inverse) Normalize(DenseLayer layer, double[][] z)
    {
        int rows = z.Length, units = layer.Outputs;
        double[] inverse = new double[IsBatch ? units : rows];
        double[][] x = [.. z.Select(_ => new double[units])];
        for (int group = 0; group < inverse.Length; group++)
        {
            double[] values = IsBatch ? [.. z.Select(row => row[group])] : z[group];
            double mean = values.Average(), variance = values.Average(value => (value - mean) * (value - mean));
            inverse[group] = 1 / Math.Sqrt(variance + 1e-5);
            for (int i = 0; i < values.Length; i++)
                x[IsBatch ? i : group][IsBatch ? group : i] = (values[i] - mean) * inverse[group];
        }
        double[][] y = [.. x.Select(row => row.Select((value, unit) => At(layer.NormScale!, unit) * value + At(layer.NormShift!, unit)).ToArray())];
        return (y, x, inverse);
    }

    private double[][] NormalizeBackward(DenseLayer layer, double[][] error, double[][] x, double[] inverse, double[] gradient)
    {
        int rows = error.Length, units = layer.Outputs;
        double[][] scaled = [.. error.Select(_ => new double[units])];
        for (int r = 0; r < rows; r++)
        {
            for (int unit = 0; unit < units; unit++)
            {
                gradient[layer.NormScale!.Offset + unit] += error[r][unit] * x[r][unit];
                gradient[layer.NormShift!.Offset + unit] += error[r][unit];
                scaled[r][unit] = error[r][unit] * At(layer.NormScale, unit);
            }
        }
        double[][] result = [.. error.Select(_ => new double[units])];
        for (int group = 0; group < inverse.Length; group++)
        {
            (int r, int unit)[] members = [.. Enumerable.Range(0, IsBatch ? rows : units).Select(i => IsBatch ? (i, group) : (group, i))];
            double mean = members.Average(m => scaled[m.r][m.unit]), product = members.Average(m => scaled[m.r][m.unit] * x[m.r][m.unit]);
            foreach ((int r, int unit) in members)
                result[r][unit] = inverse[group] * (scaled[r][unit] - mean - x[r][unit] * product);
        }
        return result;
    }

    private double F(double x) => _layout.Network.Activation switch
    {
        Activation.ReLU => Math.Max(0, x),
        Activation.Tanh => Math.Tanh(x),
        Activation.Sigmoid => 1 / (1 + Math.Exp(-x)),
        Activation.LeakyReLU => x > 0 ? x : 0.01 * x,
        Activation.ELU => x > 0 ? x : Math.Exp(x) - 1,
        Activation.GELU => x * Phi(x),
        _ => x,
    };

    private double Derivative(double x) => _layout.Network.Activation switch
    {
        Activation.ReLU => x > 0 ? 1 : 0,
        Activation.Tanh => 1 - Math.Tanh(x) * Math.Tanh(x),
        Activation.Sigmoid => Math.Exp(-x) / ((1 + Math.Exp(-x)) * (1 + Math.Exp(-x))),
        Activation.LeakyReLU => x > 0 ? 1 : 0.01,
        Activation.ELU => x > 0 ? 1 : Math.Exp(x),
        Activation.GELU => Phi(x) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI),
        _ => 1,
    };

    /// <summary>The normal distribution function by its series, which 200 terms sum up to 9 standard deviations.</summary>
    private static double Phi(double x)
    {
        if (Math.Abs(x) > 9)
            return x > 0 ? 1 : 0;
        double term = x, sum = x;
        for (int n = 1; n < 200; n++)
            sum += term *= x * x / (2 * n + 1);
        return 0.5 + sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}
