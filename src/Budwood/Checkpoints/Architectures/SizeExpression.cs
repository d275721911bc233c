using System.Globalization;

namespace Budwood.Checkpoints;

/// <summary>A size as a family file writes it: whole numbers, config fields, + - * / // and parentheses.</summary>
/// <remarks><c>/</c> must leave no remainder; <c>//</c> rounds down. Overflow and division by zero are refused.</remarks>
internal sealed class SizeExpression
{
    private readonly string _text;

    private SizeExpression(string text, List<string> fields)
    {
        _text = text;
        Fields = fields;
    }

    /// <summary>The config fields in it, in order of appearance, each once.</summary>
    public IReadOnlyList<string> Fields { get; }

    public override string ToString() => _text;

    public static SizeExpression Parse(string text)
    {
        var fields = new List<string>();
        // A dry run with every field 1 checks the grammar and collects the names.
        var cursor = new Cursor(text, field =>
        {
            if (!fields.Contains(field)) fields.Add(field);
            return 1;
        }, dry: true);
        cursor.Run();
        return new SizeExpression(text, fields);
    }

    /// <exception cref="ArithmeticException">The value does not fit 64 bits, or a division is by zero or leaves a remainder.</exception>
    public long Evaluate(Func<string, long> field) => new Cursor(_text, field, dry: false).Run();

    private ref struct Cursor(string text, Func<string, long> field, bool dry)
    {
        private int _at;

        public long Run()
        {
            long value = Sum();
            if (Peek() != '\0') throw new FormatException($"'{text}': '{text[_at]}' at {_at} is not expected");
            return value;
        }

        private long Sum()
        {
            long value = Product();
            while (true)
            {
                if (Take("+")) value = Checked(value, Product(), '+');
                else if (Take("-")) value = Checked(value, Product(), '-');
                else return value;
            }
        }

        private long Product()
        {
            long value = Unit();
            while (true)
            {
                if (Take("*")) value = Checked(value, Unit(), '*');
                else if (Take("//")) value = Divide(value, Unit(), exact: false);
                else if (Take("/")) value = Divide(value, Unit(), exact: true);
                else return value;
            }
        }

        private long Unit()
        {
            if (Take("-")) return Checked(0, Unit(), '-');
            if (Take("("))
            {
                long inner = Sum();
                if (!Take(")")) throw new FormatException($"'{text}': ')' is missing");
                return inner;
            }
            char c = Peek();
            int start = _at;
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_')) _at++;
            ReadOnlySpan<char> word = text.AsSpan(start, _at - start);
            if (char.IsAsciiDigit(c) && long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long number)) return number;
            return char.IsAsciiLetter(c) ? field(word.ToString()) : throw new FormatException($"'{text}': a number or a field is expected at {start}");
        }

        private static long Checked(long a, long b, char op)
        {
            try
            {
                return checked(op switch { '+' => a + b, '-' => a - b, _ => a * b });
            }
            catch (OverflowException)
            {
                throw new ArithmeticException($"{a} {op} {b} does not fit 64 bits");
            }
        }

        private readonly long Divide(long a, long b, bool exact)
        {
            if (dry) return 1;
            if (b == 0) throw new ArithmeticException($"{a} / 0");
            if (a == long.MinValue && b == -1) throw new ArithmeticException($"{a} / {b} does not fit 64 bits");
            (long quotient, long rest) = Math.DivRem(a, b);
            if (rest == 0) return quotient;
            if (exact) throw new ArithmeticException($"{a} is not divisible by {b}");
            return (rest < 0) == (b < 0) ? quotient : quotient - 1;
        }

        private bool Take(string token)
        {
            Peek();
            if (string.CompareOrdinal(text, _at, token, 0, token.Length) != 0) return false;
            _at += token.Length;
            return true;
        }

        private char Peek()
        {
            while (_at < text.Length && text[_at] == ' ') _at++;
            return _at < text.Length ? text[_at] : '\0';
        }
    }
}
