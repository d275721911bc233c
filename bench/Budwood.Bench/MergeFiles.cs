namespace Budwood.Bench;

/// <summary>The merge file of each method that is measured.</summary>
internal static class MergeFiles
{
    public const string All = "passthrough,linear,slerp,task_arithmetic,ties,dare_linear,dare_ties,della,della_linear,breadcrumbs,breadcrumbs_ties,sce,model_stock,nuslerp,karcher";

    /// <summary>Times the copy limit that a method may take.</summary>
    public static double Target(string method) => method is "passthrough" or "linear" or "slerp" or "task_arithmetic" ? 1.3 : 2;

    /// <summary>The models that a method reads.</summary>
    public static IReadOnlyList<string> Models(string method) => method switch
    {
        "passthrough" => ["base"],
        "slerp" => ["base", "ft1"],
        _ => Bench.Models.Names,
    };

    public static string Write(string folder, string method)
    {
        string parameters = method switch
        {
            "linear" or "nuslerp" or "task_arithmetic" => "weight: 0.5",
            "ties" or "dare_linear" or "dare_ties" => "weight: 0.5, density: 0.5",
            "della" or "della_linear" => "weight: 0.5, density: 0.5, epsilon: 0.15",
            "breadcrumbs" or "breadcrumbs_ties" => "weight: 0.5, density: 0.9, gamma: 0.01",
            _ => "",
        };
        bool needsBase = method is not ("passthrough" or "linear" or "karcher");
        var lines = new List<string> { $"merge_method: {method}" };
        if (needsBase) lines.Add("base_model: " + Path.Join(folder, "base"));
        lines.Add("models:");
        foreach (string model in Models(method).Where(m => !needsBase || m != "base"))
        {
            lines.Add("  - model: " + Path.Join(folder, model));
            if (parameters.Length > 0) lines.Add($"    parameters: {{{parameters}}}");
        }
        if (method == "slerp") lines.Add("parameters: {t: 0.4}");
        if (method == "sce") lines.Add("parameters: {select_topk: 0.5}");
        lines.Add("dtype: bfloat16");
        string path = Path.Join(folder, method + ".yml");
        File.WriteAllText(path, string.Join('\n', lines) + "\n");
        return path;
    }
}
