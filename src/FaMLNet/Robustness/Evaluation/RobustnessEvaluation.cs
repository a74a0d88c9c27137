using FaMLNet.Persistence;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace FaMLNet.Robustness;

/// <summary>Prepares an evaluation, runs the attacks one after the other, and reports.</summary>
internal sealed class RobustnessEvaluation
{
    private readonly IHostEnvironment _env;
    private readonly ModelTask _task;
    private readonly AttackTarget _target;
    private readonly AttackTarget? _surrogate;
    private readonly RobustnessOptions _options;
    private readonly AttackRows _rows;
    private readonly int _seed;

    /// <exception cref="ArgumentException">Something does not go together; said before any long work.</exception>
    public RobustnessEvaluation(IHostEnvironment env, ModelTask task, ITransformer model, IDataView data, IReadOnlyList<Attack> attacks,
        RobustnessOptions? options, ITransformer? surrogate = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(attacks);
        (_env, _task, _options) = (env, task, options ?? new RobustnessOptions());
        _options.Validate();
        if (attacks.Count == 0)
            throw OptionError.Argument(nameof(attacks), $"it has none. Give at least one, for example Attack.Pgd(8 / 255f).");
        foreach (Attack attack in attacks)
        {
            ArgumentNullException.ThrowIfNull(attack, nameof(attacks));
            attack.Check();
        }
        _target = AttackTarget.Find(model, _options.FeatureColumnName, nameof(model));
        _surrogate = surrogate == null ? null : AttackTarget.Find(surrogate, featureColumn: null, nameof(surrogate));
        if (attacks.FirstOrDefault(attack => attack.UsesGradients) is { } white)
            CheckGradients(white);
        Prepared = _target.Prepare(data);
        _rows = AttackRows.Read(env, _task, _target, Prepared, _options);
        if (_rows.Range == null && attacks.FirstOrDefault(attack => attack.NeedsInputRange) is { } drawing)
            throw OptionError.Invalid(nameof(RobustnessOptions.InputRange),
                $"attack {drawing.Name} draws values from the range of the features, which is "
                + $"not known: the data are no images with values in [0, 1] or [0, 255]. Set InputRange = (lower, upper) for column "
                + $"'{_target.FeatureColumnName}'.");
        if (_surrogate != null)
            CheckSurrogate(data);
        _seed = _options.Seed ?? (env as IHostEnvironmentInternal)?.Seed ?? 0;
    }

    /// <summary>The data as the model gets it.</summary>
    public IDataView Prepared { get; }

    public string FeatureColumnName => _target.FeatureColumnName;

    public AttackRows Rows => _rows;

    /// <summary>Runs attacks.</summary>
    public RobustnessReport Evaluate(IReadOnlyList<Attack> attacks)
    {
        using IChannel channel = _env.Start("Robustness");
        List<AttackResult> results = [];
        foreach (Attack attack in attacks)
        {
            AttackResult result = Run(attack, (results.Count + 1, attacks.Count));
            channel.Info($"{result}");
            results.Add(result);
        }
        double extent = _rows.Range is var (lower, upper) ? (double)upper - lower
            : (double)_rows.Features.Max(row => row.Max()) - _rows.Features.Min(row => row.Min());
        List<string> warnings = [.. GradientMasking.Find(results, extent)];
        if (_options.ThreatModel == ThreatModel.FeedbackGradient && results.Exists(result => result.ThreatModel != null))
            warnings.Add("The attacker has differentiated through the feedback weights, which is not the network's gradient: what withstands that "
                + "may fall to ThreatModel.TrueGradient.");
        foreach (string warning in warnings)
            channel.Warning(warning);
        return new RobustnessReport(_rows.Labels.Count, _rows.Right.Length, FeatureColumnName, _rows.Range, _surrogate != null, _seed, results,
            warnings);
    }

    /// <summary>Runs one attack.</summary>
    /// <param name="attack">The attack.</param>
    /// <param name="place">Its number of how many, for the progress.</param>
    /// <param name="examples">Receives the changed features of each attacked row; null if they are not wanted.</param>
    public AttackResult Run(Attack attack, (int Number, int Of) place, float[]?[]? examples = null)
    {
        AttackTarget asked = _surrogate ?? _target;
        AttackTarget[] both = [_target, asked];
        bool usesLibTorch = both.Any(target => target.Network is { } network && network.NeedsLibTorch),
            takesTurns = both.Any(target => target.Network is { } network && !network.IsThreadSafe);
        int threads = takesTurns ? 1 : _options.NumberOfThreads ?? Environment.ProcessorCount;
        return new AttackRun(attack, _rows, _options, _seed, Open, _surrogate != null, usesLibTorch, threads, place, examples).Run();

        AttackAccess Open()
        {
            AttackScorer judge = Scorer(_target);
            return new AttackAccess(judge, asked == _target ? judge : Scorer(asked),
                attack.UsesGradients ? asked.Network!.OpenGradient(_options.ThreatModel) : null);
        }
    }

    private AttackScorer Scorer(AttackTarget target) => target.Network is { } network ? network.OpenScorer()
        : new TransformerAttackScorer(target, _task, _rows.Width, _rows.Classes);

    private void CheckGradients(Attack attack)
    {
        AttackTarget asked = _surrogate ?? _target;
        if (asked.Network is not { } network)
            throw OptionError.Argument(asked.Role, $"attack {attack.Name} needs gradients, and {asked.ModelType} is not a FaMLNet classifier. "
                + $"Attack it by Attack.Square, Attack.FewPixel or Attack.Noise, or give a FaMLNet model as surrogate on which to craft.");
        network.CheckGradient(_options.ThreatModel);
    }

    /// <summary>The surrogate must take the very features that the model takes.</summary>
    private void CheckSurrogate(IDataView data)
    {
        RobustnessOptions options = _options with { FeatureColumnName = null, InputRange = null };
        AttackRows rows = AttackRows.Read(_env, _task, _surrogate!, _surrogate!.Prepare(data), options);
        if (rows.Width != _rows.Width || rows.Classes != _rows.Classes)
            throw OptionError.Argument("surrogate", $"it takes {rows.Width} features and knows {rows.Classes} classes; the model takes "
                + $"{_rows.Width} and knows {_rows.Classes}. Train it on the same data.");
        for (int row = 0; row < rows.Labels.Count; row++)
        {
            if (rows.Labels[row] != _rows.Labels[row])
                throw OptionError.Argument("surrogate", $"it numbers the classes otherwise than the model (row {row + 1}: {rows.Labels[row]}, the "
                    + $"model {_rows.Labels[row]}). Train it with the same key mapping.");
            if (!rows.Features[row].AsSpan().SequenceEqual(_rows.Features[row]))
                throw OptionError.Argument("surrogate", $"what its pipeline makes of row {row + 1} in column '{_surrogate.FeatureColumnName}' is not "
                    + $"what the model's makes in '{_target.FeatureColumnName}', so a perturbation of one is none of the other. Train "
                    + $"both on the same features, with the same steps before the trainers.");
        }
    }
}
