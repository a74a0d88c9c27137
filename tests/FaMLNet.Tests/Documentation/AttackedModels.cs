using Microsoft.ML;

namespace FaMLNet.Tests.Documentation;

/// <summary>The code of docs/robustness.md.</summary>
internal static class AttackedModels
{
    public static RobustnessReport Evaluate(MLContext mlContext, ITransformer model, IDataView testData)
    {
        RobustnessReport report = mlContext.MulticlassClassification.EvaluateRobustness(model, testData,
            [Attack.Fgsm(8 / 255f), Attack.Pgd(8 / 255f), Attack.Apgd(8 / 255f), Attack.Square(8 / 255f), Attack.FewPixel(1)],
            new RobustnessOptions { MaximumRows = 1000, Seed = 1 });
        Console.WriteLine(report);
        report.SaveAsCsv("robustness.csv");
        return report;
    }

    public static IDataView Examples(MLContext mlContext, ITransformer model, IDataView testData)
    {
        IDataView examples = mlContext.MulticlassClassification.CreateAdversarialExamples(model, testData, Attack.Pgd(8 / 255f));
        return examples;
    }

    public static RobustnessReport Transfer(MLContext mlContext, ITransformer model, ITransformer other, IDataView testData)
    {
        RobustnessReport transfer = mlContext.MulticlassClassification.EvaluateRobustness(model, testData, [Attack.Pgd(8 / 255f)],
            surrogate: other);
        return transfer;
    }

    public static RobustnessReport ByFeedback(MLContext mlContext, ITransformer model, IDataView testData)
    {
        RobustnessReport byFeedback = mlContext.MulticlassClassification.EvaluateRobustness(model, testData, [Attack.Pgd(8 / 255f)],
            new RobustnessOptions { ThreatModel = ThreatModel.FeedbackGradient });
        return byFeedback;
    }
}

/// <summary>An attack of one's own: many starts of a single step each.</summary>
public sealed record ManyFgsmAttack(float Epsilon, int Starts) : Attack
{
    public override string Name => "FGSM from many starts";

    public override AttackNorm Norm => AttackNorm.LInfinity;

    public override double Bound => Epsilon;

    public override string Settings => $"{Starts} starts";

    public override bool UsesGradients => true;

    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float[] x = row.Copy();
        for (int start = 0; start < Starts; start++)
        {
            float[] noise = new float[x.Length];
            row.Random.FillUniform(noise, -Epsilon, Epsilon);
            for (int i = 0; i < x.Length; i++)
                x[i] = row.Clean[i] + noise[i];
            row.Project(x);
            AttackAnswer answer = await row.Differentiate(x, AttackLoss.CrossEntropy);
            AttackedRow.AddSign(x, answer.Gradient, Epsilon);
            row.Project(x);
            answer = await row.Ask(x);
            if (answer.Fools)
                break;
        }
        return x;
    }
}
