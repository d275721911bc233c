using Budwood.Checkpoints;
using Budwood.Methods;

namespace Budwood.Engine;

/// <summary>What a job may ask of the engine.</summary>
public sealed record JobOptions
{
    /// <summary>How merges are run, where the output goes, and with what means.</summary>
    public required RunOptions Run { get; init; }

    /// <summary>Plans a rule on models that are open, with parameters as a command line has them.</summary>
    public required Func<string, IReadOnlyList<Checkpoint>, IReadOnlyList<(string Name, string Value)>, CalledRule> Plan { get; init; }
}

/// <summary>A rule that a job called: its plan, and the merge file that says the same.</summary>
public sealed record CalledRule(Plan Plan, string Configuration);

/// <summary>What a job gave: a table, a written checkpoint, or both.</summary>
public sealed record JobOutcome(Table? Table, RunOutcome? Written);

/// <summary>Hands a job its inputs, runs what it calls, and owns the folder of what it writes on the way.</summary>
internal sealed class JobDesk(Job job, IReadOnlyDictionary<string, IReadOnlyList<Checkpoint>> inputs, JobOptions options, CancellationToken stop)
    : Desk, IDisposable
{
    private readonly Dictionary<Checkpoint, CalledRule> _called = [];
    private string? _work;

    public Table? Table { get; private set; }
    public RunOutcome? Written { get; private set; }
    public override CancellationToken Stop => stop;
    public override Checkpoint Checkpoint(string port) => inputs[port][0];
    public override IReadOnlyList<Checkpoint> Checkpoints(string port) => inputs[port];
    public override void Emit(string port, Table table) => Table = table;
    public override void Show(Table table) => Table = table;

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
