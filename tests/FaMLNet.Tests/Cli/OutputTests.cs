using System.Reflection;
using FaMLNet.Cli.Commands;
using FaMLNet.Tests.Interop;
using Spectre.Console.Cli;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Nothing that exists is destroyed by an output.</summary>
[Trait("Speed", "Slow")]
public sealed class OutputTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-outputs").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Every pair of an input and an output of every command.</summary>
    public static TheoryData<string, string, string> Pairs => [.. from command in CommandList.All
        let properties = SettingsOf(command.Value).GetProperties()
        from output in properties where output.GetCustomAttribute<OutputAttribute>() != null
        from other in properties
        where other != output && (other.GetCustomAttribute<InputAttribute>() != null || other.GetCustomAttribute<OutputAttribute>() != null)
        select (command.Key, output.Name, other.Name)];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void An_output_is_never_an_input_or_another_output(string command, string output, string other)
    {
        string file = Path.Combine(_folder, "data.csv"), link = Path.Combine(_folder, "link.csv");
        File.WriteAllText(file, "a,Label\n1,u\n");
        File.CreateSymbolicLink(link, file);
        Directory.CreateDirectory(Path.Combine(_folder, "below"));
        foreach (string same in new[] { file, Path.Combine(_folder, "below", "..", "data.csv"), link })
        {
            CommandSettings settings = (CommandSettings)Activator.CreateInstance(SettingsOf(CommandList.All[command]))!;
            Set(settings, other, file);
            Set(settings, output, same);
            string message = Assert.Throws<FormatException>(() => OutputGuard.Check(settings)).Message;
            Assert.True(message.Contains(same, StringComparison.Ordinal) || message.Contains(file, StringComparison.Ordinal), message);
        }
        Assert.Equal("a,Label\n1,u\n", File.ReadAllText(file));
    }

    [Fact]
    public void A_table_is_not_replaced_by_its_own_model_or_predictions()
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        string before = File.ReadAllText(Path.Combine(_folder, "iris.csv"));
        Fails("--output would replace 'iris.csv', which is read as <data>", "train", "iris.csv", "--epochs", "1", "--output", "iris.csv");
        Fails("--output and --csv both name 'x.csv'", "train", "iris.csv", "--epochs", "1", "--output", "x.csv", "--csv", "x.csv");
        Fails("a folder has that name", "train", "iris.csv", "--epochs", "1", "--output", ".");
        Fails("is a file, not a folder", "train", "iris.csv", "--epochs", "1", "--output", "iris.csv/model.zip");
        Fails("only 'predict' writes to standard output", "train", "iris.csv", "--epochs", "1", "--output", "-");
        ProcessRunner.Tool(_folder, "train", "iris.csv", "--epochs", "1");
        Fails("--output would replace 'model.zip', which is read as <model>", "predict", "model.zip", "iris.csv", "--output", "model.zip");
        Fails("--output would replace './iris.csv', which is read as <data>", "predict", "model.zip", "iris.csv", "-o", "./iris.csv");
        Assert.Equal(before, File.ReadAllText(Path.Combine(_folder, "iris.csv")));
        Assert.Equal(["iris.csv", "model.zip"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
    }

    /// <summary>A folder of data may get a model or a report, and get it again; no file of the data is replaced.</summary>
    [Fact]
    public void A_file_of_a_folder_of_data_is_kept()
    {
        File.WriteAllText(Path.Combine(_folder, "train.zip"), "data");
        File.WriteAllText(Path.Combine(_folder, "report.html"), "");
        TrainSettings settings = new() { Data = _folder, Output = Path.Combine(_folder, "train.zip") };
        Assert.Contains("a file of the folder that is read as <data>", Assert.Throws<FormatException>(() => OutputGuard.Check(settings)).Message,
            StringComparison.Ordinal);
        (settings.Output, settings.Report) = (Path.Combine(_folder, "model.zip"), Path.Combine(_folder, "report.html"));
        OutputGuard.Check(settings);
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        ProcessRunner.Tool(_folder, "train", "iris.csv", "--epochs", "1");
        OutputGuard.Check(settings);
    }

    [Fact]
    public void Links_stay_links_modes_stay_and_devices_and_pipes_are_written_through()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Links, modes and pipes are Unix's.");
            return;
        }
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        ProcessRunner.Tool(_folder, "train", "iris.csv", "--epochs", "1");
        string expected = Predict("plain.csv");
        File.WriteAllText(Path.Combine(_folder, "target.csv"), "old");
        File.SetUnixFileMode(Path.Combine(_folder, "target.csv"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        File.CreateSymbolicLink(Path.Combine(_folder, "link.csv"), "target.csv");
        Assert.Equal(expected, Predict("link.csv"));
        Assert.Equal("target.csv", new FileInfo(Path.Combine(_folder, "link.csv")).LinkTarget);
        Assert.Equal(expected, File.ReadAllText(Path.Combine(_folder, "target.csv")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Path.Combine(_folder,
            "target.csv")));

        Assert.Equal(expected, ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", "-"));
        ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", "/dev/null");
        Assert.Equal("", File.ReadAllText("/dev/null"));
        string tool = ProcessRunner.Metadata("Cli");
        ProcessRunner.Run("bash", _folder, "-c",
            $"mkfifo fifo; (cat fifo > read.csv &) ; timeout 60 dotnet '{tool}' predict model.zip iris.csv --output fifo; "
            + "for i in $(seq 100); do [ -s read.csv ] && break; sleep 0.1; done; test -p fifo");
        Assert.Equal(expected, File.ReadAllText(Path.Combine(_folder, "read.csv")));
        Assert.Empty(Directory.GetFiles(_folder, "*.tmp"));

        string Predict(string output)
        {
            ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", output);
            return File.ReadAllText(Path.Combine(_folder, output));
        }
    }

    private static Type SettingsOf(Type command) => command.BaseType!.GenericTypeArguments[0];

    private static void Set(CommandSettings settings, string name, string path)
    {
        PropertyInfo property = settings.GetType().GetProperty(name)!;
        property.SetValue(settings, property.PropertyType.IsArray ? new[] { path } : path);
    }

    private void Fails(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => ProcessRunner.Tool(_folder, arguments)).Message,
            StringComparison.Ordinal);
}
