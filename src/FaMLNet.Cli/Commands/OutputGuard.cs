using System.IO.Compression;
using System.Reflection;
using FaMLNet.Cli.Naming;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary>Marks a setting that names a file or folder to read.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class InputAttribute : Attribute;

/// <summary>Marks a setting that names a file or folder to write.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OutputAttribute : Attribute
{
    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder { get; init; }

    /// <summary>Whether <c>-</c> stands for standard output.</summary>
    public bool MayBeStandard { get; init; }
}

/// <summary>
/// Looks at what a command would write before it reads anything: no output is one of the inputs or another output, and all can be written.
/// </summary>
internal sealed class OutputGuard : ICommandInterceptor
{
    public void Intercept(CommandContext context, CommandSettings settings) => Check(settings);

    /// <summary>Checks the settings of a command.</summary>
    /// <param name="settings">Whose properties are marked by <see cref="InputAttribute"/> and <see cref="OutputAttribute"/>.</param>
    /// <exception cref="FormatException">An output is an input, or another output.</exception>
    /// <exception cref="IOException">An output cannot be written.</exception>
    public static void Check(CommandSettings settings)
    {
        List<(string Option, string Path, OutputAttribute? Output)> places = [];
        foreach (PropertyInfo property in settings.GetType().GetProperties())
        {
            OutputAttribute? output = property.GetCustomAttribute<OutputAttribute>();
            if (output == null && property.GetCustomAttribute<InputAttribute>() == null)
                continue;
            string option = property.GetCustomAttribute<CommandOptionAttribute>()?.LongNames is [var name, ..] ? "--" + name
                : $"<{property.GetCustomAttribute<CommandArgumentAttribute>()?.ValueName}>";
            object? value = property.GetValue(settings);
            foreach (string path in value as string[] ?? (value is string one ? [one] : []))
            {
                if (path.Length == 0 && output != null)
                    throw new FormatException($"{option} needs the name of a {(output.IsFolder ? "folder" : "file")}; found an empty text.");
                if (path.Length > 0)
                    places.Add((option, path, output));
            }
        }
        Check(places);
    }

    private static void Check(IReadOnlyList<(string Option, string Path, OutputAttribute? Output)> places)
    {
        foreach ((string option, string path, OutputAttribute? output) in places.Where(place => place.Output != null))
        {
            if (Places.IsStandardOutput(path))
            {
                if (!output!.MayBeStandard)
                    throw new FormatException($"{option} {path}: only 'predict' writes to standard output. Name a file.");
                continue;
            }
            // Not even opened: whoever reads a pipe would take the end of that for the end of everything.
            if (WholeFile.IsSpecial(path))
                continue;
            string real = Places.Real(path);
            foreach ((string other, string otherPath, OutputAttribute? otherOutput) in places.Where(place => place.Path != path
                || place.Option != option))
            {
                if (!Places.IsStandardOutput(otherPath) && Places.Real(otherPath).Equals(real, Places.Comparison))
                    throw new FormatException(otherOutput == null
                        ? $"{option} would replace '{path}', which is read as {other}. Name another file."
                        : $"{option} and {other} both name '{path}'. Name two.");
            }
            foreach ((string input, string folder, OutputAttribute? _) in places.Where(place => place.Output == null && Directory.Exists(place.Path)))
            {
                if (File.Exists(real) && real.StartsWith(Places.Real(folder) + Path.DirectorySeparatorChar, Places.Comparison) && !IsOwn(real))
                    throw new FormatException($"{option} would replace '{path}', a file of the folder that is read as {input}. Name another file.");
            }
            CheckWritable(option, real, output!.IsFolder);
        }
    }

    /// <summary>Checks places that a file names.</summary>
    /// <param name="inputs">Places that are read; null for none.</param>
    /// <param name="outputs">Places that are written, and whether each is a folder; null for none.</param>
    /// <exception cref="FormatException">An output is an input, or another output.</exception>
    /// <exception cref="IOException">An output cannot be written.</exception>
    public static void Check(IEnumerable<(string Option, string? Path)> inputs, IEnumerable<(string Option, string? Path, bool IsFolder)> outputs) =>
        Check([.. inputs.Where(input => !string.IsNullOrEmpty(input.Path)).Select(input => (input.Option, input.Path!, (OutputAttribute?)null)),
            .. outputs.Where(output => output.Path != null).Select(output => (output.Option, output.Path!,
                (OutputAttribute?)new OutputAttribute { IsFolder = output.IsFolder }))]);

    /// <summary>Whether a file in a folder of data is what an earlier call of this tool has left there: a report or a model.</summary>
    private static bool IsOwn(string path)
    {
        if (path.EndsWith(".html", StringComparison.OrdinalIgnoreCase))
            return true;
        try
        {
            using ZipArchive zip = ZipFile.OpenRead(path);
            return zip.GetEntry("TrainingInfo/Version.txt") != null;
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Opens what is there for writing, or makes and deletes a file where it would be; leaves everything as it was.</summary>
    private static void CheckWritable(string option, string path, bool isFolder)
    {
        try
        {
            if (!isFolder && Directory.Exists(path))
                throw new IOException("a folder has that name");
            if (isFolder && File.Exists(path))
                throw new IOException("a file has that name");
            if (File.Exists(path))
            {
                using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                return;
            }
            string folder = isFolder ? path : Path.GetDirectoryName(path)!;
            while (!Directory.Exists(folder))
            {
                if (File.Exists(folder))
                    throw new IOException($"'{folder}' is a file, not a folder");
                folder = Path.GetDirectoryName(folder)!;
            }
            string probe = Path.Combine(folder, $".famlnet-{Guid.NewGuid():N}");
            using FileStream made = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{option}: '{path}' cannot be written: {failure.Message.TrimEnd('.')}. Choose a place that this process may "
                + $"write to.",
                failure);
        }
    }
}
