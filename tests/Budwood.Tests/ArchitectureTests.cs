using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Budwood.Tests;

/// <summary>Holds the code to the house: who sees whom, what rooms may touch, that public types have their sentence.</summary>
public partial class ArchitectureTests
{
    private static readonly string s_source = Path.Join(Root(), "src", "Budwood");

    // Each layer sees itself and what stands before it; rooms see the layers that they are given.
    private static readonly string[] s_layers = ["Numbers", "Files", "Checkpoints", "Adapters", "Methods", "Engine", "Recipes"];
    private static readonly string[] s_seenByRooms = ["Numbers", "Checkpoints", "Adapters", "Methods"];

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Join(at.FullName, "Budwood.slnx"))) at = at.Parent!;
        return at.FullName;
    }

    private static IEnumerable<(string Folder, string Name, string Text)> Files() => Directory.EnumerateFiles(s_source, "*.cs", SearchOption.AllDirectories)
        .Select(f => (Path.GetRelativePath(s_source, f).Split(Path.DirectorySeparatorChar) is [var folder, _, ..] ? folder : "", Path.GetRelativePath(s_source, f), File.ReadAllText(f)));

    [GeneratedRegex(@"^using (?:static )?(?:\w+ = )?Budwood\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex Using();

    [Fact]
    public void Every_folder_sees_only_what_stands_before_it()
    {
        var wrong = new List<string>();
        foreach ((string folder, string name, string text) in Files())
        {
            if (folder.Length == 0) continue;
            int layer = Array.IndexOf(s_layers, folder);
            foreach (string seen in Using().Matches(text).Select(m => m.Groups[1].Value))
            {
                if (seen == folder) continue;
                bool allowed = layer < 0 ? s_seenByRooms.Contains(seen) : Array.IndexOf(s_layers, seen) is var other && other >= 0 && other < layer;
                // The rule of a method shares mathematics within its room, and the tensor that an adapter makes is a checkpoint's.
                if (!allowed) wrong.Add($"{name} sees {seen}");
            }
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Rooms_see_neither_files_nor_threads()
    {
        string[] rooms = [.. Files().Select(f => f.Folder).Distinct().Where(f => f.Length > 0 && !s_layers.Contains(f))];
        Assert.Contains("Merge", rooms);
        var forbidden = new Regex(@"\b(Thread|Task|Parallel|File|Directory|FileStream|Process|Interlocked)\.|\block\s*\(|new (FileStream|StreamReader|StreamWriter|Thread)\b");
        Assert.Empty(Files().Where(f => rooms.Contains(f.Folder) && forbidden.IsMatch(f.Text)).Select(f => $"{f.Name}: {forbidden.Match(f.Text).Value}"));
    }

    [Fact]
    public void Libc_is_called_from_one_file() =>
        Assert.Equal([Path.Join("Files", "Posix.cs")], Files().Where(f => f.Text.Contains("LibraryImport(", StringComparison.Ordinal) || f.Text.Contains("DllImport(", StringComparison.Ordinal)).Select(f => f.Name));

    [Fact]
    public void Files_stay_under_500_lines() =>
        Assert.All(Files(), f => Assert.True(f.Text.Count(c => c == '\n') <= 500, f.Name));

    [Fact]
    public void No_folder_of_the_library_is_empty_and_every_room_has_a_method()
    {
        foreach (IGrouping<string, (string Folder, string Name, string Text)> room in Files().GroupBy(f => f.Folder).Where(g => g.Key.Length > 0 && !s_layers.Contains(g.Key)))
            Assert.Contains(room, f => f.Text.Contains("[Method(", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_public_type_has_its_sentence()
    {
        System.Reflection.Assembly library = typeof(Fault).Assembly;
        XDocument documents = XDocument.Load(Path.ChangeExtension(library.Location, ".xml"));
        var described = documents.Descendants("member").Where(m => m.Element("summary") is { } s && s.Value.Trim().Length > 10).Select(m => m.Attribute("name")!.Value).ToHashSet(StringComparer.Ordinal);
        Assert.All(library.GetExportedTypes().Select(t => "T:" + t.FullName!.Replace('+', '.')), t => Assert.Contains(t, described));
    }

    [Fact]
    public void Every_rule_has_a_test_class_with_a_revision_lock()
    {
        Type[] tests = typeof(ArchitectureTests).Assembly.GetTypes();
        foreach (Budwood.Methods.Rule rule in Budwood.Methods.Generated.BudwoodCoreCatalogue.All.OfType<Budwood.Methods.Rule>().Where(r => r.Card.Room == Budwood.Methods.Room.Merge && r is not Budwood.Merge.Passthrough))
        {
            string name = rule.GetType().Name + "Tests";
            Assert.Contains(tests, t => t.Name == name && t.GetMethods().Any(m => m.Name.Contains("revision", StringComparison.OrdinalIgnoreCase)));
        }
    }
}
