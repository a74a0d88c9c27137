using System.Reflection;
using FaMLNet.Cli.Commands;
using FaMLNet.Cli.Naming;
using FaMLNet.Tests.Interop;
using Spectre.Console.Cli;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Command lines with mistakes, and values that look like options.</summary>
public sealed class ArgumentTests
{
    public static TheoryData<string> CommandNames => [.. CommandList.All.Keys];

    public static TheoryData<string, string> Options => [.. CommandList.All.SelectMany(pair => SettingsOf(pair.Value).GetProperties()
        .Select(property => property.GetCustomAttribute<CommandOptionAttribute>()).OfType<CommandOptionAttribute>()
        .SelectMany(option => option.LongNames).Select(option => (pair.Key, option)))];

    [Theory]
    [InlineData("--epoch", "Did you mean --epochs?", "train", "a.csv", "--epoch", "3")]
    [InlineData("--lr", "Did you mean --", "train", "a.csv", "--lrn", "3")]
    [InlineData("--lst", "Did you mean --list?", "sweep", "a.yaml", "--lst")]
    [InlineData("-x", "'famlnet predict --help' lists", "predict", "m.zip", "a.csv", "-x")]
    [InlineData("-e5", "has no option '-e5'", "train", "a.csv", "-e5")]
    [InlineData("'two.csv'", "one argument too many", "train", "one.csv", "two.csv")]
    [InlineData("'trian'", "Did you mean train?", "trian", "one.csv")]
    [InlineData("'xyzzy'", "'famlnet --help' lists", "xyzzy")]
    [InlineData("--epochs", "needs a value: --epochs <NUMBER>", "train", "a.csv", "--epochs")]
    [InlineData("--label", "needs a value", "train", "a.csv", "--label", "--epochs", "3")]
    [InlineData("--epochs", "given twice", "train", "a.csv", "--epochs", "3", "-e", "4")]
    [InlineData("--log", "takes no value", "train", "a.csv", "--log=yes")]
    public void A_mistake_is_named_with_the_nearest_word(string named, string expected, params string[] arguments)
    {
        string message = Assert.Throws<FormatException>(() => Check(arguments)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        if (!named.Equals("--lr", StringComparison.Ordinal) && named != "-x")
            Assert.Contains(named, message.Replace("-e is given", "--epochs is given", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--epochs must be a whole number; found 'abc'.", "train", "a.csv", "--epochs", "abc")]
    [InlineData("-e must be a whole number; found '1.5'.", "train", "a.csv", "-e", "1.5")]
    [InlineData("--epochs must be a whole number from -2147483648 to 2147483647; found 99999999999.", "train", "a.csv", "--epochs=99999999999")]
    [InlineData("--validation must be a number, with a point where it has decimals; found '0,1'.", "train", "a.csv", "--validation", "0,1")]
    [InlineData("--clip-errors must be a number, with a point where it has decimals; found 'x'.", "train", "a.csv", "--clip-errors", "x")]
    public void What_is_no_number_is_named_with_its_option(string expected, params string[] arguments) =>
        Assert.Equal(expected, Assert.Throws<FormatException>(() => Check(arguments)).Message);

    /// <summary>A letter too many in any option of any command names the option.</summary>
    [Theory]
    [MemberData(nameof(Options))]
    public void Every_option_is_the_nearest_to_its_own_misspelling(string command, string option)
    {
        foreach (string typed in new[] { $"--{option}s", $"--{option[..^1]}" })
        {
            if (Names(command).Contains(typed))
                continue;
            string message = Assert.Throws<FormatException>(() => Check([command, typed])).Message;
            Assert.Contains($"famlnet {command} has no option '{typed}'", message, StringComparison.Ordinal);
            if (option.Length > 4)
                Assert.Contains("Did you mean --", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void Every_command_shows_its_help(string command) => Assert.Equal([command, "--help"], Check([command, "--help"]));

    [Theory]
    [InlineData(new[] { "attack", "m.zip", "a.csv", "--range", "-1,1" }, new[] { "attack", "m.zip", "a.csv", "--range=-1,1" })]
    [InlineData(new[] { "train", "a.csv", "-l", "-x" }, new[] { "train", "a.csv", "--label=-x" })]
    [InlineData(new[] { "train", "a.csv", "--label", "-" }, new[] { "train", "a.csv", "--label=-" })]
    [InlineData(new[] { "train", "a.csv", "--label=a=b" }, new[] { "train", "a.csv", "--label=a=b" })]
    [InlineData(new[] { "train", "a.csv", "--label", "" }, new[] { "train", "a.csv", "--label=" })]
    [InlineData(new[] { "train", "a.csv", "--text", "one", "--text", "two" }, new[] { "train", "a.csv", "--text=one", "--text=two" })]
    [InlineData(new[] { "sweep", "a.yaml", "--sbatch=--gres=gpu:1", "--sbatch", "--qos=x" }, new[] { "sweep", "a.yaml", "--sbatch=--gres=gpu:1",
        "--sbatch=--qos=x" })]
    [InlineData(new[] { "predict", "m.zip", "-" }, new[] { "predict", "m.zip", "/dev/stdin" })]
    [InlineData(new[] { "report", "a", "b", "c" }, new[] { "report", "a", "b", "c" })]
    public void Values_are_passed_on_whatever_they_begin_with(string[] typed, string[] expected) => Assert.Equal(expected, Check(typed));

    [Fact]
    public void The_home_folder_is_found()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(["train", home + "/a.csv", $"--output={home}/b.zip", $"--csv={home}/c.csv"],
            Check(["train", "~/a.csv", "--output", "$HOME/b.zip", "--csv=${HOME}/c.csv"]));
        Assert.Equal(["train", "~a.csv"], Check(["train", "~a.csv"]));
        Assert.Equal(["train", "a.csv", "--separator=~", "--missing=~"], Check(["train", "a.csv", "--separator", "~", "--missing", "~"]));
    }

    [Fact]
    public void The_tool_itself_refuses_and_shows_its_version()
    {
        string folder = Path.GetTempPath();
        Assert.Contains("Did you mean --epochs?", Assert.Throws<InvalidOperationException>(() =>
            ProcessRunner.Tool(folder, "train", "none.csv", "--epoch", "3")).Message, StringComparison.Ordinal);
        Assert.Contains("TorchSharp 0.107.0", ProcessRunner.Tool(folder, "--version"), StringComparison.Ordinal);
        Assert.Contains("--epochs", ProcessRunner.Tool(folder, "train", "--help"), StringComparison.Ordinal);
    }

    private static string[] Check(string[] arguments) => Arguments.Check(arguments, CommandList.All);

    private static HashSet<string> Names(string command) => [.. SettingsOf(CommandList.All[command]).GetProperties()
        .Select(property => property.GetCustomAttribute<CommandOptionAttribute>()).OfType<CommandOptionAttribute>()
        .SelectMany(option => option.LongNames).Select(name => "--" + name)];

    private static Type SettingsOf(Type command) => command.BaseType!.GenericTypeArguments[0];
}
