namespace TextTopics;

/// <summary>A text and its topic.</summary>
public sealed class Document
{
    public string Topic { get; set; } = "";

    public string Text { get; set; } = "";
}

/// <summary>What a model says of a text.</summary>
public sealed class TopicPrediction
{
    public string PredictedLabel { get; set; } = "";

    public float[] Score { get; set; } = [];
}
