using Microsoft.ML.Data;

namespace Digits;

/// <summary>A row of digits.csv: an image of 8×8 pixels, 0 to 16, and the digit that it shows.</summary>
internal sealed class Digit
{
    [LoadColumn(0, 63), VectorType(64)]
    public float[] Features { get; set; } = [];

    [LoadColumn(64)]
    public string Label { get; set; } = "";
}

/// <summary>What the model says of an image.</summary>
internal sealed class DigitPrediction
{
    public string PredictedLabel { get; set; } = "";

    public float[] Score { get; set; } = [];
}
