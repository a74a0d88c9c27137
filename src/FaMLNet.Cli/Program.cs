using FaMLNet.Cli;
using Spectre.Console;
using Spectre.Console.Cli;

CommandApp app = new();
app.Configure(config =>
{
    config.SetApplicationName("famlnet");
    config.SetApplicationVersion(ThisTool.Version);
    config.SetInterceptor(new OutputGuard());
    Commands.Configure(config);
    config.SetExceptionHandler((failure, _) => Report(failure));
});
try
{
    return app.Run(Arguments.Check(args));
}
catch (FormatException failure)
{
    return Report(failure);
}

int Report(Exception failure)
{
    if (failure is OperationCanceledException)
    {
        AnsiConsole.MarkupLine("[yellow]Stopped.[/]");
        return ThisTool.Stopped;
    }
    Console.Error.WriteLine(OptionNames.Translate(args.FirstOrDefault(), Failures.MessageOf(failure)));
    return 1;
}
