using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Files;

/// <summary>What a run has finished so far: entries of text lines, each sealed and on disk before the next begins.</summary>
/// <remarks>
/// Every seal covers its entry and the seal before it, so that a reader stops at the first byte that is not as it was written. What stands behind a whole
/// entry (half of one, after a power cut) is cut off before more is appended.
/// </remarks>
internal sealed class Journal
{
    private const string Mark = "budwood journal 1", SealMark = "seal ";
    private const long MostBytes = 1 << 28;

    private readonly SafeFileHandle _file;
    private readonly List<IReadOnlyList<string>> _entries = [];
    private Digest _seal;
    private long _end;

    private Journal(SafeFileHandle file) => _file = file;

    /// <summary>The entries that are whole, oldest first; none when it was begun by this run.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Entries => _entries;

    /// <summary>Something stood behind the last whole entry.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Begins an empty journal in a file that the caller holds.</summary>
    /// <param name="key">Names the work: only a run of the same work goes on with it.</param>
    public static Journal Begin(SafeFileHandle file, Digest key)
    {
        var journal = new Journal(file);
        RandomAccess.SetLength(file, 0);
        journal.Append([Mark, key.ToString()]);
        return journal;
    }

    /// <summary>Reads the journal of an earlier run; null when the file holds none, or one of other work.</summary>
    public static Journal? Resume(SafeFileHandle file, Digest key)
    {
        long length = RandomAccess.GetLength(file);
        if (length is 0 or > MostBytes) return null;
        byte[] bytes = new byte[length];
        int read = 0;
        for (int n; read < bytes.Length && (n = RandomAccess.Read(file, bytes.AsSpan(read), read)) > 0;) read += n;
        var journal = new Journal(file);
        journal.Parse(bytes.AsSpan(0, read));
        if (journal._entries.Count == 0 || !journal._entries[0].SequenceEqual([Mark, key.ToString()])) return null;
        journal._entries.RemoveAt(0);
        return journal;
    }

    /// <summary>Adds an entry; it is on disk when this returns.</summary>
    public void Append(IReadOnlyList<string> lines)
    {
        var text = new StringBuilder();
        foreach (string line in lines) text.Append(line).Append('\n');
        byte[] body = JsonText.Strict.GetBytes(text.ToString());
        Digest seal = Seal(body, _seal);
        byte[] entry = [.. body, .. Encoding.ASCII.GetBytes(SealLine(seal))];
        RandomAccess.SetLength(_file, _end);
        RandomAccess.Write(_file, entry, _end);
        RandomAccess.FlushToDisk(_file);
        _end += entry.Length;
        _seal = seal;
    }

    /// <summary>Forgets everything: the work is done.</summary>
    public void End()
    {
        RandomAccess.SetLength(_file, 0);
        RandomAccess.FlushToDisk(_file);
    }

    private void Parse(ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; at < bytes.Length;)
        {
            // Lines never begin with the mark of a seal, so the next one ends the entry.
            int body = bytes[at..].IndexOf("\nseal "u8) + 1, sealLength = SealMark.Length + 33;
            if (body == 0 || at + body + sealLength > bytes.Length) break;
            Digest seal = Seal(bytes.Slice(at, body), _seal);
            if (!bytes.Slice(at + body, sealLength).SequenceEqual(Encoding.ASCII.GetBytes(SealLine(seal)))) break;
            _entries.Add(Encoding.UTF8.GetString(bytes.Slice(at, body - 1)).Split('\n'));
            at += body + sealLength;
            (_end, _seal) = (at, seal);
        }
        IsDamaged = _end < bytes.Length;
    }

    private static Digest Seal(ReadOnlySpan<byte> body, Digest before)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.ASCII.GetBytes(SealLine(before)));
        hash.Append(body);
        return Digest.Of(hash);
    }

    private static string SealLine(Digest seal) => SealMark + seal.Hex + "\n";
}
