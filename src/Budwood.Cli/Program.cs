return Budwood.Cli.CommandLine.Run(args);
