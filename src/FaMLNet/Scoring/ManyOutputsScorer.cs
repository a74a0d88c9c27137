using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>
/// The row-by-row scorer of models that predict one value per value of a label: columns of vectors, each of which follows from the row's scores
/// and has the label's slot names. ML.NET's own scorers give such models a single column without names.
/// </summary>
internal sealed class ManyOutputsScorer : ISchemaBindableMapper
{
    private readonly IHost _host;
    private readonly IValueMapper _model;
    private readonly DataViewSchema _outputs;
    private readonly OutputColumns _getters;

    private ManyOutputsScorer(IHost host, IValueMapper model, DataViewSchema outputs, OutputColumns getters) =>
        (_host, _model, _outputs, _getters) = (host, model, outputs, getters);

    /// <summary>Makes a scorer.</summary>
    /// <param name="host">The transformer's.</param>
    /// <param name="model">Maps a vector of features to a vector of scores.</param>
    /// <param name="trained">The schema of the training data.</param>
    /// <param name="schema">Label and features in it.</param>
    /// <param name="kind">What kind of score it is, for ML.NET's evaluators.</param>
    /// <param name="columns">The columns to add, with the types of their values.</param>
    /// <param name="getters">How each column follows from a row's scores.</param>
    public static RowToRowScorerBase Create(IHost host, IValueMapper model, DataViewSchema trained, RoleMappedSchema schema, string kind,
        IReadOnlyList<(string Name, PrimitiveDataViewType Item)> columns, OutputColumns getters)
    {
        int width = ((VectorDataViewType)model.OutputType).Size;
        DataViewSchema.Builder outputs = new();
        foreach ((string name, PrimitiveDataViewType item) in columns)
            outputs.AddColumn(name, new VectorDataViewType(item, width), Annotations(schema.Label, width, kind, name));
        ManyOutputsScorer scorer = new(host, model, outputs.ToSchema(), getters);
        return new GenericScorer(host, new GenericScorer.Arguments(), new EmptyDataView(host, trained),
            ((ISchemaBindableMapper)scorer).Bind(host, schema), schema);
    }

    /// <summary>A getter of a vector whose values follow from the scores one by one.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="map">From a score to the value.</param>
    public static Delegate Getter<T>(RowScores scores, Func<float, T> map) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
    {
        ReadOnlySpan<float> row = scores();
        VBufferEditor<T> editor = VBufferEditor.Create(ref value, row.Length);
        for (int i = 0; i < row.Length; i++)
            editor.Values[i] = map(row[i]);
        value = editor.Commit();
    });

    ISchemaBoundMapper ISchemaBindableMapper.Bind(IHostEnvironment env, RoleMappedSchema schema) => new Bound(this, schema);

    private static DataViewSchema.Annotations Annotations(DataViewSchema.Column? label, int width, string kind, string name)
    {
        DataViewSchema.Annotations.Builder annotations = new();
        if (label is { Type: VectorDataViewType type } column && type.Size == width && column.HasSlotNames())
            annotations.Add(column.Annotations, annotation => annotation == AnnotationUtils.Kinds.SlotNames);
        annotations.Add(AnnotationUtils.Kinds.ScoreColumnKind, TextDataViewType.Instance,
            (ref ReadOnlyMemory<char> value) => value = kind.AsMemory());
        annotations.Add(AnnotationUtils.Kinds.ScoreValueKind, TextDataViewType.Instance,
            (ref ReadOnlyMemory<char> value) => value = name.AsMemory());
        return annotations.ToAnnotations();
    }

    /// <summary>The scorer for the columns of a view.</summary>
    private sealed class Bound : ISchemaBoundRowMapper
    {
        private readonly ManyOutputsScorer _owner;
        private readonly DataViewSchema.Column _features;

        public Bound(ManyOutputsScorer owner, RoleMappedSchema schema)
        {
            _owner = owner;
            _features = schema.Feature ?? throw owner._host.Except("The schema has no feature column.");
            InputRoleMappedSchema = schema;
            int expected = ((VectorDataViewType)owner._model.InputType).Size;
            if (_features.Type is not VectorDataViewType type || !type.ItemType.Equals(NumberDataViewType.Single) || type.Size != expected)
                throw owner._host.ExceptSchemaMismatch(nameof(schema), "feature", _features.Name, $"vector of {expected} values of Single",
                    $"{_features.Type}");
        }

        public RoleMappedSchema InputRoleMappedSchema { get; }

        public DataViewSchema InputSchema => InputRoleMappedSchema.Schema;

        public DataViewSchema OutputSchema => _owner._outputs;

        public ISchemaBindableMapper Bindable => _owner;

        public IEnumerable<DataViewSchema.Column> GetDependenciesForNewColumns(IEnumerable<DataViewSchema.Column> dependingColumns) =>
            dependingColumns.Any() ? [_features] : [];

        public IEnumerable<KeyValuePair<RoleMappedSchema.ColumnRole, string>> GetInputColumnRoles() =>
            [RoleMappedSchema.ColumnRole.Feature.Bind(_features.Name)];

        DataViewRow ISchemaBoundRowMapper.GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
        {
            HashSet<int> active = [.. activeColumns.Select(column => column.Index)];
            Delegate[] getters = new Delegate[OutputSchema.Count];
            if (active.Count > 0)
            {
                RowScores scores = Scores(input);
                foreach (int column in active)
                    getters[column] = _owner._getters(OutputSchema[column].Name, scores);
            }
            return new SimpleRow(OutputSchema, input, getters);
        }

        /// <summary>The scores of the row at hand, computed once for all columns.</summary>
        private RowScores Scores(DataViewRow input)
        {
            ValueGetter<VBuffer<float>> getFeatures = input.GetGetter<VBuffer<float>>(_features);
            ValueMapper<VBuffer<float>, VBuffer<float>> map = _owner._model.GetMapper<VBuffer<float>, VBuffer<float>>();
            VBuffer<float> features = default, scores = default;
            long position = -1;
            return () =>
            {
                if (position != input.Position)
                {
                    getFeatures(ref features);
                    map(in features, ref scores);
                    position = input.Position;
                }
                return scores.GetValues();
            };
        }
    }
}
