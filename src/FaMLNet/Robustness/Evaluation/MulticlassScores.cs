using System.Text;
using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Robustness;

/// <summary>A vector of scores, one per class; the classes' names are the values of the predicted key.</summary>
internal sealed class MulticlassScores : ClassScores
{
    private readonly DataViewSchema.Column _scores;
    private readonly DataViewSchema.Column? _predicted;
    private readonly int _classes;

    public MulticlassScores(DataViewSchema.Column scores, DataViewSchema.Column? predicted, AttackTarget target)
    {
        (_scores, _predicted) = (scores, predicted);
        if (scores.Type is not VectorDataViewType { Size: > 1 } type || !type.ItemType.Equals(NumberDataViewType.Single))
            throw OptionError.Argument(target.Role, $"{target.ModelType} gives a 'Score' of type {scores.Type}; a multiclass model's is a "
                + $"vector of Single with one value a class. Attack a classifier of true and false by mlContext.BinaryClassification.");
        _classes = type.Size;
    }

    public override int Classes => _classes;

    public override IEnumerable<DataViewSchema.Column> Columns => [_scores];

    public override ClassReader Open(DataViewRow row)
    {
        ValueGetter<VBuffer<float>> get = row.GetGetter<VBuffer<float>>(_scores);
        VBuffer<float> values = default;
        return logits =>
        {
            get(ref values);
            values.CopyTo(logits);
            int predicted = FeedbackAlignmentMulticlassTransformer.IndexOfLargest(logits);
            ToLogits(logits);
            return predicted;
        };
    }

    public override Func<int> OpenLabel(DataViewRow row, DataViewSchema.Column label, string name, Func<int> number)
    {
        string[]? names = ClassNames();
        Dictionary<string, int> byName = [];
        for (int i = 0; i < (names?.Length ?? 0); i++)
            byName.TryAdd(names![i], i);
        if (label.Type is KeyDataViewType)
        {
            ValueGetter<float> getKey = RowCursorUtils.GetLabelGetter(row, label.Index);
            string[]? own = ColumnNames.ClassesOf(label);
            float key = 0;
            return () =>
            {
                getKey(ref key);
                if (float.IsNaN(key))
                    throw NotKnown(name, number(), MissingKey, names, "Filter the row out");
                int index = (int)key;
                // Two mappings may number the same classes otherwise: what counts is the class.
                if (own != null && names != null)
                    return byName.TryGetValue(own[index], out int known) ? known
                        : throw NotKnown(name, number(), $"the class '{own[index]}'", names, "Leave out rows of other classes");
                return index < _classes ? index : throw NotKnown(name, number(), InvariantText.Of($"the class number {index}"), names,
                    "Use the key mapping that the model was trained with");
            };
        }
        if (names == null || label.Type is VectorDataViewType)
            throw OptionError.Invalid(nameof(RobustnessOptions.LabelColumnName), $"column '{name}' is of type {label.Type}; it must be a key. "
                + $"Append MapValueToKey(\"{name}\") as the model's pipeline does.");
        ValueGetter<StringBuilder> getText = RowCursorUtils.GetGetterAsStringBuilder(row, label.Index);
        StringBuilder text = new();
        return () =>
        {
            getText(ref text);
            return byName.TryGetValue(text.ToString(), out int known) ? known
                : throw NotKnown(name, number(), $"the class '{text}'", names, "Leave out rows of other classes");
        };
    }

    /// <summary>Probabilities become their logarithms, which are logits but for a constant.</summary>
    private static void ToLogits(Span<float> scores)
    {
        double sum = 0;
        foreach (float score in scores)
        {
            if (!(score >= 0))
                return;
            sum += score;
        }
        if (Math.Abs(sum - 1) > 1e-3)
            return;
        for (int i = 0; i < scores.Length; i++)
            scores[i] = MathF.Log(Math.Max(scores[i], float.Epsilon));
    }

    /// <summary>The classes as the model names them; null if it does not.</summary>
    private string[]? ClassNames() =>
        _predicted is { } predicted && ColumnNames.ClassesOf(predicted) is { } names && names.Length == _classes ? names : null;

    private static ArgumentException NotKnown(string label, int row, string found, string[]? names, string cure)
    {
        string more = names?.Length > 20 ? ", …" : "";
        string known = names == null ? "" : $"; it knows {string.Join(", ", names.Take(20).Select(name => $"'{name}'"))}{more}";
        return Unknown(label, row, $"{found}, which the model does not know{known}", cure);
    }
}
