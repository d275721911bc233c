using Budwood.Files;
using Budwood.Methods;

namespace Budwood.Cli;

/// <summary>Where a job's tables and arrays are written: one file for one output, a folder with one file a port for several.</summary>
internal sealed class ArtifactOutput
{
    private readonly string _path;
    private readonly Ports _ports;
    private readonly bool _force;

    private ArtifactOutput(string path, Ports ports, bool force) => (_path, _ports, _force) = (path, ports, force);

    /// <summary>Refuses a place that is taken, or a file name whose ending says another kind, before any work.</summary>
    public static ArtifactOutput At(string path, Ports ports, bool force)
    {
        if (ports.Outputs.Count == 1)
        {
            string ending = Path.GetExtension(path).ToLowerInvariant();
            string[] fit = ports.Output.Kind == ArtifactKind.Arrays ? [".safetensors"] : [".csv", ".tsv", ".jsonl", ".json"];
            if (!fit.Contains(ending)) throw new Fault("BW1019", ExitCode.Usage, $"'{ports.Output.Name}' is written to a file ending in {string.Join(", ", fit)}", path, null, $"Write '-o {Path.GetFileNameWithoutExtension(path)}{fit[0]}'.");
        }
        if (Directory.Exists(path) || (File.Exists(path) && !force))
            throw FileFaults.OutputExists(path, Directory.Exists(path) ? "found a folder of that name" : "found a file of that name");
        return new ArtifactOutput(path, ports, force);
    }

    /// <summary>Writes what the ports were given; a file appears whole or not at all.</summary>
    public IReadOnlyList<string> Write(IReadOnlyDictionary<string, Artifact> outputs)
    {
        if (_ports.Outputs.Count == 1)
        {
            WholeFile.Write(_path, Bytes(outputs[_ports.Output.Name], _path), _force);
            return [_path];
        }
        var written = new List<string>();
        using var folder = OutputFolder.Begin(_path, force: false, []);
        foreach ((string port, Artifact what) in outputs)
        {
            string name = port + (what.Kind == ArtifactKind.Arrays ? ".safetensors" : ".csv");
            folder.Write(name, Bytes(what, name));
            written.Add(Path.Join(_path, name));
        }
        folder.Commit();
        return written;
    }

    private static byte[] Bytes(Artifact what, string path) => what.Kind == ArtifactKind.Arrays ? ArrayFiles.Safetensors(what.Arrays) : TableFiles.Bytes(what.Table, path);
}
