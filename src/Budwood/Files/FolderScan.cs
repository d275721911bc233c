using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Budwood.Files;

/// <summary>One file of a folder that is looked at and never run: its name from the folder on, its length, and a way to its bytes.</summary>
public sealed class ScannedFile
{
    private readonly Func<IByteSource> _open;

    private ScannedFile(string name, long length, Func<IByteSource> open) => (Name, Length, _open) = (name, length, open);

    /// <summary>Path from the folder, with forward slashes.</summary>
    public string Name { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>Opens the bytes; the caller disposes of them.</summary>
    public IByteSource Open() => _open();

    /// <summary>A file that is held in memory.</summary>
    public static ScannedFile InMemory(string name, ReadOnlyMemory<byte> bytes) => new(name, bytes.Length, () => new MemorySource(bytes, name));

    internal static ScannedFile OnDisk(string name, string path)
    {
        using FileSource source = FileSource.Open(path);
        return new(name, source.Length, () => FileSource.Open(path));
    }
}

/// <summary>All files of a folder, whatever they are, listed without being read as models.</summary>
public sealed class FolderScan
{
    /// <summary>The most files that are listed: no model has as many.</summary>
    public const int MostFiles = 100_000;

    private readonly List<ScannedFile> _files = [];
    private readonly List<string> _leftOut = [];

    private FolderScan(string path, string label) => (Path, Label) = (path, label);

    /// <summary>Where it lies; empty for files in memory.</summary>
    public string Path { get; }

    /// <summary>The folder as the user named it.</summary>
    public string Label { get; }

    /// <summary>The files, sorted by name (ordinally).</summary>
    public IReadOnlyList<ScannedFile> Files => _files;

    /// <summary>What was not looked into, with the reason: links to folders, dangling links, devices, a repository's history.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>Lists a folder with all its subfolders, or one file by itself.</summary>
    public static FolderScan Open(string path, string? label = null)
    {
        var scan = new FolderScan(path, label ?? path);
        if (File.Exists(path)) scan._files.Add(ScannedFile.OnDisk(System.IO.Path.GetFileName(path), path));
        else if (Directory.Exists(path)) scan.List(path, "");
        else throw FileFaults.Missing(path, "folder", FileFaults.Siblings(path));
        scan._files.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return scan;
    }

    /// <summary>Files that are held in memory.</summary>
    public static FolderScan Of(string label, IEnumerable<ScannedFile> files)
    {
        var scan = new FolderScan("", label);
        scan._files.AddRange(files.OrderBy(f => f.Name, StringComparer.Ordinal));
        return scan;
    }

    /// <summary>Identity of the content: names, lengths and bytes of all files.</summary>
    public Digest Digest(CancellationToken stop = default)
    {
        var whole = new XxHash128();
        byte[] buffer = new byte[1 << 20], number = new byte[8];
        foreach (ScannedFile file in _files)
        {
            var own = new XxHash128();
            using (IByteSource source = file.Open())
            {
                for (long at = 0; at < source.Length; at += buffer.Length)
                {
                    stop.ThrowIfCancellationRequested();
                    Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, source.Length - at));
                    source.Read(at, piece);
                    own.Append(piece);
                }
            }
            whole.Append(Encoding.UTF8.GetBytes(file.Name));
            whole.Append([0]);
            BinaryPrimitives.WriteInt64LittleEndian(number, file.Length);
            whole.Append(number);
            whole.Append(own.GetCurrentHash());
        }
        return Budwood.Files.Digest.Of(whole);
    }

    private void List(string folder, string prefix)
    {
        FileSystemInfo[] entries;
        try
        {
            entries = [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.ListingFolder(folder, e);
        }
        foreach (FileSystemInfo entry in entries)
        {
            string name = prefix + entry.Name;
            // A hub cache links to its files; a link to a folder may lead round in a circle, or out of the model.
            if (entry is DirectoryInfo && entry.LinkTarget is not null) _leftOut.Add($"{name}: a link to a folder");
            else if (entry is DirectoryInfo && entry.Name == ".git") _leftOut.Add($"{name}: the history of a repository");
            else if (entry is DirectoryInfo) List(entry.FullName, name + "/");
            else if (Posix.Stat(entry.FullName) is not { } stat) _leftOut.Add($"{name}: a link that leads nowhere");
            else if (!stat.IsRegular) _leftOut.Add($"{name}: not a file");
            else if (_files.Count >= MostFiles) throw FileFaults.TooManyFiles(Label, MostFiles);
            else _files.Add(ScannedFile.OnDisk(name, entry.FullName));
        }
    }
}
