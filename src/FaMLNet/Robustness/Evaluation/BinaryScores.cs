using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Robustness;

/// <summary>
/// One score, the larger the likelier true; what the model sees is its predicted label, or without one whether the score is above 0.
/// </summary>
internal sealed class BinaryScores : ClassScores
{
    private readonly DataViewSchema.Column _score;
    private readonly DataViewSchema.Column? _predicted;

    public BinaryScores(DataViewSchema.Column score, DataViewSchema.Column? predicted, AttackTarget target)
    {
        _score = score;
        if (!score.Type.Equals(NumberDataViewType.Single))
            throw OptionError.Argument(target.Role, $"{target.ModelType} gives a 'Score' of type {score.Type}; a binary model's is a Single. "
                + $"Attack a classifier with a score a class by mlContext.MulticlassClassification.");
        if (KindOf(score) is { } kind && kind != AnnotationUtils.Const.ScoreColumnKind.BinaryClassification)
            throw OptionError.Argument(target.Role, $"{target.ModelType} gives scores of the kind {kind}. Attack a binary classifier; other "
                + $"models see nothing rightly or wrongly.");
        _predicted = predicted is { Type: BooleanDataViewType } ? predicted : null;
    }

    public override int Classes => BinaryInputGradient.Classes;

    public override IEnumerable<DataViewSchema.Column> Columns => _predicted is { } predicted ? [_score, predicted] : [_score];

    public override ClassReader Open(DataViewRow row)
    {
        ValueGetter<float> getScore = row.GetGetter<float>(_score);
        ValueGetter<bool>? getPredicted = _predicted is { } column ? row.GetGetter<bool>(column) : null;
        float score = 0;
        bool predicted = false;
        return logits =>
        {
            getScore(ref score);
            (logits[0], logits[1]) = (0, score);
            if (getPredicted == null)
                predicted = score > 0;
            else
                getPredicted(ref predicted);
            return predicted ? 1 : 0;
        };
    }

    /// <summary>As ML.NET's evaluators of binary classifiers read labels: Booleans, keys of two values, numbers.</summary>
    public override Func<int> OpenLabel(DataViewRow row, DataViewSchema.Column label, string name, Func<int> number)
    {
        if (label.Type is not (BooleanDataViewType or KeyDataViewType { Count: 2 }) && !label.Type.Equals(NumberDataViewType.Single))
            throw OptionError.Invalid(nameof(RobustnessOptions.LabelColumnName), $"column '{name}' is of type {label.Type}; it must be a "
                + $"Boolean, a key of two values, or a Single that is above 0 for true. Convert it as the model's pipeline does.");
        ValueGetter<float> get = RowCursorUtils.GetLabelGetter(row, label.Index);
        float value = 0;
        return () =>
        {
            get(ref value);
            return !float.IsNaN(value) ? value > 0 ? 1 : 0
                : throw Unknown(name, number(), label.Type is KeyDataViewType ? MissingKey : "no value (NaN)",
                    "Filter the row out");
        };
    }

    private static string? KindOf(DataViewSchema.Column score)
    {
        if (score.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.ScoreColumnKind) is not { Type: TextDataViewType })
            return null;
        ReadOnlyMemory<char> kind = default;
        score.Annotations.GetValue(AnnotationUtils.Kinds.ScoreColumnKind, ref kind);
        return kind.ToString();
    }
}
