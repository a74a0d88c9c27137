using FaMLNet.Cli.Images;
using SkiaSharp;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Image files become the pixels that people see.</summary>
public sealed class ImageDecodingTests
{
    /// <summary>Where the pixel of column x and row y of a stored picture is seen, by the table of the EXIF standard.</summary>
    private static (int X, int Y) Seen(int orientation, int x, int y, int width, int height) => orientation switch
    {
        1 => (x, y),
        2 => (width - 1 - x, y), // mirrored
        3 => (width - 1 - x, height - 1 - y), // half a turn
        4 => (x, height - 1 - y),
        5 => (y, x), // mirrored, and a quarter
        6 => (height - 1 - y, x), // a quarter clockwise
        7 => (height - 1 - y, width - 1 - x),
        _ => (y, width - 1 - x), // a quarter counter-clockwise
    };

    public static TheoryData<int, bool, bool, int> Orientations
    {
        get
        {
            TheoryData<int, bool, bool, int> all = [];
            for (int orientation = 1; orientation <= 8; orientation++)
            {
                foreach (int size in new[] { 7, 5, 12 })
                {
                    all.Add(orientation, true, true, size);
                    all.Add(orientation, false, size == 5, size);
                }
            }
            return all;
        }
    }

    [Theory, MemberData(nameof(Orientations))]
    public void A_turned_picture_gives_the_pixels_of_an_upright_one_at_every_size(int orientation, bool isJpeg, bool isLittle, int size)
    {
        foreach ((int width, int height) in new[] { (7, 7), (9, 7), (7, 12) })
        {
            byte[] stored = PictureFiles.Varied(width, height, isJpeg ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, orientation);
            using SKBitmap decoded = SKBitmap.Decode(stored);
            (int w, int h) = orientation >= 5 ? (height, width) : (width, height);
            SKColor[,] seen = new SKColor[w, h];
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    (int column, int row) = Seen(orientation, x, y, width, height);
                    seen[column, row] = decoded.GetPixel(x, y);
                }
            }
            byte[] upright = PictureFiles.Encode(w, h, (x, y) => seen[x, y]),
                turned = PictureFiles.WithOrientation(stored, orientation, isLittle);
            Assert.Equal(new ImageHeader(w, h, orientation > 1, HasAlpha: false), ImageDecoder.HeaderOf(turned));
            Assert.Equal(Decode(upright, size), Decode(turned, size));
        }
    }

    [Theory, InlineData(1), InlineData(3), InlineData(6), InlineData(8)]
    public void A_WebP_is_turned_as_its_EXIF_orientation_says(int orientation)
    {
        byte[] stored = PictureFiles.Varied(9, 7, SKEncodedImageFormat.Webp, orientation);
        using SKBitmap decoded = SKBitmap.Decode(stored);
        (int w, int h) = orientation >= 5 ? (7, 9) : (9, 7);
        SKColor[,] seen = new SKColor[w, h];
        for (int i = 0; i < 63; i++)
        {
            (int column, int row) = Seen(orientation, i % 9, i / 9, 9, 7);
            seen[column, row] = decoded.GetPixel(i % 9, i / 9);
        }
        byte[] turned = PictureFiles.WebpWithOrientation(stored, 9, 7, orientation);
        Assert.Equal(new ImageHeader(w, h, orientation > 1, HasAlpha: false), ImageDecoder.HeaderOf(turned));
        Assert.Equal(Decode(PictureFiles.Encode(w, h, (x, y) => seen[x, y]), 7), Decode(turned, 7));
    }

    /// <summary>Colours of a palette, one of which is transparent: by PNG's chunk tRNS.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(4), InlineData(8)]
    public void A_transparent_colour_of_a_palette_is_white(int bits)
    {
        byte[] file = PictureFiles.Palette(bits, [new SKColor(200, 40, 40), new SKColor(10, 20, 30, 0)]);
        Assert.True(ImageDecoder.HeaderOf(file)!.Value.HasAlpha);
        Assert.Equal([(200, 40, 40), (255, 255, 255), (200, 40, 40), (255, 255, 255)], Planes(file, 2));
        // Without transparent colours there is nothing to lay on white.
        byte[] opaque = PictureFiles.Palette(bits, [new SKColor(200, 40, 40), new SKColor(10, 20, 30)]);
        Assert.False(ImageDecoder.HeaderOf(opaque)!.Value.HasAlpha);
        Assert.Equal((10, 20, 30), Planes(opaque, 2)[1]);
    }

    [Theory, InlineData(8), InlineData(5), InlineData(16)]
    public void What_is_transparent_is_white_at_every_size(int size)
    {
        // Whatever colour hides behind it; half of it, half of that.
        byte[] clear = Decode(PictureFiles.Plain(new SKColor(200, 40, 0, 0)), size),
            half = Decode(PictureFiles.Plain(new SKColor(0, 0, 255, 51)), size);
        Assert.All(clear, value => Assert.Equal(255, value));
        Assert.All(half[..(2 * size * size)], value => Assert.Equal(204, value));
        Assert.All(half[(2 * size * size)..], value => Assert.Equal(255, value));
        // Scaled or not, a picture with holes is the same as that picture on white.
        byte[] holes = PictureFiles.Encode(16, 16, (x, y) => new SKColor((byte)(x * 16), (byte)(y * 16), 90, (byte)((x + y) % 2 * 255))),
            onWhite = PictureFiles.Encode(16, 16, (x, y) => (x + y) % 2 == 0 ? SKColors.White : new SKColor((byte)(x * 16), (byte)(y * 16), 90));
        Assert.True(ImageDecoder.HeaderOf(holes)!.Value.HasAlpha);
        Assert.Equal(Decode(onWhite, size), Decode(holes, size));
    }

    [Fact]
    public void Cmyk_16_bits_greys_and_the_first_picture_of_an_animation_become_red_green_and_blue()
    {
        Assert.All(Planes(PictureFiles.Cmyk, 8), pixel => Assert.Equal((200, 40, 40), pixel));
        Assert.All(Planes(PictureFiles.Animation, 1), pixel => Assert.Equal((200, 40, 40), pixel));
        Assert.All(Planes(PictureFiles.Grey16, 2), pixel => Assert.Equal((156, 156, 156), pixel));
        using SKBitmap grey = new(4, 4, SKColorType.Gray8, SKAlphaType.Opaque);
        grey.Erase(new SKColor(90, 90, 90));
        Assert.All(Planes(grey.Encode(SKEncodedImageFormat.Png, 100).ToArray(), 4), pixel => Assert.Equal((90, 90, 90), pixel));
    }

    [Theory, InlineData(SKEncodedImageFormat.Png), InlineData(SKEncodedImageFormat.Jpeg), InlineData(SKEncodedImageFormat.Webp)]
    public void Opaque_upright_pictures_are_decoded_as_ever(SKEncodedImageFormat format)
    {
        // Recorded results rest on these pixels.
        foreach ((int width, int height, int size) in new[] { (8, 8, 8), (16, 16, 8), (21, 9, 6), (9, 20, 12) })
        {
            byte[] file = PictureFiles.Varied(width, height, format);
            using SKCodec codec = SKCodec.Create(new SKMemoryStream(file));
            using SKBitmap bitmap = new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
            Assert.Equal(SKCodecResult.Success, codec.GetPixels(bitmap.Info, bitmap.GetPixels()));
            float scale = (float)size / Math.Min(width, height);
            using SKBitmap scaled = width == size && height == size ? bitmap.Copy() : bitmap.Resize(new SKImageInfo(
                (int)MathF.Round(width * scale), (int)MathF.Round(height * scale), SKColorType.Rgba8888, SKAlphaType.Unpremul), SKFilterQuality.High);
            (int left, int top) = ((scaled.Width - size) / 2, (scaled.Height - size) / 2);
            (int, int, int)[] expected = [.. Enumerable.Range(0, size * size).Select(i => scaled.GetPixel(left + i % size, top + i / size))
                .Select(colour => ((int)colour.Red, (int)colour.Green, (int)colour.Blue))];
            Assert.Equal(expected, Planes(file, size));
        }
    }

    [Theory, InlineData(65_000, 65_000), InlineData(16_384, 16_384), InlineData(8_000, 8_000), InlineData(100_000, 2_000)]
    public void A_size_that_a_small_file_only_claims_is_refused_by_name_before_memory_is_asked_for(int width, int height)
    {
        byte[] file = Claiming(width, height);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ImageFileException failure = Assert.Throws<ImageFileException>(() => ImageDecoder.Decode(file, 8, new byte[192], "here: cat/1.png"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.StartsWith($"'here: cat/1.png' cannot be read: {width} × {height} pixels", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A PNG whose header says another size.</summary>
    public static byte[] Claiming(int width, int height)
    {
        byte[] file = PictureFiles.Plain(SKColors.Red);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), height);
        byte[] checksum = PictureFiles.Checksum(file[12..29]);
        checksum.CopyTo(file, 29);
        return file;
    }

    private static byte[] Decode(byte[] file, int size)
    {
        byte[] pixels = new byte[3 * size * size];
        ImageDecoder.Decode(file, size, pixels, "test");
        return pixels;
    }

    private static (int, int, int)[] Planes(byte[] file, int size)
    {
        byte[] pixels = Decode(file, size);
        int plane = size * size;
        return [.. Enumerable.Range(0, plane).Select(i => ((int)pixels[i], (int)pixels[plane + i], (int)pixels[2 * plane + i]))];
    }
}
