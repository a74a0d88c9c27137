using System.Numerics.Tensors;

namespace FaMLNet.Robustness;

/// <summary>
/// One thread at an attack: it keeps many rows under attack, answers their questions together, and lets each go on with its answer. A row that is
/// done makes room for the next.
/// </summary>
internal sealed class AttackWorker
{
    /// <summary>Rows whose questions are answered in one call.</summary>
    private const int Chunk = 64;

    private readonly AttackRun _run;
    private readonly AttackAccess _access;
    private readonly int _features, _classes;
    private readonly float[] _x, _gradients, _logits;
    private readonly int[] _predicted = new int[Chunk];
    private readonly List<Active> _active = [];

    public AttackWorker(AttackRun run, AttackAccess access)
    {
        (_run, _access, _features, _classes) = (run, access, run.Rows.Width, run.Rows.Classes);
        _x = new float[Chunk * _features];
        _gradients = run.Attack.UsesGradients ? new float[Chunk * _features] : [];
        _logits = new float[Chunk * _classes];
    }

    /// <summary>Attacks until there are no more rows.</summary>
    public void Run()
    {
        try
        {
            while (true)
            {
                _run.CheckStopped();
                while (_active.Count < _run.BatchSize && _run.TakeNext() is >= 0 and int index)
                {
                    AttackedRow row = _run.Open(index);
                    _active.Add(new Active(index, row, _run.Attack.Run(row)));
                }
                if (_active.Count == 0)
                    return;
                Finish();
                Answer([.. _active.Where(active => active.Row.AskedLoss == null)], AnswerLogits);
                Answer([.. _active.Where(active => active.Row.AskedLoss != null)], AnswerGradients);
                foreach (Active active in _active)
                    active.Row.Resume();
            }
        }
        finally
        {
            // After a failure the others must not go on; those that are at an await unwind.
            foreach (Active active in _active)
                active.Row.End();
        }
    }

    private void Answer(List<Active> active, Action<List<Active>> answer)
    {
        for (int first = 0; first < active.Count; first += Chunk)
        {
            _run.CheckStopped();
            answer(active.GetRange(first, Math.Min(Chunk, active.Count - first)));
        }
    }

    private void AnswerLogits(List<Active> rows)
    {
        Gather(rows, row => row.Asked!);
        _access.Asked.Run(_x, rows.Count, _logits, _predicted);
        for (int i = 0; i < rows.Count; i++)
        {
            AttackAnswer answer = rows[i].Row.Answer;
            _logits.AsSpan(i * _classes, _classes).CopyTo(answer.LogitsToWrite);
            Judge(answer, rows[i].Row.Label, _predicted[i]);
        }
    }

    private void AnswerGradients(List<Active> rows)
    {
        if (_access.Gradient is not { } gradient)
            throw new InvalidOperationException($"Attack {_run.Attack.Name} asks for gradients, but its UsesGradients is false. Override it.");
        Gather(rows, row => row.Asked!);
        int next = 0;
        gradient.Run(_x.AsSpan(0, rows.Count * _features), rows.Count, (logits, errors) =>
        {
            for (int start = 0; start < logits.Length; start += _classes, next++)
            {
                AttackedRow row = rows[next].Row;
                logits.Slice(start, _classes).CopyTo(row.Answer.LogitsToWrite);
                row.Answer.Loss = row.AskedLoss!.Evaluate(row.Answer.Logits, row.Label, errors.Slice(start, _classes));
                Judge(row.Answer, row.Label, FeedbackAlignmentMulticlassTransformer.IndexOfLargest(row.Answer.Logits));
            }
        }, _gradients);
        for (int i = 0; i < rows.Count; i++)
        {
            Span<float> found = rows[i].Row.Answer.GradientToWrite;
            _gradients.AsSpan(i * _features, _features).CopyTo(found);
            float largest = TensorPrimitives.MaxMagnitude<float>(found);
            if (!float.IsFinite(largest))
                found.Clear();
            if (!float.IsFinite(largest) || largest == 0)
                _run.CountZeroGradient();
        }
        // What the gradient's own forward pass sees is not the last word where classes are close: the model's scores are.
        List<Active> seeming = rows.FindAll(row => row.Row.Answer.Fools);
        if (seeming.Count == 0)
            return;
        Gather(seeming, row => row.Asked!);
        _access.Asked.Run(_x, seeming.Count, _logits, _predicted);
        for (int i = 0; i < seeming.Count; i++)
            Judge(seeming[i].Row.Answer, seeming[i].Row.Label, _predicted[i]);
    }

    /// <summary>Takes the rows that are done out, and has the model judge what was found.</summary>
    private void Finish()
    {
        List<Active> done = _active.FindAll(active => active.Task.IsCompleted);
        if (_active.Find(active => !active.Task.IsCompleted && active.Row.Asked == null) is { } lost)
            throw new InvalidOperationException($"Attack {_run.Attack.Name} waits, at row {lost.Row.Index}, for something else than an answer: "
                + "within Perturb await row.Ask and row.Differentiate only.");
        if (done.Count == 0)
            return;
        _active.RemoveAll(active => active.Task.IsCompleted);
        foreach (Active active in done)
            active.Result = Check(active.Row, active.Task.GetAwaiter().GetResult());
        Answer(done, rows =>
        {
            Gather(rows, rows.ConvertAll(active => active.Result!));
            _access.Judge.Run(_x, rows.Count, _logits, _predicted);
            for (int i = 0; i < rows.Count; i++)
            {
                Active active = rows[i];
                // A row that is as it was is seen as it was.
                bool changed = !active.Row.Clean.SequenceEqual(active.Result);
                _run.Finish(active.Index, active.Row, active.Result!, changed && _predicted[i] != active.Row.Label);
            }
        });
    }

    /// <summary>What an attack has returned, within bound and range.</summary>
    private float[] Check(AttackedRow row, float[]? found)
    {
        string where = $"Attack {_run.Attack.Name}, row {row.Index}";
        if (found is null || found.Length != row.Features)
            throw new InvalidOperationException($"{where}: Perturb must return {row.Features} values, one a feature; it returned "
                + $"{(found is null ? "null" : InvariantText.Of($"{found.Length}"))}.");
        float[] x = [.. found];
        row.Project(x);
        if (Array.FindIndex(x, value => !float.IsFinite(value)) is >= 0 and int slot)
            throw new InvalidOperationException(InvariantText.Of($"{where}: Perturb returned {x[slot]} for slot {slot}; it must return numbers."));
        if (_run.Attack.Norm == AttackNorm.L0 && _run.CountChanged(row.Clean, x) > _run.Attack.Bound)
            throw new InvalidOperationException(InvariantText.Of(
                $"{where}: Perturb changed {_run.CountChanged(row.Clean, x)} pixels or features; its bound is {_run.Attack.Bound}."));
        return x;
    }

    private void Gather(List<Active> rows, Func<AttackedRow, float[]> values) => Gather(rows, rows.ConvertAll(active => values(active.Row)));

    private void Gather(List<Active> rows, List<float[]> values)
    {
        for (int i = 0; i < rows.Count; i++)
            values[i].CopyTo(_x, i * _features);
    }

    private static void Judge(AttackAnswer answer, int label, int predicted) => (answer.Predicted, answer.Fools) = (predicted, predicted != label);

    private sealed class Active(int index, AttackedRow row, Task<float[]> task)
    {
        public int Index { get; } = index;

        public AttackedRow Row { get; } = row;

        public Task<float[]> Task { get; } = task;

        public float[]? Result { get; set; }
    }
}
