namespace Budwood.Files;

/// <summary>A small file that appears whole or not at all: written beside its place, synced, renamed.</summary>
public static class WholeFile
{
    /// <summary>Writes the file; an existing one is replaced only when asked for.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool replace)
    {
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full)!;
        string beside = Path.Join(folder, $".{Path.GetFileName(full)}.partial-{Guid.NewGuid():n}");
        try
        {
            Directory.CreateDirectory(folder);
            using (var file = new FileStream(beside, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }
            File.Move(beside, full, replace);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            if (FileFaults.IsDiskFull(e)) throw FileFaults.DiskFull(path, bytes.Length, Posix.FreeBytes(folder), e);
            throw e is UnauthorizedAccessException ? FileFaults.OutputNotPermitted(path, folder, e) : FileFaults.Writing(path, e);
        }
        finally
        {
            if (File.Exists(beside)) File.Delete(beside);
        }
    }
}
