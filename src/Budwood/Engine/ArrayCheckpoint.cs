using System.Runtime.InteropServices;
using Budwood.Files;
using Budwood.Numbers;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Engine;

/// <summary>Writes named arrays as a checkpoint folder of float32 tensors.</summary>
internal static class ArrayCheckpoint
{
    /// <summary>Writes the folder and gives the checkpoint's digest.</summary>
    public static Digest Write(Arrays weights, string output, bool force)
    {
        SafetensorsLayout layout = SafetensorsLayout.Plan(weights.Names.Select(n => (n, DType.F32, weights[n].Shape)));
        using OutputFolder folder = OutputFolder.Begin(output, force, []);
        SafeFileHandle file = folder.Create("model.safetensors", layout.Length);
        folder.Write(file, 0, layout.Header.Span);
        var digests = new List<(string, Digest)>();
        foreach (TensorEntry t in layout.Tensors)
        {
            float[] values = Array.ConvertAll(weights[t.Name].Values, v => (float)v);
            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes<float>(values);
            folder.Write(file, t.Offset, bytes);
            digests.Add((t.Name, Digests.Tensor(DType.F32, t.Shape, bytes)));
        }
        folder.Write("config.json", "{\n  \"model_type\": \"budwood_arrays\",\n  \"torch_dtype\": \"float32\"\n}\n"u8);
        folder.Commit();
        return Digests.Checkpoint(digests);
    }
}
