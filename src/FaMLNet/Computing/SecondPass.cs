using FaMLNet.Diagnostics;

namespace FaMLNet.Computing;

/// <summary>
/// A second forward pass over the mini-batch at hand that leaves no trace: it draws the same dropout, nobody watches its activations, and when it
/// is over, statistics and random streams are what they were before it.
/// </summary>
internal sealed class SecondPass : IDisposable
{
    private readonly TrainingNetwork _network;
    private readonly uint[] _dropout;
    private readonly UnitActivity? _activity;
    private readonly Action _restore;

    /// <param name="network">The network.</param>
    /// <param name="dropoutBefore">Where dropout's stream stood before the first pass.</param>
    public SecondPass(TrainingNetwork network, uint[] dropoutBefore)
    {
        _network = network;
        _restore = network.KeepStatistics();
        (_dropout, _activity) = (network.Dropout.GetState(), network.Activity);
        network.Activity = null;
        network.Dropout.SetState(dropoutBefore);
    }

    public void Dispose()
    {
        _network.Activity = _activity;
        _network.Dropout.SetState(_dropout);
        _restore();
    }
}
