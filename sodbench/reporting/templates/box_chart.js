// The distribution of a score over the images: one row per method, in the order given.

/** Five to nine round numbers between two others. */
function roundTicks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9); tick * step <= high + 1e-9; tick++) ticks.push(tick * step);
  return { ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/**
 * A figure `width` pixels wide. A row has a name, whether it is `coloured`, and six `numbers`: the 5th, 25th, 50th,
 * 75th and 95th percentile, and the mean. Returns what `lineChart` returns.
 */
function boxChart(width, title, text, rows, on) {
  const many = rows.length > page.most_coloured;
  // a few rows fill the height of the chart beside them
  const tall = many ? 17 : Math.min(56, (chartHeight(width) - 52) / rows.length);
  const left = Math.min(170, Math.max(70, width * 0.3));
  const letters = Math.floor((left - 10) / 6.4);
  const right = 14;
  const bottom = 10 + tall * rows.length;
  const height = bottom + 42;
  const all = rows.flatMap((row) => row.numbers);
  const { ticks, digits } = roundTicks(Math.min(...all), Math.max(...all, Math.min(...all) + 0.01));
  const low = Math.min(...all, ...ticks);
  const high = Math.max(...all, ...ticks, low + 0.01);
  const x = (value) => left + ((value - low) / (high - low)) * (width - left - right);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title });
  for (const tick of ticks) {
    svg.append(make("line", { class: "grid", x1: x(tick), x2: x(tick), y1: 4, y2: bottom }));
    svg.append(make("text", { x: x(tick), y: bottom + 17, "text-anchor": "middle" }, printed(tick, digits)));
  }
  svg.append(make("path", { class: "axis", fill: "none", d: `M${left} 4V${bottom}H${width - right}` }));
  svg.append(make("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, text));
  const groups = rows.map((row, place) => {
    const y = 10 + tall * (place + 0.5);
    const half = Math.min(11, tall * 0.29);
    const [lowest, quarter, middle, upper, highest, mean] = row.numbers.map(x);
    const name = row.name.length > letters ? `${row.name.slice(0, letters - 1)}…` : row.name;
    return make("g", { class: row.coloured ? "row coloured" : "row", style: `--look: ${lookOf(row.name).colour}` },
      make("path", { class: "band", d: `M0 ${y - tall / 2}H${width}V${y + tall / 2}H0Z` }),
      make("text", { x: left - 7, y: y + 4, "text-anchor": "end" }, name),
      make("path", { class: "whisker", d: `M${lowest} ${y}H${highest}` }),
      make("path", { class: "box", d: `M${quarter} ${y - half}H${upper}V${y + half}H${quarter}Z` }),
      make("path", { class: "median", d: `M${middle} ${y - half}V${y + half}` }),
      make("circle", { class: "mean", cx: mean, cy: y, r: many ? 2.2 : 3 }));
  });
  svg.append(...groups);

  function point(method) {
    groups.forEach((group, place) => group.classList.toggle("pointed", rows[place].name === method));
  }
  groups.forEach((group, place) => {
    const { name, numbers } = rows[place];
    const [lowest, quarter, middle, upper, highest, mean] = numbers.map((value) => printed(value));
    function follow(event) {
      on.point(name);
      tip(`${name}\nmean ${mean}, median ${middle}\nquartiles ${quarter} to ${upper}\n5th to 95th percentile ${lowest} to ${highest}`, event.clientX, event.clientY);
    }
    group.addEventListener("pointermove", follow);
    group.addEventListener("pointerdown", follow);
    group.addEventListener("click", () => on.choose(name));
  });
  svg.addEventListener("pointerleave", () => { on.point(null); tip(""); });
  return { figure: make("figure", {}, make("figcaption", {}, title), svg), point };
}
