using System.Text;

namespace Budwood.Fuzz;

/// <summary>Random numbers of one input: a function of seed and index alone, so that every input can be made again by itself.</summary>
internal sealed class Dice(ulong seed, ulong index)
{
    private ulong _state = Mix(seed + 0x9E3779B97F4A7C15) ^ Mix(index ^ 0xD1B54A32D192ED03);

    // SplitMix64's step and finish.
    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>A number from 0 up to, and without, <paramref name="count"/>.</summary>
    public int Of(int count) => (int)(Next() % (ulong)Math.Max(1, count));

    public bool OneIn(int count) => Of(count) == 0;

    public T Pick<T>(IReadOnlyList<T> items) => items[Of(items.Count)];

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

/// <summary>Ways to spoil a valid input: bytes for binary formats, tokens for texts.</summary>
internal static class Mutation
{
    private static readonly ulong[] s_extremes =
        [0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, ulong.MaxValue, ulong.MaxValue - 7, 1UL << 62, 100_000_000];

    private static readonly string[] s_words =
        ["0", "-1", "1", "2", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "4294967295", "2147483648", "1e999", "-0", "1e-5", "0.5", "1000000000", "true", "false",
         "null", "\"\"", "\"a\"", "\"\\ud800\"", "\"\\u0000\"", "[]", "{}", "[[[[[[[[]]]]]]]]", "{\"a\":{\"a\":{\"a\":1}}}", ",", ":", "[", "]", "{", "}", "\"", "\\", "NaN", "Infinity", ".inf", "~", "- ", "&a ", "*a ",
         "<<: ", "|", ">", "!!int ", "? ", "---\n", "...\n", "\n", "  ", "\t", "#", "'", "\uFEFF", "é", "\U0001F600", "\u0085", "\u2028"];

    /// <summary>A few changes of bytes.</summary>
    public static byte[] Bytes(Dice dice, byte[] seed, byte[] other)
    {
        var bytes = new List<byte>(seed);
        for (int n = 1 + dice.Of(4); n > 0; n--)
        {
            int at = dice.Of(bytes.Count + 1);
            switch (dice.Of(8))
            {
                case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << dice.Of(8)); break;
                case 1 when at < bytes.Count: bytes[at] = (byte)dice.Next(); break;
                case 2 or 3:
                    int width = 1 << dice.Of(4);
                    ulong value = dice.Pick(s_extremes);
                    for (int i = 0; i < width && at + i < bytes.Count; i++) bytes[at + i] = (byte)(value >> (8 * i));
                    break;
                case 4: bytes.RemoveRange(at, Math.Min(bytes.Count - at, 1 + dice.Of(16))); break;
                case 5: bytes.InsertRange(at, Slice(dice, other)); break;
                case 6: bytes.InsertRange(at, Slice(dice, [.. bytes])); break;
                default:
                    if (dice.OneIn(4)) bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }

    private static byte[] Slice(Dice dice, byte[] from)
    {
        int start = dice.Of(from.Length), length = dice.Of(Math.Min(64, from.Length - start) + 1);
        return from.AsSpan(start, length).ToArray();
    }

    /// <summary>A few changes of words, numbers and marks of a text, and now and then of its bytes.</summary>
    public static byte[] Text(Dice dice, IReadOnlyList<string> seed, IReadOnlyList<string> other, IReadOnlyList<string> words)
    {
        var tokens = new List<string>(seed);
        for (int n = 1 + dice.Of(5); n > 0; n--)
        {
            int at = dice.Of(tokens.Count + 1);
            bool inside = at < tokens.Count;
            string word = dice.OneIn(3) && words.Count > 0 ? dice.Pick(words) : dice.OneIn(3) && other.Count > 0 ? dice.Pick(other) : dice.Pick(s_words);
            switch (dice.Of(8))
            {
                case 0 or 1 or 2 when inside: tokens[at] = word; break;
                case 3: tokens.Insert(at, word); break;
                case 4 when inside: tokens.RemoveRange(at, Math.Min(tokens.Count - at, 1 + dice.Of(4))); break;
                case 5 when inside:
                    int with = dice.Of(tokens.Count);
                    (tokens[at], tokens[with]) = (tokens[with], tokens[at]);
                    break;
                case 6 when inside:
                    int length = Math.Min(tokens.Count - at, 1 + dice.Of(12));
                    tokens.InsertRange(dice.Of(tokens.Count + 1), tokens.GetRange(at, length));
                    break;
                case 7 when dice.OneIn(8):
                    for (int depth = 1 << dice.Of(10); depth > 0; depth--) tokens.Insert(at, dice.OneIn(2) ? "[" : word);
                    break;
            }
        }
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(tokens));
        return dice.OneIn(8) ? Bytes(dice, bytes, bytes) : bytes;
    }

    /// <summary>Words, numbers, quoted texts, runs of blanks, and single marks.</summary>
    public static IReadOnlyList<string> Tokens(string text)
    {
        var tokens = new List<string>();
        for (int at = 0; at < text.Length;)
        {
            int end = at + 1;
            if (text[at] == '"')
            {
                end = text.IndexOf('"', end);
                end = end < 0 ? text.Length : end + 1;
            }
            else if (Word(text[at])) while (end < text.Length && Word(text[end])) end++;
            else if (text[at] == ' ') while (end < text.Length && text[end] == ' ') end++;
            tokens.Add(text[at..end]);
            at = end;
        }
        return tokens;

        static bool Word(char c) => char.IsLetterOrDigit(c) || c is '_' or '.' or '-';
    }
}
