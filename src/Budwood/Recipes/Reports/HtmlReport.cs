using System.Text;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The report as one self-contained page.</summary>
public static class HtmlReport
{
    /// <summary>The bytes of <c>report.html</c>.</summary>
    public static byte[] Bytes(RecipeOutcome outcome, string version) => Encoding.UTF8.GetBytes($"<!doctype html><title>{outcome.Recipe.Name}</title>{version}");
}
