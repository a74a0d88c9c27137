using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Xunit;

namespace FaMLNet.Tests.Interop;

/// <summary>The library is compiled against publicised copies of ML.NET; these tests hold what it uses to the real assemblies.</summary>
public sealed class InternalMembersTests
{
    private static readonly Assembly Library = typeof(FeedbackRule).Assembly;

    [Fact]
    public void Every_type_and_member_that_the_library_uses_exists_in_the_referenced_version()
    {
        using PEReader file = new(File.OpenRead(Library.Location));
        MetadataReader metadata = file.GetMetadataReader();
        int members = 0, internals = 0;
        foreach (TypeReferenceHandle handle in metadata.TypeReferences)
            Assert.NotNull(Library.ManifestModule.ResolveType(MetadataTokens.GetToken(handle)));
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberInfo member = Resolve(handle);
            members++;
            if (member.DeclaringType!.Assembly.GetName().Name!.StartsWith("Microsoft.ML", StringComparison.Ordinal)
                && member is MethodBase { IsAssembly: true } or MethodBase { IsFamilyAndAssembly: true })
                internals++;
        }
        Assert.True(members > 300, $"{members} members");
        Assert.True(internals > 10, $"{internals} internal members: the test looks at the wrong thing");
    }

    /// <summary>Throws MissingMethodException or MissingFieldException if the member is not there.</summary>
    private static MemberInfo Resolve(MemberReferenceHandle handle)
    {
        // Dummies stand in for the arguments of generic types and methods of the library's own: anything, or what the trainers' base asks for.
        Type[] any = [typeof(string), typeof(string), typeof(string)];
        Type[] trainer = [typeof(FeedbackAlignmentMulticlassTransformer), typeof(FeedbackAlignmentMulticlassModelParameters)];
        try
        {
            return Library.ManifestModule.ResolveMember(MetadataTokens.GetToken(handle), any, any)!;
        }
        catch (TypeLoadException) // or what a constraint forbids
        {
            return Library.ManifestModule.ResolveMember(MetadataTokens.GetToken(handle), trainer, any)!;
        }
    }

    /// <summary>
    /// TorchSharp does not keep a number alive while libtorch uses it (see Scalars): a collection at the wrong moment is a crash once in
    /// ten thousand trainings.
    /// </summary>
    [Fact]
    public void Numbers_reach_libtorch_only_in_objects_that_outlive_the_call()
    {
        using PEReader file = new(File.OpenRead(Library.Location));
        MetadataReader metadata = file.GetMetadataReader();
        // Implicit conversions, and the sums of tensors that make one inside TorchSharp.
        HashSet<int> forbidden = [.. metadata.MemberReferences.Where(handle =>
            Resolve(handle) is MethodInfo method
            && ((method.DeclaringType == typeof(TorchSharp.Scalar) && method.Name == "op_Implicit")
                || (method.DeclaringType == typeof(TorchSharp.torch.Tensor) && method.Name is "add" or "add_"
                && method.GetParameters() is [{ ParameterType.Name: "Tensor" }]))).Select(handle => MetadataTokens.GetToken(handle))];
        Assert.NotEmpty(forbidden); // Scalars itself
        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            MethodDefinition method = metadata.GetMethodDefinition(handle);
            string type = metadata.GetString(metadata.GetTypeDefinition(method.GetDeclaringType()).Name);
            if (method.RelativeVirtualAddress == 0 || type == "Scalars")
                continue;
            byte[] code = file.GetMethodBody(method.RelativeVirtualAddress).GetILBytes()!;
            for (int i = 0; i < code.Length - 4; i++)
                Assert.False(code[i] is 0x28 or 0x6F && forbidden.Contains(BitConverter.ToInt32(code, i + 1)),
                    $"{type}.{metadata.GetString(method.Name)} hands libtorch a number that nobody keeps alive: use Scalars");
        }
    }

    [Fact]
    public void The_library_names_the_assemblies_whose_internals_it_uses_and_no_other()
    {
        string[] names = [.. Library.GetCustomAttributesData().Where(attribute => attribute.AttributeType.Name == "IgnoresAccessChecksToAttribute")
            .Select(attribute => (string)attribute.ConstructorArguments[0].Value!).Order()];
        Assert.Equal(["Microsoft.ML.Core", "Microsoft.ML.Data"], names);
        Assert.DoesNotContain(Library.GetReferencedAssemblies(), reference => reference.Name!.Contains("ublicize", StringComparison.Ordinal));
    }
}
