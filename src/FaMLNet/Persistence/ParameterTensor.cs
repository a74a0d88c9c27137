namespace FaMLNet;

/// <summary>A read-only array of weights with its shape.</summary>
public sealed class ParameterTensor
{
    internal ParameterTensor(IReadOnlyList<int> shape, ReadOnlyMemory<float> values)
    {
        Shape = shape;
        Values = values;
    }

    /// <summary>The sizes, outermost first: outputs × inputs for the weights of a dense layer.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>The elements, row by row.</summary>
    public ReadOnlyMemory<float> Values { get; }
}
