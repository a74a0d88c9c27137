using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.ML;

namespace FaMLNet.Interop;

/// <summary>
/// Lets what goes wrong while ML.NET loads a model reach the user as it was thrown. ML.NET makes each part of a model, a chain and what is in
/// it, by reflection, which wraps an exception at every level: what <c>mlContext.Model.Load</c> throws says "Exception has been thrown by the
/// target of an invocation." or, if the exception is marked as ML.NET's own, "Error during class instantiation", and no more.
/// </summary>
/// <remarks>
/// The outermost part's entry in the zip is closed by a <c>using</c> outside all reflection. It is made to throw the original exception when it
/// is closed, which then takes the place of the wrapped one under way. Deliberately what <see cref="CleanUp"/> is there to prevent.
/// </remarks>
internal static class LoadFailure
{
    /// <summary>Makes the load that is under way end in <paramref name="failure"/>; the caller throws it as well.</summary>
    public static void Surface(ModelLoadContext ctx, Exception failure)
    {
        try
        {
            if (ctx.Repository is { } repository && OpenEntries(repository)
                .Find(entry => Path.GetFileName(entry.Path) == ModelLoadContext.ModelStreamName) is { } outermost)
            {
                ref Repository owner = ref OwnerOf(outermost);
                if (owner is not Surfacing)
                    owner = new Surfacing(owner, failure);
            }
        }
        catch (MissingFieldException)
        {
            // Another version of ML.NET: the exception arrives wrapped.
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_open")]
    private static extern ref List<Repository.Entry> OpenEntries(Repository repository);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_rep")]
    private static extern ref Repository OwnerOf(Repository.Entry entry);

    private sealed class Surfacing(Repository owner, Exception failure) : Repository(needDir: false, owner.ExceptionContext)
    {
        protected override void OnDispose(Entry ent)
        {
            OwnerOf(ent) = owner;
            ent.Dispose();
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}
