// A method of one's own in a merge: dotnet run --project samples/OwnMethod -- merge.yml out
// where merge.yml says 'merge_method: midpoint'.
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Recipes;

if (args is not [var config, var output])
{
    Console.Error.WriteLine("usage: OwnMethod MERGE.yml OUT");
    return 2;
}

// The generator makes one catalogue an assembly: the library's, and this program's.
Rule[] rules = [.. BudwoodCoreCatalogue.All.Concat(OwnMethodCatalogue.All).OfType<Rule>()];
MergeFile file = MergeFile.Read(config);
ResolvedMerge merge = MergeChain.Resolve(file, document => document.Find(rules), _ => new MergeSettings { Open = name => ModelOpener.Open(name, file.Path) });
RunOutcome outcome = Runner.Run(merge.Plan, new RunOptions { Out = output, Configuration = file.Text }, CancellationToken.None)!;
foreach (string line in outcome.Receipt.Lines()) Console.WriteLine(line);
return 0;
