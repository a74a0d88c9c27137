using System.Globalization;
using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace FaMLNet.Cli.Pipelines;

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
        string[] vectors = [.. columns.Where(name => name.StartsWith(ColumnNames.Vector, StringComparison.Ordinal))],
            scalars = [.. columns.Except(vectors)];
        if (scalars.Length > 0)
            chain = chain.Append<ITransformer>(mlContext.Transforms.Concatenate(numbers, scalars));
        InputOutputColumnPair[] pairs = [.. (scalars.Length > 0 ? vectors.Prepend(numbers) : vectors)
            .Select(name => new InputOutputColumnPair(name))];
        chain = chain.Append<ITransformer>(mlContext.Transforms.ReplaceMissingValues(pairs, MissingValueReplacingEstimator.ReplacementMode.Mean))
            .Append<ITransformer>(mlContext.Transforms.NormalizeMeanVariance(pairs, fixZero: false))
            .Append<ITransformer>(mlContext.Transforms.Conversion.ConvertType(pairs, DataKind.Single));
        return vectors.Length == 0 ? chain
            : chain.Append<ITransformer>(mlContext.Transforms.Concatenate(numbers, [.. pairs.Select(pair => pair.InputColumnName)]));

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

    /// <summary>Those of some columns of numbers that have values far outside the others.</summary>
    public static IReadOnlySet<string> FarOff(IDataView input, IReadOnlyList<string> columns) =>
        Read(input, columns).Where(column => column.Statistics[0].Limits() != null).Select(column => column.Name).ToHashSet();

    /// <summary>The value of a column that lies far outside all others; null for none.</summary>
    public static double? FarOffValue(IDataView input, string column) =>
        Read(input, [column])[0].Statistics[0] is var found && found.Limits() != null ? found.Furthest : null;

    /// <summary>The limits of the columns that have values far outside the others.</summary>
    private Dictionary<string, (double Lower, double Upper)> Limits(IDataView input)
    {
        Dictionary<string, (double, double)> limits = [];
        foreach ((string name, Statistics[] statistics) in Read(input, columns))
        {
            // Vectors hold columns that have none such in the whole table.
            if (statistics.Length > 1 || statistics[0].Limits() is not { } limit)
                continue;
            limits[name] = limit;
            say(string.Create(CultureInfo.InvariantCulture,
                $"Column '{ColumnNames.InTable(name)}': {statistics[0].Furthest:G15} lies far outside "
                + $"the other values and would flatten them. Values below {limit.Lower:G6} or above {limit.Upper:G6} are cut to these limits."));
        }
        return limits;
    }

    private static (string Name, Statistics[] Statistics)[] Read(IDataView input, IReadOnlyList<string> columns)
    {
        int kept = Math.Clamp(MostValuesKept / columns.Count, LeastRowsKept, MostRowsKept);
        DataViewSchema.Column[] wanted = [.. columns.Select(name => input.Schema[name])];
        (string Name, Statistics[] Statistics)[] all = [.. wanted.Select(column => (column.Name, Enumerable.Range(0,
            column.Type is VectorDataViewType vector ? vector.Size : 1).Select(_ => new Statistics(kept)).ToArray()))];
        using DataViewRowCursor cursor = input.GetRowCursor(wanted);
        Action<Statistics[], long>[] adders = [.. wanted.Select(column => Adder(cursor, column))];
        Random random = new(1);
        for (long row = 0; cursor.MoveNext(); row++)
        {
            // A sample of rows, the same for all columns: each row has the same chance to be in it.
            long place = row < kept ? row : random.NextInt64(row + 1);
            for (int i = 0; i < adders.Length; i++)
                adders[i](all[i].Statistics, place);
        }
        return all;
    }

    private static Action<Statistics[], long> Adder(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        if (column.Type is VectorDataViewType)
        {
            ValueGetter<VBuffer<double>> getVector = cursor.GetGetter<VBuffer<double>>(column);
            VBuffer<double> vector = default;
            return (statistics, place) =>
            {
                getVector(ref vector);
                ReadOnlySpan<double> values = vector.GetValues();
                for (int i = 0; i < values.Length; i++)
                    statistics[i].Add(values[i], place);
            };
        }
        ValueGetter<double> getNumber = column.Type == NumberDataViewType.Double ? cursor.GetGetter<double>(column)
            : Widened(cursor.GetGetter<float>(column));
        double number = 0;
        return (statistics, place) =>
        {
            getNumber(ref number);
            statistics[0].Add(number, place);
        };
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
