"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7f7f7f", "#E69F00", "#56B4E9"];
  const symbols = ["circle", "square", "triangle-up", "diamond", "x", "star", "cross"];
  const dashes = ["solid", "dash", "dot", "dashdot"];
  const config = { responsive: true, displaylogo: false };
  const shown = data.runs.map(() => true);
  const redraws = []; // one a plot: draws it anew, in the theme and with the trainings that are chosen
  let printing = false;

  // Plotly reads its texts as a little HTML of its own.
  const escape = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const digits = value => value === null || value === undefined ? "" : Number(value.toPrecision(6)).toString();
  const dark = () => !printing && document.documentElement.dataset.theme === "dark";
  const element = (name, parent, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };

  // The diagram keeps its height, whatever its legend needs below it.
  const layout = (area, unit, extra, names = [], height = 250) => {
    let rows = names.length > 0 ? 1 : 0, used = 0;
    for (const name of names) {
      const length = 62 + 7.2 * name.length;
      if (used > 0 && used + length > area.clientWidth - 76) { rows++; used = 0; }
      used += length;
    }
    const below = 68 + 22 * rows;
    area.style.height = `${34 + height + below}px`;
    const ink = dark() ? "#e8e8e8" : "#222222", grid = dark() ? "#3a3d42" : "#e3e3e3";
    const axis = { gridcolor: grid, linecolor: ink, zeroline: false, ticks: "outside", tickcolor: grid, automargin: true };
    return Object.assign({
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", height: 34 + height + below, margin: { l: 64, r: 12, t: 34, b: below }, modebar: { bgcolor: "rgba(0,0,0,0)", color: ink + "90", activecolor: ink },
      font: { family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 13, color: ink },
      hoverlabel: { namelength: 40 }, legend: { orientation: "h", x: 0, y: -60 / height, yanchor: "top" },
      xaxis: Object.assign({ title: { text: "epoch", standoff: 8 }, tickformat: "d", rangemode: "normal" }, axis),
      yaxis: Object.assign({ title: { text: unit } }, axis),
    }, extra);
  };

  const traces = (curve, key, name, extra) => {
    const color = colors[key % colors.length], made = [];
    if (curve.low) {
      const side = { x: curve.epochs, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: name };
      made.push(Object.assign({ y: curve.low }, side), Object.assign({ y: curve.high, fill: "tonexty", fillcolor: color + "30" }, side));
    }
    made.push(Object.assign({
      x: curve.epochs, y: curve.mean, name: escape(name), legendgroup: name, mode: curve.epochs.length > 60 ? "lines" : "lines+markers", connectgaps: false,
      line: { color, width: 2, dash: dashes[Math.floor(key / colors.length) % dashes.length] }, marker: { symbol: symbols[key % symbols.length], size: 6 },
    }, extra));
    return made;
  };

  const chance = (value, extra) => value === null ? extra : Object.assign({
    shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value, line: { color: "#8a8a8a", dash: "longdash", width: 1.5 } }],
    annotations: [{ xref: "paper", x: 1, y: value, text: "chance", showarrow: false, yshift: 9, xanchor: "right", font: { color: "#8a8a8a" } }],
  }, extra);

  // A table that is made when it is opened: rows of epochs, columns of curves.
  const table = (parent, label, columns) => {
    const details = element("details", parent);
    element("summary", details, "Table: " + label);
    const fill = () => {
      if (!details.open) return;
      details.querySelectorAll(".scroll").forEach(old => old.remove());
      const list = columns(), scroll = element("div", details);
      scroll.className = "scroll";
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "region");
      scroll.setAttribute("aria-label", "Table: " + label);
      const made = element("table", scroll), head = element("tr", element("thead", made)), body = element("tbody", made);
      element("th", head, "epoch").scope = "col";
      for (const column of list) element("th", head, column.name).scope = "col";
      const epochs = [...new Set(list.flatMap(column => column.curve.epochs))].sort((a, b) => a - b);
      for (const epoch of epochs) {
        const row = element("tr", body);
        element("th", row, String(epoch)).scope = "row";
        for (const column of list) {
          const at = column.curve.epochs.indexOf(epoch);
          let text = at < 0 ? "" : digits(column.curve.mean[at]);
          if (text && column.curve.low) text += ` (${digits(column.curve.low[at])} to ${digits(column.curve.high[at])})`;
          element("td", row, text);
        }
      }
    };
    details.addEventListener("toggle", fill);
    return fill;
  };

  const plot = (parent, label, draw) => {
    const figure = element("figure", parent), heading = element("h3", figure, label), area = element("div", figure);
    area.className = "chart";
    area.setAttribute("role", "img");
    area.setAttribute("aria-label", label + ". The table below has its numbers.");
    heading.id = "plot-" + redraws.length;
    const redraw = () => Plotly.react(area, ...draw(area), config);
    redraws.push(redraw);
    return { figure, redraw };
  };

  // Curves of all trainings.
  const curves = document.getElementById("curves");
  for (const curve of data.curves) {
    const list = curve.runs.map((runs, run) => ({ run, runs })).filter(entry => Object.keys(entry.runs).length > 0);
    if (list.length === 0) continue;
    const both = list.some(entry => entry.runs.validation);
    const { figure } = plot(curves, curve.title, area => [
      list.flatMap(({ run, runs }) => Object.entries(runs).flatMap(([part, values]) => traces(values, run, data.runs[run].name,
        part === "training" && both ? { line: { color: colors[run % colors.length], width: 1.5, dash: "dot" }, mode: "lines", showlegend: false } : {}))
        .map(trace => shown[run] ? trace : Object.assign(trace, { visible: false }))),
      layout(area, curve.unit, chance(curve.chance, {}), list.map(({ run }) => data.runs[run].name))]);
    if (both) element("p", figure, "Solid: validation; dotted: training.");
    table(figure, curve.title, () => list.flatMap(({ run, runs }) => Object.entries(runs)
      .map(([part, values]) => ({ name: data.runs[run].name + (both ? ", " + part : ""), curve: values }))));
  }

  // Layers of one training at a time.
  const chooser = (parent, runs, change) => {
    const label = element("label", parent, "Training: "), select = element("select", label);
    for (const run of runs) element("option", select, data.runs[run].name).value = run;
    select.addEventListener("change", () => change(Number(select.value)));
  };
  const layers = document.getElementById("layers"), measured = data.runs.map((_, run) => run).filter(run => data.measures.some(measure => measure.runs[run]));
  if (measured.length > 0) {
    let chosen = measured[0];
    const refresh = [];
    chooser(layers, measured, run => { chosen = run; refresh.forEach(each => each()); });
    const grid = element("div", layers);
    grid.className = "plots";
    for (const measure of data.measures) {
      if (!measure.runs.some(Boolean)) continue;
      const of = () => measure.runs[chosen] || {};
      const one = plot(grid, measure.title + " by layer", area => [
        Object.entries(of()).flatMap(([layer, values], key) => traces(values, key, layer, {})),
        layout(area, measure.unit, chance(measure.chance, {}), Object.keys(of()))].map((part, i) => {
          if (i === 1 && measure.log) Object.assign(part.yaxis, { type: "log", exponentformat: "power" });
          return part;
        }));
      const fill = table(one.figure, measure.title + " by layer", () => Object.entries(of()).map(([layer, values]) => ({ name: layer, curve: values })));
      refresh.push(one.redraw, fill);
      if (measure.key !== "alignment angle") continue;
      const map = plot(grid, measure.title + ", layers by epochs", area => {
        const names = Object.keys(of());
        return [[{
          type: "heatmap", y: names.map(escape), x: names.length ? of()[names[0]].epochs : [], z: names.map(name => of()[name].mean), zmin: 0, zmax: Math.max(90, ...names.flatMap(name => of()[name].mean)),
          colorscale: "Cividis", reversescale: true, hoverongaps: false, colorbar: { title: { text: "degrees", side: "right" }, thickness: 14 },
          hovertemplate: "%{y}, epoch %{x}: %{z:.1f}°<extra></extra>",
        }], layout(area, "layer, from the input upwards", {}, [], Math.max(250, 18 * names.length))].map((part, i) => { if (i === 1) part.yaxis.type = "category"; return part; });
      });
      refresh.push(map.redraw, table(map.figure, measure.title + ", layers by epochs",
        () => Object.entries(of()).map(([layer, values]) => ({ name: layer, curve: values }))));
    }
  }

  // Confusion matrices.
  const confusion = document.getElementById("confusion"), judged = data.runs.map((_, run) => run).filter(run => data.runs[run].confusion);
  if (judged.length > 0) {
    let chosen = judged[0];
    const refresh = [];
    chooser(confusion, judged, run => { chosen = run; refresh.forEach(each => each()); });
    const of = () => data.runs[chosen].confusion;
    const one = plot(confusion, "Confusion matrix", area => {
      const { classes, counts } = of(), shares = counts.map(row => row.map(count => count / Math.max(1, row.reduce((a, b) => a + b, 0))));
      return [[{
        type: "heatmap", x: classes.map(escape), y: classes.map(escape), z: shares, zmin: 0, zmax: 1, text: counts, customdata: counts,
        texttemplate: classes.length <= 30 ? "%{text}" : "", colorscale: "Cividis", colorbar: { title: { text: "share of the true class", side: "right" }, thickness: 14 },
        hovertemplate: "true %{y}, predicted %{x}: %{customdata}<extra></extra>",
      }], layout(area, "true class", {}, [], Math.min(900, Math.max(320, 22 * classes.length)))].map((part, i) => {
        if (i === 1) {
          Object.assign(part.xaxis, { title: { text: "predicted class" }, type: "category", tickformat: "" });
          Object.assign(part.yaxis, { type: "category", autorange: "reversed" });
        }
        return part;
      });
    });
    const details = element("details", one.figure);
    element("summary", details, "Table: confusion matrix");
    const fill = () => {
      details.querySelectorAll(".scroll").forEach(old => old.remove());
      if (!details.open) return;
      const { classes, counts } = of(), scroll = element("div", details);
      scroll.className = "scroll";
      scroll.tabIndex = 0;
      const made = element("table", scroll), head = element("tr", element("thead", made)), body = element("tbody", made);
      element("th", head, "true \\ predicted").scope = "col";
      for (const name of classes) element("th", head, name).scope = "col";
      counts.forEach((row, i) => {
        const line = element("tr", body);
        element("th", line, classes[i]).scope = "row";
        for (const count of row) element("td", line, digits(count));
      });
    };
    details.addEventListener("toggle", fill);
    refresh.push(one.redraw, fill);
  }

  const redrawAll = () => redraws.forEach(redraw => redraw());
  const box = document.getElementById("shown");
  data.runs.forEach((run, index) => {
    const label = element("label", box), input = element("input", label), key = element("span", label);
    input.type = "checkbox";
    input.checked = true;
    key.className = "key";
    key.style.background = colors[index % colors.length];
    element("span", label, run.name);
    input.addEventListener("change", () => { shown[index] = input.checked; redrawAll(); });
  });
  const theme = document.getElementById("theme"), preferred = matchMedia("(prefers-color-scheme: dark)");
  const setTheme = name => {
    document.documentElement.dataset.theme = name;
    theme.textContent = name === "dark" ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Change to the ${name === "dark" ? "light" : "dark"} theme`);
    redrawAll();
  };
  theme.addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  preferred.addEventListener("change", () => setTheme(preferred.matches ? "dark" : "light"));
  addEventListener("beforeprint", () => { printing = true; document.documentElement.dataset.printed = document.documentElement.dataset.theme; document.documentElement.dataset.theme = "light"; redrawAll(); });
  addEventListener("afterprint", () => { printing = false; setTheme(document.documentElement.dataset.printed || "light"); });
  // Legends take other rows at another width.
  let width = innerWidth, pending = 0;
  addEventListener("resize", () => {
    clearTimeout(pending);
    pending = setTimeout(() => { if (innerWidth !== width) { width = innerWidth; redrawAll(); } }, 150);
  });
  setTheme(preferred.matches ? "dark" : "light");
})();
