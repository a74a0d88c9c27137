using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FaMLNet;

/// <summary>
/// A question to the network, to be awaited. The questions of many rows are answered together, in one pass of the network.
/// </summary>
public readonly struct AttackQuery : IEquatable<AttackQuery>
{
    private readonly AttackedRow _row;

    internal AttackQuery(AttackedRow row) => _row = row;

    /// <summary>For <c>await</c>.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public Awaiter GetAwaiter() => new(_row);

    /// <inheritdoc/>
    public bool Equals(AttackQuery other) => ReferenceEquals(_row, other._row);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is AttackQuery other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _row?.GetHashCode() ?? 0;

    /// <summary>Whether two questions are of one row.</summary>
    public static bool operator ==(AttackQuery left, AttackQuery right) => left.Equals(right);

    /// <summary>Whether two questions are of different rows.</summary>
    public static bool operator !=(AttackQuery left, AttackQuery right) => !left.Equals(right);

    /// <summary>For <c>await</c>.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public readonly struct Awaiter : ICriticalNotifyCompletion, IEquatable<Awaiter>
    {
        private readonly AttackedRow _row;

        internal Awaiter(AttackedRow row) => _row = row;

        /// <summary>False: the answer comes with those of other rows.</summary>
        public bool IsCompleted => false;

        /// <summary>The answer.</summary>
        /// <exception cref="OperationCanceledException">The evaluation has ended.</exception>
        public AttackAnswer GetResult() => _row.TakeAnswer();

        /// <inheritdoc/>
        public void OnCompleted(Action continuation) => _row.ContinueWith(continuation);

        /// <inheritdoc/>
        public void UnsafeOnCompleted(Action continuation) => _row.ContinueWith(continuation);

        /// <inheritdoc/>
        public bool Equals(Awaiter other) => ReferenceEquals(_row, other._row);

        /// <inheritdoc/>
        public override bool Equals(object? obj) => obj is Awaiter other && Equals(other);

        /// <inheritdoc/>
        public override int GetHashCode() => _row?.GetHashCode() ?? 0;

        /// <summary>Whether two are of one row.</summary>
        public static bool operator ==(Awaiter left, Awaiter right) => left.Equals(right);

        /// <summary>Whether two are of different rows.</summary>
        public static bool operator !=(Awaiter left, Awaiter right) => !left.Equals(right);
    }
}
