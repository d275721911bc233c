using System.Diagnostics;
using System.Globalization;
using Budwood.Fuzz;

// Budwood.Fuzz TARGET|all COUNT [SEED [MINUTES]]    runs inputs 0 .. COUNT-1 of a seed
// Budwood.Fuzz TARGET repeat SEED INDEX             makes one input again, shows it and what it does
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length < 2)
{
    Console.Error.WriteLine($"usage: Budwood.Fuzz TARGET|all COUNT [SEED [MINUTES]]  or  Budwood.Fuzz TARGET repeat SEED INDEX\ntargets: {string.Join(", ", FuzzTarget.All.Select(t => t.Name))}");
    return 2;
}
FuzzTarget[] targets = [.. FuzzTarget.All.Where(t => args[0] == "all" || t.Name == args[0])];
if (targets.Length == 0)
{
    Console.Error.WriteLine($"no target '{args[0]}'");
    return 2;
}
if (args[1] == "repeat")
{
    byte[] input = targets[0].Input(ulong.Parse(args[2]), ulong.Parse(args[3]));
    Console.WriteLine($"{Convert.ToHexStringLower(input)}\n{string.Concat(input.Select(b => b is >= 32 and < 127 or 10 ? (char)b : '.'))}");
    Console.WriteLine(targets[0].Try(input));
    return 0;
}
ulong count = ulong.Parse(args[1].Replace("_", "", StringComparison.Ordinal)), seed = args.Length > 2 ? ulong.Parse(args[2]) : 1;
double minutes = args.Length > 3 ? double.Parse(args[3]) : double.PositiveInfinity;
int failures = 0;
(string Target, ulong Index) now = default;
long since = Stopwatch.GetTimestamp();
// A reader that never comes back is found from outside.
var watch = new Thread(() =>
{
    while (true)
    {
        Thread.Sleep(1000);
        if (Stopwatch.GetElapsedTime(Interlocked.Read(ref since)).TotalSeconds < 120) continue;
        Console.WriteLine($"HANGS: {now.Target} seed {seed} index {now.Index}");
        Environment.Exit(1);
    }
})
{ IsBackground = true };
watch.Start();

Console.WriteLine("target            inputs   accepted   seconds   inputs/s   most bytes/byte above the allowance   slowest ms   failures");
foreach (FuzzTarget target in targets)
{
    var clock = Stopwatch.StartNew();
    ulong index = 0;
    long accepted = 0;
    double worst = 0, slowest = 0;
    int failed = 0;
    for (; index < count && clock.Elapsed.TotalMinutes < minutes && failed < 10; index++)
    {
        byte[] input = target.Input(seed, index);
        now = (target.Name, index);
        Interlocked.Exchange(ref since, Stopwatch.GetTimestamp());
        Verdict verdict = target.Try(input);
        // The machine may have been busy elsewhere: what is slow is slow again.
        for (int again = 0; again < 3 && verdict.Failure is not null; again++) verdict = target.Try(input);
        if (verdict.Accepted) accepted++;
        worst = Math.Max(worst, (verdict.Allocated - target.Allowance) / (double)Math.Max(1, input.Length));
        slowest = Math.Max(slowest, verdict.Milliseconds);
        if (verdict.Failure is null) continue;
        failed++;
        Console.WriteLine($"FAILS: {target.Name} seed {seed} index {index}: {verdict.Failure}");
    }
    failures += failed;
    Console.WriteLine($"{target.Name,-14}{index,10}{accepted,11}{clock.Elapsed.TotalSeconds,10:0.0}{index / clock.Elapsed.TotalSeconds,11:0}{worst,40:0.0}{slowest,13:0.0}{failed,11}");
}
return failures == 0 ? 0 : 1;
