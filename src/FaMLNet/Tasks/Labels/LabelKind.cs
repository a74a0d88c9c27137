namespace FaMLNet.Tasks.Labels;

/// <summary>What a label is. In memory it takes 32 bits, whatever it is, or 32 bits per output where it is a vector.</summary>
internal enum LabelKind
{
    /// <summary>A key: its class, from 0.</summary>
    Class,

    /// <summary>True or false: 1 or 0.</summary>
    Boolean,

    /// <summary>A number: the bits of a <see cref="float"/>. All rows are of one class then, 0, where rows are told apart by class.</summary>
    Number,

    /// <summary>A vector of numbers: the bits of each. NaN stands for a number that is not known. All rows are of one class, 0.</summary>
    Numbers,

    /// <summary>A vector of truth values: 1 or 0 each. All rows are of one class, 0.</summary>
    Booleans,
}

/// <summary>What follows from the kind of a label.</summary>
internal static class LabelBits
{
    /// <summary>Whether a label is a vector, with one value per output.</summary>
    public static bool IsVector(this LabelKind kind) => kind is LabelKind.Numbers or LabelKind.Booleans;

    /// <summary>The class of a row, from 0; rows whose labels are numbers or vectors are of one.</summary>
    /// <param name="kind">What labels are.</param>
    /// <param name="label">The row's label, or the first value of it.</param>
    public static int ClassOf(this LabelKind kind, int label) => kind is LabelKind.Class or LabelKind.Boolean ? label : 0;

    /// <summary>The label that a number is.</summary>
    public static int OfNumber(float number) => BitConverter.SingleToInt32Bits(number);

    /// <summary>The number that a label is.</summary>
    public static float ToNumber(int label) => BitConverter.Int32BitsToSingle(label);

    /// <summary>Whether a label that is a number is not known.</summary>
    public static bool IsMissing(int label) => float.IsNaN(BitConverter.Int32BitsToSingle(label));
}
