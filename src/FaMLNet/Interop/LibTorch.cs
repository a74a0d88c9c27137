using System.Runtime.InteropServices;
using TorchSharp;

namespace FaMLNet.Interop;

/// <summary>Loads libtorch before anything else touches TorchSharp, so that a machine that cannot gets an explanation.</summary>
internal static class LibTorch
{
    /// <summary>The environment variable that may name a folder with libtorch's libraries, for programs that bring none.</summary>
    public const string FolderVariable = "FAMLNET_LIBTORCH";

    private static readonly object Gate = new();
    private static bool _loaded;

    /// <summary>Loads TorchSharp's native libraries, once a process.</summary>
    /// <exception cref="DllNotFoundException">They cannot be loaded: the message names cause and cure.</exception>
    public static void EnsureLoaded()
    {
        lock (Gate)
        {
            if (_loaded)
                return;
            TextWriter console = Console.Out;
            try
            {
                // TorchSharp writes its search trace to the console when it fails; the exception below says it better.
                Console.SetOut(TextWriter.Null);
                if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder)
                    LoadFrom(folder);
                torch.InitializeDeviceType(DeviceType.CPU);
            }
            catch (DllNotFoundException failure) when (failure.Message.StartsWith(FolderVariable, StringComparison.Ordinal))
            {
                throw;
            }
            catch (Exception failure) when (failure is NotSupportedException or TypeInitializationException or DllNotFoundException
                or BadImageFormatException or EntryPointNotFoundException)
            {
                throw new DllNotFoundException(Explain(failure), failure);
            }
            finally
            {
                Console.SetOut(console);
            }
            _loaded = true;
        }
    }

    /// <summary>
    /// The library of libtorch's CPU code that TorchSharp has loaded, for functions that TorchSharp does not pass on; 0 where it has
    /// another name (Windows).
    /// </summary>
    public static nint InMemory()
    {
        EnsureLoaded();
        foreach (string file in new[] { "libtorch_cpu.so", "libtorch_cpu.dylib" })
        {
            if (NativeLibrary.TryLoad(file, out nint handle))
                return handle;
        }
        return 0;
    }

    /// <summary>
    /// Loads libtorch's libraries from a folder, each after those that it needs: TorchSharp's own library then finds them in memory.
    /// </summary>
    /// <exception cref="DllNotFoundException">They are not there, or cannot be loaded.</exception>
    private static void LoadFrom(string folder)
    {
        (string prefix, string suffix) = OperatingSystem.IsWindows() ? ("", ".dll") : OperatingSystem.IsMacOS() ? ("lib", ".dylib") : ("lib", ".so");
        string? found = PlacesBelow(folder).Append(Path.Combine(folder, "lib"))
            .FirstOrDefault(place => File.Exists(Path.Combine(place, $"{prefix}torch_cpu{suffix}")));
        if (found == null)
        {
            throw new DllNotFoundException($"{FolderVariable} is '{folder}', which has no {prefix}torch_cpu{suffix}, neither in it nor in its "
                + "folder lib. Give the folder of libtorch 2.10.0, unpacked.");
        }
        // What they need first (OpenMP and CUDA have version numbers in their names), then themselves.
        string[] order = ["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"];
        IEnumerable<string> others = Directory.EnumerateFiles(found).Where(file => Path.GetFileName(file) is { } name
            && name.Contains(suffix, StringComparison.Ordinal) && (name.Contains("gomp", StringComparison.Ordinal)
                || name.Contains("iomp", StringComparison.Ordinal) || name.Contains("uv", StringComparison.Ordinal)));
        foreach (string path in others.Order(StringComparer.Ordinal).Concat(order.Select(name => Path.Combine(found, $"{prefix}{name}{suffix}"))))
        {
            if (!File.Exists(path))
                continue;
            try
            {
                NativeLibrary.Load(path);
            }
            catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
            {
                throw new DllNotFoundException($"{FolderVariable} is '{folder}', but '{path}' cannot be loaded: {FirstLine(failure.Message)} Give "
                    + "libtorch 2.10.0 for this system.", failure);
            }
        }
    }

    /// <summary>What is wrong and what to do about it, from the failure and a look at the files.</summary>
    internal static string Explain(Exception failure)
    {
        string package = RuntimeInformation.IsOSPlatform(OSPlatform.Windows)
            ? (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "libtorch-cpu-win-arm64" : "libtorch-cpu-win-x64")
            : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "libtorch-cpu-osx-arm64" : "libtorch-cpu-linux-x64";
        string reason = LoadError() ?? Innermost(failure).Message;
        string cure = reason.Contains("GLIBCXX", StringComparison.Ordinal)
            ? "The system's C++ library is older than TorchSharp asks for. FaMLNet's build targets repair this in a project that references the "
                + "FaMLNet package: "
              + "reference it in the project that builds the executable (not only in a library of it), do not set FaMLNetPatchTorchSharp to false, "
              + "and rebuild; or install libstdc++ 13 or later."
            : $"Reference libtorch in the executable's project, for example <PackageReference Include=\"{package}\" Version=\"2.10.0\" /> (or a "
                + $"CUDA package of that version), and rebuild; or set {FolderVariable} to the folder of libtorch 2.10.0. "
              + "TorchSharp and libtorch must be of matching versions (0.107.0 and 2.10.0), and the process must be 64-bit.";
        return $"Training needs TorchSharp's native libraries, and they could not be loaded: {FirstLine(reason)} {cure}";
    }

    /// <summary>What the system's loader itself says about TorchSharp's library, if the file is there.</summary>
    private static string? LoadError()
    {
        string name = RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "LibTorchSharp.dll" : RuntimeInformation.IsOSPlatform(OSPlatform.OSX)
            ? "libLibTorchSharp.dylib" : "libLibTorchSharp.so";
        string? path = PlacesBelow(AppContext.BaseDirectory).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (path == null)
            return null;
        try
        {
            NativeLibrary.Load(path);
            return null;
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            return failure.Message;
        }
    }

    /// <summary>Where packages and their outputs have native libraries.</summary>
    private static IEnumerable<string> PlacesBelow(string folder) =>
    [
        folder, Path.Combine(folder, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"),
        Path.Combine(folder, "runtimes", "linux-x64", "native"),
    ];

    private static Exception Innermost(Exception failure) => failure.InnerException == null ? failure : Innermost(failure.InnerException);

    private static string FirstLine(string text)
    {
        string line = text.Split('\n').Select(part => part.Trim()).FirstOrDefault(part => part.Length > 0) ?? "unknown reason";
        return line.EndsWith('.') ? line : line + ".";
    }
}
