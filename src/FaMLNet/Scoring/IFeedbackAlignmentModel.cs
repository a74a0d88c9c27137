using FaMLNet.Persistence;
using FaMLNet.Rows;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>What a trained network shows, whatever its task.</summary>
public interface IFeedbackAlignmentModel
{
    /// <summary>The network's layers.</summary>
    public NetworkDefinition Network { get; }

    /// <summary>The rule that trained the network. If it is a user's own and not registered in this process, it can only name itself.</summary>
    public FeedbackRule Rule { get; }

    /// <summary>What each epoch showed, in order.</summary>
    public IReadOnlyList<EpochMetrics> History { get; }

    /// <summary>Features that a row must have.</summary>
    public int NumberOfFeatures { get; }

    /// <summary>
    /// The forward weights of each layer (outputs × inputs), by layer name: <c>dense1</c> is the one next to the input; last, where there is one,
    /// <c>skip</c>, the linear path from the input to the outputs (<see cref="MlpDefinition.LinearSkip"/>).
    /// </summary>
    public IReadOnlyDictionary<string, ParameterTensor> GetWeights();

    /// <summary>
    /// The feedback weights as training left them, by the name of the layer that the error passes: outputs × inputs of that layer, or for direct
    /// rules outputs of the network × inputs of the layer. The first layer has none; backpropagation has none at all. By an
    /// <see cref="InputModulationRule"/> the first layer alone has some, outputs × inputs of the network.
    /// </summary>
    public IReadOnlyDictionary<string, ParameterTensor> GetFeedbackWeights();

    /// <summary>
    /// Everything that prediction uses, by parameter name: <c>dense1.weight</c>, <c>dense1.bias</c>, and with normalisation <c>norm1.weight</c>,
    /// <c>norm1.bias</c>, <c>norm1.running_mean</c>, <c>norm1.running_var</c>; of a linear path <c>skip.weight</c>.
    /// </summary>
    public IReadOnlyDictionary<string, ParameterTensor> GetParameters();
}

/// <summary>What trainings and attacks need of a model beside that.</summary>
internal interface INetworkModel : IFeedbackAlignmentModel
{
    /// <summary>How parameters and statistics lie in their buffers.</summary>
    public NetworkLayout Layout { get; }

    /// <summary>All parameters; not to be written to.</summary>
    public float[] Parameters { get; }

    /// <summary>All statistics; not to be written to.</summary>
    public float[] Statistics { get; }

    /// <summary>
    /// What the training data called classes and features; null where that is not known. A model's file has them in the schema of its transformer,
    /// which sets them here.
    /// </summary>
    public ColumnNames? Names { get; set; }

    /// <summary>Where the model lives: finds factories of networks of the user's own.</summary>
    public IHostEnvironment Environment { get; }

    /// <summary>The feedback weights in the layout of the rule, a copy.</summary>
    public float[] CopyFeedback(FeedbackLayout places);

    /// <summary>A copy to train further.</summary>
    /// <exception cref="ArgumentException">The model does not fit a training with this network and data.</exception>
    public TrainedNetwork ToTrained(NetworkDefinition network, int features, int outputs);
}
