using FaMLNet.Cli.Commands;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Terminal;
using Spectre.Console.Cli;

// What is thrown on a thread that nobody waits for would end the process with .NET's own trace.
AppDomain.CurrentDomain.UnhandledException += (_, failed) => Environment.Exit(Report((Exception)failed.ExceptionObject));
CommandApp app = new();
app.Configure(config =>
{
    config.SetApplicationName("famlnet");
    config.SetApplicationVersion(ThisTool.Version);
    config.SetInterceptor(new OutputGuard());
    CommandList.Configure(config);
    config.SetExceptionHandler((failure, _) => Report(failure));
});
try
{
    return app.Run(Arguments.Check(args, CommandList.All));
}
catch (Exception failure)
{
    return Report(failure);
}

int Report(Exception failure)
{
    bool isStopped = Failures.CauseOf(failure) is OperationCanceledException;
    Messages.Tell(isStopped ? "Stopped." : OptionNames.Translate(args.FirstOrDefault(), Failures.MessageOf(failure)));
    if (!isStopped && Failures.TraceOf(failure) is { } trace)
        Messages.Tell(trace);
    return isStopped ? ThisTool.Stopped : 1;
}
