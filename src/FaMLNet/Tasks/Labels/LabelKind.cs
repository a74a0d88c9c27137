namespace FaMLNet.Tasks.Labels;

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

/// <summary>What follows from the kind of a label.</summary>
internal static class LabelBits
{
    /// <summary>Outputs of a network that learns labels of so many classes.</summary>
    public static int OutputsFor(this LabelKind kind, int classes) => kind == LabelKind.Class ? classes : 1;

    /// <summary>The class of a label, from 0; numbers are of one.</summary>
    public static int ClassOf(this LabelKind kind, int label) => kind == LabelKind.Number ? 0 : label;

    /// <summary>The label that a number is.</summary>
    public static int OfNumber(float number) => BitConverter.SingleToInt32Bits(number);

    /// <summary>The number that a label is.</summary>
    public static float ToNumber(int label) => BitConverter.Int32BitsToSingle(label);
}
