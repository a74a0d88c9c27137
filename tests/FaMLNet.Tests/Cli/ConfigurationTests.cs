using System.Text;
using FaMLNet.Cli.Configuration;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Configurations: the format of BioTorch's files, what every key becomes, and what is wrong, where.</summary>
public sealed class ConfigurationTests : IDisposable
{
    /// <summary>A file as BioTorch's users write them, keys in its order, with what has no meaning here.</summary>
    private const string BioTorch = """
        # Experiment
        experiment:
          name: "usf_lenet"
          output_dir: "runs/mnist/"
          seed: 7
          deterministic: true

        data:
          dataset: "mnist"
          dataset_path: null
          target_size: 32
          num_workers: 2

        model:
          architecture: "le_net_mnist"
          mode:
            type: "usf"
            options:
              constrain_weights: true
              gradient_clip: true
              init: "xavier"

          pretrained: false
          # checkpoint:
          loss_function:
            name: "cross_entropy"

        training:
          hyperparameters:
            epochs: 12
            batch_size: 128

          optimizer:
            type: "SGD"
            lr: 0.05
            weight_decay: 0.001
            momentum: 0.8

          lr_scheduler:
            type: "multistep_lr"
            gamma: 0.5
            milestones: [4, 8]

          metrics:
            top_k: 3
            display_iterations: 500
            layer_alignment: true
            weight_ratio: true

        infrastructure:
          gpus: -1

        evaluation: true
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-config").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_of_BioTorchs_format_means_here_what_it_means_there()
    {
        ExperimentSettings settings = Read(BioTorch);
        FeedbackAlignmentMulticlassTrainer.Options options = settings.ToOptions();
        Assert.Equal("usf_lenet", settings.Name);
        Assert.Equal(Path.Combine("runs/mnist/", "usf_lenet"), settings.OutputFolder);
        Assert.Equal(7, options.Seed);
        Assert.Equal("usf", options.Rule.ShortName);
        Assert.Equal(NetworkDefinition.LeNet().Resized(32), options.Network);
        Assert.Equal(WeightInitialization.XavierUniform, options.FeedbackInitialization);
        Assert.Equal((1f, 1f), (options.InitialWeightScale, options.FeedbackScale));
        Assert.True(options.ConstrainWeightNorms);
        Assert.Equal(GradientClipping.OfErrors(1), options.GradientClipping);
        Assert.Equal(12, options.NumberOfEpochs);
        Assert.Equal(128, options.BatchSize);
        Assert.Equal(new OptimizerOptions.Sgd { LearningRate = 0.05f, WeightDecay = 0.001f, Momentum = 0.8f }, options.Optimizer);
        Assert.Equal(LearningRateSchedule.MultiStep(0.5, 4, 8), options.Schedule);
        Assert.Equal(3, options.TopK);
        Assert.Null(settings.Gpu);
        Assert.True(settings.TestsAtEnd);
        Assert.Equal(0.1, settings.Validation.Share);
        Assert.Null(options.Augmentation);
    }

    [Theory]
    [InlineData("fa", "Adam", "cifar10_benchmark", "le_net_cifar"), InlineData("dfa", "RMSProp", "cifar100", "resnet20"),
        InlineData("backpropagation", "SGD", "fashion_mnist", "le_net_mnist"), InlineData("brsf", "Adam", "imagenet", "resnet18"),
        InlineData("frsf", "SGD", "cifar10", "resnet56")]
    public void Every_mode_optimiser_and_data_set_of_BioTorchs_is_known(string mode, string optimizer, string dataset, string architecture)
    {
        ExperimentSettings settings = Read(BioTorch.Replace("\"usf\"", $"\"{mode}\"", StringComparison.Ordinal)
            .Replace("\"SGD\"", $"\"{optimizer}\"", StringComparison.Ordinal).Replace("\"mnist\"", $"\"{dataset}\"", StringComparison.Ordinal)
            .Replace("\"le_net_mnist\"", $"\"{architecture}\"", StringComparison.Ordinal).Replace("momentum: 0.8",
                "momentum: 0.9\n    betas: [0.8, 0.99]",
            StringComparison.Ordinal));
        FeedbackAlignmentMulticlassTrainer.Options options = settings.ToOptions();
        Assert.Equal(mode == "backpropagation" ? "bp" : mode, options.Rule.ShortName);
        Assert.Equal(optimizer, options.Optimizer!.GetType().Name, ignoreCase: true);
        if (options.Optimizer is OptimizerOptions.Adam adam)
            Assert.Equal((0.8f, 0.99f), (adam.Beta1, adam.Beta2));
        // CIFAR-10's benchmark is augmented there and keeps 5,000 images aside; its other sets do neither.
        Assert.Equal(dataset == "cifar10_benchmark", options.Augmentation != null);
        // Resized only where it changes something; image files are while they are decoded.
        Assert.Equal(dataset == "fashion_mnist", ((SequentialDefinition)options.Network).Layers[0] is Layer.ResizeTo);
        Assert.Equal(dataset == "cifar10_benchmark" ? 5000 : null, settings.Validation.Rows);
    }

    [Fact]
    public void What_a_file_leaves_out_is_the_rules_own_default()
    {
        ExperimentSettings settings = Read("experiment: {name: x}\ndata: {dataset: mnist}\nmodel: {architecture: 'mlp:12', mode: {type: "
            + "dfa}}\ntraining: {}\n");
        FeedbackAlignmentMulticlassTrainer.Options options = settings.ToOptions();
        Assert.Null(options.Optimizer);
        Assert.Null(options.Schedule);
        Assert.Null(options.InitialWeightScale);
        Assert.Null(options.FeedbackScale);
        Assert.Null(options.GradientClipping);
        Assert.False(options.ConstrainWeightNorms);
        Assert.Equal((1, 10, 64), (options.Seed!.Value, options.NumberOfEpochs, options.BatchSize));
        // A rate alone changes the rate alone.
        options = Read("experiment: {name: x}\ndata: {dataset: mnist}\nmodel: {architecture: lenet, mode: {type: dfa}}\ntraining: {optimizer: "
            + "{lr: 5e-3}}\n").ToOptions();
        Assert.Equal(FeedbackRule.DirectFeedbackAlignment.Defaults.Optimizer with { LearningRate = 5e-3f }, options.Optimizer);
        Assert.Null(options.Schedule);
    }

    [Fact]
    public void A_milestone_of_0_counts_before_the_first_epoch_as_in_PyTorch()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Read(BioTorch.Replace("[4, 8]", "[8, 0, 4]", StringComparison.Ordinal)).ToOptions();
        Assert.Equal(0.025f, options.Optimizer!.LearningRate);
        Assert.Equal(LearningRateSchedule.MultiStep(0.5, 4, 8), options.Schedule);
    }

    [Fact]
    public void A_networks_activation_stands_behind_a_plus()
    {
        NetworkDefinition Network(string name) => Read(BioTorch.Replace("le_net_mnist", name, StringComparison.Ordinal)
            .Replace("mnist", "cifar10", StringComparison.Ordinal)).ToOptions().Network;
        Assert.Equal(NetworkDefinition.ResNet(20) with { Activation = Activation.Tanh }, Network("resnet20+tanh"));
        Assert.Equal(NetworkDefinition.Mlp(9) with { LinearSkip = true, Activation = Activation.GELU }, Network("mlp:9+skip+GELU"));
        Assert.Equal(NetworkDefinition.Mlp(9) with { LinearSkip = true, Activation = Activation.GELU }, Network("MLP:9+gelu+skip"));
    }

    [Fact]
    public void A_file_that_starts_from_a_model_and_names_no_network_has_the_rules()
    {
        string model = Path.Combine(_folder, "model.zip");
        File.WriteAllText(model, "");
        string start = BioTorch.Replace("architecture: \"le_net_mnist\"", $"checkpoint: '{model}'", StringComparison.Ordinal);
        NetworkDefinition Network(string rule) => Read(start.Replace("\"usf\"", rule, StringComparison.Ordinal)).ToOptions().Network;
        foreach (FeedbackRule rule in FeedbackRule.All)
            Assert.Equal(new FeedbackAlignmentMulticlassTrainer.Options { Rule = rule }.Network, Network(rule.ShortName));
        Assert.Equal(NetworkDefinition.Mlp(128, 64) with { Activation = Activation.Tanh }, Network("drtp"));
    }

    public static TheoryData<string, string, string> Wrong() => new()
    {
        { "lr: 0.05", "lrr: 0.05", "line 35, column 5: the key 'training.optimizer.lrr' is not known. Did you mean 'lr'?" },
        { "gpus: -1", "gpus: [0, 1]", "line 51, column 3: infrastructure.gpus: a list of devices is not supported: a training runs on one." },
        { "gpus: -1", "gpus: -2", "infrastructure.gpus must be a whole number or a list from -1 to 1023; found -2." },
        { "type: \"usf\"", "type: \"usff\"",
            "line 17, column 5: model.mode.type must be one of backpropagation, bp, fa, dfa, usf, brsf, frsf, nss, kp, wm, pfa, "
            + "dkp, drtp, sdfa, pepita; found the text 'usff'. Did you mean 'usf'?" },
        { "le_net_mnist", "le_nett", "line 15, column 3: model.architecture: the network 'le_nett' is not known. Take mlp:128,64" },
        { "pretrained: false", "pretrained: true", "line 23, column 3: model.pretrained: FaMLNet ships no pretrained weights and downloads none." },
        { "# checkpoint:", "checkpoint: none.zip", "line 24, column 3: model.checkpoint: the saved model 'none.zip' is not there." },
        { "epochs: 12", "epochs: [1, 2]", "training.hyperparameters.epochs must be a whole number from 1 to 1000000; found a list." },
        { "epochs: 12", "epochs: 0", "training.hyperparameters.epochs must be a whole number from 1 to 1000000; found 0." },
        { "epochs: 12", "epochs: many", "training.hyperparameters.epochs must be a whole number from 1 to 1000000; found the text 'many'." },
        { "momentum: 0.8", "momentum: 1", "training.optimizer.momentum must be a number of at least 0 and below 1; found 1." },
        { "lr: 0.05", "lr: 0", "training.optimizer.lr must be a number above 0 and at most 1000; found 0." },
        { "milestones: [4, 8]", "milestones: 4", "training.lr_scheduler.milestones must be a list of epochs; found 4." },
        { "    milestones: [4, 8]\n", "", "training.lr_scheduler: multistep_lr needs 'milestones'" },
        { "  name: \"usf_lenet\"\n", "", "experiment lacks 'name'. name: a text." },
        { "    batch_size: 128", "\tbatch_size: 128", "a tab cannot indent in YAML. Use spaces." },
        { "    batch_size: 128", "    epochs: 13", "line 31, column 5: the key 'epochs' is given twice. Keep one of the two." },
        { "init: \"xavier\"", "init: kaimming", "found the text 'kaimming'. Did you mean 'kaiming'?" },
        { "name: \"usf_lenet\"", "name: 007", "experiment.name must be a text; found a number, 007. If it is meant as a text, write it in quotes: "
            + "\"007\"." },
        { "name: \"usf_lenet\"", "name: 1e3", "write it in quotes: \"1e3\"." },
        { "name: \"usf_lenet\"", "name: true", "found true or false, true. If it is meant as a text, write it in quotes: \"true\"." },
        { "output_dir: \"runs/mnist/\"", "output_dir: ~", "experiment.output_dir must be a text; found null, ~. If it is meant as a text, write "
            + "it in quotes: \"~\"." },
        { "dataset_path: null", "dataset_path: 2024", "data.dataset_path must be a text or nothing (null); found a number, 2024. If it is meant" },
        { "target_size: 32", "label: 1", "data.label must be a text; found a number, 1. If it is meant as a text, write it in quotes: \"1\"." },
        { "output_dir: \"runs/mnist/\"", "output_dir: $FAMLNET_NOT_SET/x", "experiment.output_dir: '$FAMLNET_NOT_SET/x': the variable "
            + "FAMLNET_NOT_SET is not set." },
        { "output_dir: \"runs/mnist/\"", "output_dir: ~somebody/x", "only ~/ is expanded" },
        { "gradient_clip: true", "gradient_clip: -1",
            "model.mode.options.gradient_clip must be false, true (a limit of 1), or a limit above 0; found -1." },
        { "constrain_weights: true", "scaling_factor: true", "model.mode.options.scaling_factor: it has no meaning" },
        { "seed: 7", "seed: [7, ", "it is not YAML" },
        { "top_k: 3", "top_k: 0", "training.metrics.top_k must be a whole number from 1 to 100000; found 0." },
        { "evaluation: true", "evaluation: {robustness: {attacks: [fgms]}}", "evaluation.robustness.attacks: the attack 'fgms' is none of" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void What_is_wrong_is_named_with_its_line_and_the_cure(string right, string wrong, string message)
    {
        Assert.Contains(right, BioTorch, StringComparison.Ordinal);
        string text = Assert.Throws<FormatException>(() => Read(BioTorch.Replace(right, wrong, StringComparison.Ordinal))).Message;
        Assert.Contains(message, text, StringComparison.Ordinal);
        Assert.StartsWith(Path.Combine(_folder, "config.yaml"), text, StringComparison.Ordinal);
    }

    [Theory, InlineData("", "it is empty"), InlineData("- 1\n- 2\n", "expected keys"), InlineData("x", "expected keys"),
        InlineData("experiment: {name: x}\n---\na: 1\n", "a second document"), InlineData("a: &a [1, *a]\n", "contains itself"),
        InlineData("experiment: {name: x}\n", "the file lacks 'data' and 'model'"), InlineData("\0\u0001\u0002", "")]
    public void What_is_no_configuration_is_refused(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_file_cut_anywhere_is_read_or_refused_by_name()
    {
        for (int length = 0; length < BioTorch.Length; length += 7)
        {
            try
            {
                Read(BioTorch[..length]);
            }
            catch (FormatException failure)
            {
                Assert.StartsWith(_folder, failure.Message, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>What YAML 1.2 calls a number, in a culture that writes commas.</summary>
    [Theory, InlineData("1e-3", 1e-3), InlineData("1E+2", 100.0), InlineData("-.5", -0.5), InlineData("0.001", 1e-3), InlineData("12", 12.0)]
    public void Numbers_are_read_as_they_are_written(string text, double value) =>
        Assert.Equal(value, System.Text.Json.Nodes.JsonNode.Parse(YamlReader.Scalar(text)!.ToJsonString())!.GetValue<double>());

    [Fact]
    public void Settings_that_only_say_where_things_go_do_not_decide_the_result()
    {
        ExperimentSettings one = Read(BioTorch), other = Read(BioTorch.Replace("gpus: -1", "threads: 3", StringComparison.Ordinal)
            .Replace("runs/mnist/", "elsewhere", StringComparison.Ordinal)), third = Read(BioTorch.Replace("seed: 7", "seed: 8",
                StringComparison.Ordinal));
        Assert.True(System.Text.Json.Nodes.JsonNode.DeepEquals(one.Decisive, other.Decisive));
        Assert.False(System.Text.Json.Nodes.JsonNode.DeepEquals(one.Decisive, third.Decisive));
    }

    /// <summary>The case 28-home, and every other key that names a path.</summary>
    [Fact]
    public void The_home_folder_and_variables_are_expanded_where_a_path_begins_with_them()
    {
        string home = Environment.GetEnvironmentVariable("HOME")!.TrimEnd('/');
        ExperimentSettings Of(string path) => Read(BioTorch.Replace("\"runs/mnist/\"", path, StringComparison.Ordinal)
            .Replace("dataset_path: null", $"dataset_path: {path}", StringComparison.Ordinal));
        foreach (string path in new[] { "~/some where", "$HOME/some where", "${HOME}/some where", "'~/some where'" })
        {
            Assert.Equal($"{home}/some where", Of(path).DatasetPath);
            Assert.Equal($"{home}/some where/usf_lenet", Of(path).OutputFolder);
        }
        foreach (string path in new[] { "a/~/b", "./~", "a$HOME", "$/x", "${HOME/x", "$HOME-x/y" })
            Assert.Equal(path, Of($"'{path}'").DatasetPath);
        File.WriteAllText(Path.Combine(_folder, "cells.csv"), "seed\n1\n");
        string relative = Path.GetRelativePath(home, Path.Combine(_folder, "cells.csv"));
        string file = Path.Combine(_folder, "sweep.yaml");
        File.WriteAllText(file, $"{BioTorch}\nsweep: {{cells: '~/{relative}'}}\n");
        Assert.Single(FaMLNet.Cli.Sweeps.SweepFile.Read(file).Trials);
        Assert.Contains($"the saved model '{home}/none.zip' is not there", Assert.Throws<FormatException>(() =>
            Read(BioTorch.Replace("# checkpoint:", "checkpoint: ~/none.zip", StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_override_keys_of_the_file_as_the_file_would_have_them()
    {
        ExperimentSettings settings = Read(BioTorch, "training.hyperparameters.epochs=5", "training.optimizer.lr=1e-2",
            "training.lr_scheduler.milestones=[2, 3]", "experiment.name=\"007\"", "infrastructure.threads=2", "data.dataset_path=a=b");
        Assert.Equal(5, settings.Epochs);
        Assert.Equal(0.01f, settings.ToOptions().Optimizer!.LearningRate);
        Assert.Equal(LearningRateSchedule.MultiStep(0.5, 2, 3), settings.ToOptions().Schedule);
        Assert.Equal(("007", 2, "a=b", 128), (settings.Name, settings.Threads, settings.DatasetPath, settings.BatchSize));
        // A whole group, and a value that is taken away.
        settings = Read(BioTorch, "training.optimizer={type: Adam, lr: 0.5}", "training.lr_scheduler=null");
        Assert.Equal(0.5f, Assert.IsType<OptimizerOptions.Adam>(settings.ToOptions().Optimizer).LearningRate);
        Assert.Equal(LearningRateSchedule.Constant, settings.ToOptions().Schedule);
    }

    [Theory]
    [InlineData("training.hyperparameters.epoch=5", "with --set training.hyperparameters.epoch=5: the key 'training.hyperparameters.epoch' is "
        + "not known")]
    [InlineData("training.hyperparameters.epochs=0", "with --set training.hyperparameters.epochs=0: training.hyperparameters.epochs must be a "
        + "whole number from 1 to 1000000; found 0.")]
    [InlineData("trainig.epochs=5", "the key 'trainig' is not known. Known are")]
    [InlineData("epochs", "--set epochs: expected KEY=VALUE with the full key")]
    [InlineData("=5", "--set =5: expected KEY=VALUE")]
    [InlineData("experiment.name.first=a", "leads through 'name', which has a value")]
    [InlineData("experiment.name=7", "with --set experiment.name=7: experiment.name must be a text; found 7.")]
    [InlineData("experiment.seed=[1", "--set experiment.seed=[1: the value cannot be read")]
    public void Options_that_override_nothing_sensible_are_named(string set, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => Read(BioTorch, set)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_key_is_overridden_once() => Assert.Contains("the key is set twice", Assert.Throws<FormatException>(() =>
        Read(BioTorch, "experiment.seed=1", "experiment.seed=2")).Message, StringComparison.Ordinal);

    private ExperimentSettings Read(string text, params string[] set)
    {
        string path = Path.Combine(_folder, "config.yaml");
        File.WriteAllText(path, text, Encoding.UTF8);
        return ExperimentSettings.Read(YamlFile.Read(path).Override(set));
    }
}
