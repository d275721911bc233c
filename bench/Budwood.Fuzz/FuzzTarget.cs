using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Budwood.Adapters;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Recipes.Steps;
using Budwood.Tests.Files;

namespace Budwood.Fuzz;

/// <summary>What reading one input took and how it ended.</summary>
/// <param name="Failure">What a reader may not do: an exception that is no fault, too much time, too much memory; null when all is well.</param>
internal readonly record struct Verdict(bool Accepted, long Allocated, double Milliseconds, string? Failure);

/// <summary>A reader under hostile input: how inputs are made, how they are read, and what reading may cost.</summary>
internal sealed record FuzzTarget(string Name, Func<Dice, byte[]> Make, Action<byte[]> Read)
{
    /// <summary>Bytes that a reader may allocate for each byte of input, above <see cref="Allowance"/>.</summary>
    public required int Multiple { get; init; }

    /// <summary>Bytes that a reader may allocate whatever the input: mostly an exception, its text and its trace.</summary>
    public long Allowance { get; init; } = 1 << 17;

    /// <summary>Milliseconds that one input may take.</summary>
    public const double TimeLimit = 2000;

    public byte[] Input(ulong seed, ulong index) => Make(new Dice(seed, index));

    /// <summary>Reads one input and holds the reader to its promise: a value or a <see cref="Fault"/>, soon, and in little memory.</summary>
    public Verdict Try(byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
        bool accepted = false;
        string? failure = null;
        try
        {
            Read(input);
            accepted = true;
        }
        catch (Fault)
        {
        }
        catch (Exception e)
        {
            failure = $"{e.GetType().Name}: {e.Message}{Environment.NewLine}{e.StackTrace}";
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (allocated > Allowance + ((long)Multiple * input.Length)) failure ??= $"{allocated} bytes allocated for {input.Length} of input";
        if (time > TimeLimit) failure ??= $"{time:0} ms";
        return new(accepted, allocated, time, failure);
    }

    /// <summary>Every reader that is fuzzed.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("safetensors", Safetensors, b => SafetensorsFile.Open(new MemorySource(b)).Dispose()) { Multiple = 64 },
        new("index", d => Json(d, Seeds.Indexes), b => ShardIndex.Read(new MemorySource(b))) { Multiple = 64 },
        new("pickle", Pickle, b => PickleFile.Open(new MemorySource(b)).Dispose()) { Multiple = 128 },
        new("pickle-old", OldPickle, b => PickleFile.Open(new MemorySource(b)).Dispose()) { Multiple = 128 },
        new("merge", d => Json(d, Seeds.Merges), b => MergeFile.Parse(Encoding.UTF8.GetString(b), "merge.yml")) { Multiple = 512 },
        new("recipe", d => Json(d, Seeds.Recipes), ReadRecipe) { Multiple = 2048, Allowance = 1 << 20 },
        new("config", d => Json(d, Seeds.Configs), ReadConfig) { Multiple = 256, Allowance = 1 << 24 },
        new("adapter", d => Json(d, Seeds.Adapters), ReadAdapter) { Multiple = 8192, Allowance = 1 << 22 },
        new("card", d => Json(d, Seeds.Cards), b => ModelCard.LicenseIn(new StreamReader(new MemoryStream(b)))) { Multiple = 64 },
        new("tokenizer", d => Json(d, Seeds.Tokenizers), b => _ = Vocabulary.OfTokenizer(b, "tokenizer.json").Rows) { Multiple = 128 },
        new("sentencepiece", d => Mutation.Bytes(d, d.Pick(Seeds.Pieces), d.Pick(Seeds.Pieces)), b => _ = Vocabulary.OfPieces(b, "tokenizer.model").Rows) { Multiple = 128 },
    ];

    private static byte[] Json(Dice dice, IReadOnlyList<IReadOnlyList<string>> seeds) => Mutation.Text(dice, dice.Pick(seeds), dice.Pick(seeds), dice.Pick(seeds));

    // The header is spoiled and its length put right, so that most inputs come as far as the checks of offsets.
    private static byte[] Safetensors(Dice dice)
    {
        (IReadOnlyList<string> header, int data) = dice.Pick(Seeds.Headers);
        byte[] json = dice.OneIn(8) ? Encoding.UTF8.GetBytes(string.Concat(header)) : Mutation.Text(dice, header, dice.Pick(Seeds.Headers).Tokens, Seeds.DTypes);
        if (dice.OneIn(16)) data = dice.Of(64);
        byte[] file = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        return dice.OneIn(8) ? Mutation.Bytes(dice, file, json) : file;
    }

    private static byte[] Pickle(Dice dice)
    {
        byte[] pickle = dice.OneIn(3) ? Instructions(dice) : Mutation.Bytes(dice, dice.Pick(Seeds.Pickles), dice.Pick(Seeds.Pickles));
        byte[] zip = Torch.Zip(pickle, ("data/0", new byte[24]), ("data/1", new byte[dice.Of(64)]));
        return dice.OneIn(4) ? Mutation.Bytes(dice, zip, pickle) : zip;
    }

    private static byte[] OldPickle(Dice dice)
    {
        byte[] pickle = dice.OneIn(3) ? Instructions(dice) : Mutation.Bytes(dice, dice.Pick(Seeds.OldPickles), dice.Pick(Seeds.OldPickles));
        byte[] file = Torch.Legacy(pickle, !dice.OneIn(16), ("0", 6, new byte[24]));
        return dice.OneIn(3) ? Mutation.Bytes(dice, file, pickle) : file;
    }

    // Instructions in any order: values of every kind meet every instruction.
    private static byte[] Instructions(Dice dice)
    {
        Pickled pickle = Pickled.New.Op('}');
        for (int n = dice.Of(60); n > 0; n--) pickle.Op(dice.Pick(Seeds.Instructions));
        return dice.OneIn(4) ? pickle.Bytes : pickle.End;
    }

    private static readonly Dictionary<string, Method> s_methods = BudwoodCoreCatalogue.All.ToDictionary(m => m.Card.Name, StringComparer.Ordinal);

    private static void ReadRecipe(byte[] bytes) => RecipeReader.Read(Encoding.UTF8.GetString(bytes), "recipe.yml", s_methods.GetValueOrDefault, s_methods.Keys);

    private static void ReadAdapter(byte[] bytes)
    {
        AdapterConfig config = AdapterConfig.Parse(bytes, "adapter_config.json");
        foreach (string module in Seeds.Modules)
        {
            _ = config.Targets.Names(module);
            _ = config.RankPattern.Find(module);
            _ = config.Scale(module, config.Rank);
        }
    }

    private static void ReadConfig(byte[] bytes)
    {
        ModelConfig config = ModelConfig.Parse(bytes, "config.json");
        _ = config.DTypeText;
        _ = config.Quantization;
        _ = config.TiesEmbeddings;
        ModelConfig written = ModelConfig.Parse(config.WithDType(DType.BF16).ToBytes(), "config.json");
        if (Family.For(written) is { } family) _ = family.Describe(written, Seeds.StoredNames).Layers;
    }
}
