using FaMLNet.Cli.Naming;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>The options of a training's optimiser, as users write them.</summary>
public sealed class OptimizerNameTests
{
    [Fact]
    public void Schedules_are_those_of_the_library()
    {
        Assert.Null(OptimizerNames.ParseSchedule(null));
        foreach ((string text, LearningRateSchedule expected) in new[]
        {
            ("constant", LearningRateSchedule.Constant), ("Cosine", LearningRateSchedule.Cosine()),
            ("exponential:0.95", LearningRateSchedule.Exponential(0.95)), ("step:0.5,10", LearningRateSchedule.Step(0.5, 10)),
            ("plateau", LearningRateSchedule.ReduceOnPlateau()), ("plateau:0.2,5", LearningRateSchedule.ReduceOnPlateau(0.2, 5)),
        })
            Assert.Equal(expected, OptimizerNames.ParseSchedule(text));
        LearningRateSchedule steps = OptimizerNames.ParseSchedule("multistep:0.1,50,75")!;
        Assert.Equal([1, 0.1, 0.01], new[] { 49.0, 50, 75 }.Select(epoch => Math.Round(steps.Factor(epoch, 100), 9)));
    }

    [Theory]
    [InlineData("cosin", "Did you mean cosine?")]
    [InlineData("xyzzy", "must be one of constant, cosine")]
    [InlineData("", "must be one of")]
    [InlineData("cosine:3", "Write cosine alone")]
    [InlineData("constant:", "Write constant alone")]
    [InlineData("exponential", "Write exponential:0.95")]
    [InlineData("exponential:-1", "Write exponential:0.95")]
    [InlineData("step:0.5", "Write step:0.5,10")]
    [InlineData("step:0.5,1.5", "Write step:0.5,10")]
    [InlineData("step:0.5,0", "Write step:0.5,10")]
    [InlineData("step:half,10", "Write step:0.5,10")]
    [InlineData("multistep:0.1,75,50", "ascending")]
    [InlineData("plateau:2,10", "between 0 and 1")]
    public void A_schedule_that_is_none_is_refused_with_its_form(string text, string expected)
    {
        string message = Assert.Throws<FormatException>(() => OptimizerNames.ParseSchedule(text)).Message;
        Assert.StartsWith("--schedule ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0"), InlineData("-1"), InlineData("fast"), InlineData("nan"), InlineData("1e99"), InlineData("0,01")]
    public void A_learning_rate_is_a_number_above_0(string text) =>
        Assert.Contains("--learning-rate", Assert.Throws<FormatException>(() => OptimizerNames.ParseRate(text)).Message, StringComparison.Ordinal);

    /// <summary>Before any work: there is no such table.</summary>
    [Theory]
    [InlineData("Did you mean adam?", "--optimizer", "adm")]
    [InlineData("--learning-rate must be", "--learning-rate", "-5")]
    [InlineData("--schedule must be", "--schedule", "linear")]
    public void The_tool_refuses_before_it_reads(string expected, params string[] arguments) => Assert.Contains(expected,
        Assert.Throws<InvalidOperationException>(() => ProcessRunner.Tool(Path.GetTempPath(), ["train", "none.csv", .. arguments])).Message,
        StringComparison.Ordinal);

    [Fact]
    [Trait("Speed", "Slow")]
    public void The_training_uses_them()
    {
        string folder = Directory.CreateTempSubdirectory("famlnet-rates").FullName;
        string Train(params string[] more) => ProcessRunner.Tool(folder, ["train", Tables.PathOf("iris"), "-e", "2", "-n", "mlp:4", .. more]);
        string output = Train("--learning-rate", "0.25", "--schedule", "step:0.5,1", "--optimizer", "sgd");
        Assert.Contains("epoch 1/2", output, StringComparison.Ordinal);
        Assert.Contains("rate 2.5e-1", output, StringComparison.Ordinal);
        Assert.Contains("rate 1.3e-1", output, StringComparison.Ordinal);
        Assert.Contains("rate 2.5e-1", Train("--learning-rate", "0.25", "--schedule", "constant"), StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }
}
