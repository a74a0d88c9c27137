using FaMLNet.Views;
using Spectre.Console;
using Spectre.Console.Testing;
using Xunit;

namespace FaMLNet.Tests.Cli;

public sealed class TrainingViewTests
{
    [Fact]
    public void A_log_gets_a_line_for_each_tenth_of_a_training()
    {
        using TestConsole console = new();
        console.Profile.Width = 40; // lines are not wrapped
        TrainingView.Run(console, view => Train(view.Add("[one]", 40), 40));
        string[] lines = console.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(10, lines.Length);
        Assert.StartsWith("[one]: epoch 4/40, loss 0.250, train 60.0%, valid 50.0%, rate 1.0e-3, 25k rows/s, ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("[one]: epoch 40/40, loss 0.025", lines[^1], StringComparison.Ordinal);
        Assert.EndsWith("0:00 left", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_few_epochs_get_a_line_each()
    {
        using TestConsole console = new();
        TrainingView.Run(console, view => Train(view.Add("short", 3), 3));
        Assert.Equal(3, console.Lines.Count(line => line.StartsWith("short: epoch", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_terminal_shows_every_training_in_a_row_of_80_columns()
    {
        using TestConsole console = new TestConsole().Interactive().EmitAnsiSequences();
        console.Profile.Width = 80;
        TrainingView.Run(console, view =>
        {
            Train(view.Add("Feedback alignment", 100), 100, angle: 83.2);
            Train(view.Add("Another", 7), 7);
        });
        string[] last = [.. console.Lines.TakeLast(6)];
        Assert.Contains(last, line => line.Contains("Feedback alignment  100/100  0.010", StringComparison.Ordinal)
            && line.Contains("83.2°  60.0%  50.0%", StringComparison.Ordinal));
        Assert.Contains(last, line => line.Contains("Another", StringComparison.Ordinal) && line.Contains("7/7", StringComparison.Ordinal));
    }

    /// <summary>Every cell is there whole, on one line per training, whatever the names and numbers.</summary>
    [Theory]
    [InlineData(80, "Batch-wise random sign-concordant feedback")]
    [InlineData(80, "Feedback alignment")]
    [InlineData(60, "Batch-wise random sign-concordant feedback")]
    [InlineData(60, "BP")]
    public void Every_row_fits_the_terminal(int width, string name)
    {
        using TestConsole console = new TestConsole().Interactive().EmitAnsiSequences();
        console.Profile.Width = width;
        TrainingView.Run(console, view => Train(view.Add(name, 100), 100, angle: 83.2));
        string[] last = [.. console.Lines.TakeLast(6)];
        string row = Assert.Single(last, line => line.Contains("100/100", StringComparison.Ordinal));
        foreach (string cell in new[] { name[..Math.Min(4, name.Length)], "0.010", "83.2°", "60.0%", "50.0%", "0:00" })
            Assert.Contains(cell, row, StringComparison.Ordinal);
        Assert.True(row.Trim().Length <= width, row);
    }

    [Fact]
    public void Losses_become_bars()
    {
        Assert.Equal("", TrainingView.Curve([]));
        Assert.Equal("█▅", TrainingView.Curve([1, 0.5]));
        Assert.Equal("?█", TrainingView.Curve([double.NaN, 0.5]));
        Assert.Equal("▁", TrainingView.Curve([0]));
        Assert.Equal(6, TrainingView.Curve([.. Enumerable.Range(0, 1000).Select(i => (double)i)]).Length);
    }

    private static void Train(Action<EpochMetrics> done, int epochs, double? angle = null)
    {
        for (int i = 1; i <= epochs; i++)
            done(new EpochMetrics
            {
                Epoch = i,
                Loss = 1.0 / i,
                Accuracy = 0.6,
                ValidationAccuracy = 0.5,
                LearningRate = 1e-3,
                SamplesPerSecond = 25_000,
                AlignmentAngle = angle is { } degrees ? new Dictionary<string, double> { ["a"] = degrees - 10, ["b"] = degrees + 10 } : [],
            });
    }
}
