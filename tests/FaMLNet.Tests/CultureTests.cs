using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests;

/// <summary>
/// Nothing that is saved, compared, parsed or logged depends on the culture. The whole suite runs in one with decimal commas; these look at
/// what no test happens to print.
/// </summary>
public sealed class CultureTests
{
    private static readonly Assembly[] Ours = [typeof(FeedbackRule).Assembly, typeof(FaMLNet.Cli.Pipelines.DataSource).Assembly];

    [Fact]
    public void The_suite_runs_with_decimal_commas()
    {
        Assert.Equal("1.234,5", 1234.5.ToString("N1", CultureInfo.CurrentCulture));
        string inAThread = "";
        Thread thread = new(() => inAThread = $"{0.5}");
        thread.Start();
        thread.Join();
        Assert.Equal("0,5", inAThread);
    }

    [Fact]
    public void A_checkpoint_of_one_culture_goes_on_in_another()
    {
        string folder = Directory.CreateTempSubdirectory("famlnet-culture").FullName;
        try
        {
            FeedbackAlignmentMulticlassModelParameters Fit(CultureInfo culture, int epochs)
            {
                CultureInfo before = CultureInfo.CurrentCulture;
                CultureInfo.CurrentCulture = culture;
                try
                {
                    MLContext mlContext = new(seed: 1);
                    FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.DirectFeedbackAlignment, epochs);
                    options.CheckpointFolder = folder;
                    options.Optimizer = new OptimizerOptions.AdamW { LearningRate = 0.0012f };
                    options.Schedule = LearningRateSchedule.MultiStepAtShares(0.3, 0.25, 0.5);
                    options.EarlyStopping = new EarlyStopping { MinimumDelta = 0.0001, Patience = 50 };
                    options.GradientClipping = GradientClipping.ByGlobalNorm(1.5f);
                    options.ClassWeights = ClassWeights.Explicit(1.5f, 0.5f, 1);
                    options.ValidationFraction = 0.125;
                    options.Network = NetworkDefinition.Mlp(8) with { Dropout = 0.125f };
                    return Tables.ModelOf(Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris")));
                }
                finally
                {
                    CultureInfo.CurrentCulture = before;
                }
            }
            FeedbackAlignmentMulticlassModelParameters first = Fit(CommaCulture.Culture, 3), again = Fit(CultureInfo.InvariantCulture, 3);
            Trainers.PipelineTests.AssertSameWeights(first, again);
            Assert.Equal(3, again.History.Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Records print their numbers by the current culture unless they say otherwise.</summary>
    [Fact]
    public void Records_with_fractions_print_themselves_the_same_everywhere()
    {
        List<string> wrong = [];
        foreach (Type type in Ours.SelectMany(assembly => assembly.GetTypes())
            .Where(type => !type.IsInterface && type.GetMethod("PrintMembers",
            BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly) != null))
        {
            // What users see and checkpoints compare: public, or one kind of something public.
            if (!Bases(type).Any(one => one.IsVisible)
                || !type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                .Any(property => IsFraction(property.PropertyType)))
                continue;
            if (type.GetMethod("ToString", Type.EmptyTypes)!.GetCustomAttribute<CompilerGeneratedAttribute>(inherit: false) != null)
                wrong.Add(type.FullName!);
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal("Adam { LearningRate = 0.0012, WeightDecay = 0, Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1E-08 }",
            new OptimizerOptions.Adam { LearningRate = 0.0012f }.ToString());
    }

    /// <summary>Reads the code: an interpolated string, or a <c>ToString</c>, of a fraction without a culture.</summary>
    [Fact]
    public void No_code_formats_or_reads_a_fraction_by_the_current_culture()
    {
        List<string> wrong = [];
        foreach (Assembly assembly in Ours)
        {
            // Where coverage is measured, an assembly has types of coverlet's own.
            foreach (MethodBase method in assembly.GetTypes().Where(type => type.Namespace?.StartsWith("Coverlet.", StringComparison.Ordinal) != true)
                .SelectMany(type => type.GetMembers(
                BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                .OfType<MethodBase>())
            {
                if (method.GetMethodBody() is not { } body || method.Name == "PrintMembers")
                    continue;
                // Which handlers were made without a culture decides; a method that makes both kinds counts as one without.
                MethodBase[] calls = [.. Calls(method, body)];
                bool withoutCulture = calls.Any(call => call.DeclaringType == typeof(DefaultInterpolatedStringHandler) && call.IsConstructor
                    && call.GetParameters().Length == 2);
                foreach (MethodBase call in calls)
                {
                    bool isFormatted = withoutCulture && call.Name == "AppendFormatted"
                        && call.DeclaringType == typeof(DefaultInterpolatedStringHandler) && call.IsGenericMethod
                        && (IsFraction(call.GetGenericArguments()[0])
                        || call.GetGenericArguments()[0] == typeof(object) || call.GetGenericArguments()[0] == typeof(IFormattable));
                    bool isText = call is { Name: "ToString" or "Parse" or "TryParse" } && call.DeclaringType is { } type && IsFraction(type)
                        && call.GetParameters().All(parameter => parameter.ParameterType != typeof(IFormatProvider));
                    bool isJoined = call.Name is "Join" or "Concat" && call.DeclaringType == typeof(string) && call.IsGenericMethod
                        && IsFraction(call.GetGenericArguments()[0]);
                    isText |= isJoined || (call.Name == "Append" && call.DeclaringType == typeof(System.Text.StringBuilder)
                        && IsFraction(call.GetParameters()[0].ParameterType));
                    if (isFormatted || isText)
                        wrong.Add($"{method.DeclaringType!.FullName}.{method.Name}: {call.DeclaringType!.Name}.{call.Name} of "
                            + $"{(isFormatted ? call.GetGenericArguments()[0].Name : "a number")}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Distinct()));
    }

    private static IEnumerable<Type> Bases(Type type)
    {
        for (Type? one = type; one != null && one != typeof(object) && one != typeof(ValueType); one = one.BaseType)
            yield return one;
    }

    private static bool IsFraction(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(float) || type == typeof(double) || type == typeof(decimal) || type == typeof(Half) || type == typeof(DateTime)
            || type == typeof(TimeSpan);
    }

    private static IEnumerable<MethodBase> Calls(MethodBase method, MethodBody body)
    {
        byte[] code = body.GetILAsByteArray()!;
        Type[]? typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null,
            methodArguments = method is MethodInfo { IsGenericMethod: true } ? method.GetGenericArguments() : null;
        int at = 0;
        while (at < code.Length)
        {
            OpCode instruction = code[at] == 0xFE ? TwoByte[code[at + 1]] : OneByte[code[at]];
            at += instruction.Size;
            if (instruction.OperandType == OperandType.InlineMethod)
            {
                MethodBase? target = null;
                try
                {
                    target = method.Module.ResolveMethod(BitConverter.ToInt32(code, at), typeArguments, methodArguments);
                }
                catch (Exception failure) when (failure is ArgumentException or TypeLoadException or BadImageFormatException)
                {
                }
                if (target != null)
                    yield return target;
            }
            at += instruction.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }

    private static readonly Dictionary<int, OpCode> OneByte = OpCodesWhere(code => code.Size == 1), TwoByte = OpCodesWhere(code => code.Size == 2);

    private static Dictionary<int, OpCode> OpCodesWhere(Func<OpCode, bool> condition) =>
        typeof(OpCodes).GetFields(BindingFlags.Static | BindingFlags.Public).Select(field => (OpCode)field.GetValue(null)!).Where(condition)
            .ToDictionary(code => code.Value & 0xFF);
}
