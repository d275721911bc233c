using Budwood.Adapters;
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
        string label = reference.Adapter is null ? name.Text : reference.Revision is null ? reference.Path : $"{reference.Path}@{reference.Revision}";
        Checkpoint model = Checkpoint.Open(ModelPath.Resolve(reference.Path, reference.Revision, Environment.CurrentDirectory, configFolder), label);
        return reference.Adapter is null ? model : Add(reference, model, configFolder);
    }

    private static Checkpoint Add(ModelReference reference, Checkpoint model, string configFolder)
    {
        Adapter? adapter = null;
        try
        {
            string folder = ModelPath.Resolve(reference.Adapter!, reference.AdapterRevision, Environment.CurrentDirectory, configFolder);
            adapter = Adapter.Open(folder, reference.AdapterRevision is null ? reference.Adapter : $"{reference.Adapter}@{reference.AdapterRevision}");
            return adapter.Onto(model, reference.Text);
        }
        catch
        {
            adapter?.Dispose();
            model.Dispose();
            throw;
        }
    }

    /// <summary>Opens a model named on the command line.</summary>
    public static Checkpoint Open(string path) => Checkpoint.Open(Folder(path), path);

    /// <summary>The folder (or file) that a path on the command line stands for.</summary>
    public static string Folder(string path)
    {
        if (File.Exists(path) || Directory.Exists(path)) return path;
        ModelReference reference = ModelReference.Parse(path, Directory.Exists);
        if (reference.Adapter is not null)
            throw new Fault("BW1016", ExitCode.Usage, "a model with an adapter stands here, where only stored models are read", path, null, "Merge the two first: 'budwood run linear BASE+ADAPTER weight=1 -o OUT'.");
        return ModelPath.Resolve(reference.Path, reference.Revision, Environment.CurrentDirectory, null);
    }
}
