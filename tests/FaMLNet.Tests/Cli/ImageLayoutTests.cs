using CsCheck;
using FaMLNet.Cli.Images;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Which file is an image of which class, by names alone.</summary>
public sealed class ImageLayoutTests
{
    [Fact]
    public void Any_tree_gives_the_first_folder_as_the_class_and_passes_over_what_is_hidden_anywhere()
    {
        Gen<string> visible = Gen.String[Gen.Char["abcd é-_"], 1, 6].Where(name => name.Trim() == name),
            hidden = Gen.OneOfConst(".git", "__MACOSX", "@eaDir", "._a", "Thumbs.db", "thumbs.DB", "DESKTOP.INI", "$Recycle.Bin", ".x");
        Gen.Select(visible, Gen.Select(visible, hidden, Gen.Int[0, 5]).Array[0, 4]).Array[2, 12].Sample(files =>
        {
            List<string> names = ["Ax/1.png", "Bx/1.png"]; // two classes for certain, so that nothing is a wrapper
            List<(string, string)> expected = [("Ax/1.png", "Ax"), ("Bx/1.png", "Bx")];
            foreach (((string top, (string, string, int)[] below), int i) in files.Select((file, i) => (file, i)))
            {
                bool isHidden = below.Any(each => each.Item3 == 0);
                string name = $"{top}/{string.Concat(below.Select(each => (each.Item3 == 0 ? each.Item2 : each.Item1) + "/"))}{i}.png";
                names.Add(name);
                if (!isHidden)
                    expected.Add((name, top));
            }
            ImageLayout layout = ImageLayout.Of(names, known: null);
            Assert.Equal(expected.OrderBy(pair => pair.Item1, StringComparer.Ordinal), layout.Files);
            Assert.Equal("", layout.Wrapper);
        });
    }

    [Fact]
    public void One_folder_that_holds_all_is_a_wrapper_unless_it_is_a_class()
    {
        string[] names = ["pets/cat/1.png", "pets/dog/1.png"];
        Assert.Equal(("pets/", "cat"), (ImageLayout.Of(names, null).Wrapper, ImageLayout.Of(names, null).Files[0].Class));
        Assert.Equal(("", "pets"), (ImageLayout.Of(names, ["pets", "cars"]).Wrapper, ImageLayout.Of(names, ["pets", "cars"]).Files[0].Class));
        Assert.Equal("pets", ImageLayout.Of(["pets/a/1.png", "pets/a/2.png"], null).Files[0].Class);
        Assert.Equal("pets", ImageLayout.Of(["pets/1.png", "pets/a/1.png", "pets/b/1.png"], null).Files[0].Class);
        Assert.Equal("", ImageLayout.Of(["1.png", "pets/a/1.png", "pets/b/1.png"], null).Wrapper);
    }
}
