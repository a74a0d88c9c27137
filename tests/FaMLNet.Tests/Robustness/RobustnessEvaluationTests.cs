using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>Evaluations as users run them: pipelines, other people's models, files, reports, errors.</summary>
public sealed class RobustnessEvaluationTests : DigitsUnderAttack
{
    [Fact]
    [Trait("Speed", "Slow")]
    public void Clean_accuracy_is_that_of_Evaluate_on_the_same_rows()
    {
        foreach (ITransformer model in new[] { Digits(Tables.Quick()), Digits(Convolutional()), Other(OneVersusAll()), Other(Linear()) })
        {
            foreach (int? rows in new int?[] { null, 100 })
            {
                RobustnessReport report = Catalog.EvaluateRobustness(model, _digits, [Attack.Noise(0.1f)],
                    new RobustnessOptions { MaximumRows = rows });
                IDataView same = rows is { } count ? _mlContext.Data.TakeRows(_digits, count) : _digits;
                Assert.Equal(Catalog.Evaluate(model.Transform(same)).MicroAccuracy, report.CleanAccuracy);
                Assert.Equal(rows ?? 1797, report.Rows);
                Assert.Equal("Features", report.FeatureColumnName);
            }
        }
    }

    [Fact]
    public void Success_rises_with_the_bound_and_with_the_strength_of_the_attack()
    {
        foreach (ITransformer model in new[] { Digits(Tables.Quick(FeedbackRule.Backpropagation, epochs: 10)), Digits(Convolutional()) })
        {
            RobustnessOptions options = new() { MaximumRows = 500, Seed = 3 };
            double[] Rates(Func<float, Attack> attack) => [.. Catalog.EvaluateRobustness(model, _digits, [attack(0.1f), attack(0.3f), attack(0.8f)],
                options).Results.Select(result => result.SuccessRate)];
            double[] fgsm = Rates(Attack.Fgsm), pgd = Rates(bound => Attack.Pgd(bound)), apgd = Rates(bound => Attack.Apgd(bound, steps: 30)),
                noise = Rates(bound => Attack.Noise(bound)), auto = Rates(bound => Attack.AutoAttack(bound) with { Steps = 20, Queries = 50 });
            string all = string.Join("; ", new[] { noise, fgsm, pgd, apgd, auto }.Select(rates => string.Join(", ", rates)));
            // Within the noise of 500 rows.
            const double Noise = 0.02;
            for (int i = 0; i < 3; i++)
            {
                Assert.True(noise[i] <= fgsm[i] + Noise && fgsm[i] <= pgd[i] + Noise && pgd[i] <= apgd[i] + Noise && apgd[i] <= auto[i] + Noise, all);
                if (i > 0)
                    Assert.True(pgd[i] >= pgd[i - 1] && apgd[i] >= apgd[i - 1] && auto[i] >= auto[i - 1], all);
            }
            Assert.True(apgd[2] > 0.5 && apgd[0] < apgd[2], all);
        }
    }

    [Fact]
    public void A_model_from_a_zip_is_attacked_as_the_fitted_one()
    {
        foreach (FeedbackAlignmentMulticlassTrainer.Options options in new[] { Tables.Quick(FeedbackRule.DirectFeedbackAlignment), Convolutional() })
        {
            ITransformer model = Digits(options);
            using MemoryStream zip = new();
            _mlContext.Model.Save(model, _digits.Schema, zip);
            ITransformer loaded = new MLContext().Model.Load(zip, out _);
            foreach (ThreatModel threat in Enum.GetValues<ThreatModel>())
            {
                RobustnessOptions attack = new() { MaximumRows = 70, ThreatModel = threat, Seed = 5 };
                Assert.Equal(Catalog.CreateAdversarialExamples(model, _digits, Attack.Pgd(0.3f), attack).GetColumn<float[]>("Features"),
                    Catalog.CreateAdversarialExamples(loaded, _digits, Attack.Pgd(0.3f), attack).GetColumn<float[]>("Features"));
            }
        }
    }

    /// <summary>What lies before the model is applied first: bounds are in units of what the model reads.</summary>
    [Fact]
    public void The_column_that_the_model_reads_is_attacked()
    {
        ITransformer model = Digits(Tables.Quick());
        IDataView examples = Catalog.CreateAdversarialExamples(model, _digits, Attack.Fgsm(0.25f), new RobustnessOptions { MaximumRows = 50 });
        float[][] clean = [.. examples.GetColumn<float[]>("CleanFeatures")], changed = [.. examples.GetColumn<float[]>("Features")];
        IDataView prepared = ((IEnumerable<ITransformer>)model).Take(2).Aggregate(_digits, (data, part) => part.Transform(data));
        Assert.Equal(prepared.GetColumn<float[]>("Features").Take(50), clean);
        Assert.All(clean.Zip(changed), pair => Assert.InRange(pair.First.Zip(pair.Second, (a, b) => Math.Abs((double)a - b)).Max(), 0, 0.25));
        Assert.Equal(50, examples.GetRowCount());
        Assert.Equal(["Features", "Label"], examples.Schema.Where(column => !column.IsHidden).Select(column => column.Name).Intersect(["Features",
            "Label"]));
        // Shuffled and filtered as any view.
        Assert.InRange(_mlContext.Data.FilterRowsByMissingValues(examples, "Features").GetColumn<bool>("Fooled").Count(), 50, 50);
    }

    [Fact]
    public void Rows_that_are_wrong_to_begin_with_are_not_attacked()
    {
        ITransformer model = Digits(Tables.Quick(epochs: 1));
        RobustnessOptions options = new() { MaximumRows = 300 };
        RobustnessReport report = Catalog.EvaluateRobustness(model, _digits, [Attack.Fgsm(0.2f)], options);
        AttackResult result = report.Results[0];
        Assert.Equal(result.AttackedRows, report.RightRows);
        Assert.InRange(report.RightRows, 1, 299);
        Assert.Equal(result.AttackedRows, result.GradientQueries);
        Assert.Equal((result.AttackedRows - result.FooledRows) / 300.0, result.RobustAccuracy);
        IDataView examples = Catalog.CreateAdversarialExamples(model, _digits, Attack.Fgsm(0.2f), options);
        float[][] clean = [.. examples.GetColumn<float[]>("CleanFeatures")], changed = [.. examples.GetColumn<float[]>("Features")];
        Assert.Equal(300 - report.RightRows, clean.Zip(changed).Count(pair => pair.First.AsSpan().SequenceEqual(pair.Second)));
        Assert.Equal(result.FooledRows, examples.GetColumn<bool>("Fooled").Count(fooled => fooled));
    }

    /// <summary>Two mappings of the same classes, in another order: what counts is the class, not its number.</summary>
    [Fact]
    public void Labels_count_by_their_values()
    {
        ITransformer model = Digits(Tables.Quick());
        RobustnessReport expected = Catalog.EvaluateRobustness(model, _digits, [Attack.Fgsm(0.2f)]);
        ITransformer predictor = ((IEnumerable<ITransformer>)model).OfType<FeedbackAlignmentMulticlassTransformer>().Single();
        IDataView scaled = ((IEnumerable<ITransformer>)model).ElementAt(1).Transform(_digits);
        IDataView reversed = _mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality:
            Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(_digits).Transform(scaled);
        foreach (IDataView data in new[] { reversed, scaled })
        {
            RobustnessReport found = Catalog.EvaluateRobustness(predictor, data, [Attack.Fgsm(0.2f)]);
            Assert.Equal((expected.CleanAccuracy, expected.Results[0].RobustAccuracy), (found.CleanAccuracy, found.Results[0].RobustAccuracy));
        }
    }

    /// <summary>Both threat models are the same by backpropagation, and not by feedback alignment.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void The_threat_models_differ_where_the_rule_has_feedback_weights(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        ITransformer model = Digits(Tables.Quick(rule, epochs: 5));
        RobustnessReport[] reports = [.. Enum.GetValues<ThreatModel>().Select(threat => Catalog.EvaluateRobustness(model, _digits,
            [Attack.Pgd(0.4f)], new RobustnessOptions { MaximumRows = 300, ThreatModel = threat, Seed = 1 }))];
        Assert.Equal(ThreatModel.FeedbackGradient, reports[1].Results[0].ThreatModel);
        if (rule.ShortName == "bp")
            Assert.Equal(reports[0].Results[0].RobustAccuracy, reports[1].Results[0].RobustAccuracy);
        else
            Assert.True(reports[1].Results[0].RobustAccuracy > reports[0].Results[0].RobustAccuracy, $"{rule}: {reports[0]}{reports[1]}");
        Assert.Contains(reports[1].Warnings, warning => warning.Contains("feedback weights", StringComparison.Ordinal));
        Assert.DoesNotContain(reports[0].Warnings, warning => warning.Contains("feedback weights", StringComparison.Ordinal));
    }

    [Fact]
    public void An_attack_through_feedback_weights_that_a_blind_one_beats_is_flagged()
    {
        ITransformer model = Digits(Tables.Quick(FeedbackRule.DirectFeedbackAlignment, epochs: 10));
        RobustnessReport report = Catalog.EvaluateRobustness(model, _digits, [Attack.Pgd(0.3f), Attack.Square(0.3f, queries: 1000)],
            new RobustnessOptions { MaximumRows = 200, ThreatModel = ThreatModel.FeedbackGradient, Seed = 1 });
        Assert.Contains(report.Warnings, warning => warning.Contains("the gradient leads the attack astray", StringComparison.Ordinal));
    }

    [Fact]
    public void Cancellation_ends_an_evaluation_and_progress_is_told()
    {
        ITransformer model = Digits(Tables.Quick(epochs: 2));
        using CancellationTokenSource source = new();
        List<RobustnessProgress> seen = [];
        RobustnessOptions options = new()
        {
            MaximumRows = 200,
            BatchSize = 8,
            CancellationToken = source.Token,
            Progress = new Immediately(progress =>
            {
                lock (seen)
                    seen.Add(progress);
                if (progress.Number == 2 && progress.Rows == 10)
                    source.Cancel();
            }),
        };
        Assert.Throws<OperationCanceledException>(() => Catalog.EvaluateRobustness(model, _digits, [Attack.Fgsm(0.1f), Attack.Pgd(0.1f,
            steps: 500)],
            options));
        Assert.Equal(seen[0].NumberOfRows, seen.Where(progress => progress.Number == 1).Max(progress => progress.Rows));
        Assert.InRange(seen.Where(progress => progress.Number == 2).Max(progress => progress.Rows), 10, 60);
        Assert.All(seen, progress => Assert.Equal(2, progress.NumberOfAttacks));
    }

    [Fact]
    public void The_report_goes_to_a_view_to_CSV_to_JSON_and_to_the_console()
    {
        ITransformer model = Digits(Tables.Quick(epochs: 2));
        Attack[] attacks = [Attack.Fgsm(0.25f), Attack.Fgsm(0), Attack.DeepFool(), Attack.Square(0.1f, queries: 20, norm: AttackNorm.L2)];
        string folder = Directory.CreateTempSubdirectory("famlnet").FullName;
        try
        {
            RobustnessReport report = Catalog.EvaluateRobustness(model, _digits, attacks, new RobustnessOptions { MaximumRows = 50, Seed = 2 });
            IDataView view = report.ToDataView();
            Assert.Equal(report.Results.Select(result => result.RobustAccuracy), view.GetColumn<double>("RobustAccuracy"));
            Assert.Equal(["L∞", "L∞", "L2", "L2"], view.GetColumn<string>("Norm"));
            string csv = Path.Combine(folder, "a", "report.csv"), json = Path.Combine(folder, "report.json");
            report.SaveAsCsv(csv);
            report.SaveAsJson(json);
            string[] lines = File.ReadAllLines(csv);
            string[] header = lines[0].Split(',');
            Assert.Equal(view.Schema.Select(column => column.Name), header);
            for (int i = 0; i < attacks.Length; i++)
            {
                string[] cells = lines[i + 1].Split(',');
                Assert.Equal(header.Length, cells.Length);
                Assert.Equal(report.Results[i].RobustAccuracy, double.Parse(cells[Array.IndexOf(header, "RobustAccuracy")],
                    CultureInfo.InvariantCulture));
            }
            Assert.Equal("0.1", lines[4].Split(',')[Array.IndexOf(header, "Bound")]);
            Assert.Equal("", lines[2].Split(',')[Array.IndexOf(header, "LInfinityMean")]);
            Assert.Equal("", lines[3].Split(',')[Array.IndexOf(header, "Bound")]);
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(json));
            Assert.Equal(report.CleanAccuracy, document.RootElement.GetProperty("CleanAccuracy").GetDouble());
            Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("Results")[1].GetProperty("L2Mean").ValueKind);
            Assert.Contains("FGSM L∞ ≤ 0.25", $"{report}", StringComparison.Ordinal);
            Assert.Contains("0.25", $"{report.Results[0]}", StringComparison.Ordinal);
            Assert.DoesNotContain(',', $"{report.Results[0].Attack}");
            Assert.Contains(folder, Assert.Throws<IOException>(() => report.SaveAsCsv(folder)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_range_is_that_of_images_where_the_data_say_so()
    {
        (float, float)? RangeOf(float high, int features, float low = 0)
        {
            ITransformer model = LinearModel.Of(_mlContext, LinearModel.Weights(2, features, seed: 1));
            float[][] rows = RandomModel.Rows(20, features, seed: 1, low, high);
            return Catalog.EvaluateRobustness(model, RandomModel.View(_mlContext, rows, new int[20], 2), [Attack.Noise(0.1f)]).InputRange;
        }
        Assert.Equal((0, 1), RangeOf(1, 784));
        Assert.Equal((0, 255), RangeOf(255, 3072));
        Assert.Null(RangeOf(16, 64));
        Assert.Null(RangeOf(1, 784, low: -1));
        Assert.Null(RangeOf(1, 30));
    }

    [Fact]
    public void Bad_input_is_refused_by_name_before_any_work()
    {
        ITransformer model = Digits(Tables.Quick(epochs: 1));
        Attack[] fgsm = [Attack.Fgsm(0.1f)];
        void Says(string expected, Action action) => Assert.Contains(expected, Refused(action), StringComparison.Ordinal);

        Says("Argument attacks: it has none", () => Catalog.EvaluateRobustness(model, _digits, []));
        Says("Argument model: among KeyToValueMappingTransformer there is no prediction transformer", () => Catalog.EvaluateRobustness(
            ((IEnumerable<ITransformer>)model).Last(), _digits, fgsm));
        Says("Label column 'Klasse' not found. The data has:", () => Catalog.EvaluateRobustness(model, _digits, fgsm,
            new RobustnessOptions { LabelColumnName = "Klasse" }));
        Says("Argument data: it has no rows", () => Catalog.EvaluateRobustness(model, _mlContext.Data.SkipRows(_digits, 5000), fgsm));
        Says("Option MaximumRows must be at least 1", () => Catalog.EvaluateRobustness(model, _digits, fgsm,
            new RobustnessOptions { MaximumRows = 0 }));
        Says("Option BatchSize must be at least 1", () => Catalog.EvaluateRobustness(model, _digits, fgsm, new RobustnessOptions { BatchSize = 0 }));
        Says("Option NumberOfThreads must be at least 1", () => Catalog.EvaluateRobustness(model, _digits, fgsm,
            new RobustnessOptions { NumberOfThreads = 0 }));
        Says("Option InputRange must be two numbers, the lower one first; found (1, 0)", () => Catalog.EvaluateRobustness(model, _digits, fgsm,
            new RobustnessOptions { InputRange = (1, 0) }));
        Says("Option ThreatModel must be one of", () => Catalog.EvaluateRobustness(model, _digits, fgsm,
            new RobustnessOptions { ThreatModel = (ThreatModel)7 }));
        Says("Option InputRange: column 'Features', row 1, slot", () => Catalog.EvaluateRobustness(model, _digits, fgsm,
            new RobustnessOptions { InputRange = (0, 0.5f) }));
        Says("Option InputRange: attack One pixel draws values from the range", () => Catalog.EvaluateRobustness(model, _digits,
            [Attack.FewPixel()]));

        // Labels that the model does not know, and rows without one.
        ITransformer predictor = ((IEnumerable<ITransformer>)model).OfType<FeedbackAlignmentMulticlassTransformer>().Single();
        float[][] rows = RandomModel.Rows(3, 64, seed: 1);
        Says("row 2 has the class number 11, which the model does not know; it knows", () => Catalog.EvaluateRobustness(predictor,
            RandomModel.View(_mlContext, rows, [0, 11, 2], 12), fgsm));
        Says("row 3 has no class (the key's value is 0: missing)", () => Catalog.EvaluateRobustness(predictor,
            RandomModel.View(_mlContext, rows, [0, 1, 12], 12), fgsm));
        Says("which the model does not know", () => Catalog.EvaluateRobustness(predictor, _mlContext.Data.LoadFromEnumerable(
            rows.Select(row => new Named { Features = row, Label = "cat" })), fgsm));
        rows[1][5] = float.NaN;
        Says("Feature column 'Features', row 2, slot 5: only numbers can be attacked; found NaN", () => Catalog.EvaluateRobustness(predictor,
            RandomModel.View(_mlContext, rows, [0, 1, 2], 10), fgsm));

        // A binary model.
        IDataView two = _mlContext.Data.LoadFromEnumerable(rows.Select((row, i) => new Flagged { Features = [i, 1], Label = i == 1 }));
        ITransformer binary = _mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(two);
        Says("a multiclass model's is a vector of Single with one value a class. Attack a classifier of true and false by mlContext.Binary",
            () => Catalog.EvaluateRobustness(binary, two, [Attack.Noise(1)]));
    }

    private sealed class Immediately(Action<RobustnessProgress> report) : IProgress<RobustnessProgress>
    {
        public void Report(RobustnessProgress value) => report(value);
    }

    private sealed class Named
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Flagged
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }
}
