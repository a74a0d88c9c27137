using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

// Copies an assembly with its internal members made public, to compile against (never to ship):
//   FaMLNet.Publicizer <assembly.dll> <copy.dll>
// "private protected" becomes "protected"; "internal" and "protected internal" become "public"; private stays private.
// Only the accessibility bits of TypeDef, Field and MethodDef rows change (ECMA-335 II.23.1), so the copy has the same
// tokens, the same identity and the same size.
if (args.Length != 2)
{
    Console.Error.WriteLine("usage: FaMLNet.Publicizer <assembly.dll> <copy.dll>");
    return 2;
}

byte[] image = File.ReadAllBytes(args[0]);
using var pe = new PEReader(new MemoryStream(image));
MetadataReader metadata = pe.GetMetadataReader();
int start = pe.PEHeaders.MetadataStartOffset;

// Flags lie at the start of a TypeDef (4 bytes) and of a Field row (2 bytes); in a MethodDef row after RVA (4) and ImplFlags (2).
Rewrite(TableIndex.TypeDef, offset: 0, width: 4, flags => (flags & (uint)TypeAttributes.VisibilityMask) switch
{
    (uint)TypeAttributes.NotPublic => Visibility(flags, (uint)TypeAttributes.VisibilityMask, (uint)TypeAttributes.Public),
    (uint)TypeAttributes.NestedAssembly or (uint)TypeAttributes.NestedFamORAssem =>
        Visibility(flags, (uint)TypeAttributes.VisibilityMask, (uint)TypeAttributes.NestedPublic),
    (uint)TypeAttributes.NestedFamANDAssem => Visibility(flags, (uint)TypeAttributes.VisibilityMask, (uint)TypeAttributes.NestedFamily),
    _ => flags,
});
Rewrite(TableIndex.Field, offset: 0, width: 2, Member);
Rewrite(TableIndex.MethodDef, offset: 6, width: 2, Member);

string temporary = args[1] + ".tmp";
File.WriteAllBytes(temporary, image);
File.Move(temporary, args[1], overwrite: true);
return 0;

static uint Visibility(uint flags, uint mask, uint visibility) => (flags & ~mask) | visibility;

// Fields and methods encode accessibility in the same three bits.
static uint Member(uint flags) => (flags & (uint)MethodAttributes.MemberAccessMask) switch
{
    (uint)MethodAttributes.Assembly or (uint)MethodAttributes.FamORAssem =>
        Visibility(flags, (uint)MethodAttributes.MemberAccessMask, (uint)MethodAttributes.Public),
    (uint)MethodAttributes.FamANDAssem => Visibility(flags, (uint)MethodAttributes.MemberAccessMask, (uint)MethodAttributes.Family),
    _ => flags,
};

void Rewrite(TableIndex table, int offset, int width, Func<uint, uint> change)
{
    int first = start + metadata.GetTableMetadataOffset(table) + offset;
    int rowSize = metadata.GetTableRowSize(table);
    for (int row = 0; row < metadata.GetTableRowCount(table); row++)
    {
        Span<byte> flags = image.AsSpan(first + row * rowSize, width);
        if (width == 4)
            BinaryPrimitives.WriteUInt32LittleEndian(flags, change(BinaryPrimitives.ReadUInt32LittleEndian(flags)));
        else
            BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)change(BinaryPrimitives.ReadUInt16LittleEndian(flags)));
    }
}
