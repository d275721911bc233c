using Budwood.Checkpoints;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Checkpoints;

public sealed class VocabularyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Vocabulary Read(string name, string file, string text)
    {
        _folder.Write($"{name}/{file}", text);
        return Vocabulary.Read(_folder[name])!;
    }

    [Fact]
    public void A_folder_without_a_tokenizer_has_none()
    {
        Directory.CreateDirectory(_folder["x"]);
        Assert.Null(Vocabulary.Read(_folder["x"]));
    }

    [Fact]
    public void Added_tokens_count_and_the_first_difference_is_named()
    {
        Vocabulary a = Read("a", "tokenizer.json", TinyCheckpoint.Tokenizer(["x", "y"], ("<s>", 5))),
            b = Read("b", "tokenizer.json", TinyCheckpoint.Tokenizer(["x", "y"], ("<s>", 5)));
        Assert.Equal((3, 6), (a.Count, a.Rows));
        Assert.Null(a.Difference(b));
        Assert.Contains("'x' is 0 in the first and 1 in the second",
            a.Difference(Read("c", "tokenizer.json", TinyCheckpoint.Tokenizer(["y", "x"], ("<s>", 5)))));
        Assert.Contains("'<s>' (5) is in the first alone", a.Difference(Read("d", "tokenizer.json", TinyCheckpoint.Tokenizer(["x", "y"]))));
        Assert.Contains("'z' (2) is in the second alone", a.Difference(Read("e", "tokenizer.json", TinyCheckpoint.Tokenizer(["x", "y", "z"], ("<s>", 5)))));
    }

    [Fact]
    public void Lists_of_words_and_sentencepiece_files_are_read_too()
    {
        Assert.Equal((2, 2), Read("t", "vocab.txt", "a\nb\n") is var t ? (t.Count, t.Rows) : default);
        Vocabulary j = Read("j", "vocab.json", "{\"a\": 0, \"b\": 1}");
        Assert.Null(t.Difference(j));
        // Two pieces: text in field 1, a score in field 2; then a trainer's message, which is no piece.
        _folder.Write("s/tokenizer.model", (ReadOnlySpan<byte>)[0x0A, 8, 0x0A, 1, (byte)'a', 0x15, 0, 0, 0, 0, 0x0A, 3, 0x0A, 1, (byte)'b', 0x12, 2, 8, 1]);
        Assert.Null(Vocabulary.Read(_folder["s"])!.Difference(j));
        _folder.Write("bad/tokenizer.model", (ReadOnlySpan<byte>)[0x0A, 200]);
        Assert.Equal("BW3003", Assert.Throws<Fault>(() => Vocabulary.Read(_folder["bad"])).Code);
    }
}
