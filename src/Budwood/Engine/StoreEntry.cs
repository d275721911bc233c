using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;

namespace Budwood.Engine;

/// <summary>One output of a stored step.</summary>
/// <param name="Place">File or folder within the entry.</param>
/// <param name="Digest">Identity of its content: of the file's bytes, or of a checkpoint.</param>
public sealed record StoredOutput(string Port, ArtifactKind Kind, string Place, string Digest);

/// <summary>What a step gave, as the store has it.</summary>
public sealed class StoreEntry
{
    private const string Name = "entry.json";

    private StoreEntry(string folder, string key, IReadOnlyList<StoredOutput> outputs, IReadOnlyDictionary<string, string> files, double seconds, DateTimeOffset made)
    {
        (Folder, Key, Outputs, Files, Seconds, Made) = (folder, key, outputs, files, seconds, made);
    }

    public string Folder { get; }

    /// <summary>Text of the key that it was made for.</summary>
    public string Key { get; }
    public IReadOnlyList<StoredOutput> Outputs { get; }

    /// <summary>Hashes of all files by their relative path.</summary>
    public IReadOnlyDictionary<string, string> Files { get; }
    public double Seconds { get; }
    public DateTimeOffset Made { get; }

    public StoredOutput Output(string port) => Outputs.Single(o => o.Port == port);

    /// <summary>Reads a table.</summary>
    public Table Table(string port)
    {
        string path = Path.Join(Folder, Output(port).Place);
        return TableFiles.Parse(File.ReadAllText(path), path);
    }

    /// <summary>Opens an output; a checkpoint has to be disposed of.</summary>
    public Artifact Open(string port, string label)
    {
        StoredOutput output = Output(port);
        string path = Path.Join(Folder, output.Place);
        return output.Kind switch
        {
            ArtifactKind.Checkpoint => Artifact.Of(Checkpoint.Open(path, label)),
            ArtifactKind.Table => Artifact.Of(Table(port)),
            _ => Artifact.Of(ArrayFiles.Read(path)),
        };
    }

    /// <summary>Describes a filled folder and writes the description last: a folder without it is no entry.</summary>
    internal static void Seal(string folder, string key, IReadOnlyList<StoredOutput> outputs, double seconds)
    {
        var files = new JsonObject();
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)) files[Path.GetRelativePath(folder, file)] = Hash(file);
        var json = new JsonObject
        {
            ["key"] = key,
            ["made"] = DateTimeOffset.UtcNow.ToString("o", CultureInfo.InvariantCulture),
            ["seconds"] = seconds,
            ["outputs"] = new JsonArray([.. outputs.Select(o => (JsonNode)new JsonObject { ["port"] = o.Port, ["kind"] = o.Kind.ToString().ToLowerInvariant(), ["place"] = o.Place, ["digest"] = o.Digest })]),
            ["files"] = files,
        };
        WholeFile.Write(Path.Join(folder, Name), System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()), replace: true);
    }

    /// <summary>Reads the description; null when the folder is no entry.</summary>
    internal static StoreEntry? Read(string folder)
    {
        try
        {
            string path = Path.Join(folder, Name);
            if (!File.Exists(path)) return null;
            JsonNode json = JsonNode.Parse(File.ReadAllText(path))!;
            StoredOutput[] outputs = [.. json["outputs"]!.AsArray().Select(o => new StoredOutput((string)o!["port"]!, Enum.Parse<ArtifactKind>((string)o["kind"]!, ignoreCase: true), (string)o["place"]!, (string)o["digest"]!))];
            return new StoreEntry(folder, (string)json["key"]!, outputs, json["files"]!.AsObject().ToDictionary(f => f.Key, f => (string)f.Value!, StringComparer.Ordinal), (double)json["seconds"]!,
                DateTimeOffset.Parse((string)json["made"]!, CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or NullReferenceException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The first file that is not as it was written; null when all are.</summary>
    internal string? Damage()
    {
        foreach ((string file, string hash) in Files)
        {
            string path = Path.Join(Folder, file);
            if (!File.Exists(path) || Hash(path) != hash) return file;
        }
        return null;
    }

    /// <summary>Called when it is used, so that the store knows what was used last.</summary>
    internal void Touch()
    {
        try
        {
            File.SetLastWriteTimeUtc(Path.Join(Folder, Name), DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A store that may only be read still serves.
        }
    }

    internal static string Hash(string file)
    {
        var hash = new XxHash128();
        using FileStream stream = File.OpenRead(file);
        hash.Append(stream);
        return Digest.Of(hash).ToString();
    }

    internal static string Hash(ReadOnlySpan<byte> bytes) => Digest.Of(bytes).ToString();
}
