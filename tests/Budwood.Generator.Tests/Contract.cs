namespace Budwood.Generator.Tests;

/// <summary>The contract as far as generated code sees it: same names, no behaviour, so that these tests do not depend on the engine.</summary>
internal static class Contract
{
    public const string Source = """
        #nullable enable
        using System;
        using System.Collections.Generic;
        using System.Globalization;
        using System.Linq;

        namespace Budwood.Methods;

        [AttributeUsage(AttributeTargets.Class, Inherited = false)]
        public sealed class MethodAttribute(string name, Room room) : Attribute
        {
            public string Name { get; } = name;
            public Room Room { get; } = room;
            public int Revision { get; init; } = 1;
            public bool MayCopy { get; init; }
            public string? Verb { get; init; }
        }

        [AttributeUsage(AttributeTargets.Class, Inherited = false, AllowMultiple = true)]
        public sealed class PaperAttribute(string slug, string where) : Attribute
        {
            public string Slug { get; } = slug;
            public string Where { get; } = where;
        }

        [AttributeUsage(AttributeTargets.Class, Inherited = false, AllowMultiple = true)]
        public sealed class SourceAttribute(string peer) : Attribute
        {
            public string Peer { get; } = peer;
            public string? Where { get; init; }
        }

        [AttributeUsage(AttributeTargets.Class)]
        public sealed class InertAttribute(params string[] names) : Attribute
        {
            public IReadOnlyList<string> Names { get; } = names;
        }

        [AttributeUsage(AttributeTargets.Property)]
        public sealed class PerModelAttribute : Attribute;

        [AttributeUsage(AttributeTargets.Property)]
        public sealed class RequiredAttribute : Attribute;

        [AttributeUsage(AttributeTargets.Property)]
        public sealed class UnitAttribute(string unit) : Attribute
        {
            public string Unit { get; } = unit;
        }

        [AttributeUsage(AttributeTargets.Property)]
        public sealed class RangeAttribute(double minimum, double maximum) : Attribute
        {
            public double Minimum { get; } = minimum;
            public double Maximum { get; } = maximum;
            public bool MinimumOpen { get; init; }
            public bool MaximumOpen { get; init; }
        }

        public enum Room { Initialize, Grow, Merge }

        public enum ParameterKind { Number, Integer, Flag, Text, Choice, Integers, Numbers, Texts }

        public sealed record ParameterCard(string Name, ParameterKind Kind, bool PerModel, bool Required, string? Default, string? Unit,
            double Minimum, double Maximum, bool MinimumOpen, bool MaximumOpen, string Doc, IReadOnlyList<string> Choices);

        public sealed record MethodSource(string? Paper, string? Peer, string? Where);

        public sealed record MethodCard(string Name, Room Room, int Revision, bool MayCopy, string? Verb, string Summary, string Use, string NotFor,
            string Cost, string Differs, string? Formula,
            IReadOnlyList<MethodSource> Sources, IReadOnlyList<ParameterCard> Parameters, IReadOnlyList<string> Inert);

        public sealed class ParameterValues(MethodCard card)
        {
            private readonly object?[] _values = new object?[card.Parameters.Count];
            public object? this[int index] { get => _values[index]; set => _values[index] = value; }
            public double Number(int index, double otherwise) => _values[index] is double v ? v : otherwise;
            public long Integer(int index, long otherwise) => _values[index] is long v ? v : otherwise;
            public bool Flag(int index, bool otherwise) => _values[index] is bool v ? v : otherwise;
            public string Text(int index, string otherwise) => _values[index] is string v ? v : otherwise;
            public IReadOnlyList<long> Integers(int index, IReadOnlyList<long> otherwise) => _values[index] is IReadOnlyList<long> v ? v : otherwise;
            public IReadOnlyList<double> Numbers(int index, IReadOnlyList<double> otherwise) => _values[index] is IReadOnlyList<double> v ? v : otherwise;
            public IReadOnlyList<string> Texts(int index, IReadOnlyList<string> otherwise) => _values[index] is IReadOnlyList<string> v ? v : otherwise;
            public static string? Word(ReadOnlySpan<long> members, string[] words, long value) => members.IndexOf(value) is >= 0 and var at ? words[at] : null;
            public int Choice(int index, int otherwise) =>
                _values[index] is string v ? card.Parameters[index].Choices.Select((c, i) => (c, i)).First(x => x.c == v).i : otherwise;
            public static string Show(object? value) => value switch
            {
                null => "",
                bool b => b ? "true" : "false",
                double d => d.ToString("R", CultureInfo.InvariantCulture),
                IEnumerable<long> list => "[" + string.Join(", ", list) + "]",
                IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
                _ => value.ToString()!,
            };
        }

        public abstract class Method
        {
            public abstract MethodCard Card { get; }
            public abstract object ReadParameters(ParameterValues values);
        }

        public abstract class Rule : Method;
        public abstract class Rule<P> : Rule where P : class, new();
        public abstract class Job : Method;
        public abstract class Job<P> : Job where P : class, new();
        """;
}
