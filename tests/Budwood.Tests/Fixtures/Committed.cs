using System.Runtime.CompilerServices;

namespace Budwood.Tests.Fixtures;

/// <summary>Files of the repository that code writes: compared in a test, rewritten on request.</summary>
internal static class Committed
{
    /// <summary>Whether <c>BUDWOOD_REWRITE=1</c> asks to write files instead of comparing them.</summary>
    public static bool Rewrites => Environment.GetEnvironmentVariable("BUDWOOD_REWRITE") == "1";

    /// <summary>A path below the top folder of the repository.</summary>
    public static string Path(string relative) => System.IO.Path.Combine(s_root.Value, relative);

    /// <summary>Holds a committed file to a text, or writes it.</summary>
    public static void Check(string relative, string text, [CallerFilePath] string test = "")
    {
        string path = Path(relative);
        if (Rewrites)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
            return;
        }
        string name = System.IO.Path.GetFileNameWithoutExtension(test);
        string how = $"write it anew with: BUDWOOD_REWRITE=1 dotnet test --project tests/Budwood.Tests --filter-class '*{name}'";
        Assert.True(File.Exists(path), $"{relative} is missing; {how}");
        string found = File.ReadAllText(path);
        if (found == text) return;
        string[] a = found.Split('\n'), b = text.Split('\n');
        int line = Enumerable.Range(0, Math.Min(a.Length, b.Length)).FirstOrDefault(i => a[i] != b[i], Math.Min(a.Length, b.Length));
        Assert.Fail($"{relative}:{line + 1} is not what the code gives; {how}\n  file: {At(a, line)}\n  code: {At(b, line)}");
    }

    private static string At(string[] lines, int i) => i < lines.Length ? lines[i] : "(end)";

    private static readonly Lazy<string> s_root = new(() =>
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(System.IO.Path.Combine(at.FullName, "Budwood.slnx"))) return at.FullName;
        throw new InvalidOperationException("The tests do not lie in the repository.");
    });
}
