using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Recipes;

namespace Budwood.Cli;

/// <summary>Finds the folder of a model that the command line names: a path, or a hub name in the cache.</summary>
internal static class ModelFinder
{
    /// <summary>Opens a model named on the command line: a path, a hub name in the cache, or one of them with an adapter.</summary>
    public static Checkpoint Open(string path) => IsSum(path) ? ModelOpener.Open(path, Environment.CurrentDirectory, null) : Checkpoint.Open(Folder(path), path);

    /// <summary>Whether a name stands for a model with an adapter.</summary>
    public static bool IsSum(string path) => !File.Exists(path) && !Directory.Exists(path) && ModelReference.Parse(path, Directory.Exists).Adapter is not null;

    /// <summary>Opens an input of a method by its kind: a model, a table or arrays.</summary>
    public static Artifact Artifact(ArtifactKind kind, string path) => kind switch
    {
        ArtifactKind.Checkpoint => Methods.Artifact.Of(Open(path)),
        ArtifactKind.Folder => Methods.Artifact.Of(ModelFolder.Open(Folder(path), path)),
        ArtifactKind.Table => Methods.Artifact.Of(TableFiles.Read(path)),
        _ => Methods.Artifact.Of(ArrayFiles.Read(path)),
    };

    /// <summary>The folder (or file) that a path on the command line stands for.</summary>
    public static string Folder(string path)
    {
        if (File.Exists(path) || Directory.Exists(path)) return path;
        ModelReference reference = ModelReference.Parse(path, Directory.Exists);
        if (reference.Adapter is not null)
            throw new Fault("BW1016", ExitCode.Usage, "a model with an adapter stands here, where only files are read", path, null, "Merge the two first: 'budwood run linear BASE+ADAPTER weight=1 -o OUT'.");
        return ModelPath.Resolve(reference.Path, reference.Revision, Environment.CurrentDirectory, null);
    }
}
