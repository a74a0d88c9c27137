using Microsoft.ML;

namespace FaMLNet.Cli.Sets;

/// <summary>A data set, opened: rows to train on and rows to test on.</summary>
/// <param name="Train">The training rows.</param>
/// <param name="Test">The test rows.</param>
/// <param name="Table">What its columns are, where it is a table; null for images, which have Features and a Label that is a key.</param>
internal sealed record DataSet(IDataView Train, IDataView Test, DataSource? Table);
