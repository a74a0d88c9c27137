namespace FaMLNet.Diagnostics;

/// <summary>What <see cref="LayerDiagnostics"/> asks for, measured at one step: between its gradient and its update, and after the update.</summary>
/// <param name="what">What to measure.</param>
/// <param name="training">Of what.</param>
internal sealed class Measurement(LayerDiagnostics what, IMeasuredTraining training)
{
    private readonly float[][] _before = new float[training.LayerNames.Count][];
    private Values _values = new();

    /// <summary>After the gradient, before the update.</summary>
    /// <param name="activity">Has watched the last mini-batches, where dead units are asked for.</param>
    public void BeforeUpdate(UnitActivity? activity)
    {
        _values = new Values();
        if (what.HasFlag(LayerDiagnostics.Alignment))
        {
            (IReadOnlyDictionary<string, double> angle, IReadOnlyDictionary<string, double> ratio) = Alignment.Measure(training);
            _values = _values with { AlignmentAngle = angle, NormRatio = ratio };
        }
        if (what.HasFlag(LayerDiagnostics.UpdateAngle))
            MeasureUpdateAngle();
        if (what.HasFlag(LayerDiagnostics.Norms))
        {
            _values = _values with
            {
                WeightNorm = ByLayer(layer => Vectors.Norm(training.WeightsOf(layer))),
                GradientNorm = ByLayer(layer => Vectors.Norm(training.GradientOf(layer))),
            };
            for (int layer = 0; layer < _before.Length; layer++)
            {
                ReadOnlySpan<float> weights = training.WeightsOf(layer);
                weights.CopyTo(_before[layer] ??= new float[weights.Length]);
            }
        }
        if (what.HasFlag(LayerDiagnostics.DeadUnits) && activity != null)
            _values = _values with { DeadUnits = activity.DeadShares() };
        if (what.HasFlag(LayerDiagnostics.Histograms))
        {
            _values = _values with
            {
                Histograms = new LayerHistograms(HistogramsOf(training.WeightsOf), HistogramsOf(training.FeedbackOf),
                    HistogramsOf(training.GradientOf))
            };
        }
    }

    /// <summary>After the update.</summary>
    public void AfterUpdate()
    {
        if (what.HasFlag(LayerDiagnostics.Norms))
            _values = _values with
            {
                UpdateRatio = ByLayer(layer => Vectors.Distance(training.WeightsOf(layer), _before[layer]) / Vectors.Norm(_before[layer]))
            };
    }

    /// <summary>Metrics with what was measured.</summary>
    public T AddTo<T>(T metrics) where T : LayerMetrics => (T)((LayerMetrics)metrics with
    {
        AlignmentAngle = _values.AlignmentAngle,
        NormRatio = _values.NormRatio,
        WeightNorm = _values.WeightNorm,
        GradientNorm = _values.GradientNorm,
        UpdateRatio = _values.UpdateRatio,
        DeadUnits = _values.DeadUnits,
        UpdateAngle = _values.UpdateAngle,
        TotalUpdateAngle = _values.TotalUpdateAngle,
        Histograms = _values.Histograms,
    });

    private void MeasureUpdateAngle()
    {
        bool isBackpropagation = training.Route == ErrorRoute.Backpropagation;
        // Backpropagation beside itself: 0 by definition, whatever the rounding and a module's own random numbers.
        if (!isBackpropagation)
            training.ComputeBackpropagationGradient();
        _values = _values with
        {
            UpdateAngle = ByLayer(layer => isBackpropagation ? 0
                : Vectors.Angle(training.GradientOf(layer), training.BackpropagationGradientOf(layer))),
            TotalUpdateAngle = isBackpropagation ? 0 : Vectors.Angle(training.WholeGradient, training.WholeBackpropagationGradient),
        };
    }

    private Dictionary<string, double> ByLayer(Func<int, double> measure) =>
        Enumerable.Range(0, training.LayerNames.Count).ToDictionary(layer => training.LayerNames[layer], measure);

    private Dictionary<string, Histogram> HistogramsOf(LayerValues values)
    {
        Dictionary<string, Histogram> histograms = [];
        for (int layer = 0; layer < training.LayerNames.Count; layer++)
        {
            if (values(layer) is { IsEmpty: false } found)
                histograms[training.LayerNames[layer]] = Histogram.Of(found);
        }
        return histograms;
    }

    private delegate ReadOnlySpan<float> LayerValues(int layer);

    private sealed record Values : LayerMetrics
    {
        public override string ToString() => base.ToString();
    }
}
