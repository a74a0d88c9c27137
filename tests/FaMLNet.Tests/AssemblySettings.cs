using FaMLNet.Tests.Interop;
using Xunit;

// libtorch's number of threads is the process's; tests that compare bits or count tensors must not share it. So tests run one after another, but for
// those that only start processes and look at what these leave (below).
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly)]

namespace FaMLNet.Tests;

/// <summary>
/// Tests that work in processes of their own run beside the others: they use neither libtorch nor anything else that a process has once.
/// </summary>
[CollectionDefinition(Name)]
public sealed class OwnProcesses : ICollectionFixture<PackedProjects>
{
    public const string Name = "Own processes";
}

/// <summary>Tests that measure or change what a process has once (its memory, its current folder) run when no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
