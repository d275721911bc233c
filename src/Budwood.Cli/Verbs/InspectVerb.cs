using System.CommandLine;
using Budwood.Checkpoints;
using Budwood.Inspect;

namespace Budwood.Cli.Verbs;

/// <summary><c>inspect PATH</c>: the table of the job <c>inspect_checkpoint</c>, for model folders, adapters and single files.</summary>
internal static class InspectVerb
{
    public static Command Command()
    {
        var path = new Argument<string>("MODEL") { Description = "A model folder, an adapter folder, one safetensors file, or MODEL+ADAPTER." };
        var by = new Option<InspectBy>("--by") { Description = "One row a tensor, layer, role or dtype.", DefaultValueFactory = _ => InspectBy.Tensor, HelpName = "WHAT" };
        var filter = new Option<string?>("--filter") { Description = "Only tensors whose name contains this.", HelpName = "TEXT" };
        var command = new Command("inspect") { path, by, filter };
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, _) =>
        {
            Table table = Look(p.GetValue(path)!, new InspectCheckpoint.Parameters { By = p.GetValue(by), Filter = p.GetValue(filter) });
            foreach (string note in table.Notes) terminal.Result(note);
            terminal.Show(table);
            terminal.Json(TableJson.Of(table));
            return ExitCode.Done;
        }));
        return command;
    }

    private static Table Look(string path, InspectCheckpoint.Parameters wanted)
    {
        if (!ModelFinder.IsSum(path)) return Inspection.Of(ModelFinder.Folder(path), wanted);
        using Checkpoint sum = ModelFinder.Open(path);
        return Inspection.Of(sum, wanted);
    }
}
