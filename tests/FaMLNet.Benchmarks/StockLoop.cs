using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FaMLNet.Benchmarks;

/// <summary>What a TorchSharp user writes: nn.Sequential, CrossEntropyLoss, torch.optim.SGD with momentum and decay.</summary>
internal sealed class StockLoop : IDisposable
{
    private readonly Module<Tensor, Tensor> _network;
    private readonly Loss<Tensor, Tensor, Tensor> _loss = CrossEntropyLoss();
    private readonly optim.Optimizer _optimizer;
    private readonly Tensor _features, _labels;

    public StockLoop(int[] sizes, int batch)
    {
        List<(string, Module<Tensor, Tensor>)> modules = [];
        for (int i = 1; i < sizes.Length; i++)
        {
            modules.Add(($"dense{i}", Linear(sizes[i - 1], sizes[i])));
            if (i < sizes.Length - 1)
                modules.Add(($"relu{i}", ReLU()));
        }
        _network = Sequential(modules);
        _optimizer = optim.SGD(_network.parameters(), 0.01, momentum: 0.9, weight_decay: 1e-3);
        _features = randn(batch, sizes[0]);
        _labels = randint(sizes[^1], batch, ScalarType.Int64);
    }

    public void Step()
    {
        using DisposeScope scope = NewDisposeScope();
        _optimizer.zero_grad();
        Tensor loss = _loss.call(_network.call(_features), _labels);
        loss.backward();
        _optimizer.step();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _loss.Dispose();
        _network.Dispose();
        _features.Dispose();
        _labels.Dispose();
    }
}
