using System.Diagnostics;
using Digits;

string data = Path.Combine(AppContext.BaseDirectory, "digits.csv");
string model = Path.GetFullPath("digits.zip");
if (args is ["predict"])
{
    Prediction.Run(data, model);
    return 0;
}
if (args.Length > 0)
{
    Console.Error.WriteLine("Usage: Digits [predict]\nTrains on the digits, saves digits.zip and predicts from it in a second process; 'predict' "
        + "is that second process alone.");
    return 2;
}
Training.Run(data, model);

// The model must work without anything that training left in memory: start this program again to predict.
ProcessStartInfo start = new(Environment.ProcessPath!) { ArgumentList = { "predict" } };
if (Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
    start.ArgumentList.Insert(0, typeof(Training).Assembly.Location);
using Process process = Process.Start(start)!;
process.WaitForExit();
return process.ExitCode;
