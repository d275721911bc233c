using System.Diagnostics;
using System.Text;
using Budwood.Files;
using Budwood.Tests.Fixtures;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Tests.Files;

public class OutputFolderTests
{
    private static Fault Refuses(string code, ExitCode exit, Action action, params string[] words) => Crafted.Refuses(code, exit, action, words);

    private static string[] Entries(TempFolder folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder.Path).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal)];

    [Fact]
    public void An_output_appears_whole_at_commit_and_not_before()
    {
        using var folder = new TempFolder();
        string source = folder.Write("in/tokenizer.json", "tokens");
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: false, [folder["in"]]))
        {
            SafeFileHandle file = output.Create("model.safetensors", 6);
            output.Write(file, 3, "def"u8);
            output.Write(file, 0, "abc"u8);
            output.Write("config.json", "{}");
            output.Write("sub/note.txt", "é");
            output.CopyIn(source);
            output.CopyIn(folder.Write("in/empty", ""), "nothing");
            Assert.False(Directory.Exists(folder["out"]));
            output.Commit();
        }
        Assert.Equal(["in", "out"], Entries(folder));
        Assert.Equal("abcdef", File.ReadAllText(folder["out/model.safetensors"]));
        Assert.Equal("tokens", File.ReadAllText(folder["out/tokenizer.json"]));
        Assert.Equal("é", File.ReadAllText(folder["out/sub/note.txt"]));
        Assert.Equal(5, Directory.GetFiles(folder["out"], "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void Without_commit_nothing_is_left_and_made_parents_go()
    {
        using var folder = new TempFolder();
        using (OutputFolder output = OutputFolder.Begin(folder["deep/er/out"], force: false, []))
        {
            output.Create("model.safetensors", 100);
            Assert.True(Directory.Exists(output.StagingPath));
            Assert.StartsWith(".out.partial-", Path.GetFileName(output.StagingPath));
        }
        Assert.Empty(Entries(folder));
    }

    [Fact]
    public void Missing_parents_are_made()
    {
        using var folder = new TempFolder();
        using OutputFolder output = OutputFolder.Begin(folder["deep/er/out"], force: false, []);
        output.Write("a", "1");
        output.Commit();
        Assert.True(File.Exists(folder["deep/er/out/a"]));
    }

    [Fact]
    public void An_empty_folder_is_fine_and_a_full_one_needs_force()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["out"]);
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []))
        {
            output.Write("a", "1");
            output.Commit();
        }
        Assert.Equal("1", File.ReadAllText(folder["out/a"]));
        Refuses("BW1301", ExitCode.Usage, () => OutputFolder.Begin(folder["out"], force: false, []), folder["out"], "1 entry", "--force");
        folder.Write("file", "x");
        Refuses("BW1301", ExitCode.Usage, () => OutputFolder.Begin(folder["file"], force: false, []), "a file", "--force");
        Assert.Equal(["file", "out"], Entries(folder));
    }

    [Fact]
    public void Force_replaces_a_folder_or_a_file_and_only_at_commit()
    {
        using var folder = new TempFolder();
        folder.Write("out/old", "old");
        folder.Write("file", "old");
        foreach (string name in (string[])["out", "file"])
        {
            using OutputFolder output = OutputFolder.Begin(folder[name], force: true, []);
            output.Write("new", "new");
            Assert.True(File.Exists(folder["out/old"]) || name == "file");
            output.Commit();
            Assert.Equal("new", File.ReadAllText(folder[name + "/new"]));
        }
        Assert.False(File.Exists(folder["out/old"]));
        Assert.Equal(["file", "out"], Entries(folder));
    }

    [Fact]
    public void Force_without_commit_keeps_the_old()
    {
        using var folder = new TempFolder();
        folder.Write("out/old", "old");
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: true, [])) output.Write("new", "new");
        Assert.Equal("old", File.ReadAllText(folder["out/old"]));
        Assert.Equal(["out"], Entries(folder));
    }

    [Fact]
    public void An_output_that_appears_meanwhile_is_not_overwritten()
    {
        using var folder = new TempFolder();
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []))
        {
            output.Write("new", "new");
            folder.Write("out/other", "other");
            Refuses("BW1301", ExitCode.Usage, output.Commit, folder["out"]);
        }
        Assert.Equal("other", File.ReadAllText(folder["out/other"]));
        Assert.Equal(["out"], Entries(folder));
    }

    [Fact]
    public void An_output_that_touches_an_input_is_refused_also_with_force()
    {
        using var folder = new TempFolder();
        folder.Write("left/model.safetensors", "x");
        Refuses("BW1302", ExitCode.Usage, () => OutputFolder.Begin(folder["left"], force: true, [folder["left"]]),
            "is the input", "left", "--force does not help");
        Refuses("BW1302", ExitCode.Usage, () => OutputFolder.Begin(folder["left/out"], force: true, [folder["left"]]), "lies in the input");
        Refuses("BW1302", ExitCode.Usage, () => OutputFolder.Begin(folder.Path, force: true, [folder["left"]]), "holds the input");
        Refuses("BW1302", ExitCode.Usage, () => OutputFolder.Begin(folder["right/../left/"], force: true, [folder["left"]]), "is the input");
        OutputFolder.Begin(folder["left-2"], force: false, [folder["left"]]).Dispose();
        Assert.Equal(["left"], Entries(folder));
    }

    [Fact]
    public void Links_do_not_hide_an_input()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TempFolder();
        folder.Write("left/model.safetensors", "x");
        Directory.CreateSymbolicLink(folder["link"], folder["left"]);
        Refuses("BW1302", ExitCode.Usage, () => OutputFolder.Begin(folder["link"], force: true, [folder["left"]]), "link");
        Refuses("BW1302", ExitCode.Usage, () => OutputFolder.Begin(folder["left"], force: true, [folder["link"]]), "left");
        Refuses("BW1302", ExitCode.Usage, () => OutputFolder.Begin(folder["link/out"], force: true, [folder["left"]]), "lies in");
    }

    [Fact]
    public void A_link_as_output_is_filled_where_it_leads()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["disk"]);
        Directory.CreateSymbolicLink(folder["out"], "disk/model");
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []))
        {
            output.Write("a", "1");
            output.Commit();
        }
        Assert.Equal("1", File.ReadAllText(folder["disk/model/a"]));
        Assert.True(File.Exists(folder["out/a"]));
    }

    [Fact]
    public void The_working_directory_is_not_replaced() =>
        Refuses("BW1305", ExitCode.Usage, () => OutputFolder.Begin(".", force: true, []), "working directory");

    [Fact]
    public void The_root_is_no_output() =>
        Refuses("BW1305", ExitCode.Usage, () => OutputFolder.Begin(Path.GetPathRoot(Path.GetFullPath("."))!, force: true, []), "root");

    [Fact]
    public void Leftovers_of_dead_runs_are_removed_and_named()
    {
        using var folder = new TempFolder();
        folder.Write(".out.partial-0011aabb/model.safetensors", "half");
        folder.Write(".out.partial-0011aabb.lock", "");
        folder.Write(".out.partial-ccddeeff/x", "without a lock");
        folder.Write(".out.partial-notes/x", "not ours");
        folder.Write(".other.partial-0011aabb/x", "of another output");
        folder.Write(".out.partial-99999999.lock", "");
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []))
        {
            Assert.Equal([".out.partial-0011aabb", ".out.partial-ccddeeff"], output.RemovedLeftovers.Order(StringComparer.Ordinal));
        }
        Assert.Equal([".other.partial-0011aabb", ".out.partial-notes"], Entries(folder));
    }

    [Fact]
    public void A_run_that_still_writes_keeps_others_out()
    {
        using var folder = new TempFolder();
        using OutputFolder first = OutputFolder.Begin(folder["out"], force: false, []);
        first.Write("a", "1");
        Refuses("BW1303", ExitCode.Usage, () => OutputFolder.Begin(folder["out"], force: true, []), "another run", Path.GetFileName(first.StagingPath));
        Assert.True(File.Exists(Path.Join(first.StagingPath, "a")));
        Assert.Equal(2, Entries(folder).Length);
        OutputFolder.Begin(folder["out2"], force: false, []).Dispose();
        first.Commit();
        Assert.Equal(["out"], Entries(folder));
    }

    [Fact]
    public void An_old_output_caught_between_two_renames_gets_its_name_back()
    {
        using var folder = new TempFolder();
        folder.Write(".out.replaced-0011aabb/old", "old");
        Refuses("BW1301", ExitCode.Usage, () => OutputFolder.Begin(folder["out"], force: false, []));
        Assert.Equal("old", File.ReadAllText(folder["out/old"]));
        folder.Write(".out.replaced-0011aabb/older", "older");
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: true, [])) Assert.Equal([".out.replaced-0011aabb"], output.RemovedLeftovers);
        Assert.Equal(["out"], Entries(folder));
    }

    [Fact]
    public void A_disk_too_small_is_exit_6_with_both_figures()
    {
        using var folder = new TempFolder();
        using OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []);
        Refuses("BW6002", ExitCode.Budget, () => output.Create("model.safetensors", 1L << 60), "model.safetensors", "1152921504606846976 bytes needed", "free");
    }

    [Fact]
    public void A_full_disk_while_writing_is_exit_6()
    {
        if (!File.Exists("/dev/full")) return;
        using var folder = new TempFolder();
        using OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []);
        using SafeFileHandle full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        Refuses("BW6002", ExitCode.Budget, () => output.Write(full, 0, "x"u8), "disk is full");
    }

    [Fact]
    public void A_parent_that_is_a_file_or_read_only_is_named()
    {
        using var folder = new TempFolder();
        folder.Write("file", "x");
        Refuses("BW1305", ExitCode.Usage, () => OutputFolder.Begin(folder["file/out"], force: false, []), folder["file/out"]);
        // Permissions do not bind root.
        if (OperatingSystem.IsWindows() || Environment.UserName == "root") return;
        Directory.CreateDirectory(folder["locked"]);
        File.SetUnixFileMode(folder["locked"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Refuses("BW1304", ExitCode.Usage, () => OutputFolder.Begin(folder["locked/out"], force: false, []), "no permission to write", folder["locked"]);
        Refuses("BW1304", ExitCode.Usage, () => OutputFolder.Begin(folder["locked/deep/out"], force: false, []), "no permission to write", folder["locked"]);
    }

    [Fact]
    public void A_read_only_file_system_is_named()
    {
        if (!OperatingSystem.IsLinux()) return;
        Fault fault = Assert.Throws<Fault>(() => OutputFolder.Begin("/proc/budwood/out", force: false, []));
        Assert.Equal(ExitCode.Usage, fault.Exit);
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("")]
    public void Names_that_lead_out_of_the_folder_are_a_defect_of_the_caller(string name)
    {
        using var folder = new TempFolder();
        using OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []);
        Assert.Throws<ArgumentException>(() => output.Write(name, "x"));
    }

    [Fact]
    public void A_file_written_twice_or_short_is_a_defect_of_the_caller()
    {
        using var folder = new TempFolder();
        using OutputFolder output = OutputFolder.Begin(folder["out"], force: false, []);
        output.Write(output.Create("a", 3), 0, "ab"u8);
        Assert.Throws<ArgumentException>(() => output.Write("a", "x"));
        Assert.Throws<InvalidOperationException>(output.Commit);
    }

    [Fact]
    public void A_run_killed_while_writing_leaves_no_output_and_frees_its_lock()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/flock")) return;
        using var folder = new TempFolder();
        folder.Write(".out.partial-0011aabb/model.safetensors", "half");
        folder.Write(".out.partial-0011aabb.lock", "");
        string[] hold = ["-n", "-F", folder[".out.partial-0011aabb.lock"], "sh", "-c", "echo held; exec sleep 60"];
        using var holder = Process.Start(new ProcessStartInfo("/usr/bin/flock", hold) { RedirectStandardOutput = true })!;
        try
        {
            Assert.Equal("held", holder.StandardOutput.ReadLine());
            Refuses("BW1303", ExitCode.Usage, () => OutputFolder.Begin(folder["out"], force: false, []), ".out.partial-0011aabb");
        }
        finally
        {
            holder.Kill();
            holder.WaitForExit();
        }
        using (OutputFolder output = OutputFolder.Begin(folder["out"], force: false, [])) Assert.Single(output.RemovedLeftovers);
        Assert.Empty(Entries(folder));
    }

    [Fact]
    public void Facts_of_a_file_are_those_of_dotnet()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var folder = new TempFolder();
        string path = folder.Write("a", Encoding.UTF8.GetBytes("12345"));
        File.SetLastWriteTimeUtc(path, new DateTime(2021, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        FileFacts facts = Posix.Stat(path)!.Value;
        Assert.Equal(5, facts.Bytes);
        Assert.Equal(new DateTimeOffset(2021, 2, 3, 4, 5, 6, TimeSpan.Zero).ToUnixTimeSeconds(), facts.ModifiedSeconds);
        Assert.True(facts.IsRegular);
        Assert.True(Posix.Stat(folder.Path)!.Value.IsFolder);
        File.CreateSymbolicLink(folder["b"], "a");
        Assert.True(Posix.Stat(folder["b"])!.Value.IsSameFileAs(facts));
        Assert.False(Posix.Stat(folder.Path)!.Value.IsSameFileAs(facts));
        Assert.Null(Posix.Stat(folder["none"]));
        Assert.True(Posix.FreeBytes(folder.Path) > 0);
    }
}
