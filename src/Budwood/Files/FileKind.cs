using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Budwood.Files;

/// <summary>What a file really is, by its first bytes and not by its name.</summary>
public enum FileKind
{
    /// <summary>None of the kinds below.</summary>
    Unknown,
    Empty,
    Safetensors,
    /// <summary>The text stub that a clone without git-lfs leaves in place of a large file.</summary>
    GitLfsPointer,
    /// <summary>A ZIP archive; <c>torch.save</c> writes one.</summary>
    Zip,
    /// <summary>A bare Python pickle, as torch wrote before 1.6.</summary>
    Pickle,
    Gguf,
    Gzip,
    Hdf5,
    /// <summary>A web page: a login or error page saved under the name of a model.</summary>
    Html,
    Json,
    /// <summary>Other readable text, such as the one-line answer of a server that refused.</summary>
    Text,
    /// <summary>Zeros only: space was reserved for a download that never arrived.</summary>
    Zeros,
}

/// <summary>Tells kinds of files apart by content.</summary>
public static class FileKinds
{
    /// <summary>How many bytes of a file <see cref="Of(ReadOnlySpan{byte}, long)"/> wants to see at most.</summary>
    public const int HeadBytes = 1024;

    /// <summary>The kind of a file of <paramref name="length"/> bytes that begins with <paramref name="head"/>.</summary>
    public static FileKind Of(ReadOnlySpan<byte> head, long length)
    {
        if (length == 0) return FileKind.Empty;
        // The brace decides first: the eight bytes of a header length may by chance spell the mark of another format.
        if (head.Length > 8 && head[8] == (byte)'{' && !IsText(head[..8])) return FileKind.Safetensors;
        if (head.StartsWith("version https://git-lfs"u8) || head.StartsWith("version https://hawser"u8)) return FileKind.GitLfsPointer;
        if (head.StartsWith("PK\u0003\u0004"u8) || head.StartsWith("PK\u0005\u0006"u8)) return FileKind.Zip;
        if (head.StartsWith("GGUF"u8)) return FileKind.Gguf;
        if (head.Length >= 2 && head[0] == 0x1F && head[1] == 0x8B) return FileKind.Gzip;
        if (head.Length >= 4 && head[0] == 0x89 && head[1..4].SequenceEqual("HDF"u8)) return FileKind.Hdf5;
        if (head.Length >= 2 && head[0] == 0x80 && head[1] is >= 2 and <= 5) return FileKind.Pickle;
        if (!head.ContainsAnyExcept((byte)0)) return FileKind.Zeros;
        ReadOnlySpan<byte> text = head.TrimStart("\uFEFF \t\r\n"u8);
        if (text.Length > 0 && text[0] == (byte)'<') return FileKind.Html;
        if (!IsText(head)) return FileKind.Unknown;
        return text.Length > 0 && text[0] is (byte)'{' or (byte)'[' ? FileKind.Json : FileKind.Text;
    }

    /// <summary>Reads the head of a source and tells its kind.</summary>
    public static FileKind Of(IByteSource source)
    {
        byte[] head = Head(source);
        return Of(head, source.Length);
    }

    /// <summary>The size that a Git LFS pointer stands for, or null when it does not say.</summary>
    public static long? LfsSize(ReadOnlySpan<byte> head)
    {
        int at = head.IndexOf("\nsize "u8);
        return at >= 0 && Utf8Parser.TryParse(head[(at + 6)..], out long size, out _) && size >= 0 ? size : null;
    }

    internal static byte[] Head(IByteSource source)
    {
        byte[] head = new byte[Math.Min(source.Length, HeadBytes)];
        source.Read(0, head);
        return head;
    }

    /// <summary>The first line of a text head, cut to a length that fits a message.</summary>
    internal static string FirstLine(ReadOnlySpan<byte> head)
    {
        int end = head.IndexOfAny((byte)'\n', (byte)'\r');
        if (end >= 0) head = head[..end];
        return Encoding.UTF8.GetString(head[..Math.Min(head.Length, 80)]);
    }

    /// <summary>The header length that the first eight bytes of a safetensors file state.</summary>
    internal static ulong HeaderLength(ReadOnlySpan<byte> head) => BinaryPrimitives.ReadUInt64LittleEndian(head);

    private static bool IsText(ReadOnlySpan<byte> head)
    {
        foreach (byte b in head)
        {
            if (b is < 0x20 and not ((byte)'\t' or (byte)'\n' or (byte)'\r') or 0x7F) return false;
        }
        // The head may end inside a character: judge without the last three bytes.
        return System.Text.Unicode.Utf8.IsValid(head) || (head.Length > 3 && System.Text.Unicode.Utf8.IsValid(CutAtCharacter(head)));
    }

    private static ReadOnlySpan<byte> CutAtCharacter(ReadOnlySpan<byte> head)
    {
        int end = head.Length;
        while (end > Math.Max(1, head.Length - 4) && (head[end - 1] & 0xC0) == 0x80) end--;
        return head[end - 1] >= 0xC0 ? head[..(end - 1)] : head[..end];
    }
}
