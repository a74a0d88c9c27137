using FaMLNet.Cli.Terminal;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Parts of the work, which may have parts and be done side by side.</summary>
public sealed class ActivityTests : IDisposable
{
    private readonly HandClock _clock = new();
    private readonly StringWriter _output = new() { NewLine = "\n" };

    private string[] Lines => _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void Dispose()
    {
        _clock.Dispose();
        _output.Dispose();
    }

    [Fact]
    public void The_part_begun_last_is_said_by_the_clock_of_the_whole()
    {
        using (Activity whole = Activity.Start("running 'x.yaml'", _output, _clock))
        {
            using (Activity.Start("reading 'a.csv'"))
                _clock.Ring();
            _clock.Ring();
            using (Activity part = Activity.Start("training", progress: () => "3 of 4"))
            {
                _clock.Ring();
                part.Quiet();
                _clock.Ring();
            }
        }
        _clock.Ring();
        Assert.Equal(["Reading 'a.csv': 0 s so far.", "Running 'x.yaml': 0 s so far.", "Training: 3 of 4, 0 s so far."], Lines);
    }

    [Fact]
    public void What_is_over_is_no_longer_current_in_whatever_order_it_ends()
    {
        Assert.Null(Activity.Current);
        Activity one = Activity.Start("one", _output, _clock), two = Activity.Start("two"), three = Activity.Start("three");
        Assert.Equal("three", Activity.Current);
        two.Dispose();
        Assert.Equal("three", Activity.Current);
        three.Dispose();
        Assert.Equal("one", Activity.Current);
        three.Dispose();
        one.Dispose();
        Assert.Null(Activity.Current);
    }

    [Fact]
    public void A_failure_remembers_the_innermost_part_and_later_ones_do_not()
    {
        InvalidOperationException failure = Assert.Throws<InvalidOperationException>(() => Activity.Run("running", () =>
        {
            try
            {
                Activity.Run("reading", () => throw new IOException("disk"));
            }
            catch (IOException cause)
            {
                throw new InvalidOperationException("wrapped", cause);
            }
        }));
        Assert.Equal("reading", Activity.Of(failure));
        Assert.Null(Activity.Of(new IOException("later")));
    }

    [Fact]
    public void Parts_side_by_side_know_their_own()
    {
        using (Activity.Start("whole", _output, _clock))
        {
            Parallel.For(0, 200, i =>
            {
                using Activity part = Activity.Start($"part {i}");
                Assert.Equal($"part {i}", Activity.Current);
                using (Activity.Start($"part of {i}"))
                {
                    _clock.Ring();
                    Assert.Equal($"part of {i}", Activity.Current);
                }
                Assert.Equal($"part {i}", Activity.Current);
            });
            Assert.Equal("whole", Activity.Current);
            Assert.Equal(200, Lines.Length);
            Assert.All(Lines, line => Assert.Matches("^Part (of )?[0-9]+: 0 s so far.$", line));
        }
    }

    [Fact]
    public async Task Nothing_is_said_after_the_end_not_even_a_line_that_was_begun()
    {
        using SlowWriter output = new();
        Activity activity = Activity.Start("reading", output, _clock);
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Task said = Task.Run(_clock.Ring, cancellation), over = Task.Run(async () =>
        {
            await output.Begun.Task;
            output.MayEnd.SetResult();
            activity.Dispose();
            output.Events.Add("over");
        }, cancellation);
        await Task.WhenAll(said, over);
        Assert.Equal(["said", "over"], output.Events);
    }

    [Fact]
    public void An_output_that_nobody_reads_does_not_stop_the_work()
    {
        _output.Dispose();
        using (Activity.Start("reading", _output, _clock))
            _clock.Ring();
        Assert.True(_clock.Rings == 1);
    }

    [Fact]
    public void Lines_go_elsewhere_where_standard_error_is_not_free()
    {
        List<string> above = [];
        using (Activity.Start("reading", time: _clock))
        {
            using (Activity.SayBy(above.Add))
                _clock.Ring();
        }
        Assert.Equal(["Reading: 0 s so far."], above);
    }

    /// <summary>A line takes until the test says so.</summary>
    private sealed class SlowWriter : StringWriter
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayEnd { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Events { get; } = [];

        public override void WriteLine(string? value)
        {
            Begun.SetResult();
            MayEnd.Task.Wait();
            Thread.Yield();
            Events.Add("said");
        }
    }
}
