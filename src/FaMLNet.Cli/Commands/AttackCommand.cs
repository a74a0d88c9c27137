using System.ComponentModel;
using System.Globalization;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet attack</c>: how a saved model stands up to adversarial attacks.</summary>
internal sealed class AttackCommand : Command<AttackCommand.Settings>
{
    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        Attack[] attacks = Attacks(settings);
        using StopSignals stop = new(cancellationToken);
        MLContext mlContext = new();
        SavedModel model = SavedModel.Load(mlContext, settings.Model, settings.Label);
        if (model.Task.HasSeveral)
            throw new FormatException($"'{settings.Model}' predicts several labels per row; attacks are on classifiers of one label.");
        if (model.Task.Kind == TaskKind.Regression)
            throw new FormatException($"'{settings.Model}' is of the task regression, which sees nothing rightly or wrongly; "
                + "attacks are on classifiers.");
        DataSource data = Activity.Run($"reading '{settings.Data}'", () => DataSource.ForModel(mlContext, settings.Data, model,
            labelIsNeeded: true, !settings.NoHeader, keep: [], settings.Format, Console.WriteLine));
        foreach (string note in data.Unknown.Describe(model.Classes, "They are left out."))
            Console.WriteLine(note);
        ITransformer? surrogate = settings.Surrogate is { } other ? SavedModel.Load(mlContext, other, settings.Label).Transformer : null;
        RobustnessReport report = Watch(attacks, progress =>
        {
            RobustnessOptions options = new()
            {
                LabelColumnName = data.Label,
                MaximumRows = settings.Rows,
                Seed = settings.Seed,
                InputRange = Range(settings.Range),
                ThreatModel = settings.Feedback ? ThreatModel.FeedbackGradient : ThreatModel.TrueGradient,
                Progress = progress,
                CancellationToken = stop.Token,
            };
            return model.Task.Kind == TaskKind.Binary
                ? mlContext.BinaryClassification.EvaluateRobustness(model.Transformer, data.View, attacks, options, surrogate)
                : mlContext.MulticlassClassification.EvaluateRobustness(model.Transformer, data.View, attacks, options, surrogate);
        });
        Console.Write(report);
        if (settings.Output != null)
        {
            if (settings.Output.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
                report.SaveAsJson(settings.Output);
            else
                report.SaveAsCsv(settings.Output);
        }
        return 0;
    }

    /// <summary>The attacks named, each by every bound; those without a bound once.</summary>
    private static Attack[] Attacks(Settings settings)
    {
        AttackNorm norm = settings.Norm.ToUpperInvariant() switch
        {
            "LINF" => AttackNorm.LInfinity,
            "L2" => AttackNorm.L2,
            _ => throw new FormatException($"--norm must be linf or l2; found '{settings.Norm}'."),
        };
        float[] bounds = [.. Split(settings.Epsilons).Select(text => Number(text, "--eps"))];
        try
        {
            return AttackNames.Parse(Split(settings.Names), bounds, norm, settings.Pixels);
        }
        catch (FormatException failure)
        {
            throw new FormatException($"--attacks: {failure.Message}", failure);
        }
    }

    private static (float, float)? Range(string? text)
    {
        if (text == null)
            return null;
        float[] ends = [.. Split(text).Select(end => Number(end, "--range"))];
        return ends.Length == 2 ? (ends[0], ends[1]) : throw new FormatException($"--range must be two numbers, for example 0,1; found '{text}'.");
    }

    private static string[] Split(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static float Number(string text, string option) => float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture,
        out float number)
        ? number : throw new FormatException($"{option} must be numbers with a point, separated by commas; found '{text}'.");

    /// <summary>A line that tells how far the attacks are, where there is a terminal to show it.</summary>
    private static RobustnessReport Watch(Attack[] attacks, Func<IProgress<RobustnessProgress>, RobustnessReport> run)
    {
        if (Console.IsErrorRedirected || !AnsiConsole.Profile.Capabilities.Interactive)
        {
            string far = "";
            using Activity attacking = Activity.Start("attacking", progress: () => Volatile.Read(ref far));
            return run(new Telling(progress => Volatile.Write(ref far, Text(progress))));
        }
        return AnsiConsole.Status().Start("reading", status => run(new Telling(progress => status.Status(
            Text(progress).EscapeMarkup()))));

        string Text(RobustnessProgress progress) => $"{progress.Attack} ({progress.Number} of {attacks.Length}): {progress.Rows} of "
            + $"{progress.NumberOfRows} rows, {progress.Fooled} fooled";
    }

    /// <summary>What the command is given.</summary>
    internal sealed class Settings : ModelSettings
    {
        [CommandOption("-a|--attacks <NAMES>"), DefaultValue("fgsm,pgd,apgd,square"), Description("Attacks, separated by commas: noise, fgsm, pgd, "
            + "tpgd, apgd, apgd-dlr, apgd-t, deepfool, square, fewpixel, autoattack.")]
        public string Names { get; set; } = "";

        [CommandOption("-e|--eps <NUMBERS>"), DefaultValue("0.02,0.05,0.1"), Description("Bounds, separated by commas, in units of what the model "
            + "reads (after the pipeline's scaling).")]
        public string Epsilons { get; set; } = "";

        [CommandOption("--norm <NORM>"), DefaultValue("linf"), Description("How bounds are measured: linf or l2.")]
        public string Norm { get; set; } = "";

        [CommandOption("--pixels <NUMBER>"), DefaultValue(1), Description("Pixels that fewpixel may change.")]
        public int Pixels { get; set; }

        [CommandOption("--rows <NUMBER>"), Description("Attack the first so many rows. Without it all.")]
        public int? Rows { get; set; }

        [CommandOption("--range <LOWER,UPPER>"), Description("The range of the model's features. Without it [[0, 1]] or [[0, 255]] for images.")]
        public string? Range { get; set; }

        [CommandOption("--feedback"), Description("The attacker differentiates through the feedback weights instead of the network.")]
        public bool Feedback { get; set; }

        [Input]
        [CommandOption("--surrogate <MODEL>"), Description("Another model's zip, which the attacker knows instead.")]
        public string? Surrogate { get; set; }

        [CommandOption("-s|--seed <NUMBER>"), DefaultValue(1), Description("Of all randomness.")]
        public int Seed { get; set; }

        [Output]
        [CommandOption("-o|--output <FILE>"), Description("Write the results there: CSV, or JSON if it ends so.")]
        public string? Output { get; set; }
    }
}
