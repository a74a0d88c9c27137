namespace FaMLNet.Training;

/// <summary>What a label is. In memory it takes 32 bits, whatever it is.</summary>
internal enum LabelKind
{
    /// <summary>A key: its class, from 0.</summary>
    Class,

    /// <summary>True or false: 1 or 0.</summary>
    Boolean,

    /// <summary>A number: the bits of a <see cref="float"/>. All rows are of one class then, 0, where rows are told apart by class.</summary>
    Number,
}
