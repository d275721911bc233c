using System.Text.Json.Nodes;
using Budwood.Engine;

namespace Budwood.Cli;

/// <summary>A table with its notes, for machines.</summary>
internal static class TableJson
{
    public static JsonObject Of(Table table) => new() { ["notes"] = new JsonArray([.. table.Notes.Select(n => (JsonNode)JsonValue.Create(n))]), ["rows"] = Runner.Rows(table) };
}
