using System.CommandLine;

namespace Budwood.Cli.Verbs;

/// <summary><c>completion SHELL</c>: a script that makes a shell complete verbs, options, methods and papers.</summary>
internal static class CompletionVerb
{
    public static Command Command()
    {
        var shell = new Argument<string>("SHELL") { HelpName = "SHELL", Description = "bash, zsh, fish or pwsh: 'budwood completion bash > ~/.local/share/bash-completion/completions/budwood'." }.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion") { shell };
        command.SetAction(p =>
        {
            System.Console.Out.Write(Script(p.GetValue(shell)!));
            return 0;
        });
        return command;
    }

    // All four ask the program itself: '[suggest:N] "line"' prints the words that fit at position N of a line.
    private static string Script(string shell) => shell switch
    {
        "bash" => """
            # budwood: completion for bash
            _budwood_complete() {
                local IFS=$'\n'
                COMPREPLY=($(compgen -W "$(budwood "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _budwood_complete budwood

            """,
        "zsh" => """
            #compdef budwood
            # budwood: completion for zsh
            _budwood() {
                local -a words_that_fit
                words_that_fit=("${(@f)$(budwood "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
                compadd -a words_that_fit
                _files
            }
            compdef _budwood budwood

            """,
        "fish" => """
            # budwood: completion for fish
            complete -c budwood -a '(budwood "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp) 2>/dev/null)'

            """,
        _ => """
            # budwood: completion for PowerShell
            Register-ArgumentCompleter -Native -CommandName budwood -ScriptBlock {
                param($word, $line, $position)
                budwood "[suggest:$position]" "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                }
            }

            """,
    };
}
