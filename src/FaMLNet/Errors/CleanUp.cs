using System.Diagnostics;

namespace FaMLNet.Errors;

/// <summary>
/// Cleaning up that never hides why it is done: an exception from a <c>Dispose</c> in a <c>using</c>, <c>catch</c> or <c>finally</c> would take
/// the place of the one under way. What fails here is written to <see cref="Trace"/> instead. For what is not our own code, above all modules of
/// the user's.
/// </summary>
internal static class CleanUp
{
    /// <summary>Disposes something.</summary>
    public static void Dispose(IDisposable? something)
    {
        if (something != null)
            Run(something.Dispose, $"disposing a {something.GetType().FullName}");
    }

    /// <summary>Runs something.</summary>
    /// <param name="action">What to run.</param>
    /// <param name="what">For the message: «… failed».</param>
    /// <param name="report">Receives the message; null for the trace.</param>
    public static void Run(Action action, string what, Action<string>? report = null)
    {
        try
        {
            action();
        }
        catch (Exception failure)
        {
            if (report != null)
                report($"{what} failed: {failure.Message}");
            else
                Trace.TraceWarning($"FaMLNet: {what} failed: {failure}");
        }
    }
}
