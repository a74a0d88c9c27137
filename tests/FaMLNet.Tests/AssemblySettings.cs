using Xunit;

// libtorch's number of threads is the process's; tests that compare bits or count tensors must not share it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
