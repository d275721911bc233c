using System.Buffers.Binary;
using System.Text.Json;
using Budwood.Numbers;

namespace Budwood.Tests.Checkpoints;

/// <summary>Real checkpoints to hold the families against, where this machine has them.</summary>
internal static class SharedFolders
{
    public static string? Root { get; } = Find();

    public static void Require(string under) =>
        Assert.SkipUnless(Root is not null && Directory.Exists(Path.Combine(Root, under)),
            $"{under} is not here; set BUDWOOD_SHARED to the folder that holds it");

    /// <summary>Folders below that hold a config.json.</summary>
    public static IEnumerable<string> Models(string under) =>
        Directory.EnumerateFiles(Path.Combine(Root!, under), "config.json", SearchOption.AllDirectories).Select(f =>
            Path.GetDirectoryName(f)!).Order(StringComparer.Ordinal);

    /// <summary>Names, types and shapes from the headers of the model's safetensors files.</summary>
    public static Dictionary<string, (DType Type, Shape Shape)> Tensors(string folder)
    {
        var result = new Dictionary<string, (DType, Shape)>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(folder, "model*.safetensors"))
        {
            using FileStream stream = File.OpenRead(file);
            byte[] length = new byte[8];
            stream.ReadExactly(length);
            byte[] header = new byte[BinaryPrimitives.ReadInt64LittleEndian(length)];
            stream.ReadExactly(header);
            using JsonDocument document = JsonDocument.Parse(header);
            foreach (JsonProperty p in document.RootElement.EnumerateObject())
            {
                if (p.Name == "__metadata__") continue;
                Assert.True(DTypes.TryParse(p.Value.GetProperty("dtype").GetString()!, out DType type));
                result[p.Name] = (type, new Shape([.. p.Value.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64())]));
            }
        }
        return result;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("BUDWOOD_SHARED") is { Length: > 0 } named) return named;
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            string beside = Path.Combine(d.FullName, "shared");
            if (Directory.Exists(Path.Combine(beside, "goldens"))) return beside;
        }
        return null;
    }
}
