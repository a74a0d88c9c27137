using FaMLNet.Interop;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace FaMLNet;

/// <summary>Chooses the device that trains, from what the <see cref="Microsoft.ML.MLContext"/> wants and the process has.</summary>
internal static class TrainingDevice
{
    /// <summary>The device, said once in the log; null for the host's processor.</summary>
    /// <exception cref="NotSupportedException">A GPU is wanted without alternative, and there is none.</exception>
    public static torch.Device? Choose(IHost host, IChannel channel)
    {
        if (((IHostEnvironmentInternal)host).GpuDeviceId is not { } gpu)
            return null;
        string? lack = Lack(gpu);
        if (lack == null)
        {
            channel.Info($"Training on CUDA device {gpu}.");
            return new torch.Device(DeviceType.CUDA, gpu);
        }
        if (!((IHostEnvironmentInternal)host).FallbackToCpu)
            throw new NotSupportedException($"MLContext.GpuDeviceId is {gpu} and FallbackToCpu is false, but {lack} Reference a CUDA package of "
                + $"libtorch 2.10.0 on a machine with such a device, set FallbackToCpu to true, or leave GpuDeviceId null.");
        channel.Warning($"MLContext.GpuDeviceId is {gpu}, but {lack} Training on the CPU, as FallbackToCpu allows.");
        return null;
    }

    /// <summary>Why the device cannot be used; null if it can.</summary>
    private static string? Lack(int gpu)
    {
        LibTorch.EnsureLoaded();
        if (!torch.cuda.is_available())
            return "libtorch finds no CUDA device (a CPU package of libtorch, or no device).";
        int count = torch.cuda.device_count();
        return gpu >= 0 && gpu < count ? null : $"libtorch finds {count} CUDA device(s), numbered from 0.";
    }
}
