using System.Runtime.ExceptionServices;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers.Random;

namespace Budwood.Engine;

/// <summary>What a job may ask of the engine.</summary>
public sealed record JobOptions
{
    /// <summary>How merges are run, where the output goes, and with what means.</summary>
    public required RunOptions Run { get; init; }

    /// <summary>Seed of the job's random streams.</summary>
    public long Seed { get; init; }

    /// <summary>Plans a rule on models that are open, with parameters as a command line has them.</summary>
    public required Func<string, IReadOnlyList<Checkpoint>, IReadOnlyList<(string Name, string Value)>, CalledRule> Plan { get; init; }
}

/// <summary>A rule that a job called: its plan, and the merge file that says the same.</summary>
public sealed record CalledRule(Plan Plan, string Configuration);

/// <summary>What a job gave: tables and arrays by output port, a table to show, a written checkpoint.</summary>
public sealed record JobOutcome(IReadOnlyDictionary<string, Artifact> Outputs, Table? Shown, RunOutcome? Written)
{
    /// <summary>Digest of the checkpoint that was written; null when none was.</summary>
    public Digest? Checkpoint { get; init; }

    /// <summary>The table to print: the one shown, else the first that an output port was given.</summary>
    public Table? Table => Shown ?? Outputs.Values.FirstOrDefault(o => o.Kind == ArtifactKind.Table)?.Table;
}

/// <summary>Hands a job its inputs, runs what it calls, and owns the folder of what it writes on the way.</summary>
internal sealed class JobDesk(Job job, IReadOnlyDictionary<string, IReadOnlyList<Artifact>> inputs, JobOptions options, CancellationToken stop)
    : Desk, IDisposable
{
    private readonly Dictionary<Checkpoint, CalledRule> _called = [];
    private readonly Dictionary<string, Artifact> _outputs = new(StringComparer.Ordinal);
    private string? _work;

    public Table? Shown { get; private set; }
    public RunOutcome? Written { get; private set; }

    /// <summary>Digest of a checkpoint that was written from arrays.</summary>
    public Digest? Drawn { get; private set; }
    public IReadOnlyDictionary<string, Artifact> Outputs => _outputs;
    public override CancellationToken Stop => stop;
    public override bool Has(string port) => inputs.TryGetValue(port, out IReadOnlyList<Artifact>? given) && given.Count > 0;
    public override Checkpoint Checkpoint(string port) => inputs[port][0].Checkpoint;
    public override IReadOnlyList<Checkpoint> Checkpoints(string port) => inputs.TryGetValue(port, out IReadOnlyList<Artifact>? all) ? [.. all.Select(a => a.Checkpoint)] : [];
    public override Table Table(string port) => inputs[port][0].Table;
    public override IReadOnlyList<Table> Tables(string port) => inputs.TryGetValue(port, out IReadOnlyList<Artifact>? all) ? [.. all.Select(a => a.Table)] : [];
    public override Arrays Arrays(string port) => inputs[port][0].Arrays;
    public override ModelFolder Folder(string port) => inputs[port][0].Folder;
    public override IReadOnlyList<ModelFolder> Folders(string port) => inputs.TryGetValue(port, out IReadOnlyList<Artifact>? all) ? [.. all.Select(a => a.Folder)] : [];
    public override void Emit(string port, Table table) => Put(port, Artifact.Of(table));
    public override void Emit(string port, Arrays arrays) => Put(port, Artifact.Of(arrays));
    public override void Show(Table table) => Shown = table;

    public override void EmitCheckpoint(string port, Arrays weights) => Drawn = ArrayCheckpoint.Write(weights, options.Run.Out, options.Run.Force);
    public override RandomStream Random(string name) => new(options.Seed, job.Card.Name, name);

    private void Put(string port, Artifact what)
    {
        Port to = job.Ports.Outputs.Single(p => p.Name == port);
        if (to.Kind != what.Kind) throw new InvalidOperationException($"{job.Card.Name} gave a {what.Kind} to its port '{port}', which takes a {to.Kind}.");
        _outputs[port] = what;
    }

    public override void ForEach(int count, Action<int> body)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = options.Run.Threads, CancellationToken = stop }, body);
        }
        catch (AggregateException e)
        {
            // Which thread failed first is chance; the first in the list is what is told.
            ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }
    }

    public override Checkpoint Call(string rule, IReadOnlyList<Checkpoint> models, params IReadOnlyList<(string Name, string Value)> parameters)
    {
        CalledRule called = options.Plan(rule, models, parameters);
        Runner.CheckFits(called.Plan, options.Run);
        Checkpoint made = called.Plan.Unwritten(string.Join(", ", models.Select(m => m.Label)));
        _called[made] = called;
        return made;
    }

    public override double Score(string command, Checkpoint model)
    {
        double score;
        if (!_called.TryGetValue(model, out CalledRule? called)) score = ScoreCommand.Run(command, Path.GetFullPath(model.Folder), model.Label, stop);
        else
        {
            _work ??= Directory.CreateTempSubdirectory("budwood-").FullName;
            string folder = Path.Combine(_work, "model");
            try
            {
                Runner.Run(called.Plan, options.Run with { Out = folder, Configuration = called.Configuration, Say = null, Planned = null, Resume = false }, stop);
                score = ScoreCommand.Run(command, folder, model.Label, stop);
            }
            finally
            {
                if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            }
        }
        options.Run.Say?.Invoke(FormattableString.Invariant($"{job.Card.Name}: {model.Label}: {score:G6}"));
        return score;
    }

    public override void Emit(string port, Checkpoint made)
    {
        CalledRule called = _called[made];
        Written = Runner.Run(called.Plan, options.Run with { Configuration = called.Configuration }, stop);
    }

    public void Dispose()
    {
        if (_work is null) return;
        try
        {
            Directory.Delete(_work, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            options.Run.Say?.Invoke($"left behind: {_work}: {e.Message}");
        }
    }
}
