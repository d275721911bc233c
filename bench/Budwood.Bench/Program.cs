using Budwood.Bench;

string usage = """
    budwood-bench models DIR [--layers N]                       three checkpoints of TinyLlama-1.1B's shape (fewer layers: smaller)
    budwood-bench merge DIR [--methods a,b] [--pairs N]         methods beside the copy limit, in turn
    budwood-bench compat DIR [--methods a,b] [--pairs N]        --compat mergekit beside the default arithmetic, in turn
    budwood-bench threads DIR [--methods a,b] [--pairs N]       one thread beside two, in turn
    budwood-bench growth DIR [--methods a,b] [--pairs N]        time per byte from 0.1 GB up; makes its own models in DIR
    budwood-bench startup DIR [--times N]                       'budwood --help', and 'inspect' of a model in DIR
    budwood-bench kernels                                       GB/s of the kernels beside the machine's copies
    all: [--program PATH] of budwood; [--results FOLDER], by default bench/results/CPU
    """;
if (args.Contains("--help"))
{
    Console.WriteLine(usage);
    return 0;
}
if (args.Length == 0 || (args[0] != "kernels" && (args.Length == 1 || args[1].StartsWith("--", StringComparison.Ordinal))))
{
    Console.Error.WriteLine(usage);
    return 2;
}
var options = new Options(args[1..]);
if (args[0] is "merge" or "compat" or "threads" or "startup" && !Directory.Exists(Path.Join(options.Folder, "base")))
{
    Console.Error.WriteLine($"{options.Folder}: no models to measure with; make them with 'budwood-bench models {args[1]}'");
    return 2;
}
switch (args[0])
{
    case "models": Models.Write(options.Folder, options.Number("layers", 22)); return 0;
    case "merge": new MergeTable(options).Run(); return 0;
    case "compat": new PairTable(options, "compat", "--compat mergekit", "default arithmetic", ["--compat", "mergekit"], []).Run(); return 0;
    case "threads": new PairTable(options, "threads", "1 thread", "2 threads", ["--threads", "1"], ["--threads", "2"]).Run(); return 0;
    case "growth": new GrowthTable(options).Run(); return 0;
    case "startup": new StartupTable(options).Run(); return 0;
    case "kernels": KernelTable.Run(options); return 0;
    default: Console.Error.WriteLine(usage); return 2;
}
