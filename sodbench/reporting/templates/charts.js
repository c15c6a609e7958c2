// Curves, drawn when they come into view: precision-recall, F and E by threshold, reliability.

const SIZE = { left: 44, right: 40, top: 10, bottom: 42 };

/** One chart `width` pixels wide: axes, lines, a marker that follows the pointer; `f` adds lines of equal F. */
function chart(width, title, labels, lines, bottom, f = null) {
  const { left, right, top, bottom: foot } = SIZE;
  const height = Math.round(Math.min(400, width * 0.74));
  const x = (value) => left + value * (width - left - right);
  const y = (value) => height - foot - ((value - bottom) / (1 - bottom)) * (height - top - foot);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title });
  const step = bottom >= 0.5 ? 0.1 : 0.2;
  for (let tick = 0; tick <= 1.001; tick += 0.2) {
    svg.append(make("line", { class: "grid", x1: x(tick), x2: x(tick), y1: y(bottom), y2: y(1) }));
    svg.append(make("text", { x: x(tick), y: height - foot + 17, "text-anchor": "middle" }, printed(tick, 1)));
  }
  for (let tick = Math.ceil(bottom / step - 1e-9) * step; tick <= 1.001; tick += step) {
    svg.append(make("line", { class: "grid", x1: x(0), x2: x(1), y1: y(tick), y2: y(tick) }));
    svg.append(make("text", { x: left - 7, y: y(tick) + 4, "text-anchor": "end" }, printed(tick, 1)));
  }
  for (let tenths = 1; f !== null && tenths < 10; tenths++) {
    let path = "";
    let end = null;
    for (let r = 4; r <= 800; r++) {
      const recall = r / 800;
      // F = (1 + b) P R / (b P + R + e), solved for P
      const divisor = (1 + f.beta2) * recall - (f.beta2 * tenths) / 10;
      const precision = (tenths / 10) * (recall + f.epsilon) / divisor;
      if (divisor <= 0 || precision > 1 || precision < bottom) continue;
      path += `${path ? "L" : "M"}${x(recall).toFixed(1)} ${y(precision).toFixed(1)}`;
      end = [recall, precision];
    }
    if (!path) continue;
    svg.append(make("path", { class: "iso", d: path }));
    if (end[0] > 0.999) svg.append(make("text", { x: x(1) + 5, y: y(end[1]) + 4, "font-size": 10.5 }, `F=.${tenths}`));
  }
  svg.append(make("path", { class: "axis", fill: "none", d: `M${x(0)} ${y(1)}V${y(bottom)}H${x(1)}` }));
  svg.append(make("text", { x: (x(0) + x(1)) / 2, y: height - 6, "text-anchor": "middle" }, labels[0]));
  svg.append(make("text", { transform: `translate(12 ${(y(bottom) + y(1)) / 2}) rotate(-90)`, "text-anchor": "middle" }, labels[1]));
  for (const line of lines) {
    let path = "";
    let pen = "M";
    for (let i = 0; i < line.x.length; i++) {
      if (Number.isNaN(line.y[i]) || line.y[i] < bottom) { pen = "M"; continue; }
      path += `${pen}${x(line.x[i]).toFixed(1)} ${y(line.y[i]).toFixed(1)}`;
      pen = "L";
    }
    svg.append(make("path", { class: "line", d: path, style: `stroke: ${line.look.colour}`, "stroke-dasharray": line.look.dash }));
  }
  const cross = make("circle", { class: "cross", r: 4.5, visibility: "hidden" });
  svg.append(cross);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
    let best = null;
    for (const line of lines) {
      for (let i = 0; i < line.x.length; i++) {
        if (Number.isNaN(line.y[i]) || line.y[i] < bottom) continue;
        const distance = (x(line.x[i]) - at[0]) ** 2 + (y(line.y[i]) - at[1]) ** 2;
        if (!best || distance < best.distance) best = { line, i, distance };
      }
    }
    if (!best || best.distance > 900) { cross.setAttribute("visibility", "hidden"); return tip(""); }
    const { line, i } = best;
    cross.setAttribute("visibility", "visible");
    cross.setAttribute("cx", x(line.x[i]));
    cross.setAttribute("cy", y(line.y[i]));
    cross.style.stroke = line.look.colour;
    tip(`${line.name}\n${line.say(i)}`, event.clientX, event.clientY);
  });
  svg.addEventListener("pointerleave", () => { cross.setAttribute("visibility", "hidden"); tip(""); });
  return make("figure", {}, make("figcaption", {}, title), svg);
}

/** The lower end of the axis: below the curves, without the steep drop at their ends. */
function lowest(curves, cut) {
  let low = 1;
  for (const curve of curves) {
    for (let i = cut; i < curve.length - cut; i++) if (curve[i] < low) low = curve[i];
  }
  return Math.max(0, Math.floor((low - 0.02) * 10) / 10);
}

for (const section of document.querySelectorAll(".dataset")) {
  const dataset = page.datasets[Number(section.dataset.number)];
  const { levels, names, bins, own, beta2, epsilon } = dataset.curves;
  const place = section.querySelector(".charts");
  const legend = section.querySelector(".legend");
  let values = null;
  let kind = "pr";

  function curveOf(method, name) {
    const start = (method * names.length + names.indexOf(name)) * levels;
    const curve = values.subarray(start, start + levels);
    return Number.isNaN(curve[0]) && Number.isNaN(curve[curve.length - 1]) ? null : curve;
  }

  function thresholdLines(name, visible) {
    const thresholds = Float32Array.from({ length: levels }, (_, i) => i / 255);
    return visible.map((method) => ({ method, y: curveOf(method, name) })).filter((line) => line.y).map((line) => ({
      name: dataset.methods[line.method], look: lookOf(allMethods.indexOf(dataset.methods[line.method])),
      x: thresholds, y: line.y, say: (i) => `threshold ${printed(thresholds[i])}: ${printed(line.y[i], 4)}`,
    }));
  }

  /** The share of images that score at most x. */
  function shareLines(metric, visible) {
    const scores = scoresOf(dataset, metric);
    const count = dataset.count;
    return visible.map((method) => {
      const sorted = scores.slice(method * count, (method + 1) * count).filter((value) => !Number.isNaN(value)).sort();
      const steps = Math.min(256, sorted.length);
      const y = Float32Array.from({ length: steps }, (_, i) => (i + 1) / steps);
      const x = Float32Array.from({ length: steps }, (_, i) => Math.min(1, Math.max(0, sorted[Math.ceil(((i + 1) * sorted.length) / steps) - 1])));
      return { name: dataset.methods[method], look: lookOf(allMethods.indexOf(dataset.methods[method])), x, y,
        say: (i) => `${printed(100 * y[i], 0)} % of the images have ${metric} of at most ${printed(x[i])}` };
    });
  }

  /** The bins of the methods that recorded their calibration; `of` gives a line's x, y and text. */
  function binLines(visible, of) {
    return visible.map((method) => ({ method, parts: ["bin probability", "bin frequency", "bin share"].map((name) => {
      const start = (method * names.length + names.indexOf(name)) * levels;
      return values.subarray(start, start + bins);
    }) })).filter(({ parts }) => !Number.isNaN(parts[2][0])).map(({ method, parts }) => ({
      name: dataset.methods[method], look: lookOf(allMethods.indexOf(dataset.methods[method])), ...of(...parts),
    }));
  }

  function draw() {
    if (!values) return;
    const room = place.clientWidth;
    const width = room >= 760 ? (room - 16) / 2 : room;
    const visible = dataset.methods.map((_, i) => i).filter((i) => !state.hidden.has(dataset.methods[i]) && wanted(dataset.methods[i]));
    const charts = [];
    if (kind === "pr") {
      const lines = visible.map((method) => ({ method, p: curveOf(method, "precision"), r: curveOf(method, "recall") }))
        .filter((line) => line.p && line.r).map((line) => ({
          name: dataset.methods[line.method], look: lookOf(allMethods.indexOf(dataset.methods[line.method])),
          x: line.r, y: line.p,
          say: (i) => `threshold ${printed(i / 255)}\nprecision ${printed(line.p[i], 4)}\nrecall ${printed(line.r[i], 4)}\n`
            + `F ${printed(((1 + beta2) * line.p[i] * line.r[i]) / (beta2 * line.p[i] + line.r[i] + epsilon), 4)}`,
        }));
      charts.push(chart(width, "Mean precision and mean recall; thin lines: equal F", ["mean recall", "mean precision"], lines, lowest(lines.map((l) => l.y), 0), { beta2, epsilon }));
      const metric = ["S", "wF", "MAE", "adpF"].find((name) => name in dataset.metrics);
      if (metric) charts.push(chart(width, `Share of images with a ${dataset.metrics[metric].text} of at most x`, [dataset.metrics[metric].text, "share of images"], shareLines(metric, visible), 0));
    } else if (kind === "f") {
      const kinds = [["mean of curves", "Mean of the images’ F curves"], ["curve of means", "F of mean precision and mean recall"]];
      const both = kinds.map(([name]) => thresholdLines(name, visible));
      const bottom = lowest(both.flat().map((l) => l.y), 5);
      kinds.forEach(([name, text], i) => {
        const use = name === own ? ` (gives max F of protocol ${dataset.protocol})` : ` (not used by protocol ${dataset.protocol})`;
        charts.push(chart(width, text + use, ["threshold", "F"], both[i], bottom));
      });
    } else if (kind === "reliability") {
      const diagonal = { name: "calibrated", look: { colour: "var(--strong)", dash: "4 4" }, x: [0, 1], y: [0, 1], say: () => "share of object = value" };
      const lines = binLines(visible, (probability, frequency, share) => {
        const some = [...share.keys()].filter((i) => share[i] > 0 && !Number.isNaN(probability[i]));
        const [x, y] = [probability, frequency].map((part) => some.map((i) => part[i]));
        return { x, y, say: (i) => `${printed(100 * share[some[i]], 2)} % of the pixels\nmean value ${printed(x[i])}\nshare of object ${printed(y[i])}` };
      });
      charts.push(chart(width, "Reliability of the map as a probability; grey diagonal: calibrated", ["value of the map", "share of object"], [diagonal, ...lines], 0));
      const totals = binLines(visible, (probability, frequency, share) => {
        let sum = 0;
        const y = [...share].map((part) => Math.min(1, sum += part));
        return { x: y.map((_, i) => (i + 1) / bins), y, say: (i) => `${printed(100 * y[i], 1)} % of the pixels have a value of at most ${printed((i + 1) / bins)}` };
      });
      charts.push(chart(width, "Share of the pixels with a value of at most x", ["value of the map", "share of pixels"], totals, lowest(totals.map((l) => l.y), 0)));
    } else {
      const lines = thresholdLines("E", visible);
      charts.push(chart(width, "Mean of the images’ E curves", ["threshold", "E"], lines, lowest(lines.map((l) => l.y), 5)));
    }
    place.replaceChildren(...charts);
  }

  function fillLegend() {
    legend.replaceChildren(...dataset.methods.filter(wanted).map((method) => {
      const look = lookOf(allMethods.indexOf(method));
      const line = make("line", { x1: 0, x2: 30, y1: 5, y2: 5, "stroke-width": 2.5, style: `stroke: ${look.colour}`, "stroke-dasharray": look.dash });
      const button = make("button", { type: "button", "aria-pressed": String(!state.hidden.has(method)) },
        make("svg", { viewBox: "0 0 30 10", "aria-hidden": "true" }, line), method);
      button.addEventListener("click", () => {
        state.hidden.has(method) ? state.hidden.delete(method) : state.hidden.add(method);
        button.setAttribute("aria-pressed", String(!state.hidden.has(method)));
        draw();
      });
      return button;
    }));
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
  document.addEventListener("arrived", (event) => { if (event.detail === dataset.id) draw(); });
  let known = 0;
  new ResizeObserver(() => {
    if (place.clientWidth !== known) { known = place.clientWidth; draw(); }
  }).observe(place);
  function start() {
    if (values) return;
    values = unpack(dataset.curves.data, 0, 60000);
    fillLegend();
    draw();
  }
  window.addEventListener("beforeprint", start);
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    start();
  }, { rootMargin: "600px" }).observe(section.querySelector(".curves"));
}
