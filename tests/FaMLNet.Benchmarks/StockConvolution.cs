using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FaMLNet.Benchmarks;

/// <summary>The stock loop on convolutional networks: modules, CrossEntropyLoss, torch.optim.SGD with momentum and decay.</summary>
internal sealed class StockConvolution : IDisposable
{
    private readonly Module<Tensor, Tensor> _network;
    private readonly Loss<Tensor, Tensor, Tensor> _loss = CrossEntropyLoss();
    private readonly optim.Optimizer _optimizer;
    private readonly Tensor _images, _labels;

    public StockConvolution(Module<Tensor, Tensor> network, int batch, ImageShape shape)
    {
        _network = network;
        _optimizer = optim.SGD(_network.parameters(), 0.01, momentum: 0.9, weight_decay: 1e-3);
        _images = randn(batch, shape.Channels, shape.Height, shape.Width);
        _labels = randint(10, batch, ScalarType.Int64);
    }

    public static Module<Tensor, Tensor> LeNet() => Sequential(
        ("conv1", Conv2d(1, 6, 5)), ("relu1", ReLU()), ("pool1", MaxPool2d(2)),
        ("conv2", Conv2d(6, 16, 5)), ("relu2", ReLU()), ("pool2", MaxPool2d(2)),
        ("conv3", Conv2d(16, 120, 5)), ("relu3", ReLU()), ("flatten", Flatten()),
        ("dense1", Linear(120, 84)), ("relu4", ReLU()), ("dense2", Linear(84, 10)));

    public static Module<Tensor, Tensor> ResNet20()
    {
        List<(string, Module<Tensor, Tensor>)> layers =
            [("conv", Conv2d(3, 16, 3, padding: 1, bias: false)), ("norm", BatchNorm2d(16)), ("relu", ReLU())];
        int channels = 16;
        foreach (int stage in new[] { 16, 32, 64 })
        {
            for (int block = 0; block < 3; block++)
            {
                layers.Add(($"block{stage}_{block}", new Block(channels, stage, block == 0 && stage > 16 ? 2 : 1)));
                channels = stage;
            }
        }
        layers.AddRange([("pool", AdaptiveAvgPool2d(1)), ("flatten", Flatten()), ("dense", Linear(64, 10))]);
        return Sequential(layers);
    }

    public void Step()
    {
        using DisposeScope scope = NewDisposeScope();
        _optimizer.zero_grad();
        Tensor loss = _loss.call(_network.call(_images), _labels);
        loss.backward();
        _optimizer.step();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _loss.Dispose();
        _network.Dispose();
        _images.Dispose();
        _labels.Dispose();
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> _body;
        private readonly int _stride, _more;

        public Block(int input, int output, int stride) : base("block")
        {
            _stride = stride;
            _more = output - input;
            _body = Sequential(Conv2d(input, output, 3, stride: stride, padding: 1, bias: false), BatchNorm2d(output), ReLU(),
                Conv2d(output, output, 3, padding: 1, bias: false), BatchNorm2d(output));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            Tensor shortcut = _stride == 1 ? x : functional.pad(x.slice(2, 0, x.shape[2], 2).slice(3, 0, x.shape[3], 2),
                [0, 0, 0, 0, _more / 2, _more / 2]);
            return functional.relu(_body.call(x).add(shortcut));
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _body.Dispose();
            base.Dispose(disposing);
        }
    }
}
