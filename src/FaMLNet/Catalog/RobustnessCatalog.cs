using FaMLNet;
using FaMLNet.Persistence;
using FaMLNet.Robustness;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Measures how trained classifiers stand up to adversarial attacks.</summary>
public static class RobustnessCatalog
{
    /// <summary>Attacks a model and reports how much of its accuracy is left.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification</c>.</param>
    /// <param name="model">
    /// A fitted transformer or chain. What lies before the model in it is applied first; the column that the model reads is attacked, and bounds
    /// are in that column's units. Attacks without gradients take any multiclass model with a <c>Score</c> column; those with gradients one of
    /// FaMLNet's.
    /// </param>
    /// <param name="data">Rows with the right classes.</param>
    /// <param name="attacks">What to try, each on all rows that the model sees rightly.</param>
    /// <param name="options">Null for defaults.</param>
    /// <param name="surrogate">
    /// Another fitted pipeline, of the same features and classes, that the attacker knows instead: perturbations are crafted on it and judged by
    /// <paramref name="model"/>. Null: the attacker knows the model.
    /// </param>
    /// <exception cref="ArgumentException">A column, option, attack or model that does not fit; the message names it and the cure.</exception>
    /// <exception cref="OperationCanceledException"><see cref="RobustnessOptions.CancellationToken"/> was cancelled.</exception>
    /// <example>
    /// <code>
    /// RobustnessReport report = mlContext.MulticlassClassification.EvaluateRobustness(model, testData,
    ///     [Attack.Fgsm(8 / 255f), Attack.Pgd(8 / 255f), Attack.Square(8 / 255f)], new RobustnessOptions { MaximumRows = 1000, Seed = 1 });
    /// Console.WriteLine(report);
    /// </code>
    /// </example>
    public static RobustnessReport EvaluateRobustness(this MulticlassClassificationCatalog catalog, ITransformer model, IDataView data,
        IReadOnlyList<Attack> attacks, RobustnessOptions? options = null, ITransformer? surrogate = null) =>
        Evaluate(catalog, ModelTask.Multiclass, model, data, attacks, options, surrogate);

    /// <summary>Attacks a classifier of true and false and reports how much of its accuracy is left.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.BinaryClassification</c>.</param>
    /// <param name="model">
    /// As in the multiclass form; a binary model's <c>Score</c> is one number. Its own <c>PredictedLabel</c> counts, so that a threshold of the
    /// model's own is the boundary that attacks try to cross.
    /// </param>
    /// <param name="data">Rows with the right labels: Boolean, a key of two values, or Single, above 0 for true.</param>
    /// <param name="attacks">What to try, each on all rows that the model sees rightly.</param>
    /// <param name="options">Null for defaults.</param>
    /// <param name="surrogate">Another fitted pipeline that the attacker knows instead; null: the attacker knows the model.</param>
    /// <exception cref="ArgumentException">A column, option, attack or model that does not fit; the message names it and the cure.</exception>
    /// <exception cref="OperationCanceledException"><see cref="RobustnessOptions.CancellationToken"/> was cancelled.</exception>
    public static RobustnessReport EvaluateRobustness(this BinaryClassificationCatalog catalog, ITransformer model, IDataView data,
        IReadOnlyList<Attack> attacks, RobustnessOptions? options = null, ITransformer? surrogate = null) =>
        Evaluate(catalog, ModelTask.Binary, model, data, attacks, options, surrogate);

    /// <summary>Attacks a model and gives the rows as the attack has left them.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.MulticlassClassification</c>.</param>
    /// <param name="model">As in <c>EvaluateRobustness</c>.</param>
    /// <param name="data">Rows with the right classes.</param>
    /// <param name="attack">What to try.</param>
    /// <param name="options">Null for defaults.</param>
    /// <returns>
    /// The rows, in their order, as the model gets them (after all that lies before it in its chain), with the attacked column replaced, what was
    /// there in a column <c>Clean…</c>, and <c>Fooled</c>. A row that withstood has the last change that was tried; a row that the model sees
    /// wrongly by itself is not attacked, stays as it is and is not <c>Fooled</c>.
    /// </returns>
    /// <exception cref="ArgumentException">A column, option, attack or model that does not fit; the message names it and the cure.</exception>
    /// <exception cref="OperationCanceledException"><see cref="RobustnessOptions.CancellationToken"/> was cancelled.</exception>
    public static IDataView CreateAdversarialExamples(this MulticlassClassificationCatalog catalog, ITransformer model, IDataView data, Attack attack,
        RobustnessOptions? options = null) => Create(catalog, ModelTask.Multiclass, model, data, attack, options);

    /// <summary>Attacks a classifier of true and false and gives the rows as the attack has left them.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.BinaryClassification</c>.</param>
    /// <param name="model">As in <c>EvaluateRobustness</c>.</param>
    /// <param name="data">Rows with the right labels.</param>
    /// <param name="attack">What to try.</param>
    /// <param name="options">Null for defaults.</param>
    /// <returns>The rows as in the multiclass form.</returns>
    /// <exception cref="ArgumentException">A column, option, attack or model that does not fit; the message names it and the cure.</exception>
    /// <exception cref="OperationCanceledException"><see cref="RobustnessOptions.CancellationToken"/> was cancelled.</exception>
    public static IDataView CreateAdversarialExamples(this BinaryClassificationCatalog catalog, ITransformer model, IDataView data, Attack attack,
        RobustnessOptions? options = null) => Create(catalog, ModelTask.Binary, model, data, attack, options);

    private static RobustnessReport Evaluate(TrainCatalogBase catalog, ModelTask task, ITransformer model, IDataView data,
        IReadOnlyList<Attack> attacks, RobustnessOptions? options, ITransformer? surrogate)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new RobustnessEvaluation(EnvironmentOf(catalog), task, model, data, attacks, options, surrogate).Evaluate(attacks);
    }

    private static AdversarialView Create(TrainCatalogBase catalog, ModelTask task, ITransformer model, IDataView data, Attack attack,
        RobustnessOptions? options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(attack);
        RobustnessEvaluation evaluation = new(EnvironmentOf(catalog), task, model, data, [attack], options);
        if (options?.LabelColumnName is { } label
            && (label == AdversarialView.Fooled || label == AdversarialView.CleanName(evaluation.FeatureColumnName)))
            throw OptionError.Invalid(nameof(RobustnessOptions.LabelColumnName), $"the examples get a column '{label}' that would hide the label. "
                + $"Copy the label under another name with mlContext.Transforms.CopyColumns.");
        IReadOnlyList<float[]> clean = evaluation.Rows.Features;
        float[]?[] examples = new float[]?[clean.Count];
        AttackResult result = evaluation.Run(attack, (1, 1), examples);
        return new AdversarialView(evaluation.Prepared, evaluation.FeatureColumnName, clean, [.. examples.Select((row, i) => row ?? clean[i])],
            [.. clean.Select((_, i) => result.Outcomes.GetValueOrDefault(i))]);
    }

    private static IHostEnvironment EnvironmentOf(TrainCatalogBase catalog) => Data.CatalogUtils.GetEnvironment(catalog);
}
