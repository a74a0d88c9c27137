using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Features that bear names are compared by them: another order is refused in training and warned of in scoring.</summary>
public sealed class FeaturesByNameTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _warnings = [];
    private readonly IDataView _rows;

    public FeaturesByNameTests()
    {
        _mlContext.Log += (_, entry) =>
        {
            if (entry.Kind == ChannelMessageKind.Warning)
                _warnings.Add(entry.RawMessage);
        };
        _rows = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(Raw()).Transform(Raw());

        IDataView Raw() => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Row
        {
            A = i,
            B = i % 5,
            C = i % 3,
            X = i,
            Y = i,
            Z = i,
            Label = $"{i % 2}",
            Truth = i % 2 == 0,
            Number = i
        }).ToList());
    }

    private FeedbackAlignmentMulticlassTrainer Multiclass => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(numberOfEpochs: 1);

    [Fact]
    public void Every_trainer_refuses_a_validation_set_whose_features_come_in_another_order()
    {
        IDataView first = Features("A", "B", "C"), other = Features("A", "C", "B");
        foreach (Action<IDataView> fit in new Action<IDataView>[]
        {
            data => Multiclass.Fit(first, data),
            data => _mlContext.BinaryClassification.Trainers.FeedbackAlignment(labelColumnName: "Truth", numberOfEpochs: 1).Fit(first, data),
            data => _mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Number", numberOfEpochs: 1).Fit(first, data),
        })
        {
            fit(Features("A", "B", "C"));
            string message = Assert.Throws<InvalidOperationException>(() => fit(other)).Message;
            Assert.Contains("Feature column 'Features' of the validation data: slot 1 is 'C', but 'B' in the training data", message,
                StringComparison.Ordinal);
            Assert.Contains("Concatenate", message, StringComparison.Ordinal);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_model_is_not_trained_further_on_features_in_another_order(bool loads)
    {
        ISingleFeaturePredictionTransformer<object> first = Multiclass.Fit(Features("A", "B", "C"));
        if (loads)
        {
            using MemoryStream file = new();
            _mlContext.Model.Save((ITransformer)first, Features("A", "B", "C").Schema, file);
            file.Position = 0;
            first = (ISingleFeaturePredictionTransformer<object>)_mlContext.Model.Load(file, out _);
        }
        var model = (FeedbackAlignmentMulticlassModelParameters)first.Model;
        Multiclass.Fit(Features("A", "B", "C"), model);
        string message = Assert.Throws<InvalidOperationException>(() => Multiclass.Fit(Features("B", "A", "C"), model)).Message;
        Assert.Contains("Feature column 'Features' of the training data: slot 0 is 'B', but 'A' in the model to continue", message,
            StringComparison.Ordinal);
        // One feature in the place of another is none of the model's either.
        Assert.Throws<InvalidOperationException>(() => Multiclass.Fit(Features("A", "B", "X"), model));
    }

    /// <summary>Names that have nothing in common say nothing of the order: they are taken for the same features, with a word.</summary>
    [Fact]
    public void Other_names_altogether_are_warned_of()
    {
        Multiclass.Fit(Features("A", "B", "C"), Features("X", "Y", "Z"));
        Assert.Single(_warnings, warning => warning.Contains("other names than those of the training data (slot 0: 'X', 'A')",
            StringComparison.Ordinal));
    }

    [Fact]
    public void Features_without_names_are_taken_as_they_come()
    {
        IDataView plain = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i =>
            new Plain { Features = [i, i % 5, i % 3], Label = i % 2 == 0 }).ToList());
        var trainer = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(labelColumnName: "Truth", numberOfEpochs: 1);
        IDataView named = _mlContext.Transforms.CopyColumns("Truth", "Label").Fit(plain).Transform(plain);
        trainer.Fit(Features("A", "B", "C"), named);
        trainer.Fit(named, Features("B", "A", "C"));
        Assert.Empty(_warnings);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Scoring_features_in_another_order_is_warned_of_once(bool loads)
    {
        IDataView first = Features("A", "B", "C"), other = Features("A", "C", "B");
        ITransformer model = Multiclass.Fit(first);
        if (loads)
        {
            using MemoryStream file = new();
            _mlContext.Model.Save(model, first.Schema, file);
            file.Position = 0;
            model = _mlContext.Model.Load(file, out _);
        }
        Assert.Equal(40, model.Transform(first).GetColumn<uint>("PredictedLabel").Count());
        Assert.Empty(_warnings);
        Assert.Equal(40, model.Transform(other).GetColumn<uint>("PredictedLabel").Count());
        _ = model.Transform(other).GetColumn<float[]>("Score").ToArray();
        string warning = Assert.Single(_warnings);
        Assert.Contains("in another order than the training data: slot 1 is 'C', and was 'B'", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prediction_engine_is_warned_of_too()
    {
        var pipeline = _mlContext.Transforms.Concatenate("Features", "A", "B", "C").Append(_mlContext.BinaryClassification.Trainers.FeedbackAlignment(
            labelColumnName: "Truth", numberOfEpochs: 1));
        var other = _mlContext.Transforms.Concatenate("Features", "C", "B", "A").Fit(_rows)
            .Append(pipeline.Fit(_rows).LastTransformer);
        using var engine = _mlContext.Model.CreatePredictionEngine<Three, Predicted>(other);
        engine.Predict(new Three());
        engine.Predict(new Three());
        Assert.Single(_warnings, warning => warning.Contains("slot 0 is 'C', and was 'A'", StringComparison.Ordinal));
    }

    private IDataView Features(params string[] names) => _mlContext.Transforms.Concatenate("Features", names).Fit(_rows).Transform(_rows);

    private sealed class Row
    {
        public float A { get; set; }

        public float B { get; set; }

        public float C { get; set; }

        public float X { get; set; }

        public float Y { get; set; }

        public float Z { get; set; }

        public string Label { get; set; } = "";

        public bool Truth { get; set; }

        public float Number { get; set; }
    }

    private sealed class Three
    {
        public float A { get; set; }

        public float B { get; set; }

        public float C { get; set; }
    }

    private sealed class Plain
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class Predicted
    {
        public bool PredictedLabel { get; set; }
    }
}
