using System.Globalization;
using FaMLNet;
using FaMLNet.Benchmarks;

switch (args)
{
    case ["steps", ..]:
        ProcessorDistance.Report(() => StepBenchmark.Run(rounds: Number(1) ?? 15));
        return 0;
    case ["fit", ..]:
        FitBenchmark.Run(rounds: Number(1) ?? 9);
        return 0;
    case ["diagnostics", ..]:
        DiagnosticsBenchmark.Run(rounds: Number(1) ?? 9);
        return 0;
    case ["attacks", string folder, ..]:
        AttackBenchmark.Run(folder, rounds: Number(2) ?? 5);
        return 0;
    case ["convolutions", ..]:
        ProcessorDistance.Report(() => ConvolutionBenchmark.Run(rounds: Number(1) ?? 9));
        return 0;
    case ["scoring", string images, ..]:
        ScoringBenchmark.Run(images, rounds: Number(2) ?? 7);
        return 0;
    case ["streaming", ..]:
        StreamingBenchmark.Run(rows: Number(1) ?? 2_000_000, hidden: args.Length > 2 ? args[2] : "128,64");
        return 0;
    case ["imagefolder", string folder, ..]:
        ImageFolderBenchmark.Run(folder, rounds: Number(2) ?? 3);
        return 0;
    case ["profile", ..]:
        ProfileBenchmark.Run(seconds: Number(1) ?? 4);
        return 0;
    case ["pytorch", ..]:
        ProcessorDistance.Report(() => PyTorchBenchmark.Run(rounds: Number(1) ?? 7));
        return 0;
    case ["soak", ..]:
        SoakBenchmark.Run(minutes: Number(1) ?? 60);
        return 0;
    case ["images", string folder, ..]:
        ImageAccuracyBenchmark.Run(folder, epochs: Number(2) ?? 10, seeds: Number(3) ?? 3, rules: args.Length > 4 ? args[4]
            : "bp,usf,frsf,brsf,fa,dfa");
        return 0;
    case ["accuracy", string path, ..]:
        AccuracyBenchmark.Run(path, seeds: Number(2) ?? 5, hidden: args.Length > 3 ? [.. args[3].Split(',').Select(Parse)] : null, epochs: Number(4));
        return 0;
    case ["defaults", string folder, ..]:
        AccuracyBenchmark.CrossValidate([.. new[] { "iris", "wine", "breast-cancer", "digits" }.Select(name => Path.Combine(folder, name + ".csv"))],
            seeds: Number(2) ?? 3, epochs: Number(3) ?? 20,
            columns: args.Length > 4 ? args[4].Split(',') : ["1"], rules: Rules(5));
        return 0;
    case ["tasks", string folder, ..]:
        TasksBenchmark.Run(folder, seeds: Number(2) ?? 5, epochs: args.Length > 3 && args[3] != "-" ? Number(3) : null,
            columns: args.Length > 4 && args[4] != "-" ? args[4].Split(',') : [], rules: Rules(5));
        return 0;
    case ["several", string folder, ..]:
        SeveralBenchmark.Run(folder, seeds: Number(2) ?? 5, epochs: Number(3) ?? 50);
        return 0;
    case ["rules", string folder, string rules, string network, string epochs, .. string[] settings]:
        RulesBenchmark.Run(folder, rules, network, Parse(epochs), settings);
        return 0;
    case ["text", ..]:
        TextBenchmark.Run(documents: Number(1) ?? 10_000, trainers: args.Length > 2 ? args[2] : "sdca,bp,fa,dfa", settings: [.. args.Skip(3)]);
        return 0;
    case ["text-one", string documents, string trainer, .. string[] settings]:
        TextBenchmark.RunOne(Parse(documents), trainer, settings);
        return 0;
    case ["sparse", ..]:
        SparseBenchmark.Steps(rounds: Number(1) ?? 9);
        return 0;
    case ["sparse-fit", string rows, string features, string rule]:
        SparseBenchmark.Fit(Parse(rows), Parse(features), rule);
        return 0;
    case ["imbalance", string path, ..]:
        ImbalanceBenchmark.Run(path, seeds: Number(2) ?? 5);
        return 0;
    default:
        Console.Error.WriteLine("Usage: steps [rounds] | fit [rounds] | diagnostics [rounds] | attacks <folder of IDX files> [rounds] "
            + "| convolutions [rounds] | scoring <folder of IDX files> [rounds] | streaming [rows [hidden units]] "
            + "| imagefolder <folder of image files> [rounds] | profile [seconds a case] "
            + "| pytorch [rounds] | soak [minutes] | images <folder of IDX files> [epochs [seeds [rules]]] "
            + "| accuracy <csv> [seeds [hidden units, for example 128,64 [epochs]]] "
            + "| defaults <folder of tables> [seeds [epochs [columns, for example 0.5,1,2,units:512,sgd:0.05 [rules]]]] "
            + "| rules <folder of IDX files> <rules> <hidden units, for example 1024 or 500-500, or lenet> <epochs> [key=value, see the code]... "
            + "| imbalance <digits.csv> [seeds] "
            + "| several <folder of tables> [seeds [epochs]] "
            + "| tasks <folder of tables> [seeds [epochs, or - for the default "
            + "[weight decays, factors on the rate and activations to try, or - [rules]]]]");
        return 2;
}

IReadOnlyList<FeedbackRule> Rules(int index) =>
    args.Length > index ? [.. args[index].Split(',').Select(FeedbackRule.Parse)] : FeedbackRule.All;

int? Number(int index) => args.Length > index ? Parse(args[index]) : null;

static int Parse(string text) => int.Parse(text, CultureInfo.InvariantCulture);
