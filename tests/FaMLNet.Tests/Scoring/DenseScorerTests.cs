using FaMLNet.Interop;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Scoring;

public sealed class DenseScorerTests
{
    public static TheoryData<Activation, Normalization> All()
    {
        TheoryData<Activation, Normalization> data = [];
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            foreach (Normalization normalization in Enum.GetValues<Normalization>())
                data.Add(activation, normalization);
        }
        return data;
    }

    [Theory, MemberData(nameof(All))]
    public void A_trained_models_scores_are_TorchSharps(Activation activation, Normalization normalization)
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        ITransformer model = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMinMax("Features"))
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Network = NetworkDefinition.Mlp(37, 18) with
                {
                    Activation = activation,
                    Normalization = normalization,
                    Dropout = 0.1f,
                    LinearSkip = activation != Activation.ReLU,
                },
                NumberOfEpochs = 5,
            })).Fit(data);
        IDataView scored = model.Transform(data);
        float[][] features = [.. scored.GetColumn<float[]>("Features")], scores = [.. scored.GetColumn<float[]>("Score")];
        float[][] expected = Torch(Tables.ModelOf(model), features);
        for (int row = 0; row < scores.Length; row++)
        {
            for (int k = 0; k < scores[row].Length; k++)
                Assert.Equal(expected[row][k], scores[row][k], 1e-5);
        }
    }

    [Fact]
    public void Softmax_of_large_logits_is_finite()
    {
        float[] values = [89, 0, -500, 88];
        IScoringSession.Softmax(values);
        Assert.All(values, value => Assert.InRange(value, 0, 1));
        Assert.Equal(1, values.Sum(), 1e-6);
        Assert.Equal(0.7311, values[0], 1e-4);
    }

    [Fact]
    public void Rows_with_missing_features_get_missing_scores_and_no_label_and_the_others_are_untouched()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "iris");
        var model = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick(FeedbackRule.Backpropagation))).Fit(data);
        IDataView some = mlContext.Data.LoadFromEnumerable(
            [new IrisRow { Features = [5, 3, 1, 0.2f] }, new IrisRow { Features = [5, float.NaN, 1, 0.2f] },
            new IrisRow { Features = [5, 3, 1, 0.2f] }]);
        IDataView scored = model.Transform(some);
        float[][] scores = [.. scored.GetColumn<float[]>("Score")];
        uint[] labels = [.. scored.GetColumn<uint>("PredictedLabel")];
        Assert.All(scores[1], value => Assert.True(float.IsNaN(value)));
        Assert.Equal(scores[0], scores[2]);
        Assert.Equal(labels[0], labels[2]);
        Assert.Equal(0u, labels[1]);
    }

    [Fact]
    public void One_model_serves_many_threads()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        ITransformer model = Tables.Pipeline(mlContext, Tables.Quick()).Fit(data);
        float[][] expected = [.. model.Transform(data).GetColumn<float[]>("Score")];
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            for (int round = 0; round < 3; round++)
                Assert.Equal(expected, model.Transform(data).GetColumn<float[]>("Score"));
        });
    }

    [Fact]
    public void Another_number_of_features_is_refused()
    {
        MLContext mlContext = new(seed: 1);
        var model = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick())).Fit(Tables.Load(mlContext, "iris"));
        Assert.ThrowsAny<Exception>(() => model.Transform(Tables.Load(mlContext, "wine")));
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Weights_come_by_layer_with_their_shapes(string name)
    {
        MLContext mlContext = new(seed: 1);
        FeedbackRule rule = FeedbackRule.Parse(name);
        FeedbackAlignmentMulticlassModelParameters model =
            Tables.ModelOf(Tables.Pipeline(mlContext, Tables.Quick(rule)).Fit(Tables.Load(mlContext, "iris")));
        Assert.Equal(["dense1", "dense2", "dense3"], model.GetWeights().Keys);
        Assert.Equal([8, 16], model.GetWeights()["dense2"].Shape);
        Assert.Equal(128, model.GetWeights()["dense2"].Values.Length);
        Assert.Equal(rule.ShortName == "bp" ? [] : ["dense2", "dense3"], model.GetFeedbackWeights().Keys);
        if (rule.ShortName != "bp")
            Assert.Equal([rule.ShortName == "dfa" ? 3 : 8, 16], model.GetFeedbackWeights()["dense2"].Shape);
        Assert.Equal(rule, model.Rule);
        Assert.Equal(NetworkDefinition.Mlp(16, 8), model.Network);
        Assert.Equal((4, 3), (model.NumberOfFeatures, model.NumberOfClasses));
    }

    private static float[][] Torch(FeedbackAlignmentMulticlassModelParameters model, float[][] rows)
    {
        LibTorch.EnsureLoaded();
        using DisposeScope scope = NewDisposeScope();
        MlpDefinition network = (MlpDefinition)model.Network;
        Dictionary<string, Tensor> p = model.GetParameters()
            .ToDictionary(pair => pair.Key, pair => tensor(pair.Value.Values.ToArray()).reshape([.. pair.Value.Shape.Select(size => (long)size)]));
        Tensor h = tensor(rows.SelectMany(row => row).ToArray()).reshape(rows.Length, rows[0].Length);
        Tensor x = h;
        for (int i = 1; i <= network.HiddenUnits.Count + 1; i++)
        {
            h = nn.functional.linear(h, p[$"dense{i}.weight"], p[$"dense{i}.bias"]);
            if (i > network.HiddenUnits.Count)
            {
                if (network.LinearSkip)
                    h = h.add(nn.functional.linear(x, p["skip.weight"]), Scalars.One);
                break;
            }
            if (network.Normalization == Normalization.Batch)
                h = nn.functional.batch_norm(h, p[$"norm{i}.running_mean"], p[$"norm{i}.running_var"], p[$"norm{i}.weight"], p[$"norm{i}.bias"],
                    training: false);
            else if (network.Normalization == Normalization.Layer)
                h = nn.functional.layer_norm(h, [network.HiddenUnits[i - 1]], p[$"norm{i}.weight"], p[$"norm{i}.bias"]);
            h = network.Activation switch
            {
                Activation.ReLU => nn.functional.relu(h),
                Activation.Tanh => h.tanh(),
                Activation.Sigmoid => h.sigmoid(),
                Activation.LeakyReLU => nn.functional.leaky_relu(h, 0.01),
                Activation.ELU => nn.functional.elu(h, 1.0),
                Activation.GELU => nn.functional.gelu(h),
                _ => h,
            };
        }
        float[] flat = nn.functional.softmax(h, 1).data<float>().ToArray();
        return [.. flat.Chunk(model.NumberOfClasses)];
    }

    private sealed class IrisRow
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }
}
