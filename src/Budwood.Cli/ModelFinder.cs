using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Recipes;

namespace Budwood.Cli;

/// <summary>Finds the folder of a model that a file or command line names: a path, or a hub name in the cache.</summary>
internal static class ModelFinder
{
    /// <summary>Opens a model named in a merge file: relative paths start from the working directory, then from the file's folder.</summary>
    public static Checkpoint Open(ModelName name, string file)
    {
        string configFolder = Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".";
        ModelReference reference = ModelReference.Parse(name.Text, p => Directory.Exists(p) || Directory.Exists(Path.Combine(configFolder, p)));
        return Checkpoint.Open(ModelPath.Resolve(reference.Path, reference.Revision, Environment.CurrentDirectory, configFolder), name.Text);
    }

    /// <summary>Opens a model named on the command line.</summary>
    public static Checkpoint Open(string path) => Checkpoint.Open(Folder(path), path);

    /// <summary>The folder (or file) that a path on the command line stands for.</summary>
    public static string Folder(string path)
    {
        if (File.Exists(path) || Directory.Exists(path)) return path;
        ModelReference reference = ModelReference.Parse(path, Directory.Exists);
        return ModelPath.Resolve(reference.Path, reference.Revision, Environment.CurrentDirectory, null);
    }
}
