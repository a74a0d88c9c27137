using System.Globalization;

namespace FaMLNet.Cli;

/// <summary>A part of the work, said on standard error where it takes a while: within a second, and then every few seconds.</summary>
internal sealed class Activity : IDisposable
{
    /// <summary>When it is first said, and how often after that.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(0.7), Period = TimeSpan.FromSeconds(5);

    private readonly TextWriter _output;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private int _isOver;

    private Activity(string text, TextWriter output, TimeProvider time)
    {
        Current = text;
        (_output, _time, _start) = (output, time, time.GetTimestamp());
        _timer = time.CreateTimer(_ => Say(text), null, First, Period);
    }

    /// <summary>The part begun last, which a failure is put down to; null before the first.</summary>
    public static string? Current { get; private set; }

    /// <param name="text">What is done, for example "reading 'a.csv'".</param>
    /// <param name="output">Where it is said; null for standard error.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <returns>To be disposed when the part is over.</returns>
    public static Activity Start(string text, TextWriter? output = null, TimeProvider? time = null) =>
        new(text, output ?? Console.Error, time ?? TimeProvider.System);

    public void Dispose()
    {
        Volatile.Write(ref _isOver, 1);
        _timer.Dispose();
    }

    private void Say(string text)
    {
        if (Volatile.Read(ref _isOver) == 0)
            _output.WriteLine($"{char.ToUpperInvariant(text[0])}{text[1..]}: "
                + $"{_time.GetElapsedTime(_start).TotalSeconds.ToString("F0", CultureInfo.InvariantCulture)} s so far.");
    }
}
