namespace FaMLNet.Cli.Terminal;

/// <summary>Tells of an attack's progress on the thread that attacks; .NET's own tells of it on others, later.</summary>
internal sealed class Telling(Action<RobustnessProgress> tell) : IProgress<RobustnessProgress>
{
    public void Report(RobustnessProgress value) => tell(value);
}
