using System.Globalization;

namespace FaMLNet.Cli.Terminal;

/// <summary>
/// A part of the work, said on standard error where it takes a while: within a second, and then every few seconds. Parts may have parts: the one
/// begun last is said. A failure remembers the part during which it was thrown.
/// </summary>
internal sealed class Activity : IDisposable
{
    /// <summary>When it is first said, and how often after that.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(0.7), Period = TimeSpan.FromSeconds(5);

    private const string Mark = "FaMLNet.Activity", End = " s so far.";

    private static readonly AsyncLocal<Activity?> Latest = new();

    /// <summary>Receives the lines instead of standard error; null for standard error.</summary>
    private static Action<string>? _receiver;

    private readonly string _text;
    private readonly Func<string>? _progress;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Activity? _parent;
    private readonly Activity _root;
    private volatile bool _isOver, _isQuiet;

    // Of a part that is not within another: one clock for all parts, so that many short ones are heard as well.
    private readonly Lock _gate = new();
    private readonly List<Activity> _running = [];
    private readonly Action<string>? _say;
    private readonly ITimer? _timer;

    private Activity(string text, Func<string>? progress, TextWriter? output, TimeProvider time)
    {
        _parent = Running;
        _root = _parent?._root ?? this;
        _time = _parent?._time ?? time;
        (_text, _progress, _start) = (text, progress, _time.GetTimestamp());
        lock (_root._gate)
            _root._running.Add(this);
        Latest.Value = this;
        if (_root != this)
            return;
        _say = output == null ? null : output.WriteLine;
        _timer = time.CreateTimer(_ => Ring(), null, First, Period);
    }

    /// <summary>What is being done now, here and by the threads begun here; null for nothing.</summary>
    public static string? Current => Running?._text;

    private static Activity? Running
    {
        get
        {
            Activity? activity = Latest.Value;
            while (activity is { _isOver: true })
                activity = activity._parent;
            return activity;
        }
    }

    /// <summary>Begins a part.</summary>
    /// <param name="text">What is done, for example "reading 'a.csv'".</param>
    /// <param name="output">Where it is said, unless it is within another part; null for standard error.</param>
    /// <param name="time">The clock, unless it is within another part; null for the system's.</param>
    /// <param name="progress">How far it is, asked from another thread; null where that is not known.</param>
    /// <returns>To be disposed when the part is over.</returns>
    public static Activity Start(string text, TextWriter? output = null, TimeProvider? time = null, Func<string>? progress = null) =>
        new(text, progress, output, time ?? TimeProvider.System);

    /// <summary>Does a part, whose failures remember it.</summary>
    public static T Run<T>(string text, Func<T> work) => Run(text, _ => work());

    /// <inheritdoc cref="Run{T}(string, Func{T})"/>
    public static void Run(string text, Action work) => Run(text, _ =>
    {
        work();
        return 0;
    });

    /// <summary>Does a part that may become <see cref="Quiet"/>; its failures remember it.</summary>
    public static T Run<T>(string text, Func<Activity, T> work)
    {
        using Activity activity = Start(text);
        try
        {
            return work(activity);
        }
        // A filter, so that the stack of the failure stays whole.
        catch (Exception failure) when (activity.Remember(failure))
        {
            throw;
        }
    }

    /// <summary>During which part something was thrown: the innermost that remembers; null where that is not known.</summary>
    public static string? Of(Exception failure)
    {
        string? text = null;
        for (Exception? each = failure; each != null; each = each.InnerException)
            text = each.Data[Mark] as string ?? text;
        return text ?? Current;
    }

    /// <summary>Sends what is said elsewhere, for example above a table that is drawn anew again and again.</summary>
    /// <returns>To be disposed where standard error is free again.</returns>
    public static IDisposable SayBy(Action<string> receiver) => new Redirection(receiver);

    /// <summary>Whether a line is one that says how far something is.</summary>
    public static bool IsLine(string line) => line.TrimEnd().EndsWith(End, StringComparison.Ordinal);

    /// <summary>From now on the part speaks for itself, for example a training whose epochs are shown.</summary>
    public void Quiet() => _isQuiet = true;

    public void Dispose()
    {
        lock (_root._gate) // who is saying something ends its line first
        {
            _isOver = true;
            _root._running.Remove(this);
        }
        if (Latest.Value == this)
            Latest.Value = _parent;
        _timer?.Dispose();
    }

    private bool Remember(Exception failure)
    {
        failure.Data[Mark] ??= _text;
        return false;
    }

    private void Ring()
    {
        lock (_gate)
        {
            if (_isOver || _running[^1] is not { _isQuiet: false } part)
                return;
            string far = part._progress?.Invoke() is { Length: > 0 } progress ? $"{progress}, " : "";
            string line = $"{char.ToUpperInvariant(part._text[0])}{part._text[1..]}: {far}"
                + $"{_time.GetElapsedTime(part._start).TotalSeconds.ToString("F0", CultureInfo.InvariantCulture)}{End}";
            try
            {
                (_say ?? _receiver ?? Console.Error.WriteLine)(line);
            }
            catch (Exception failure) when (failure is IOException or ObjectDisposedException)
            {
                // Nobody listens any more. The work goes on.
            }
        }
    }

    private sealed class Redirection : IDisposable
    {
        private readonly Action<string>? _before = _receiver;

        public Redirection(Action<string> receiver) => _receiver = receiver;

        public void Dispose() => _receiver = _before;
    }
}
