using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace FaMLNet;

/// <summary>The binary trainer as ML.NET's one-versus-all wants one: with ML.NET's own transformer, which is sealed.</summary>
internal sealed class BinaryTrainerAdapter(IHostEnvironment env, FeedbackAlignmentBinaryTrainer trainer)
    : ITrainerEstimator<BinaryPredictionTransformer<FeedbackAlignmentBinaryModelParameters>, FeedbackAlignmentBinaryModelParameters>
{
    public TrainerInfo Info => trainer.Info;

    public BinaryPredictionTransformer<FeedbackAlignmentBinaryModelParameters> Fit(IDataView input)
    {
        FeedbackAlignmentBinaryTransformer fitted = trainer.Fit(input);
        return new(env, fitted.Model, input.Schema, fitted.FeatureColumnName);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => trainer.GetOutputSchema(inputSchema);
}
