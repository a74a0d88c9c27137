using FaMLNet.Cli.Sweeps;
using FaMLNet.Tests.Interop;
using k8s;
using k8s.Models;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>The manifest of an indexed job, against the types that Kubernetes generates from its published schema.</summary>
public sealed class KubernetesTests
{
    private static readonly string Folder = Path.Combine(ProcessRunner.Metadata("RepositoryRoot"), "benchmarks");

    [Fact]
    public void The_manifest_has_only_keys_of_the_schema_and_as_many_pods_as_there_are_trials()
    {
        string text = File.ReadAllText(Path.Combine(Folder, "kubernetes-job.yaml"));
        V1Job job = KubernetesYaml.Deserialize<V1Job>(text, strict: true);
        Assert.Equal(("batch/v1", "Job", "Indexed"), (job.ApiVersion, job.Kind, job.Spec.CompletionMode));
        Assert.Equal(SweepFile.Read(Path.Combine(Folder, "lenet-paper.yaml")).Trials.Count, job.Spec.Completions);
        Assert.Contains("--index \"$JOB_COMPLETION_INDEX\"", job.Spec.Template.Spec.Containers.Single().Args.Single(), StringComparison.Ordinal);
        // The check does check.
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.Deserialize<V1Job>(text.Replace("parallelism:", "paralelism:", StringComparison.Ordinal),
            strict: true));
    }
}
