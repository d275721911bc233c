using System.Text;
using Budwood.Files;
using Budwood.Tests.Fixtures;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Tests.Files;

public class JournalTests
{
    private static readonly Digest s_key = new(0, 42);

    private static SafeFileHandle Open(TempFolder folder) => File.OpenHandle(folder["journal"], FileMode.OpenOrCreate, FileAccess.ReadWrite);

    private static byte[] Two(TempFolder folder)
    {
        using (SafeFileHandle file = Open(folder))
        {
            Journal journal = Journal.Begin(file, s_key);
            journal.Append(["shard 1", "tensor é"]);
            journal.Append(["shard 2"]);
        }
        return File.ReadAllBytes(folder["journal"]);
    }

    private static Journal? Resume(TempFolder folder, byte[] bytes, Digest? key = null)
    {
        File.WriteAllBytes(folder["journal"], bytes);
        using SafeFileHandle file = Open(folder);
        return Journal.Resume(file, key ?? s_key);
    }

    [Fact]
    public void Entries_come_back_and_more_are_added_behind_them()
    {
        using var folder = new TempFolder();
        Two(folder);
        using (SafeFileHandle file = Open(folder))
        {
            Journal journal = Journal.Resume(file, s_key)!;
            Assert.Equal(["shard 1", "tensor é"], journal.Entries[0]);
            Assert.Equal(["shard 2"], journal.Entries[1]);
            Assert.False(journal.IsDamaged);
            journal.Append(["shard 3"]);
        }
        Assert.Equal(3, Resume(folder, File.ReadAllBytes(folder["journal"]))!.Entries.Count);
    }

    [Fact]
    public void Other_work_and_empty_files_have_no_journal()
    {
        using var folder = new TempFolder();
        byte[] bytes = Two(folder);
        Assert.Null(Resume(folder, bytes, new Digest(0, 43)));
        Assert.Null(Resume(folder, []));
        Assert.Null(Resume(folder, Encoding.UTF8.GetBytes("something else\n")));
    }

    [Fact]
    public void Whatever_is_cut_off_only_whole_entries_count()
    {
        using var folder = new TempFolder();
        byte[] bytes = Two(folder);
        int first = bytes.AsSpan().IndexOf("shard 1"u8), second = bytes.AsSpan().IndexOf("shard 2"u8);
        for (int length = 0; length < bytes.Length; length++)
        {
            Journal? journal = Resume(folder, bytes[..length]);
            Assert.Equal(length < first ? null : length < second ? 0 : (int?)1, journal?.Entries.Count);
            if (journal is not null) Assert.Equal(length != first && length != second, journal.IsDamaged);
        }
    }

    [Fact]
    public void Whatever_is_changed_nothing_behind_it_counts()
    {
        using var folder = new TempFolder();
        byte[] bytes = Two(folder);
        int second = bytes.AsSpan().IndexOf("shard 2"u8);
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] wrong = [.. bytes];
            wrong[at] ^= 1;
            Journal? journal = Resume(folder, wrong);
            Assert.InRange(journal?.Entries.Count ?? 0, 0, at < second ? 0 : 1);
        }
    }

    [Fact]
    public void Half_an_entry_is_written_over()
    {
        using var folder = new TempFolder();
        byte[] bytes = Two(folder);
        File.WriteAllBytes(folder["journal"], bytes[..^5]);
        using (SafeFileHandle file = Open(folder)) Journal.Resume(file, s_key)!.Append(["again"]);
        Journal whole = Resume(folder, File.ReadAllBytes(folder["journal"]))!;
        Assert.Equal(["again"], whole.Entries[1]);
        Assert.False(whole.IsDamaged);
    }
}
