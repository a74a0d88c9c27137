using FaMLNet.Interop;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>
/// What ML.NET calls to load a class of ours: whatever goes wrong reaches the user as a message that names entry, problem and cure.
/// </summary>
internal static class ModelLoading
{
    /// <summary>Checks the header and loads.</summary>
    public static T Run<T>(IHostEnvironment env, ModelLoadContext ctx, VersionInfo header, Func<T> load)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(ctx);
        try
        {
            ctx.CheckAtModel(header);
            return load();
        }
        catch (Exception failure)
        {
            bool isOurs = failure is (FormatException or InvalidOperationException or DllNotFoundException) && !failure.IsMarked();
            Exception clear = isOurs ? failure : Damaged("The model", failure);
            LoadFailure.Surface(ctx, clear);
            throw clear;
        }
    }

    /// <summary>Reads an entry that belongs to the model.</summary>
    /// <exception cref="FormatException">It is missing or cannot be read: the message names it.</exception>
    public static void Text(ModelLoadContext ctx, string entry, Action<TextReader> read) => Entry(entry, () => ctx.TryLoadTextStream(entry, read));

    /// <inheritdoc cref="Text"/>
    public static void Binary(ModelLoadContext ctx, string entry, Action<Stream> read) =>
        Entry(entry, () => ctx.TryLoadBinaryStream(entry, reader => read(reader.BaseStream)));

    private static void Entry(string entry, Func<bool> read)
    {
        bool found;
        try
        {
            found = read();
        }
        catch (FormatException failure)
        {
            throw new FormatException($"The model's entry '{entry}': {failure.Message}", failure);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or OverflowException or ArgumentException
            or KeyNotFoundException)
        {
            throw Damaged($"The model's entry '{entry}'", failure);
        }
        if (!found)
            throw new FormatException($"The model's entry '{entry}' is missing: the file is damaged. Save the model again.");
    }

    /// <summary>The header of a saved class of ours, all of which are in their first version.</summary>
    /// <param name="signature">Eight characters of its own.</param>
    /// <param name="loader">The signature by which ML.NET finds its loader.</param>
    public static VersionInfo Header(string signature, string loader) => new(
        modelSignature: signature,
        verWrittenCur: 0x00010001, // Initial
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(ModelLoading).Assembly.GetName().Name,
        loaderSignature: loader);

    private static FormatException Damaged(string what, Exception failure) =>
        new($"{what} cannot be read: {failure.Message.TrimEnd('.')}. The file is damaged; save the model again.", failure);
}
