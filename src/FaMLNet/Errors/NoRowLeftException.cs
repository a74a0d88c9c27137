namespace FaMLNet.Errors;

/// <summary>So few rows are trained on that none is left to be kept aside for validation.</summary>
/// <param name="message">For users.</param>
internal sealed class NoRowLeftException(string message) : InvalidOperationException(message);
