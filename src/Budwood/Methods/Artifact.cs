using Budwood.Checkpoints;

namespace Budwood.Methods;

/// <summary>A thing that travels between methods, with what kind it is.</summary>
public sealed record Artifact
{
    private Artifact(ArtifactKind kind, object content) => (Kind, Content) = (kind, content);

    public ArtifactKind Kind { get; }
    public object Content { get; }

    public Checkpoint Checkpoint => (Checkpoint)Content;
    public Table Table => (Table)Content;
    public Arrays Arrays => (Arrays)Content;
    public ModelFolder Folder => (ModelFolder)Content;

    public static Artifact Of(Checkpoint checkpoint) => new(ArtifactKind.Checkpoint, checkpoint);
    public static Artifact Of(Table table) => new(ArtifactKind.Table, table);
    public static Artifact Of(Arrays arrays) => new(ArtifactKind.Arrays, arrays);
    public static Artifact Of(ModelFolder folder) => new(ArtifactKind.Folder, folder);
}
