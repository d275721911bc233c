using Budwood.Adapters;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Recipes;

/// <summary>Opens a model that a merge file names: a path or a hub name in the cache, with an adapter or without.</summary>
public static class ModelOpener
{
    /// <summary>Opens a model named in a merge file: relative paths start from the working directory, then from the file's folder.</summary>
    public static Checkpoint Open(ModelName name, string file) => Open(name, file, Environment.CurrentDirectory);

    /// <summary>The same from a working directory of one's own.</summary>
    /// <param name="adapterType">The type in which adapters are applied; by default that of the model they stand on.</param>
    public static Checkpoint Open(ModelName name, string file, string workingFolder, DType? adapterType = null) =>
        Open(name.Text, workingFolder, Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".", adapterType);

    /// <summary>Opens a model by its name: a path, <c>org/name</c> in the hub cache, <c>@revision</c>, <c>model+adapter</c>.</summary>
    public static Checkpoint Open(string name, string workingFolder, string? configFolder, DType? adapterType = null)
    {
        ModelReference reference = ModelReference.Parse(name, p => Directory.Exists(Path.Combine(workingFolder, p))
            || (configFolder is not null && Directory.Exists(Path.Combine(configFolder, p))));
        string label = reference.Adapter is null ? name : reference.Revision is null ? reference.Path : $"{reference.Path}@{reference.Revision}";
        Checkpoint model = Checkpoint.Open(ModelPath.Resolve(reference.Path, reference.Revision, workingFolder, configFolder), label);
        return reference.Adapter is null ? model : Add(reference, model, workingFolder, configFolder, adapterType);
    }

    private static Checkpoint Add(ModelReference reference, Checkpoint model, string workingFolder, string? configFolder, DType? type)
    {
        Adapter? adapter = null;
        try
        {
            string folder = ModelPath.Resolve(reference.Adapter!, reference.AdapterRevision, workingFolder, configFolder);
            adapter = Adapter.Open(folder, reference.AdapterRevision is null ? reference.Adapter : $"{reference.Adapter}@{reference.AdapterRevision}");
            return adapter.Onto(model, reference.Text, type);
        }
        catch
        {
            adapter?.Dispose();
            model.Dispose();
            throw;
        }
    }
}
