using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using Microsoft.ML;

namespace FaMLNet.Cli.Sets;

/// <summary>A data set, opened: rows to train on and rows to test on.</summary>
/// <param name="Train">The training rows.</param>
/// <param name="Test">The test rows.</param>
/// <param name="Table">What its columns are, where it is a table; null for images, which have Features and a Label that is a key.</param>
internal sealed record DataSet(IDataView Train, IDataView Test, DataSource? Table)
{
    /// <summary>What there is to learn of the label.</summary>
    public LabelTask Task => Table?.Task ?? LabelTask.Multiclass;

    /// <summary>The label's column.</summary>
    public string Label => Table?.Label ?? "Label";

    /// <summary>Test rows of classes without a training row; they are not among <see cref="Test"/>, and count as wrong.</summary>
    public UnseenClasses Unseen { get; init; } = UnseenClasses.None;

    /// <summary>Test rows without a label; they are not among <see cref="Test"/>, and nothing is measured on them.</summary>
    public int Unlabelled { get; init; }
}
