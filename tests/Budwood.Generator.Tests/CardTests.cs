using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Budwood.Generator.Tests;

/// <summary>What the generated code does when it runs.</summary>
public class CardTests
{
    private const string Rich = Bench.Usings + """
        /// <summary>Mixes   <c>x</c> with
        /// <see cref="Blend"/>, <see cref="List{T}.Add(T)"/> and <see langword="null"/> by t; a &lt; b &amp; c "quoted" \n.</summary>
        /// <use>Often.<para>Twice.</para></use>
        /// <notfor>Never.</notfor>
        /// <cost>One pass.</cost>
        /// <differs>It <see cref="Blend">does</see> not.</differs>
        /// <formula>y = a + b</formula>
            [Method("blend_all", Room.Grow, Revision = 3, MayCopy = true, Verb = "blend")]
        [Paper("mixing", "Eq. 1"), Source("mergekit", Where = "0.1.4"), Source("peer"), Inert("mine", "shared")]
        public sealed partial class Blend : Middle;

        [Inert("shared", "base")]
        public abstract class Middle : Rule<BlendParameters>;

        public enum Mode { NearestMean = 7, TIES = 2, BF16 = 5 }

        public abstract record Common
        {
            /// <summary>Weight of a <c>model</c>.</summary>
            [PerModel, Required, Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)] public double Weight { get; init; }

            /// <summary>Overridden further down.</summary>
            [Unit("1"), Range(0, 1, MinimumOpen = true)] public virtual double Lambda { get; init; } = 1;

            public static int Static { get; set; }
            public int Computed => 1;
            public int Private { get; private set; }
        }

        public sealed record BlendParameters : Common
        {
            /// <summary>Lambda of this method.</summary>
            public override double Lambda { get; init; } = 0.5;

            /// <summary>S.</summary>
            [Unit("models"), Range(1, 1e9)] public long Select1 { get; init; } = 4;

            /// <summary>S.</summary>
            [Unit("layers"), Range(0, double.PositiveInfinity)] public int LambdaScale { get; set; } = 2;

            /// <summary>S.</summary>
            public bool Normalize { get; init; } = true;

            /// <summary>S.</summary>
            public string Filter { get; init; } = "mlp";

            /// <summary>S.</summary>
            public Mode Mode { get; init; } = Mode.TIES;

            /// <summary>S.</summary>
            public IReadOnlyList<long> Layers { get; init; } = [1, 2];

            /// <summary>S.</summary>
            [Unit("1"), Range(0, 1)] public double? MaybeNumber { get; init; }

            /// <summary>S.</summary>
            [Unit("1"), Range(0, 1)] public long? MaybeLong { get; init; }

            /// <summary>S.</summary>
            [Unit("1"), Range(0, 1)] public int? MaybeInt { get; init; }

            /// <summary>S.</summary>
            public bool? MaybeFlag { get; init; }

            /// <summary>S.</summary>
            public string? MaybeText { get; init; }

            /// <summary>S.</summary>
            public Mode? MaybeMode { get; init; }

            /// <summary>S.</summary>
            public IReadOnlyList<long>? MaybeLayers { get; init; }
        }
        """;

    [Fact]
    public void Card_holds_what_the_file_says()
    {
        dynamic card = Assert.Single(Bench.Methods(Bench.Load(Rich))).Card;
        Assert.Equal("blend_all", card.Name);
        Assert.Equal("Grow", card.Room.ToString());
        Assert.Equal(3, card.Revision);
        Assert.True(card.MayCopy);
        Assert.Equal("blend", card.Verb);
        Assert.Equal("Mixes `x` with Blend, Add and null by t; a < b & c \"quoted\" \\n.", card.Summary);
        Assert.Equal("Often. Twice.", card.Use);
        Assert.Equal("Never.", card.NotFor);
        Assert.Equal("One pass.", card.Cost);
        Assert.Equal("It does not.", card.Differs);
        Assert.Equal("y = a + b", card.Formula);
        Assert.Equal(["mixing||Eq. 1", "|mergekit|0.1.4", "|peer|"], ((IEnumerable<dynamic>)card.Sources).Select(s => $"{s.Paper}|{s.Peer}|{s.Where}"));
        Assert.Equal(["shared", "base", "mine"], (IEnumerable<string>)card.Inert);
    }

    [Fact]
    public void Parameters_stand_base_first_with_defaults_ranges_and_words()
    {
        dynamic card = Blend().Card;
        var all = ((IEnumerable<dynamic>)card.Parameters).ToList();
        Assert.Equal(["weight", "lambda", "select1", "lambda_scale", "normalize", "filter", "mode", "layers",
            "maybe_number", "maybe_long", "maybe_int", "maybe_flag", "maybe_text", "maybe_mode", "maybe_layers"], all.Select(p => (string)p.Name));
        Assert.Equal([null, "0.5", "4", "2", "true", "mlp", "ties", "[1, 2]", null, null, null, null, null, null, null], all.Select(p => (string?)p.Default));
        Assert.Equal(["Number", "Number", "Integer", "Integer", "Flag", "Text", "Choice", "Integers",
            "Number", "Integer", "Integer", "Flag", "Text", "Choice", "Integers"],
            all.Select(p => (string)p.Kind.ToString()));
        Assert.Equal(["weight"], all.Where(p => p.Required).Select(p => (string)p.Name));
        Assert.Equal(["weight"], all.Where(p => p.PerModel).Select(p => (string)p.Name));
        Assert.Equal("Weight of a `model`.", all[0].Doc);
        Assert.Equal(double.NegativeInfinity, all[0].Minimum);
        Assert.Equal("Lambda of this method.", all[1].Doc);
        Assert.Equal("1", all[1].Unit);
        Assert.True(all[1].MinimumOpen);
        Assert.False(all[1].MaximumOpen);
        Assert.Equal(1e9, all[2].Maximum);
        Assert.Equal(int.MaxValue, all[3].Maximum);
        Assert.Null(all[4].Unit);
        Assert.Equal(double.PositiveInfinity, all[4].Maximum);
        Assert.Equal(["nearest_mean", "ties", "bf16"], (IEnumerable<string>)all[6].Choices);
        Assert.Empty((IEnumerable<string>)all[5].Choices);
    }

    [Fact]
    public void Values_that_are_not_given_are_the_defaults()
    {
        dynamic blend = Blend();
        object p = blend.ReadParameters(Bench.Values(blend));
        Assert.Equal(Activator.CreateInstance(p.GetType())!.ToString()!.Replace("<>z__ReadOnlyArray", ""), p.ToString()!.Replace("<>z__ReadOnlyArray", ""));
    }

    [Fact]
    public void Values_that_are_given_reach_their_properties()
    {
        dynamic blend = Blend();
        long[] layers = [3];
        dynamic p = blend.ReadParameters(Bench.Values(blend, 0.25, 0.75, 9L, 8L, false, "attn", "bf16", layers,
            0.5, 1L, 0L, true, "x", "nearest_mean", layers));
        Assert.Equal(0.25, p.Weight);
        Assert.Equal(0.75, p.Lambda);
        Assert.Equal(9L, p.Select1);
        Assert.Equal(8, p.LambdaScale);
        Assert.False(p.Normalize);
        Assert.Equal("attn", p.Filter);
        Assert.Equal("BF16", p.Mode.ToString());
        Assert.Same(layers, p.Layers);
        Assert.Equal(0.5, p.MaybeNumber);
        Assert.Equal(1L, p.MaybeLong);
        Assert.Equal(0, p.MaybeInt);
        Assert.True(p.MaybeFlag);
        Assert.Equal("x", p.MaybeText);
        Assert.Equal("NearestMean", p.MaybeMode.ToString());
        Assert.Same(layers, p.MaybeLayers);
    }

    [Fact]
    public void An_integer_too_large_for_its_property_is_not_wrapped()
    {
        dynamic blend = Blend();
        object values = Bench.Values(blend, null, null, null, long.MaxValue);
        MethodInfo read = ((object)blend).GetType().GetMethod("ReadParameters")!;
        Assert.IsType<OverflowException>(Assert.Throws<TargetInvocationException>(() => read.Invoke((object)blend, new object?[] { values })).InnerException);
    }

    [Fact]
    public void Comments_are_read_even_where_the_compiler_ignores_them()
    {
        string file = Bench.Good("/// <summary>On <see cref=\"Acme.Mix\"/> or <paramref name=\"t\"/>.</summary>\n    public bool On { get; init; }");
        dynamic card = Assert.Single(Bench.Methods(Bench.Load(DocumentationMode.None, file))).Card;
        Assert.Equal("Mixes.", card.Summary);
        Assert.Equal("On Mix or t.", ((IEnumerable<dynamic>)card.Parameters).Single().Doc);
    }

    [Fact]
    public void Catalogue_is_sorted_by_name_and_knows_jobs()
    {
        string job = Bench.Good("", "aaa", "Zed").Replace("Rule<", "Job<");
        dynamic[] all = Bench.Methods(Bench.Load(Bench.Good("", "mix_b"), Bench.Good("", "mix_a", "Other"), job));
        Assert.Equal(new[] { "aaa", "mix_a", "mix_b" }, all.Select(m => (string)m.Card.Name));
    }

    [Fact]
    public void An_assembly_without_methods_has_no_catalogue() => Assert.Empty(Bench.Run("class Nothing;").Files);

    [Fact]
    public void An_internal_method_with_parameters_inside_it_works()
    {
        string nested = Bench.Usings + Bench.Tags + """
            [Method("mix", Room.Merge), Source("mergekit")]
            internal sealed partial class Mix : Rule<Mix.@default>
            {
                internal Mix() { }

                internal sealed record @default
                {
                    /// <summary>S.</summary>
                    public @event @new { get; init; } = @event.@class;
                }

                internal enum @event { @class = 1, @struct = 2 }
            }
            """;
        string open = nested.Replace("internal sealed", "public sealed").Replace("internal enum", "public enum");
        dynamic method = Assert.Single(Bench.Methods(Bench.Load(open)));
        Assert.Equal("class", ((IEnumerable<dynamic>)method.Card.Parameters).Single().Default);
        Bench.Load(nested);
    }

    [Fact]
    public void A_property_inherited_from_another_assembly_needs_its_documentation_again()
    {
        Compilation first = Bench.Compile(DocumentationMode.Diagnose,
            Bench.Usings + "public record Far { /// <summary>S.</summary>\n public virtual bool On { get; init; } }");
        string method = Bench.Good().Replace("record MixParameters", "record MixParameters : Far");
        using var file = new MemoryStream();
        Assert.True(first.Emit(file).Success);
        MetadataReference reference = MetadataReference.CreateFromImage(file.ToArray());
        CSharpCompilation second = Bench.Compile(DocumentationMode.Diagnose, method);
        second = second.RemoveSyntaxTrees(second.SyntaxTrees[0]).AddReferences(reference);
        GeneratorDriver driver = Bench.Driver(second);
        Assert.Equal("BWG005", Assert.Single(driver.RunGenerators(second).GetRunResult().Diagnostics).Id);

        string told = Bench.Good("/// <summary>S.</summary>\n    public override bool On { get; init; }")
            .Replace("record MixParameters", "record MixParameters : Far");
        CSharpCompilation again = second.ReplaceSyntaxTree(second.SyntaxTrees[0], Bench.Compile(DocumentationMode.Diagnose, told).SyntaxTrees[1]);
        Assert.Empty(driver.RunGenerators(again).GetRunResult().Diagnostics);
    }

    [Theory]
    [InlineData("Select1", "select1")]
    [InlineData("LambdaScale", "lambda_scale")]
    [InlineData("Lambda", "lambda")]
    [InlineData("TIES", "ties")]
    [InlineData("KVHeads", "kv_heads")]
    [InlineData("L1Norm", "l1_norm")]
    [InlineData("Top2K", "top2_k")]
    [InlineData("F32ToBF16", "f32_to_bf16")]
    [InlineData("Already_There", "already_there")]
    [InlineData("t", "t")]
    public void Names_become_snake_case(string name, string expected) => Assert.Equal(expected, Names.Snake(name));

    [Theory]
    [InlineData("ties", true)]
    [InlineData("dare_ties", true)]
    [InlineData("w4a16", true)]
    [InlineData("sce_2", true)]
    [InlineData("", false)]
    [InlineData("Ties", false)]
    [InlineData("dare-ties", false)]
    [InlineData("_ties", false)]
    [InlineData("ties_", false)]
    [InlineData("dare__ties", false)]
    [InlineData("2ties", false)]
    public void Snake_case_is_recognised(string name, bool expected) => Assert.Equal(expected, Names.IsSnake(name));

    private static dynamic Blend() => Assert.Single(Bench.Methods(Bench.Load(Rich)));
}
