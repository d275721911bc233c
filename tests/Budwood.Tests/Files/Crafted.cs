using System.Buffers.Binary;
using System.Text;
using Budwood.Files;

namespace Budwood.Tests.Files;

/// <summary>Safetensors files put together by hand, so that they may be as wrong as a test wants.</summary>
internal static class Crafted
{
    public static byte[] File(string json, int dataBytes = 0, long? headerLength = null) => File(Encoding.UTF8.GetBytes(json), dataBytes, headerLength);

    public static byte[] File(byte[] json, int dataBytes, long? headerLength = null)
    {
        byte[] file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, headerLength ?? json.Length);
        json.CopyTo(file, 8);
        for (int i = 0; i < dataBytes; i++) file[8 + json.Length + i] = (byte)(i * 7 + 1);
        return file;
    }

    /// <summary>One F32 vector a name, two elements each.</summary>
    public static byte[] Vectors(params string[] names)
    {
        string json = "{" + string.Join(",", names.Select((n, i) => Entry(n, i * 8))) + "}";
        return File(json, names.Length * 8);
    }

    public static string Entry(string name, int begin) => $"\"{name}\":{{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[{begin},{begin + 8}]}}";

    public static SafetensorsFile Open(byte[] bytes) => SafetensorsFile.Open(new MemorySource(bytes, "x.safetensors"));

    /// <summary>Asserts that an action ends in a fault of that code which says all the words.</summary>
    public static Fault Refuses(string code, ExitCode exit, Action action, params string[] words)
    {
        Fault fault = Assert.Throws<Fault>(action);
        Assert.Equal(code, fault.Code);
        Assert.Equal(exit, fault.Exit);
        foreach (string word in words) Assert.Contains(word, fault.Message, StringComparison.OrdinalIgnoreCase);
        Assert.NotNull(fault.Next);
        return fault;
    }

    public static Fault Refuses(string code, Action action, params string[] words) => Refuses(code, ExitCode.Input, action, words);
}
