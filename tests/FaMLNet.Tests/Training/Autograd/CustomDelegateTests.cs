using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training.Autograd;

/// <summary>Networks of a user's own that are handed over as a delegate.</summary>
public sealed class CustomDelegateTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Theory, InlineData(TaskOf.Multiclass), InlineData(TaskOf.Binary), InlineData(TaskOf.Regression), InlineData(TaskOf.Vector),
        InlineData(TaskOf.MultiLabel)]
    public void It_trains_is_saved_and_is_found_by_its_name_in_any_context(TaskOf task)
    {
        NetworkDefinition network = NetworkDefinition.Custom("delegate-of-tests", Small);
        IDataView data = EveryTask.Data(_mlContext);
        FeedbackAlignmentOptions options = EveryTask.Options(task);
        options.Network = network;
        ITransformer model = EveryTask.Fit(_mlContext, options, data);
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, data.Schema, zip);
        ITransformer loaded = new MLContext().Model.Load(zip, out _);
        // The last bit of libtorch's products depends on where the arrays lie.
        foreach ((float expected, float found) in EveryTask.Scores(task, model, data).Zip(EveryTask.Scores(task, loaded, data)))
            Assert.Equal(expected, found, 1e-6f);
        Assert.Equal(network, EveryTask.ModelOf(loaded).Network);
    }

    [Fact]
    public void The_same_delegate_again_is_the_same_network_and_another_one_is_refused()
    {
        Assert.Equal(NetworkDefinition.Custom("delegate-twice", Small), NetworkDefinition.Custom("delegate-twice", Small));
        string message = Assert.Throws<ArgumentException>("name",
            () => NetworkDefinition.Custom("delegate-twice", shape => nn.Linear(shape.Input[0], shape.Outputs))).Message;
        Assert.Contains("'delegate-twice' is registered in this process with another delegate", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>("create", () => NetworkDefinition.Custom("delegate-null", null!));
        Assert.Throws<ArgumentException>("name", () => NetworkDefinition.Custom(" ", Small));
    }

    [Fact]
    public void A_delegate_and_a_factory_of_one_name_are_refused()
    {
        NetworkDefinition.Custom("delegate-and-factory", Small);
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(DelegateAndFactory).Assembly);
        Assert.Contains("'delegate-and-factory' is the name of a delegate", Refusal("delegate-and-factory"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_delegate_that_gives_nothing_is_named()
    {
        NetworkDefinition.Custom("delegate-of-nothing", _ => null!);
        Assert.Contains("the delegate of 'delegate-of-nothing' gave no network for an input of 4", Refusal("delegate-of-nothing"),
            StringComparison.Ordinal);
    }

    /// <summary>A process without the delegate, which a name that was never registered stands for.</summary>
    [Fact]
    public void Without_registration_the_message_says_how_to_register()
    {
        string message = Refusal("delegate-of-nobody");
        Assert.Contains("Before training and before loading such a model, call NetworkDefinition.Custom(\"delegate-of-nobody\", shape => …)", message,
            StringComparison.Ordinal);
        Assert.Contains("[CustomNetwork(\"delegate-of-nobody\")]", message, StringComparison.Ordinal);
    }

    private string Refusal(string name)
    {
        FeedbackAlignmentOptions options = EveryTask.Options(TaskOf.Regression);
        options.Network = NetworkDefinition.Custom(name);
        return Assert.Throws<InvalidOperationException>(() => EveryTask.Fit(_mlContext, options, EveryTask.Data(_mlContext))).Message;
    }

    private static nn.Module<Tensor, Tensor> Small(NetworkShape shape) => nn.Sequential(("a", nn.Linear(shape.Input[0], 6)), ("b", nn.ReLU()),
        ("c", nn.Linear(6, shape.Outputs)));
}

[CustomNetwork("delegate-and-factory")]
public sealed class DelegateAndFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => nn.Linear(shape.Input[0], shape.Outputs);
}
