using FaMLNet.Interop;
using Xunit;

namespace FaMLNet.Tests.Interop;

public sealed class LibTorchTests
{
    [Fact]
    public void Loads_here() => LibTorch.EnsureLoaded();

    [Fact]
    public void Explains_an_old_system_library_and_a_missing_package()
    {
        string old = LibTorch.Explain(new DllNotFoundException(
            "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by libLibTorchSharp.so)"));
        Assert.Contains("older than TorchSharp asks for", old, StringComparison.Ordinal);
        Assert.Contains("FaMLNetPatchTorchSharp", old, StringComparison.Ordinal);
        string missing = LibTorch.Explain(new TypeInitializationException("TorchSharp.torch",
            new NotSupportedException(
            "This application uses TorchSharp but doesn't contain a reference to libtorch-cpu-linux-x64\nTrace:\nmany lines")));
        Assert.Contains("Version=\"2.10.0\"", missing, StringComparison.Ordinal);
        Assert.DoesNotContain("many lines", missing, StringComparison.Ordinal);
    }
}
