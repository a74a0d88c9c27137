using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;

namespace FaMLNet.BuildTasks;

/// <summary>
/// Copies a 64-bit little-endian ELF library and marks its need of one symbol version as weak (VER_FLG_WEAK in vna_flags of
/// section .gnu.version_r; Linux Standard Base, "Symbol Versioning"). See FaMLNet.targets.
/// </summary>
public sealed class FaMLNetWeakenVersionNeed : ITask
{
    private const int VersionNeedSection = 0x6ffffffe;
    private const int WeakFlag = 2;

    /// <summary>The library.</summary>
    [Required]
    public string Source { get; set; } = "";

    /// <summary>Where the copy goes.</summary>
    [Required]
    public string Destination { get; set; } = "";

    /// <summary>The version, for example GLIBCXX_3.4.32.</summary>
    [Required]
    public string Version { get; set; } = "";

    public IBuildEngine? BuildEngine { get; set; }

    public ITaskHost? HostObject { get; set; }

    public bool Execute()
    {
        byte[] image = File.ReadAllBytes(Source);
        if (image.Length < 64 || image[0] != 0x7f || image[1] != 'E' || image[2] != 'L' || image[3] != 'F' || image[4] != 2 || image[5] != 1)
        {
            BuildEngine?.LogErrorEvent(new BuildErrorEventArgs("", "FAML001", Source, 0, 0, 0, 0,
                $"{Source} is not a 64-bit little-endian ELF library.", "", nameof(FaMLNetWeakenVersionNeed)));
            return false;
        }

        long sections = BitConverter.ToInt64(image, 0x28);
        int size = BitConverter.ToUInt16(image, 0x3a), count = BitConverter.ToUInt16(image, 0x3c), weakened = 0;
        for (int i = 0; i < count; i++)
        {
            int section = checked((int)(sections + (long)i * size));
            if (BitConverter.ToInt32(image, section + 4) != VersionNeedSection)
                continue;
            int names = (int)BitConverter.ToInt64(image, checked((int)(sections + BitConverter.ToInt32(image, section + 40) * (long)size)) + 24);
            weakened += Weaken(image, (int)BitConverter.ToInt64(image, section + 24), names);
        }

        // None found: a later TorchSharp that no longer needs this. The copy is then the original.
        BuildEngine?.LogMessageEvent(new BuildMessageEventArgs($"{Source}: {weakened} need(s) of {Version} marked weak.", "",
            nameof(FaMLNetWeakenVersionNeed), MessageImportance.Low));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Destination))!);
        string temporary = Destination + ".tmp";
        File.WriteAllBytes(temporary, image);
        if (File.Exists(Destination))
            File.Delete(Destination);
        File.Move(temporary, Destination);
        return true;
    }

    // A chain of needed files (Verneed), each with a chain of needed versions (Vernaux); offsets are relative, 0 ends a chain.
    private int Weaken(byte[] image, int need, int names)
    {
        int weakened = 0;
        while (true)
        {
            int version = need + BitConverter.ToInt32(image, need + 8);
            for (int left = BitConverter.ToUInt16(image, need + 2); left > 0; left--)
            {
                int start = names + BitConverter.ToInt32(image, version + 8);
                if (Encoding.ASCII.GetString(image, start, Array.IndexOf(image, (byte)0, start) - start) == Version)
                {
                    image[version + 4] |= WeakFlag;
                    weakened++;
                }

                version += BitConverter.ToInt32(image, version + 12);
            }

            int next = BitConverter.ToInt32(image, need + 12);
            if (next == 0)
                return weakened;
            need += next;
        }
    }
}
