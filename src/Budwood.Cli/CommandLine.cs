using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Budwood.Cli.Verbs;
using Budwood.Engine;

namespace Budwood.Cli;

/// <summary>The command line: verbs, shared options, and the one place where faults become exit codes.</summary>
internal static class CommandLine
{
    public static int Run(string[] args)
    {
        // The card of a method is its help: 'run ties --help' shows it, as 'stack --help' does.
        if (args is ["run", var name, .. var rest] && rest.Any(a => a is "--help" or "-h" or "-?") && Catalogue.Find(name) is { } method)
        {
            MethodsVerb.PrintCard(method, new Terminal(Loudness.Normal, null, json: false));
            return 0;
        }
        if (args is ["--help" or "-h" or "-?", ..] or ["help"])
        {
            System.Console.Out.Write(VerbTable.Help());
            return 0;
        }
        RootCommand root = VerbTable.Root(args);
        ParseResult parsed = root.Parse(args);
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction) return Complain(parsed);
        int code = parsed.Invoke(configuration);
        string command = parsed.CommandResult.Command.Name;
        // The verbs are asked first: they need no catalogue.
        if (parsed.Action is System.CommandLine.Help.HelpAction && VerbTable.All.All(v => v.Name != command) && Catalogue.All.FirstOrDefault(m => m.Card.Verb == command) is { } verb)
        {
            using var terminal = new Terminal(Loudness.Normal, null, json: false);
            MethodsVerb.PrintCard(verb, terminal);
        }
        return code;
    }

    private static int Complain(ParseResult parsed)
    {
        using var terminal = new Terminal(Loudness.Normal, null, json: false);
        string[] known = [.. VerbTable.All.Concat(VerbTable.Methods).Select(v => v.Name)];
        foreach (var error in parsed.Errors)
        {
            string? word = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
            bool verb = word is not null && parsed.CommandResult.Command is RootCommand;
            IEnumerable<string> options = parsed.CommandResult.Command.Options.Select(o => o.Name);
            string message = error.Message;
            (IEnumerable<Token> tokens, Symbol? symbol, string where) = error.SymbolResult switch
            {
                OptionResult option => (option.Tokens, option.Option, option.Option.Name),
                ArgumentResult argument => (argument.Tokens, argument.Argument, ""),
                _ => ((IEnumerable<Token>)[], (Symbol?)null, ""),
            };
            // A word where only some are known: those that completion offers.
            if (word is null && tokens.FirstOrDefault()?.Value is { } given && symbol?.GetCompletions(CompletionContext.Empty).Select(c => c.Label.ToLowerInvariant()).ToArray() is { Length: > 0 } choices)
            {
                terminal.Complain(new Fault("BW1001", ExitCode.Usage, $"'{given}' is not known {(where.Length > 0 ? "to " + where : "here")}", null, null, Nearest.Hint(given, choices)));
                continue;
            }
            if (symbol is Option { ValueType: var type } && (type == typeof(int) || type == typeof(long)) && tokens.FirstOrDefault() is { } number) message = $"'{number.Value}' is no whole number, which {where} takes";
            if (verb) message = $"there is no verb '{word}'";
            string? hint = word is null ? null : verb ? Nearest.Hint(word, known) : Nearest.Hint(word, options);
            terminal.Complain(new Fault("BW1001", ExitCode.Usage, message.TrimEnd('.'), null, null, hint ?? "'budwood --help' lists the verbs, 'budwood VERB --help' their options."));
            if (word is not null) break;
        }
        return (int)ExitCode.Usage;
    }

    /// <summary>Runs a verb's body: opens the terminal, listens for Ctrl-C, turns what is thrown into messages and codes.</summary>
    public static int Guard(ParseResult parsed, Func<Terminal, CancellationToken, ExitCode> body)
    {
        Terminal terminal;
        try
        {
            terminal = SharedOptions.Terminal(parsed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            System.Console.Error.WriteLine($"error[BW1002]: the log file cannot be written: {e.Message}");
            return (int)ExitCode.Usage;
        }
        using (terminal)
        {
            using var stop = new CancellationTokenSource();
            void Stop(PosixSignalContext context)
            {
                // Asked twice, the process ends at once, as the system has it: an output is safe at any moment.
                if (stop.IsCancellationRequested) return;
                context.Cancel = true;
                stop.Cancel();
            }
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            try
            {
                return (int)body(terminal, stop.Token);
            }
            catch (Fault fault)
            {
                terminal.Complain(fault);
                return (int)fault.Exit;
            }
            catch (RunInterrupted interrupted)
            {
                terminal.Complain($"interrupted: nothing was released; {interrupted.Finished} of {interrupted.Shards} shards are finished and kept. Run the same command again to go on from there.");
                return (int)ExitCode.Interrupted;
            }
            catch (OperationCanceledException)
            {
                terminal.Complain("interrupted: nothing was released. Run the same command again.");
                return (int)ExitCode.Interrupted;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                terminal.Complain(new Fault("BW2099", ExitCode.Input, e.Message.TrimEnd('.'), null, null, "Check the path, its permissions and the disk."));
                terminal.Detail(e.ToString());
                return (int)ExitCode.Input;
            }
            catch (Exception e)
            {
                terminal.Complain(new Fault("BW9001", ExitCode.OurFault, $"a defect of Budwood: {e.GetType().Name}: {e.Message.TrimEnd('.')}", null, null, "Please report it with the command; '-v' prints the details."));
                terminal.Detail(e.ToString());
                return (int)ExitCode.OurFault;
            }
        }
    }
}
