using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace FaMLNet.Cli.Tables;

/// <summary>
/// Numbers as a network can learn from them. In double precision missing values become the column's mean, and each column is centred and
/// scaled to a standard deviation of 1; only then do they become single precision. So numbers of any size and offset keep what tells
/// them apart: 1,700,000,012 and 1,700,000,020 are one number in single precision.
/// </summary>
/// <remarks>
/// Where a few values lie so far out that the others would be flattened (a standard deviation of more than <see cref="MostSpread"/> times the
/// distance between the quartiles), values are cut to <see cref="KeptSpread"/> times that distance beyond the quartiles first.
/// The fitted pipeline consists of ML.NET's own transformers.
/// </remarks>
/// <param name="mlContext">The context.</param>
/// <param name="columns">Columns of type <see cref="double"/>; older models' are <see cref="float"/>.</param>
/// <param name="say">Receives which columns are cut, and where.</param>
internal sealed class NumberScaling(MLContext mlContext, IReadOnlyList<string> columns, Action<string> say) : IEstimator<ITransformer>
{
    private const double MostSpread = 10, KeptSpread = 10;
    private const int Digits = 6, MostZeros = 18, MostValuesKept = 4_000_000, MostRowsKept = 10_000, LeastRowsKept = 100;

    public ITransformer Fit(IDataView input) => Estimator(Limits(input)).Fit(input);

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Estimator(new Dictionary<string, (double, double)>()).GetOutputSchema(inputSchema);

    private EstimatorChain<ITransformer> Estimator(IReadOnlyDictionary<string, (double Lower, double Upper)> limits)
    {
        EstimatorChain<ITransformer> chain = new();
        foreach ((string name, (double lower, double upper)) in limits)
            chain = chain.Append<ITransformer>(mlContext.Transforms.Expression(name, $"x : min(max(x, {Constant(lower)}), {Constant(upper)})", name));
        const string numbers = ColumnNames.Numbers;
        return chain.Append<ITransformer>(mlContext.Transforms.Concatenate(numbers, [.. columns]))
            .Append<ITransformer>(mlContext.Transforms.ReplaceMissingValues(numbers,
                replacementMode: MissingValueReplacingEstimator.ReplacementMode.Mean))
            .Append<ITransformer>(mlContext.Transforms.NormalizeMeanVariance(numbers, fixZero: false))
            .Append<ITransformer>(mlContext.Transforms.Conversion.ConvertType(numbers, outputKind: DataKind.Single));

        // ML.NET parses an expression by the current culture, when it is made and when a model is loaded: 0.5 fails where the decimal sign is a
        // comma. So a constant is a whole number times a power of ten.
        static string Constant(double value)
        {
            int exponent = value == 0 ? 0 : (int)Math.Floor(Math.Log10(Math.Abs(value))) - Digits + 1;
            string text = $"double({Math.Round(value / Math.Pow(10, exponent)).ToString("F0", CultureInfo.InvariantCulture)})";
            for (int left = Math.Abs(exponent); left > 0; left -= MostZeros)
                text += $" {(exponent > 0 ? '*' : '/')} double(1{new string('0', Math.Min(left, MostZeros))})";
            return text;
        }
    }

    /// <summary>The limits of the columns that have values far outside the others.</summary>
    private Dictionary<string, (double Lower, double Upper)> Limits(IDataView input)
    {
        Dictionary<string, (double, double)> limits = [];
        Statistics[] statistics = Read(input);
        for (int i = 0; i < columns.Count; i++)
        {
            if (statistics[i].Limits() is not { } limit)
                continue;
            limits[columns[i]] = limit;
            say(string.Create(CultureInfo.InvariantCulture,
                $"Column '{ColumnNames.InTable(columns[i])}': {statistics[i].Furthest:G15} lies far outside "
                + $"the other values and would flatten them. Values below {limit.Lower:G6} or above {limit.Upper:G6} are cut to these limits."));
        }
        return limits;
    }

    private Statistics[] Read(IDataView input)
    {
        int kept = Math.Clamp(MostValuesKept / columns.Count, LeastRowsKept, MostRowsKept);
        Statistics[] statistics = [.. columns.Select(_ => new Statistics(kept))];
        DataViewSchema.Column[] wanted = [.. columns.Select(name => input.Schema[name])];
        using DataViewRowCursor cursor = input.GetRowCursor(wanted);
        ValueGetter<double>[] getters = [.. wanted.Select(column => column.Type == NumberDataViewType.Double ? cursor.GetGetter<double>(column)
            : Widened(cursor.GetGetter<float>(column)))];
        Random random = new(1);
        double value = 0;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            // A sample of rows, the same for all columns: each row has the same chance to be in it.
            long place = row < kept ? row : random.NextInt64(row + 1);
            for (int i = 0; i < getters.Length; i++)
            {
                getters[i](ref value);
                statistics[i].Add(value, place);
            }
        }
        return statistics;
    }

    private static ValueGetter<double> Widened(ValueGetter<float> getter)
    {
        float single = 0;
        return (ref double value) =>
        {
            getter(ref single);
            value = single;
        };
    }

    /// <summary>Mean, variance and a sample of one column.</summary>
    private sealed class Statistics(int kept)
    {
        private readonly List<double> _sample = [];
        private double _mean, _squares;
        private long _count;
        private double _lowest = double.PositiveInfinity, _highest = double.NegativeInfinity;

        /// <summary>The value furthest from the mean.</summary>
        public double Furthest => _highest - _mean > _mean - _lowest ? _highest : _lowest;

        public void Add(double value, long place)
        {
            if (place < kept && place >= _sample.Count)
                _sample.Add(value);
            else if (place < kept)
                _sample[(int)place] = value;
            if (!double.IsFinite(value))
                return;
            double distance = value - _mean;
            _mean += distance / ++_count;
            _squares += distance * (value - _mean);
            (_lowest, _highest) = (Math.Min(_lowest, value), Math.Max(_highest, value));
        }

        /// <summary>Null where no value lies far outside.</summary>
        public (double Lower, double Upper)? Limits()
        {
            double[] values = [.. _sample.Where(double.IsFinite).Order()];
            if (values.Length < 4)
                return null;
            double first = values[values.Length / 4], third = values[values.Length * 3 / 4], distance = third - first;
            return distance > 0 && Math.Sqrt(_squares / _count) > MostSpread * distance
                ? (first - KeptSpread * distance, third + KeptSpread * distance) : null;
        }
    }
}
