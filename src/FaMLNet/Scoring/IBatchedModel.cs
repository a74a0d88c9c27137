namespace FaMLNet.Scoring;

/// <summary>A model that scores many rows at once.</summary>
internal interface IBatchedModel
{
    /// <summary>Features per row.</summary>
    public int NumberOfFeatures { get; }

    /// <summary>Scores per row.</summary>
    public int NumberOfScores { get; }

    /// <summary>Whether many rows at once cost much less than one at a time.</summary>
    public bool GainsFromBatches { get; }

    /// <summary>Turns the network's outputs into scores, in place.</summary>
    /// <param name="outputs">Rows × outputs.</param>
    /// <param name="count">How many rows.</param>
    public void ToScores(Span<float> outputs, int count);

    /// <summary>One thread's use of the model.</summary>
    public IScoringSession OpenSession();

    /// <summary>
    /// Keeps the native memory of the network, which a model that is disposed would free, until the result is disposed; null where there is none.
    /// </summary>
    public IDisposable? Lease();
}

/// <summary>The scores of the present row.</summary>
internal delegate ReadOnlySpan<float> RowScores();

/// <summary>The getter (a <c>ValueGetter</c> of the column's type) of one of the columns that a scorer adds, by name.</summary>
/// <param name="column">The column's name.</param>
/// <param name="scores">The scores from which it follows.</param>
internal delegate Delegate OutputColumns(string column, RowScores scores);
