namespace FaMLNet.Cli.Configuration;

/// <summary>Which rows tell the best epoch.</summary>
/// <param name="Share">Share of the training rows, kept aside.</param>
/// <param name="Rows">So many of the training rows, kept aside; null where a share says it.</param>
/// <param name="OnTest">Whether it is the test set, because the file says so.</param>
internal sealed record ValidationChoice(double Share, long? Rows, bool OnTest)
{
    public static ValidationChoice None { get; } = new(0, null, false);

    public bool IsNone => Share == 0 && Rows == null && !OnTest;

    /// <summary>Reads <c>data.validation</c>.</summary>
    public static ValidationChoice Read(ConfigurationKeys keys, string dataset)
    {
        // BioTorch's own splits: CIFAR-10's benchmark keeps 5,000 images aside.
        if (keys.Node("data.validation") is not { } node)
            return dataset == "cifar10_benchmark" ? new ValidationChoice(0, 5000, false) : new ValidationChoice(0.1, null, false);
        if (keys.Number("data.validation") is not { } amount)
            return node.GetValue<string>() == "test" ? new ValidationChoice(0, null, true) : ValidationChoice.None;
        return amount < 1 ? new ValidationChoice(amount, null, false)
            : amount == Math.Floor(amount) ? new ValidationChoice(0, (long)amount, false)
            : throw keys.Error("data.validation", "must be a share below 1 or a whole number of rows.");
    }
}
