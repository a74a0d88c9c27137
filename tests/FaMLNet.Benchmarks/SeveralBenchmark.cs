using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Benchmarks;

/// <summary>
/// Several numbers and several labels at once, beside scikit-learn's networks at equal settings: 128 and 64 ReLU units, Adam at a constant rate
/// without decay, mini-batches of 32, as many epochs, features and targets standardised, the same rows. The numbers are the lower half of UCI's
/// digits, from their upper half; the labels are the seven segments that a display lights for the digit.
/// </summary>
internal static class SeveralBenchmark
{
    private const float Rate = 1e-3f;

    // Segments a to g of the digits 0 to 9.
    private static readonly string[] Segments = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcfgd"];

    /// <param name="folder">Has digits.csv.</param>
    /// <param name="seeds">Seeds 1 to this, of split and training.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    public static void Run(string folder, int seeds, int epochs)
    {
        float[][] digits = [.. File.ReadLines(Path.Combine(folder, "digits.csv")).Skip(1)
            .Select(line => line.Split(',').Select(cell => float.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];
        int[] varying = [.. Enumerable.Range(32, 32).Where(pixel => digits.Select(row => row[pixel]).Distinct().Count() > 8)];
        Compare("numbers", [.. digits.Select(row => (row[..32], varying.Select(pixel => row[pixel]).ToArray()))], seeds, epochs);
        Compare("labels", [.. digits.Select(row => (row[..64],
            "abcdefg".Select(segment => Segments[(int)row[64]].Contains(segment) ? 1f : 0f).ToArray()))], seeds, epochs);
    }

    private static void Compare(string task, (float[] X, float[] Y)[] rows, int seeds, int epochs)
    {
        bool areNumbers = task == "numbers";
        Console.WriteLine($"{task}: {rows[0].X.Length} features, {rows[0].Y.Length} outputs, {epochs} epochs, means of seeds 1 to {seeds}");
        Console.WriteLine(areNumbers ? "| trainer | fit, s | mean R² |\n| --- | --- | --- |"
            : "| trainer | fit, s | micro F1 | all labels right |\n| --- | --- | --- | --- |");
        foreach (string trainer in new[] { "scikit-learn", "BP", "FA", "DFA" })
        {
            (double Seconds, double First, double Second)[] found = [.. Enumerable.Range(1, seeds).Select(seed =>
            {
                (float[] X, float[] Y)[] shuffled = [.. rows];
                new Random(seed).Shuffle(shuffled);
                int test = rows.Length / 5;
                (float[] X, float[] Y)[] own = Standardized(shuffled, shuffled[test..]);
                return trainer == "scikit-learn" ? ScikitLearn(task, own[test..], own[..test], epochs, seed)
                    : Own(areNumbers, FeedbackRule.Parse(trainer), own[test..], own[..test], epochs, seed);
            })];
            string name = trainer == "scikit-learn" ? trainer : $"FaMLNet {trainer}";
            Console.WriteLine(FormattableString.Invariant(
                $"| {name} | {found.Average(run => run.Seconds):0.00} | {found.Average(run => run.First):0.0000} |")
                + (areNumbers ? "" : FormattableString.Invariant($" {found.Average(run => run.Second):0.0000} |")));
        }
    }

    private static (double, double, double) Own(bool areNumbers, FeedbackRule rule, (float[] X, float[] Y)[] train, (float[] X, float[] Y)[] test,
        int epochs, int seed)
    {
        MLContext mlContext = new(seed);
        IDataView View((float[] X, float[] Y)[] rows)
        {
            SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
            schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, train[0].X.Length);
            schema["Label"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, train[0].Y.Length);
            schema["Truths"].ColumnType = new VectorDataViewType(BooleanDataViewType.Instance, train[0].Y.Length);
            return mlContext.Data.LoadFromEnumerable(rows.Select(row => new Row
            {
                Features = row.X,
                Label = row.Y,
                Truths = [.. row.Y.Select(y => y > 0)],
            }).ToArray(), schema);
        }
        FeedbackAlignmentOptions options = areNumbers ? new FeedbackAlignmentVectorRegressionTrainer.Options()
            : new FeedbackAlignmentMultiLabelTrainer.Options { LabelColumnName = "Truths" };
        (options.Rule, options.Seed, options.NumberOfEpochs, options.BatchSize) = (rule, seed, epochs, 32);
        (options.Optimizer, options.Schedule) = (new OptimizerOptions.Adam { LearningRate = Rate }, LearningRateSchedule.Constant);
        options.Diagnostics = LayerDiagnostics.None;
        IDataView data = View(train);
        Stopwatch watch = Stopwatch.StartNew();
        ITransformer model = options is FeedbackAlignmentVectorRegressionTrainer.Options numbers
            ? mlContext.Regression.Trainers.FeedbackAlignmentVector(numbers).Fit(data)
            : mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel((FeedbackAlignmentMultiLabelTrainer.Options)options).Fit(data);
        double seconds = watch.Elapsed.TotalSeconds;
        IDataView scored = model.Transform(View(test));
        if (areNumbers)
            return (seconds, mlContext.Regression.EvaluateVector(scored).RSquared, 0);
        MultiLabelMetrics metrics = mlContext.MulticlassClassification.EvaluateMultiLabel(scored, "Truths");
        return (seconds, metrics.MicroF1, metrics.SubsetAccuracy);
    }

    private static (double, double, double) ScikitLearn(string task, (float[] X, float[] Y)[] train, (float[] X, float[] Y)[] test, int epochs,
        int seed)
    {
        string folder = Directory.CreateTempSubdirectory("famlnet-sklearn").FullName;
        try
        {
            foreach ((string name, (float[] X, float[] Y)[] rows) in new[] { ("train", train), ("test", test) })
                File.WriteAllLines(Path.Combine(folder, $"{name}.csv"), rows.Select(row => string.Join(',', row.X.Concat(row.Y)
                    .Select(value => value.ToString("R", CultureInfo.InvariantCulture)))));
            ProcessStartInfo start = new(Environment.GetEnvironmentVariable("FAMLNET_PYTHON") ?? "/usr/bin/python3",
                [Path.Combine(AppContext.BaseDirectory, "sklearn_several.py"), folder, $"{train[0].X.Length}", task, $"{epochs}",
                    Rate.ToString(CultureInfo.InvariantCulture), $"{seed}"])
            {
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            string[] found = process.StandardOutput.ReadToEnd().Trim().Split('|');
            process.WaitForExit();
            return found.Length < 4 ? (double.NaN, double.NaN, double.NaN) : (Number(found[1]), Number(found[2]), Number(found[3]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>Features less their mean over the training rows, divided by their deviation.</summary>
    private static (float[] X, float[] Y)[] Standardized((float[] X, float[] Y)[] rows, (float[] X, float[] Y)[] train)
    {
        int width = rows[0].X.Length;
        double[] mean = [.. Enumerable.Range(0, width).Select(i => train.Average(row => (double)row.X[i]))],
            deviation = [.. Enumerable.Range(0, width).Select(i => Math.Sqrt(train.Average(row => Math.Pow(row.X[i] - mean[i], 2))))];
        return [.. rows.Select(row => (row.X.Select((x, i) => deviation[i] == 0 ? 0 : (float)((x - mean[i]) / deviation[i])).ToArray(), row.Y))];
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public float[] Label { get; set; } = [];

        public bool[] Truths { get; set; } = [];
    }
}
