using FaMLNet.Reporting;
using Xunit;

namespace FaMLNet.Tests.Persistence;

/// <summary>Files that are written whole or not at all, whoever else writes them.</summary>
public sealed class WholeFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("famlnet-files");

    private string Target => Path.Combine(_folder.FullName, "a", "file.txt");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>One begins while another is at it: no matter of luck here.</summary>
    [Fact]
    public void Two_that_write_one_file_at_the_same_time_each_write_it_whole()
    {
        List<string> names = [];
        WholeFile.Write(Target, outer =>
        {
            names.Add(outer);
            File.WriteAllText(outer, "first");
            WholeFile.Write(Target, inner =>
            {
                names.Add(inner);
                File.WriteAllText(inner, "second");
            });
            Assert.Equal("second", File.ReadAllText(Target));
        });
        Assert.Equal("first", File.ReadAllText(Target));
        Assert.NotEqual(names[0], names[1]);
        // Another process has the same count of calls, and another number.
        Assert.All(names, name => Assert.Contains($".{Environment.ProcessId}.", Path.GetFileName(name), StringComparison.Ordinal));
        Assert.Equal(["file.txt"], Directory.GetFiles(Path.GetDirectoryName(Target)!).Select(Path.GetFileName));
    }

    [Fact]
    public void A_link_stays_a_link_and_a_file_keeps_its_mode()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Files have no such modes there.");
            return;
        }
        string file = Path.Combine(_folder.FullName, "file"), link = Path.Combine(_folder.FullName, "link");
        File.WriteAllText(file, "old");
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupExecute;
        File.SetUnixFileMode(file, mode);
        File.CreateSymbolicLink(link, "file");
        WholeFile.WriteText(link, "new");
        Assert.Equal("file", new FileInfo(link).LinkTarget);
        Assert.Equal("new", File.ReadAllText(file));
        Assert.Equal(mode, File.GetUnixFileMode(file));
        Assert.Equal(2, _folder.GetFileSystemInfos().Length);
    }

    [Fact]
    public void A_write_that_fails_leaves_what_was_there_and_nothing_else()
    {
        WholeFile.WriteText(Target, "before");
        Assert.Throws<InvalidOperationException>(() => WholeFile.Write(Target, temporary =>
        {
            File.WriteAllText(temporary, "half");
            throw new InvalidOperationException("stopped");
        }));
        Assert.Equal("before", File.ReadAllText(Target));
        Assert.Equal(["file.txt"], Directory.GetFiles(Path.GetDirectoryName(Target)!).Select(Path.GetFileName));
    }
}
