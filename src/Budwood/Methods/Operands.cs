using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Budwood.Numbers;

namespace Budwood.Methods;

/// <summary>The inputs of a formula as float32, one span an input, padded with zeros to a multiple of <see cref="Step"/>.</summary>
public readonly unsafe ref struct Operands
{
    /// <summary>Lanes of a vector; the loops of a rule advance by it.</summary>
    public const int Step = 8;

    private readonly float** _x;
    private readonly UniformDraws? _draws;
    private readonly float** _scratch;
    private readonly float** _companion;
    private readonly int _length;

    internal Operands(int count, int atBase, int length, float** x, UniformDraws? draws, float** scratch, float** companion)
    {
        Count = count;
        BaseIndex = atBase;
        _length = length;
        _x = x;
        _draws = draws;
        _scratch = scratch;
        _companion = companion;
    }

    /// <summary>Number of inputs, the base included.</summary>
    public int Count { get; }

    /// <summary>Position of the base; -1 when there is none.</summary>
    public int BaseIndex { get; }

    /// <summary>Padded number of elements.</summary>
    public int Length => _length;

    /// <summary>Values of input i.</summary>
    public ReadOnlySpan<float> this[int i] => new(_x[i], _length);

    /// <summary>Where the values of input i stand.</summary>
    internal float* Pointer(int i) => _x[i];

    /// <summary>Eight values of input <paramref name="i"/> from position <paramref name="at"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> At(int i, int at) => Vector256.Load(_x[i] + at);

    /// <summary>Eight values of the companion of input <paramref name="i"/>, if the rule named one (<see cref="Rule{P}.Companion"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Companion(int i, int at) => Vector256.Load(_companion[i] + at);

    /// <summary>Eight values of the base.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Base(int at) => Vector256.Load(_x[BaseIndex] + at);

    /// <summary>Eight values of <c>x_i - base</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Delta<Q>(int i, int at) where Q : struct, IRounding => Q.Round(Vector256.Load(_x[i] + at) - Vector256.Load(_x[BaseIndex] + at));

    /// <summary>Uniform random numbers of input i, one an element, if the rule asked for draws.</summary>
    public ReadOnlySpan<float> Uniform(int i) => new(_draws!.Of(i), _length);

    /// <summary>Scratch buffer k; its content is undefined.</summary>
    public Span<float> Scratch(int k) => new(_scratch[k], _length);

    /// <summary>Eight values of scratch buffer k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Scratch(int k, int at) => Vector256.Load(_scratch[k] + at);

    /// <summary>Eight values of a span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Get(ReadOnlySpan<float> v, int at) => Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(v), (nuint)at);

    /// <summary>Stores eight values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(Span<float> v, int at, Vector256<float> value) => value.StoreUnsafe(ref MemoryMarshal.GetReference(v), (nuint)at);
}

/// <summary>Random numbers of a block, drawn when a formula first asks for them.</summary>
internal abstract unsafe class UniformDraws
{
    public abstract float* Of(int input);
}
