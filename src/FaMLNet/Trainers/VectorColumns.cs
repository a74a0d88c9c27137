using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet;

/// <summary>The columns of tasks whose labels are vectors, as estimators describe them.</summary>
internal static class VectorColumns
{
    /// <summary>A label column.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="item">The type of its values.</param>
    public static SchemaShape.Column Label(string name, PrimitiveDataViewType item) =>
        new(name, SchemaShape.Column.VectorKind.Vector, item, isKey: false);

    /// <summary>A column of predictions, one value per value of the label, which has the label's slot names.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="item">The type of its values.</param>
    /// <param name="input">The schema before the trainer.</param>
    /// <param name="label">The label column.</param>
    public static SchemaShape.Column Output(string name, PrimitiveDataViewType item, SchemaShape input, string label)
    {
        IEnumerable<SchemaShape.Column> annotations = AnnotationUtils.GetTrainerOutputAnnotation();
        if (input.TryFindColumn(label, out SchemaShape.Column column))
            annotations = annotations.Concat(column.Annotations.Where(annotation => annotation.Name == AnnotationUtils.Kinds.SlotNames));
        return new SchemaShape.Column(name, SchemaShape.Column.VectorKind.Vector, item, isKey: false, new SchemaShape(annotations));
    }
}
