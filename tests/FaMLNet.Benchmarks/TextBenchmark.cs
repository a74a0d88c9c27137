using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using TextTopics;

namespace FaMLNet.Benchmarks;

/// <summary>Text by FeaturizeText and a trainer, each in a process of its own: seconds of the fit, peak memory, accuracy.</summary>
internal static class TextBenchmark
{
    private const int Classes = 20;

    /// <summary>Runs trainers one after the other, each in its own process.</summary>
    /// <param name="documents">The most documents; a fifth of them is not trained on.</param>
    /// <param name="trainers">Names: sdca, sklearn, or a rule.</param>
    /// <param name="settings">For FaMLNet: key=value.</param>
    public static void Run(int documents, string trainers, string[] settings)
    {
        Console.WriteLine("| trainer | fit, s | peak memory, MB | test accuracy |");
        Console.WriteLine("| --- | --- | --- | --- |");
        foreach (string trainer in trainers.Split(','))
        {
            ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
                start.ArgumentList.Add(typeof(TextBenchmark).Assembly.Location);
            foreach (string argument in (string[])["text-one", documents.ToString(CultureInfo.InvariantCulture), trainer, .. settings])
                start.ArgumentList.Add(argument);
            using Process process = Process.Start(start)!;
            Console.Write(process.StandardOutput.ReadToEnd());
            process.WaitForExit();
        }
    }

    /// <summary>One trainer.</summary>
    public static void RunOne(int documents, string trainer, string[] settings)
    {
        MLContext mlContext = new(seed: 1);
        IReadOnlyList<(string Namespace, string Text)> texts = DocumentationText.Read(Classes, documents);
        if (texts.Count == 0)
        {
            Console.WriteLine("Skipped: there is no reference pack of the .NET SDK beside the runtime.");
            return;
        }
        IDataView data = mlContext.Data.LoadFromEnumerable(texts.Select(text => new Document { Label = text.Namespace, Text = text.Text }));
        int testRows = texts.Count / 5;
        IDataView test = mlContext.Data.TakeRows(data, testRows), train = mlContext.Data.SkipRows(data, testRows);
        ITransformer features = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.Transforms.Text.FeaturizeText("Features", "Text")).Fit(train);
        IDataView prepared = mlContext.Data.Cache(features.Transform(train)), testPrepared = features.Transform(test);
        int width = ((VectorDataViewType)prepared.Schema["Features"].Type).Size;
        // The cache is filled before the clock starts.
        long values = prepared.GetColumn<VBuffer<float>>("Features").Sum(row => (long)row.GetValues().Length);
        if (trainer == "sklearn")
        {
            ScikitLearn(prepared, testPrepared, width);
            return;
        }
        IEstimator<ITransformer> estimator = trainer == "sdca" ? mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy()
            : mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Options(trainer, settings));
        Stopwatch watch = Stopwatch.StartNew();
        ITransformer model = estimator.Fit(prepared);
        double seconds = watch.Elapsed.TotalSeconds;
        MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(testPrepared));
        Console.WriteLine(FormattableString.Invariant(
            $"| {trainer} {string.Join(' ', settings)} | {seconds:0.00} | {PeakMegabytes()} | {metrics.MicroAccuracy:0.0000} |"));
        Serving(mlContext, (ISingleFeaturePredictionTransformer<object>)model, testPrepared, width);
        Console.Error.WriteLine(FormattableString.Invariant(
            $"{texts.Count} texts, {width} features, {(double)values / (texts.Count - testRows):0.0} values a row"));
    }

    /// <summary>scikit-learn's network of the same layers, on the same rows, for as many epochs of mini-batches of 32.</summary>
    private static void ScikitLearn(IDataView train, IDataView test, int width)
    {
        string folder = Directory.CreateTempSubdirectory("famlnet-sklearn").FullName;
        try
        {
            string trainFile = Path.Combine(folder, "train.txt"), testFile = Path.Combine(folder, "test.txt");
            Write(train, trainFile);
            Write(test, testFile);
            ProcessStartInfo start = new(Environment.GetEnvironmentVariable("FAMLNET_PYTHON") ?? "/usr/bin/python3",
                [Path.Combine(AppContext.BaseDirectory, "sklearn_text.py"), trainFile, testFile, $"{width}", "5", "32"])
            {
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            string[] found = process.StandardOutput.ReadToEnd().Trim().Split('|');
            process.WaitForExit();
            Console.WriteLine(found.Length < 3 ? "scikit-learn skipped: Python lacks it (Debian: apt-get install python3-sklearn)."
                : FormattableString.Invariant($"| scikit-learn {found[0]} MLPClassifier | {Number(found[1]):0.00} | | {Number(found[2]):0.0000} |"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    private static void Write(IDataView data, string path)
    {
        using StreamWriter writer = new(path);
        using DataViewRowCursor cursor = data.GetRowCursor([data.Schema["Features"], data.Schema["Label"]]);
        ValueGetter<VBuffer<float>> features = cursor.GetGetter<VBuffer<float>>(data.Schema["Features"]);
        ValueGetter<uint> label = cursor.GetGetter<uint>(data.Schema["Label"]);
        VBuffer<float> row = default;
        uint key = 0;
        while (cursor.MoveNext())
        {
            features(ref row);
            label(ref key);
            writer.WriteLine(key.ToString(CultureInfo.InvariantCulture) + string.Concat(row.Items().Select(item =>
                FormattableString.Invariant($" {item.Key}:{item.Value:R}"))));
        }
    }

    /// <summary>What it costs to save and load the model, and to score rows that are at hand.</summary>
    private static void Serving(MLContext mlContext, ISingleFeaturePredictionTransformer<object> model, IDataView test, int width)
    {
        string path = Path.GetTempFileName();
        try
        {
            mlContext.Model.Save(model, test.Schema, path);
            double read = Seconds(() => File.ReadAllBytes(path)), load = Seconds(() => new MLContext().Model.Load(path, out _));
            SchemaDefinition schema = SchemaDefinition.Create(typeof(Vector));
            schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
            PredictionEngine<Vector, Scores> engine = mlContext.Model.CreatePredictionEngine<Vector, Scores>(model, inputSchemaDefinition: schema);
            // A cursor writes the next row over the last one: copies.
            Vector[] rows = [.. test.GetColumn<VBuffer<float>>("Features").Select(row =>
            {
                VBuffer<float> copy = default;
                row.CopyTo(ref copy);
                return new Vector { Features = copy };
            })];
            Scores scores = new();
            List<double> rounds = [];
            for (int round = 0; round < 7; round++)
                rounds.Add(Seconds(() => Array.ForEach(rows, row => engine.Predict(row, ref scores))) / rows.Length * 1e6);
            rounds.Sort();
            Console.Error.WriteLine(FormattableString.Invariant(
                $"model {new FileInfo(path).Length >> 10} kB, read in {read:0.000} s, loaded in {load:0.000} s; ")
                + FormattableString.Invariant($"a row by a PredictionEngine {rounds[3]:0.0} µs"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static double Seconds(Action action)
    {
        Stopwatch watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }

    private sealed class Vector
    {
        public VBuffer<float> Features { get; set; }
    }

    private sealed class Scores
    {
        public VBuffer<float> Score { get; set; }
    }

    private static FeedbackAlignmentMulticlassTrainer.Options Options(string rule, string[] settings)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = new() { Rule = FeedbackRule.Parse(rule), NumberOfEpochs = 5, Seed = 1 };
        foreach (string[] pair in settings.Select(setting => setting.Split('=')))
        {
            float number = float.TryParse(pair[1], NumberStyles.Float, CultureInfo.InvariantCulture, out float value) ? value : 0;
            switch (pair[0])
            {
                case "rate":
                    options.Optimizer = new OptimizerOptions.Adam { LearningRate = number };
                    break;
                case "batch":
                    options.BatchSize = (int)number;
                    break;
                case "epochs":
                    options.NumberOfEpochs = (int)number;
                    break;
                case "storage":
                    options.FeatureStorage = Enum.Parse<FeatureStorage>(pair[1]);
                    break;
                case "threads":
                    options.NumberOfThreads = (int)number;
                    break;
                case "scale":
                    options.InitialWeightScale = number;
                    break;
                case "seed":
                    options.Seed = (int)number;
                    break;
                case "skip":
                    options.Network = (MlpDefinition)options.Network with { LinearSkip = bool.Parse(pair[1]) };
                    break;
                default:
                    throw new ArgumentException($"Unknown setting '{pair[0]}'.");
            }
        }
        return options;
    }

    /// <summary>The most memory that the process has had.</summary>
    public static long PeakMegabytes()
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
            return Process.GetCurrentProcess().PeakWorkingSet64 >> 20;
        string line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmHWM", StringComparison.Ordinal));
        return long.Parse(new string([.. line.Where(char.IsDigit)]), CultureInfo.InvariantCulture) >> 10;
    }

    private sealed class Document
    {
        public string Label { get; set; } = "";

        public string Text { get; set; } = "";
    }
}
