namespace FaMLNet.Tasks.Losses;

/// <summary>
/// The sums of a mini-batch: Σ coefficient·loss, correct rows (of several labels: labels), and Σ coefficient·(prediction − label)² in the label's
/// units.
/// </summary>
internal readonly record struct LossSums(double Loss, int Correct, double Squares = 0);

/// <summary>
/// What a step reports: Σ weight·loss, Σ weight, correct rows and rows of its batch, and for a regression Σ weight·(prediction − label)².
/// </summary>
internal readonly record struct BatchResult(double Loss, double Weight, int Correct, int Count, double Squares = 0)
{
    public static BatchResult operator +(BatchResult a, BatchResult b) =>
        new(a.Loss + b.Loss, a.Weight + b.Weight, a.Correct + b.Correct, a.Count + b.Count, a.Squares + b.Squares);
}

/// <summary>
/// What rows showed that were not trained on: Σ weight·loss, Σ weight, rows right, rows whose class is among the k likeliest, all rows, and for a
/// regression Σ weight·(prediction − label)².
/// </summary>
internal readonly record struct EvaluationResult(double Loss, double Weight, long Correct, long AmongTop, int Count, double Squares = 0)
{
    public static EvaluationResult operator +(EvaluationResult a, EvaluationResult b) =>
        new(a.Loss + b.Loss, a.Weight + b.Weight, a.Correct + b.Correct, a.AmongTop + b.AmongTop, a.Count + b.Count, a.Squares + b.Squares);
}
