using static TorchSharp.torch;

namespace FaMLNet.Computing.Kernels;

/// <summary>
/// Images whose channels lie together in memory (rows × height × width × channels) behind the usual shape. Convolutions of 16 channels and more,
/// batch normalisation and pooling run faster so; TorchSharp has no word for the format, but a permuted view of contiguous memory is one.
/// </summary>
internal static class ChannelsLast
{
    /// <summary>A copy of images in that format, owned by the caller.</summary>
    public static Tensor Of(Tensor images)
    {
        using Tensor permuted = images.permute(0, 2, 3, 1), copy = permuted.contiguous();
        return copy.permute(0, 3, 1, 2);
    }

    /// <summary>Whether images lie in that format, without gaps.</summary>
    public static bool IsInFormat(Tensor images)
    {
        using Tensor permuted = images.permute(0, 2, 3, 1);
        return permuted.is_contiguous();
    }

    /// <summary>The images themselves or a copy in that format, owned by the caller.</summary>
    public static Tensor InFormat(Tensor images) => IsInFormat(images) ? images.alias() : Of(images);

    /// <summary>A contiguous view of a tensor's memory in whatever order it lies; null if it has gaps.</summary>
    public static Tensor? Flat(Tensor tensor)
    {
        if (tensor.is_contiguous())
            return tensor.alias();
        if (tensor.dim() != 4)
            return null;
        Tensor permuted = tensor.permute(0, 2, 3, 1);
        if (permuted.is_contiguous())
            return permuted;
        permuted.Dispose();
        return null;
    }

    /// <summary>Whether each element has a place of its own, without gaps.</summary>
    public static bool IsDense(Tensor tensor)
    {
        using Tensor? flat = Flat(tensor);
        return flat is not null;
    }

    /// <summary>The tensor itself or a copy without gaps, in the format in which it lies.</summary>
    public static Tensor Dense(Tensor tensor, bool channelsLast) => channelsLast ? Of(tensor) : tensor.contiguous();
}
