namespace FaMLNet.Training;

/// <summary>
/// What training leaves behind, in managed memory: parameters, statistics of batch normalisation and feedback weights in their flat
/// layouts.
/// </summary>
internal sealed record TrainedNetwork(NetworkLayout Layout, FeedbackRule Rule, float[] Parameters, float[] Statistics, float[] Feedback,
    IReadOnlyList<EpochMetrics> History);
