using Microsoft.ML;

namespace TextTopics;

/// <summary>The texts of this example, those to train on and those to judge by.</summary>
internal sealed record Texts(string Source, Document[] Training, Document[] Test)
{
    private const int Topics = 20, Most = 10_000;

    /// <summary>The SDK's own documentation where it is there, else the sample that ships.</summary>
    public static Texts Find()
    {
        Document[] all = [.. DocumentationText.Read(Topics, Most).Select(text => new Document { Topic = text.Namespace, Text = text.Text })];
        string source = "the documentation of the .NET SDK that runs";
        if (all.Length == 0)
        {
            all = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "sample.tsv")).Select(line => line.Split('\t'))
                .Select(cells => new Document { Topic = cells[0], Text = cells[1] })];
            source = "the sample that ships (no reference pack of an SDK is beside the runtime)";
        }
        int test = all.Length / 5;
        return new Texts(source, all[test..], all[..test]);
    }

    /// <summary>Writes the sample: some hundred texts of each of the most common topics.</summary>
    public static void WriteSample(string path)
    {
        const int SampleTopics = 8, EachTopic = 180;
        Dictionary<string, int> taken = [];
        File.WriteAllLines(path, DocumentationText.Read(SampleTopics, int.MaxValue).Where(text => !text.Text.Contains('\t')
            && (taken[text.Namespace] = taken.GetValueOrDefault(text.Namespace) + 1) <= EachTopic)
            .Select(text => $"{text.Namespace}\t{text.Text}"));
    }

    public static IDataView View(MLContext mlContext, Document[] documents) => mlContext.Data.LoadFromEnumerable(documents);
}
