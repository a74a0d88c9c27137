using System.Reflection;
using FaMLNet.Cli.Commands;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Terminal;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>How the tool says what it does, what it keeps and what went wrong.</summary>
public sealed class SayingTests
{
    [Fact]
    public void Work_that_takes_a_while_is_said_within_a_second_and_again()
    {
        HandClock clock = new();
        using StringWriter output = new() { NewLine = "\n" };
        using (Activity.Start("reading 'a.csv'", output, clock))
        {
            Assert.True(clock.Due <= TimeSpan.FromSeconds(1) && clock.Period <= TimeSpan.FromSeconds(10));
            Assert.Equal("", output.ToString());
            clock.Ring();
            clock.Ring();
            Assert.Equal(2, output.ToString().Split("Reading 'a.csv': ").Length - 1);
        }
        clock.Ring();
        Assert.Equal(2, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    /// <summary>What train sets is found in its own source: an option added there needs a name here.</summary>
    [Fact]
    public void Every_option_of_the_library_that_train_sets_has_its_name()
    {
        string[] unsettable = ["CancellationToken", "MetricsCallback", "Diagnostics"];
        string[] options = [.. typeof(FeedbackAlignmentOptions).GetProperties().Where(property => property.CanWrite).Select(property
            => property.Name)];
        string source = string.Concat(new[] { "Commands/TrainCommand.cs", "Configuration/TrainerChoices.cs" }.Select(file => File.ReadAllText(
            Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src/FaMLNet.Cli", file))));
        string[] set = [.. options.Where(name => source.Contains($"options.{name} =", StringComparison.Ordinal)).Except(unsettable)];
        Assert.True(set.Length >= 12);
        HashSet<string> typed = [.. typeof(TrainSettings).GetProperties()
            .Select(property => property.GetCustomAttribute<Spectre.Console.Cli.CommandOptionAttribute>()).OfType<Spectre.Console.Cli
            .CommandOptionAttribute>().SelectMany(option => option.LongNames).Select(name => "--" + name)];
        foreach (string name in set)
        {
            Assert.Contains(OptionNames.OfTrain[name], typed);
            Assert.StartsWith(OptionNames.OfTrain[name] + " must be", OptionNames.Translate("train", $"Option {name} must be at least 1."),
                StringComparison.Ordinal);
            Assert.StartsWith("Option", OptionNames.Translate("benchmark", $"Option {name} must be at least 1."), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_fault_of_the_tool_says_what_was_done()
    {
        using (Activity.Start("reading 'a.csv'", TextWriter.Null))
        {
            string message = Failures.MessageOf(new InvalidCastException());
            Assert.Contains("while it was reading 'a.csv'", message, StringComparison.Ordinal);
            Assert.Contains("InvalidCastException", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void The_best_epoch_is_kept_unless_the_training_shall_go_to_the_end()
    {
        string folder = Directory.CreateTempSubdirectory("famlnet-best").FullName;
        Random random = new(1);
        File.WriteAllLines(Path.Combine(folder, "noise.csv"), [.. Enumerable.Range(0, 200).Select(i => i == 0 ? "a,b,c,Label"
            : FormattableString.Invariant($"{random.NextDouble()},{random.NextDouble()},{random.NextDouble()},{"xy"[random.Next(2)]}"))]);
        string Train(params string[] more) => ProcessRunner.Tool(folder, ["train", "noise.csv", "--rule", "bp", "--learning-rate", "0.05", "-e",
            "120", .. more]);
        Assert.Matches(@"The model is that of epoch \d+ of \d+, which had the lowest validation loss", Train());
        Assert.DoesNotContain("epoch 120/120", Train(), StringComparison.Ordinal);
        string whole = Train("--patience", "0");
        Assert.Contains("epoch 120/120", whole, StringComparison.Ordinal);
        Assert.DoesNotContain("The model is that of epoch", whole, StringComparison.Ordinal);
        Assert.Contains("epoch 120/120", Train("--validation", "0"), StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    private static string ThisFile([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;
}
