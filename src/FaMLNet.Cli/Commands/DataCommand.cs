using System.ComponentModel;
using FaMLNet.Cli.Images;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Terminal;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet data</c>: data sets, and whether their files are as published.</summary>
internal sealed class DataCommand : Command<DataCommand.Settings>
{
    internal sealed class Settings : CommandSettings
    {
        [CommandArgument(0, "<action>"), Description("check, to compare files with what is published; list, to name the sets.")]
        public string Action { get; set; } = "";

        [CommandArgument(1, "[name]"), Description("A set: mnist, fashion-mnist, kmnist, emnist, cifar10, cifar100, or image-folder.")]
        public string? Name { get; set; }

        [CommandArgument(2, "[folder]"), Description("Where its files are.")]
        public string? Folder { get; set; }
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        switch (settings.Action)
        {
            case "list":
                foreach (PublishedSet set in PublishedSet.All)
                    Messages.Say($"{set.Name}: {set.Title}, {set.Licence}, {set.Owner}");
                Messages.Say("image-folder (also imagenet): train and test or val, folders or zip archives, each with one folder of image "
                    + "files per class; or such folders directly");
                Messages.Say("csv: a table with a header line, or a folder with train.csv and test.csv");
                return 0;
            case "check" when settings is { Name: { } name, Folder: { } folder }:
                return Activity.Run($"checking '{folder}'", () => Check(DataSets.NameOf(name), folder));
            case "check":
                throw new FormatException("'data check' needs a set and a folder: famlnet data check mnist datasets/mnist.");
            default:
                throw new FormatException($"'data {settings.Action}' is not known. Take 'data check <name> <folder>' or 'data list'.");
        }
    }

    private static int Check(string name, string folder)
    {
        if (!Directory.Exists(folder) && !Archives.IsZipOfImages(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}', and no zip archive of images.");
        // CIFAR-10 comes as image files as well, of which nothing is published.
        bool isImages = name == "image-folder" || (name == "cifar10" && PublishedSet.Named(name)!.FolderOf(folder) == null
            && ImagePart.IsIn(folder));
        if (isImages)
            return CheckImages(folder);
        PublishedSet published = PublishedSet.Named(name) ?? throw new FormatException(
            $"The data set '{name}' is not known. Take {string.Join(", ", PublishedSet.All.Select(set => set.Name))} or image-folder.");
        (IReadOnlyList<string> lines, bool inOrder) = DataCheck.Run(published, folder);
        foreach (string line in lines)
            Console.WriteLine(line);
        Console.WriteLine(inOrder ? "All is in order." : "Not all is in order.");
        return inOrder ? 0 : 1;
    }

    /// <summary>Every image is decoded: one that is cut off is named.</summary>
    private static int CheckImages(string folder)
    {
        int damaged = 0;
        IReadOnlyList<string>? classes = null;
        ImagePart[] parts = ImagePart.HasParts(folder)
            ? [ImagePart.Find(folder, ImagePart.Train), ImagePart.Find(folder, ImagePart.Test)] : [ImagePart.Find(folder, ImagePart.Train)];
        foreach (ImagePart part in parts)
        {
            ImageArchive images = ImageArchive.Survey(part, classes);
            images.Say(Console.WriteLine);
            (int count, IReadOnlyList<string> errors) = images.Check();
            Console.WriteLine($"{images.Path}: {count} images of {images.Classes.Count} classes, {errors.Count} damaged");
            foreach (string error in errors.Take(20))
                Console.WriteLine($"  {error}");
            if (errors.Count > 20)
                Console.WriteLine($"  … and {errors.Count - 20} more");
            damaged += errors.Count;
            foreach (string empty in images.ClassesWithoutImages)
            {
                Console.WriteLine($"  The folder of class '{empty}' has no image that can be read.");
                damaged++;
            }
            string[] strange = [.. images.Classes.Except(classes ?? images.Classes)];
            if (strange.Length > 0)
            {
                Console.WriteLine($"{images.Path} has classes that the training images do not have: {string.Join(", ", strange.Take(20))}");
                damaged++;
            }
            classes ??= images.Classes;
        }
        Console.WriteLine(damaged == 0 ? "All is in order; of image files nothing is published to compare with." : "Not all is in order.");
        return damaged == 0 ? 0 : 1;
    }
}
