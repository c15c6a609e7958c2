// The charts of each data set, drawn when they come into view or are printed: precision-recall, F and E
// curves, reliability. A method is in colour or grey; the legend and a click on a line say which.

for (const section of document.querySelectorAll(".dataset")) {
  const dataset = page.datasets[Number(section.dataset.number)];
  const { levels, names, bins, own, beta2, epsilon, scale, data } = dataset.curves;
  const place = section.querySelector(".charts");
  const legend = section.querySelector(".legend");
  let values = null;
  let kind = "pr";
  let charts = [];

  /** The methods that the filter leaves, best first. */
  function visible() {
    return dataset.ranked.filter((method) => wanted(dataset.methods[method]));
  }

  /** Whether each visible method is in colour: as chosen, else all of a few, the best of many. */
  function coloured() {
    const shown = visible().map((method) => dataset.methods[method]);
    const best = shown.length > page.most_coloured ? shown.slice(0, page.best) : shown;
    return new Map(shown.map((name) => [name, state.chosen.get(name) ?? best.includes(name)]));
  }

  function curveOf(method, name) {
    const start = (method * names.length + names.indexOf(name)) * levels;
    const curve = values.subarray(start, start + levels);
    return Number.isNaN(curve[0]) && Number.isNaN(curve[curve.length - 1]) ? null : curve;
  }

  /** The lines of all visible methods; `of(method)` gives x, y and say, or null. */
  function linesOf(of) {
    const inColour = coloured();
    return visible().map((method) => ({ name: dataset.methods[method], line: of(method) })).filter(({ line }) => line)
      .map(({ name, line }) => ({ name, coloured: inColour.get(name), ...line }));
  }

  function thresholdLines(name) {
    const thresholds = Float32Array.from({ length: levels }, (_, i) => i / 255);
    return linesOf((method) => {
      const y = curveOf(method, name);
      return y && { x: thresholds, y, say: (i) => `threshold ${printed(thresholds[i])}: ${printed(y[i], 4)}` };
    });
  }

  /** The bins of the methods that recorded their calibration; `of` gives a line's x, y and text. */
  function binLines(of) {
    return linesOf((method) => {
      const parts = ["bin probability", "bin frequency", "bin share"].map((name) => {
        const start = (method * names.length + names.indexOf(name)) * levels;
        return values.subarray(start, start + bins);
      });
      return Number.isNaN(parts[2][0]) ? null : of(...parts);
    });
  }

  const on = {
    point(method) {
      for (const chart of charts) chart.point(method);
      for (const button of legend.querySelectorAll("button")) button.classList.toggle("pointed", button.dataset.method === method);
    },
    choose(method) {
      state.chosen.set(method, !coloured().get(method));
      document.dispatchEvent(new Event("chosen"));
    },
  };

  const kinds = {
    pr(width) {
      const lines = linesOf((method) => {
        const [p, r] = [curveOf(method, "precision"), curveOf(method, "recall")];
        return p && r && { x: r, y: p, say: (i) => `threshold ${printed(i / 255)}\nprecision ${printed(p[i], 4)}\nrecall ${printed(r[i], 4)}\n`
          + `F ${printed(((1 + beta2) * p[i] * r[i]) / (beta2 * p[i] + r[i] + epsilon), 4)}` };
      });
      const drawn = [lineChart(width, "Mean precision and mean recall; thin lines: iso-F", ["mean recall", "mean precision"], lines, lowest(lines.map((l) => l.y), 0), on, { f: { beta2, epsilon } })];
      if (dataset.distribution) {
        const { metric, numbers } = dataset.distribution;
        const { text } = dataset.metrics[metric];
        const inColour = coloured();
        const rows = visible().filter((method) => numbers[method])
          .map((method) => ({ name: dataset.methods[method], coloured: inColour.get(dataset.methods[method]), numbers: numbers[method] }));
        if (rows.length) drawn.push(boxChart(width, `${text} over images; dot: mean, whiskers: 5th and 95th percentile`, text, rows, on));
      }
      return drawn;
    },
    f(width) {
      const curves = [["mean of curves", "Mean of the images’ F curves"], ["curve of means", "F of mean precision and mean recall"]];
      const both = curves.map(([name]) => thresholdLines(name));
      const bottom = lowest(both.flat().map((l) => l.y), 5);
      return curves.map(([name, text], i) => {
        const use = name === own ? ` (gives max F of protocol ${dataset.protocol})` : ` (not used by protocol ${dataset.protocol})`;
        return lineChart(width, text + use, ["threshold", "F"], both[i], bottom, on);
      });
    },
    e(width) {
      const lines = thresholdLines("E");
      return [lineChart(width, "Mean of the images’ E curves", ["threshold", "E"], lines, lowest(lines.map((l) => l.y), 5), on)];
    },
    reliability(width) {
      const lines = binLines((probability, frequency, share) => {
        const some = [...share.keys()].filter((i) => share[i] > 0 && !Number.isNaN(probability[i]));
        const [x, y] = [probability, frequency].map((part) => some.map((i) => part[i]));
        return { x, y, say: (i) => `${printed(100 * share[some[i]], 2)} % of the pixels\nmean value ${printed(x[i])}\nshare of object ${printed(y[i])}` };
      });
      const totals = binLines((probability, frequency, share) => {
        let sum = 0;
        const y = [...share].map((part) => Math.min(1, sum += part));
        return { x: y.map((_, i) => (i + 1) / bins), y, say: (i) => `${printed(100 * y[i], 1)} % of the pixels have a value of at most ${printed((i + 1) / bins)}` };
      });
      return [
        lineChart(width, "Reliability of the map as a probability; dashed: calibrated", ["value of the map", "share of object"], lines, 0, on, { diagonal: true }),
        lineChart(width, "Share of the pixels with a value of at most x", ["value of the map", "share of pixels"], totals, lowest(totals.map((l) => l.y), 0), on),
      ];
    },
  };

  function draw() {
    if (!values) return;
    const room = place.clientWidth;
    charts = kinds[kind](room >= 700 ? (room - 16) / 2 : room);
    place.replaceChildren(...charts.map((chart) => chart.figure));
  }

  function fillLegend() {
    const inColour = coloured();
    const buttons = [...inColour].map(([method, on_]) => {
      const look = lookOf(method);
      const line = make("line", { x1: 0, x2: 30, y1: 5, y2: 5, "stroke-dasharray": look.dash });
      const button = make("button", { type: "button", "aria-pressed": String(on_), "data-method": method, title: method, style: `--look: ${look.colour}` },
        make("svg", { viewBox: "0 0 30 10", "aria-hidden": "true" }, line), make("span", {}, method));
      button.addEventListener("click", () => on.choose(method));
      for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => on.point(method));
      for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => on.point(null));
      return button;
    });
    const hint = inColour.size > page.most_coloured ? [make("p", {}, `Best ${page.best} of ${inColour.size} in colour; choose others here or in the chart.`)] : [];
    legend.replaceChildren(...hint, ...buttons);
  }

  section.querySelector(".curves").hidden = !levels;
  section.querySelector("[data-chart=reliability]").hidden = !names.includes("bin share");
  for (const button of section.querySelectorAll("[data-chart]")) {
    button.addEventListener("click", () => {
      kind = button.dataset.chart;
      for (const other of section.querySelectorAll("[data-chart]")) other.setAttribute("aria-pressed", String(other === button));
      draw();
    });
  }
  document.addEventListener("filtered", () => { if (values) { fillLegend(); draw(); } });
  document.addEventListener("chosen", () => {
    if (!values) return;
    const inColour = coloured();
    for (const button of legend.querySelectorAll("button")) button.setAttribute("aria-pressed", String(inColour.get(button.dataset.method)));
    draw();
  });
  let known = 0;
  new ResizeObserver(() => {
    if (place.clientWidth !== known) { known = place.clientWidth; draw(); }
  }).observe(place);
  function start() {
    if (values || !levels) return;
    values = unpack(data, 0, scale);
    fillLegend();
    draw();
  }
  window.addEventListener("beforeprint", start);
  whenNear(section.querySelector(".curves"), start);
}
