using System.Globalization;

namespace Budwood.Methods;

/// <summary>Values of a method's parameters by their position on the card; what is not given falls back to the default.</summary>
public sealed class ParameterValues(MethodCard card)
{
    private readonly object?[] _values = new object?[card.Parameters.Count];

    public MethodCard Card { get; } = card;

    /// <summary>double, long, bool, string, long[], double[] or string[] by the kind of the parameter; null when not given.</summary>
    public object? this[int index]
    {
        get => _values[index];
        set => _values[index] = value;
    }

    public double Number(int index, double otherwise) => _values[index] is double v ? v : otherwise;
    public long Integer(int index, long otherwise) => _values[index] is long v ? v : otherwise;
    public bool Flag(int index, bool otherwise) => _values[index] is bool v ? v : otherwise;
    public string Text(int index, string otherwise) => _values[index] is string v ? v : otherwise;
    public IReadOnlyList<long> Integers(int index, IReadOnlyList<long> otherwise) => _values[index] is IReadOnlyList<long> v ? v : otherwise;

    public IReadOnlyList<double> Numbers(int index, IReadOnlyList<double> otherwise) => _values[index] is IReadOnlyList<double> v ? v : otherwise;
    public IReadOnlyList<string> Texts(int index, IReadOnlyList<string> otherwise) => _values[index] is IReadOnlyList<string> v ? v : otherwise;

    /// <summary>Position of the chosen word on the card, or <paramref name="otherwise"/>.</summary>
    public int Choice(int index, int otherwise)
    {
        if (_values[index] is not string v) return otherwise;
        IReadOnlyList<string> choices = Card.Parameters[index].Choices;
        for (int i = 0; i < choices.Count; i++) if (choices[i] == v) return i;
        throw new ArgumentOutOfRangeException(nameof(index), v, "not one of the choices");
    }

    /// <summary>The word of a choice by the number of its member; null for a number that no member has.</summary>
    public static string? Word(ReadOnlySpan<long> members, string[] words, long value) => members.IndexOf(value) is >= 0 and var at ? words[at] : null;

    /// <summary>Text of a default value as cards print it.</summary>
    public static string Show(object? value) => value switch
    {
        null => "",
        bool b => b ? "true" : "false",
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        IEnumerable<long> list => "[" + string.Join(", ", list) + "]",
        IEnumerable<double> list => "[" + string.Join(", ", list.Select(d => d.ToString("R", CultureInfo.InvariantCulture))) + "]",
        IEnumerable<string> list => "[" + string.Join(", ", list) + "]",
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
