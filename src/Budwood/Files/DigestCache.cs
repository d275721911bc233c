using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Budwood.Files;

/// <summary>Remembers the digests of weight files between runs, as long as path, size, time and inode stay the same.</summary>
/// <remarks>
/// One small text file for each weight file, written whole under another name first; whatever in it is not as expected counts as absent. Nothing here ever
/// throws: a cache that cannot be used costs time only.
/// </remarks>
public sealed class DigestCache(string? folder)
{
    private const string Mark = "budwood digests 1";

    // What a file looked like before it was digested: Put keeps nothing when it has changed since.
    private readonly ConcurrentDictionary<string, string> _seen = new(StringComparer.Ordinal);

    // The same for files whose digests were there: Put has nothing to write.
    private readonly ConcurrentDictionary<string, string> _held = new(StringComparer.Ordinal);

    /// <summary>The cache in BUDWOOD_HOME, or in the user's data folder when that is not set.</summary>
    public static DigestCache Default { get; } = new(DefaultFolder());

    /// <summary>The folder of the cache; null when there is none.</summary>
    public string? Folder { get; } = folder;

    /// <summary>Digests by tensor name, when they were kept and the file has not changed.</summary>
    public bool TryGet(string weightFile, out IReadOnlyDictionary<string, Digest> digests)
    {
        digests = new Dictionary<string, Digest>();
        try
        {
            if (Folder is null || Identity(weightFile) is not { } identity) return false;
            string real = RealPath.Of(weightFile);
            _seen[real] = identity;
            _held.TryRemove(real, out _);
            string path = EntryPath(weightFile);
            if (!File.Exists(path) || Parse(File.ReadAllBytes(path), identity) is not { } found) return false;
            digests = found;
            _held[real] = identity;
            return true;
        }
        catch (Exception e) when (FileFaults.IsReading(e) || e is ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Keeps the digests of a file's tensors, unless they were there already, or the file has changed since <see cref="TryGet"/> was asked about it.</summary>
    public void Put(string weightFile, IReadOnlyDictionary<string, Digest> digests)
    {
        string? temporary = null;
        try
        {
            if (Folder is null || Identity(weightFile) is not { } identity) return;
            string real = RealPath.Of(weightFile);
            if (_seen.TryGetValue(real, out string? before) && before != identity) return;
            if (_held.TryGetValue(real, out string? held) && held == identity) return;
            // The format is one name a line.
            if (digests.Keys.Any(k => k.Any(char.IsControl))) return;
            string path = EntryPath(weightFile);
            var text = new StringBuilder(Mark).Append('\n').Append(identity).Append('\n');
            foreach ((string name, Digest digest) in digests.OrderBy(d => d.Key, StringComparer.Ordinal))
            {
                text.Append(digest).Append(' ').Append(name).Append('\n');
            }
            byte[] body = JsonText.Strict.GetBytes(text.ToString());
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            temporary = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
            File.WriteAllBytes(temporary, [.. body, .. Encoding.ASCII.GetBytes(Seal(body))]);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (FileFaults.IsReading(e) || e is ArgumentException)
        {
            try
            {
                if (temporary is not null) File.Delete(temporary);
            }
            catch (Exception again) when (FileFaults.IsReading(again))
            {
                // Then it stays: nobody reads it.
            }
        }
    }

    private static Dictionary<string, Digest>? Parse(byte[] bytes, string identity)
    {
        // The last line seals the others, so half a file or an edited one is seen.
        int end = bytes.AsSpan().LastIndexOf("seal "u8);
        if (end < 0 || Encoding.ASCII.GetString(bytes.AsSpan(end)) != Seal(bytes.AsSpan(0, end))) return null;
        string[] lines = Encoding.UTF8.GetString(bytes.AsSpan(0, end)).Split('\n');
        if (lines.Length < 3 || lines[0] != Mark || lines[1] != identity) return null;
        var digests = new Dictionary<string, Digest>(StringComparer.Ordinal);
        foreach (string line in lines.AsSpan(2, lines.Length - 3))
        {
            int space = line.IndexOf(' ');
            if (space < 0 || !Digest.TryParse(line[..space], out Digest digest) || !digests.TryAdd(line[(space + 1)..], digest)) return null;
        }
        return digests;
    }

    private static string Seal(ReadOnlySpan<byte> body) => "seal " + Digest.Of(body).Hex + "\n";

    /// <summary>One line that changes whenever the file may have: path, size, time, device and inode.</summary>
    internal static string? Identity(string weightFile)
    {
        string path = RealPath.Of(weightFile);
        var info = new FileInfo(path);
        if (!info.Exists || path.Any(char.IsControl)) return null;
        FileFacts? facts = Posix.Stat(path);
        return string.Create(CultureInfo.InvariantCulture,
            $"{info.Length} {info.LastWriteTimeUtc.Ticks} {facts?.ModifiedNanoseconds} {facts?.Device}:{facts?.Inode} {path}");
    }

    private string EntryPath(string weightFile)
    {
        return Path.Join(Folder, Digest.Of(Encoding.UTF8.GetBytes(RealPath.Of(weightFile))).Hex + ".digests");
    }

    private static string? DefaultFolder() => BudwoodHome.Folder is { } home ? Path.Join(home, "digests") : null;
}
