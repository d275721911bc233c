// A merge from C#: the same engine, files and receipt as 'budwood merge merge.yml out'.
// Run it: dotnet run --project samples/MergeFromCode -- merge.yml out
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Recipes;

if (args is not [var config, var output]) return Usage();

MergeFile file = MergeFile.Read(config);
ResolvedMerge merge = MergeChain.Resolve(file, document => document.Find(BudwoodCoreCatalogue.All.OfType<Rule>()), _ => new MergeSettings { Open = name => ModelOpener.Open(name, file.Path) });
RunOutcome outcome = Runner.Run(merge.Plan, new RunOptions { Out = output, Configuration = file.Text }, CancellationToken.None)!;
foreach (string line in outcome.Receipt.Lines()) Console.WriteLine(line);
return 0;

static int Usage()
{
    Console.Error.WriteLine("usage: MergeFromCode MERGE.yml OUT");
    return 2;
}
