using Google.Protobuf;

namespace FaMLNet.Reporting.TensorBoard;

/// <summary>Puts values into a summary as TensorBoard's plugins want them.</summary>
internal static class Summaries
{
    private const int Number = 1, Text = 7;

    public static void AddText(this Summary summary, string tag, string text) => summary.Value.Add(new SummaryValue
    {
        Tag = tag,
        Metadata = new SummaryMetadata { PluginData = new PluginData { PluginName = "text" } },
        Tensor = new TensorProto
        {
            Dtype = Text,
            TensorShape = new TensorShape { Dim = { new Dimension { Size = 1 } } },
            StringVal = { ByteString.CopyFromUtf8(text) },
        },
    });

    public static void AddHParams(this Summary summary, string tag, HParamsPluginData data) => summary.Value.Add(new SummaryValue
    {
        Tag = tag,
        Metadata = new SummaryMetadata { PluginData = new PluginData { PluginName = "hparams", Content = data.ToByteString() } },
        // TensorBoard's storage wants a tensor with every value; this one says nothing.
        Tensor = new TensorProto { Dtype = Number, TensorShape = new TensorShape { Dim = { new Dimension { Size = 1 } } }, FloatVal = { 0 } },
    });

    public static void AddLayers(this Summary summary, string prefix, LayerMetrics metrics)
    {
        foreach (LayerMeasure measure in LayerMeasure.All)
        {
            foreach ((string layer, double value) in measure.Of(metrics))
                Add(summary, $"{prefix}{measure.Tag}/{layer}", value);
        }
        Add(summary, $"{prefix}total update angle", metrics.TotalUpdateAngle);
        if (metrics.Histograms is not { } histograms)
            return;
        Add(summary, $"{prefix}weights", histograms.Weights);
        Add(summary, $"{prefix}feedback weights", histograms.FeedbackWeights);
        Add(summary, $"{prefix}gradients", histograms.Gradients);
    }

    public static void Add(this Summary summary, string tag, double? value)
    {
        if (value is { } number)
            summary.Value.Add(new SummaryValue { Tag = tag, SimpleValue = (float)number });
    }

    private static void Add(Summary summary, string tag, IReadOnlyDictionary<string, Histogram> histograms)
    {
        foreach ((string layer, Histogram histogram) in histograms)
        {
            summary.Value.Add(new SummaryValue
            {
                Tag = $"{tag}/{layer}",
                Histo = new HistogramProto
                {
                    Min = histogram.Minimum,
                    Max = histogram.Maximum,
                    Num = histogram.Count,
                    Sum = histogram.Sum,
                    SumSquares = histogram.SumOfSquares,
                    BucketLimit = { histogram.Limits },
                    Bucket = { histogram.Counts.Select(count => (double)count) },
                },
            });
        }
    }
}
