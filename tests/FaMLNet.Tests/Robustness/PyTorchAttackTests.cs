using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>What others compute by FGSM and PGD, in plain PyTorch in double precision, on the same weights and images.</summary>
public sealed class PyTorchAttackTests
{
    private const float Epsilon = 0.05f;
    private const int Rows = 1000, Steps = 20;

    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void Fgsm_and_Pgd_are_those_of_plain_PyTorch()
    {
        string set = LargeSets.Require("fashion-mnist");
        IDataView Load(string part) => _mlContext.Data.LoadFromIdx(PyTorchAttacks.FileOf(set, $"{part}-images-idx3"), PyTorchAttacks.FileOf(set,
            $"{part}-labels-idx1"));
        string folder = Directory.CreateTempSubdirectory("famlnet").FullName;
        try
        {
            ITransformer model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = FeedbackRule.Backpropagation,
                Network = NetworkDefinition.LeNet(),
                NumberOfEpochs = 2,
                Seed = 1,
            }).Fit(_mlContext.Data.TakeRows(Load("train"), 12_000));
            IDataView test = _mlContext.Data.TakeRows(Load("t10k"), Rows);
            float[][] images = [.. test.GetColumn<float[]>("Features")];
            PyTorchAttacks.Export(_mlContext, model, test, folder, Epsilon, Steps, batch: 100);
            Run(folder, "single");
            float[] single = Floats(Path.Combine(folder, "fgsm.f32"));
            JsonElement theirs = Run(folder, "double");

            RobustnessOptions options = new() { Seed = 1 };
            RobustnessReport report = _mlContext.MulticlassClassification.EvaluateRobustness(model, test,
                [Attack.Fgsm(Epsilon), Attack.Pgd(Epsilon, Steps)], options);
            Assert.Equal(theirs.GetProperty("clean").GetDouble(), report.CleanAccuracy, 0.001);
            Assert.Equal(theirs.GetProperty("fgsm").GetDouble(), report.Results[0].RobustAccuracy, 0.002);
            Assert.Equal(theirs.GetProperty("pgd").GetDouble(), report.Results[1].RobustAccuracy, 0.01);
            Assert.InRange(report.Results[1].RobustAccuracy, 0, report.CleanAccuracy - 0.2);

            IDataView examples = _mlContext.MulticlassClassification.CreateAdversarialExamples(model, test, Attack.Fgsm(Epsilon), options);
            float[] expected = Floats(Path.Combine(folder, "fgsm.f32")), gradients = Floats(Path.Combine(folder, "gradients.f32"));
            int compared = 0, different = 0, theirsDifferent = 0, row = 0;
            foreach (float[] found in examples.GetColumn<float[]>("Features"))
            {
                bool attacked = !found.AsSpan().SequenceEqual(images[row]);
                ReadOnlySpan<float> gradient = gradients.AsSpan(row * 784, 784);
                float largest = System.Numerics.Tensors.TensorPrimitives.MaxMagnitude(gradient);
                for (int i = 0; attacked && i < 784; i++)
                {
                    // The sign of what is 0 but for rounding is anyone's.
                    if (MathF.Abs(gradient[i]) < 1e-5f * largest)
                        continue;
                    compared++;
                    different += Math.Abs(expected[row * 784 + i] - found[i]) <= 1e-5 ? 0 : 1;
                    theirsDifferent += Math.Abs(expected[row * 784 + i] - single[row * 784 + i]) <= 1e-5 ? 0 : 1;
                }
                row++;
            }
            Assert.True(compared > 0.5 * 784 * report.RightRows, $"{compared}");
            // Where a ReLU or a pool is within rounding of a tie, single and double precision go different ways: PyTorch's own do.
            Assert.True(different <= theirsDifferent + 5e-4 * compared, $"{different} of {compared} pixels; PyTorch's own {theirsDifferent}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The script's answer; skips the test, and says so, where there is no PyTorch.</summary>
    private static JsonElement Run(string folder, string precision)
    {
        if (PyTorchAttacks.Run(folder, threads: 1, precision, out _) is { } answer)
            return answer;
        Assert.Skip("needs Python with PyTorch (on Debian: apt-get install python3-torch; or name a Python that has it in FAMLNET_PYTHON)");
        return default;
    }

    private static float[] Floats(string path) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path)).ToArray();
}
