using System.Globalization;
using System.Text.Json;
using FaMLNet.Reporting;
using PuppeteerSharp;
using PuppeteerSharp.Media;
using Xunit;

namespace FaMLNet.Tests.Reporting;

/// <summary>The page in a browser: headless Chromium, where there is one (<c>tests/chromium</c> installs it).</summary>
public sealed class HtmlReportTests : IDisposable
{
    /// <summary>Milliseconds after which something has gone wrong, however busy the machine is.</summary>
    private const int Patience = 300_000;

    private static readonly string[] Places =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-html").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_page_of_six_runs_of_a_hundred_epochs_is_below_five_megabytes_and_loads_nothing()
    {
        string path = Save(6, 100, [.. Enumerable.Range(1, 20).Select(layer => $"conv{layer}")]);
        Assert.InRange(new FileInfo(path).Length, 1_000_000, 5_000_000);
        string page = File.ReadAllText(path), own = page[..page.IndexOf("<script>", StringComparison.Ordinal)];
        Assert.DoesNotContain("src=\"http", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("href=\"http", own, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.MachineName, own, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_works_in_a_browser()
    {
        await using IBrowser browser = await Launch();
        await using IPage page = await browser.NewPageAsync();
        page.DefaultTimeout = Patience;
        List<string> wrong = [], requests = [];
        page.Console += (_, message) => wrong.Add($"{message.Message.Type}: {message.Message.Text}");
        page.PageError += (_, failure) => wrong.Add(failure.Message);
        page.Request += (_, request) => requests.Add(request.Request.Url);
        string path = Save(3, 12, ["conv1", "<b>dense1</b>", "dense2"]);
        await page.SetViewportAsync(new ViewPortOptions { Width = 1200, Height = 900 });
        await page.GoToAsync(new Uri(path).AbsoluteUri);
        Assert.Equal(5 + 8 + 1, await page.EvaluateExpressionAsync<int>("document.querySelectorAll('.chart .main-svg:first-child').length"));

        // Names are shown as they are, and run as nothing.
        Assert.Equal("<script>alert(1)</script> & \"more\"", await page.EvaluateExpressionAsync<string>("document.querySelector('h1').textContent"));
        Assert.Contains("run 1 <img src=x onerror=alert(1)>", await page.EvaluateExpressionAsync<string>(
            "[...document.querySelectorAll('.legendtext')].map(text => text.textContent).join()"), StringComparison.Ordinal);
        Assert.Equal(0, await page.EvaluateExpressionAsync<int>("document.querySelectorAll('img, b').length"));

        // A series off and on again, by the keyboard.
        const string lines = "document.querySelector('#curves .chart').querySelectorAll('.scatterlayer .trace').length";
        int all = await page.EvaluateExpressionAsync<int>(lines);
        await page.FocusAsync("#shown input");
        await page.Keyboard.PressAsync("Space");
        await page.WaitForFunctionAsync($"() => {lines} < {all}");
        await page.Keyboard.PressAsync("Space");
        await page.WaitForFunctionAsync($"() => {lines} === {all}");

        // Every plot has its table, and the numbers are the history's.
        await page.EvaluateExpressionAsync("document.querySelectorAll('main details').forEach(details => details.open = true)");
        await page.WaitForFunctionAsync("() => [...document.querySelectorAll('main details')].every(details => details.querySelector('td'))");
        EpochMetrics[] history = History(0, 12, ["conv1", "<b>dense1</b>", "dense2"]);
        Assert.Equal(history.Select(epoch => epoch.Loss), await Column(page, "Table: Loss", 1), new Close());
        Assert.Equal(history.Select(epoch => epoch.ValidationLoss!.Value), await Column(page, "Table: Loss", 2), new Close());
        Assert.Equal(history.Select(epoch => epoch.AlignmentAngle["<b>dense1</b>"]), await Column(page, "Table: Alignment angle by layer", 2),
            new Close());
        Assert.Equal(history.Select(epoch => epoch.UpdateRatio["dense2"]), await Column(page, "Table: Update ratio by layer", 3), new Close());
        await page.SelectAsync("#layers select", "1");
        string expected = Text(History(1, 12, ["conv1"])[0].AlignmentAngle["conv1"]);
        await page.WaitForFunctionAsync($"() => Math.abs(Number(document.querySelector('#layers td').textContent) - {expected}) < 1e-3");
        Assert.Equal(4, await page.EvaluateExpressionAsync<int>("document.querySelectorAll('#confusion tbody tr').length"));

        // Both themes, at both widths; nothing wider than the window.
        string? folder = Environment.GetEnvironmentVariable("FAMLNET_SCREENSHOTS");
        foreach (int width in new[] { 1200, 380 })
        {
            await page.SetViewportAsync(new ViewPortOptions { Width = width, Height = 900 });
            await page.WaitForFunctionAsync($"() => [...document.querySelectorAll('.chart')].every(plot => plot._fullLayout.width <= {width})");
            foreach (string theme in new[] { "dark", "light" })
            {
                await page.EvaluateExpressionAsync(
                    $"document.documentElement.dataset.theme === '{theme}' || document.getElementById('theme').click()");
                Assert.Equal(theme, await page.EvaluateExpressionAsync<string>("document.documentElement.dataset.theme"));
                Assert.InRange(await page.EvaluateExpressionAsync<int>("document.documentElement.scrollWidth"), 1, width);
                if (folder != null)
                    await page.ScreenshotAsync(Path.Combine(folder, $"report-{width}-{theme}.png"), new ScreenshotOptions { FullPage = true });
            }
        }
        // Paper is white, whatever the theme.
        await page.EvaluateExpressionAsync("document.documentElement.dataset.theme === 'dark' || document.getElementById('theme').click()");
        byte[] printed = await page.PdfDataAsync(new PdfOptions { Format = PaperFormat.A4 });
        Assert.True(printed.Length > 10_000);

        // All that can be reached by the keyboard has a name.
        Assert.Equal(0, await page.EvaluateExpressionAsync<int>(
            "[...document.querySelectorAll('button, select, input, summary')].filter(one => !(one.textContent || one.ariaLabel "
            + "|| one.labels?.[0]?.textContent)).length"));
        Assert.Equal(0, await page.EvaluateExpressionAsync<int>(
            "[...document.querySelectorAll('.chart')].filter(plot => plot.getAttribute('role') !== 'img' || !plot.ariaLabel).length"));
        Assert.Empty(wrong);
        Assert.Equal([new Uri(path).AbsoluteUri], requests.Where(url => !url.StartsWith("data:", StringComparison.Ordinal)
            && !url.StartsWith("blob:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_page_of_gaps_works_in_a_browser()
    {
        await using IBrowser browser = await Launch();
        await using IPage page = await browser.NewPageAsync();
        page.DefaultTimeout = Patience;
        List<string> wrong = [];
        page.Console += (_, message) => wrong.Add(message.Message.Text);
        page.PageError += (_, failure) => wrong.Add(failure.Message);
        EpochMetrics gap = new() { Epoch = 1, Loss = double.NaN, Accuracy = 0.5, LearningRate = 0, SamplesPerSecond = 0 };
        TrainingReport report = new("gaps");
        report.Add("one", [gap, gap with { Epoch = 2, Loss = 1 }, gap with { Epoch = 3 }]);
        report.Add("other layers", Histories.Make(2, ["x", "y"]));
        string path = Path.Combine(_folder, "gaps.html");
        report.SaveHtml(path);
        await page.GoToAsync(new Uri(path).AbsoluteUri);
        await page.EvaluateExpressionAsync("document.querySelectorAll('main details').forEach(details => details.open = true)");
        Assert.Equal("other layers", await page.EvaluateExpressionAsync<string>("document.querySelector('#layers select').textContent"));
        Assert.Empty(wrong);
    }

    private static async Task<double[]> Column(IPage page, string label, int column) =>
        [.. (await page.EvaluateExpressionAsync<string[]>("[...[...document.querySelectorAll('details')].find(details => "
            + $"details.firstChild.textContent === {JsonSerializer.Serialize(label)}).querySelectorAll('tbody tr')]"
            + $".map(row => row.cells[{column}].textContent)"))
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture))];

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static EpochMetrics[] History(int run, int epochs, string[] layers) => Histories.Make(epochs, layers, shift: run * 0.1);

    private static async Task<IBrowser> Launch()
    {
        string? path = Places.Prepend(Environment.GetEnvironmentVariable("CHROME_PATH")).FirstOrDefault(File.Exists);
        if (path == null)
            Assert.Skip("needs Chromium: run tests/chromium, or name one by CHROME_PATH");
        return await Puppeteer.LaunchAsync(new LaunchOptions
        {
            ExecutablePath = path,
            Headless = true,
            Args = ["--no-sandbox", "--disable-gpu"],
            Timeout = Patience,
        });
    }

    private string Save(int runs, int epochs, string[] layers)
    {
        TrainingReport report = new("<script>alert(1)</script> & \"more\"");
        for (int run = 0; run < runs; run++)
        {
            report.Add($"run {run} <img src=x onerror=alert({run})>", History(run, epochs, layers), run == 0 ? TrainingReportTests.Matrix(4) : null,
                run == 0 ? ["a", "b", "<script>", "ü"] : null, new FeedbackAlignmentMulticlassTrainer.Options { Seed = run });
        }
        string path = Path.Combine(_folder, "report.html");
        report.SaveHtml(path);
        return path;
    }

    private sealed class Close : IEqualityComparer<double>
    {
        /// <summary>To the six digits that are shown.</summary>
        public bool Equals(double x, double y) => Math.Abs(x - y) <= 1e-5 * Math.Max(Math.Abs(x), Math.Abs(y));

        public int GetHashCode(double value) => 0;
    }
}
