// One chart of lines: axes, lines in colour before grey ones, a marker that follows the pointer.

const SIZE = { left: 44, right: 40, top: 10, bottom: 42 };

function chartHeight(width) { return Math.round(Math.min(400, width * 0.78)); }

/** The points of a line as an SVG path; a gap where y is missing or below the axis. */
function pathOf(line, x, y, bottom) {
  let path = "";
  let pen = "M";
  for (let i = 0; i < line.x.length; i++) {
    if (Number.isNaN(line.y[i]) || line.y[i] < bottom) { pen = "M"; continue; }
    path += `${pen}${x(line.x[i]).toFixed(1)} ${y(line.y[i]).toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** Lines of equal F, labelled right of the axes. */
function linesOfEqualF(svg, { beta2, epsilon }, x, y, bottom) {
  for (let tenths = 1; tenths < 10; tenths++) {
    let path = "";
    let end = null;
    for (let r = 4; r <= 800; r++) {
      const recall = r / 800;
      // F = (1 + b) P R / (b P + R + e), solved for P
      const divisor = (1 + beta2) * recall - (beta2 * tenths) / 10;
      const precision = (tenths / 10) * (recall + epsilon) / divisor;
      if (divisor <= 0 || precision > 1 || precision < bottom) continue;
      path += `${path ? "L" : "M"}${x(recall).toFixed(1)} ${y(precision).toFixed(1)}`;
      end = [recall, precision];
    }
    if (!path) continue;
    svg.append(make("path", { class: "iso", d: path }));
    if (end[0] > 0.999) svg.append(make("text", { x: x(1) + 5, y: y(end[1]) + 4, "font-size": 10.5 }, `F=.${tenths}`));
  }
}

/**
 * A figure `width` pixels wide. A line has a name, x, y, whether it is `coloured`, and `say(i)` for the tip. `also` may
 * hold `f` (draws lines of equal F) and `diagonal`. Returns the figure and `point`, which raises the line of a
 * method (none: null); the pointer calls `on.point`, a click on a line `on.choose`.
 */
function lineChart(width, title, labels, lines, bottom, on, also = {}) {
  const { left, right, top, bottom: foot } = SIZE;
  const height = chartHeight(width);
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
  if (also.f) linesOfEqualF(svg, also.f, x, y, bottom);
  if (also.diagonal) svg.append(make("path", { class: "diagonal", d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}` }));
  svg.append(make("path", { class: "axis", fill: "none", d: `M${x(0)} ${y(1)}V${y(bottom)}H${x(1)}` }));
  svg.append(make("text", { x: (x(0) + x(1)) / 2, y: height - 6, "text-anchor": "middle" }, labels[0]));
  svg.append(make("text", { transform: `translate(12 ${(y(bottom) + y(1)) / 2}) rotate(-90)`, "text-anchor": "middle" }, labels[1]));
  // the best line lies on top, the grey ones below those in colour
  for (const line of [...lines].reverse().sort((a, b) => a.coloured - b.coloured)) {
    const look = lookOf(line.name);
    svg.append(make("path", { class: line.coloured ? "line coloured" : "line", d: pathOf(line, x, y, bottom), style: `--look: ${look.colour}`, "stroke-dasharray": line.coloured ? look.dash : "" }));
  }
  const raised = make("path", { class: "pointed-line", visibility: "hidden" });
  const cross = make("circle", { class: "cross", r: 4.5, visibility: "hidden" });
  svg.append(raised, cross);

  function point(method) {
    const line = lines.find((one) => one.name === method);
    raised.setAttribute("visibility", line ? "visible" : "hidden");
    cross.setAttribute("visibility", "hidden");
    if (!line) return;
    const look = lookOf(method);
    raised.setAttribute("d", pathOf(line, x, y, bottom));
    raised.setAttribute("stroke-dasharray", look.dash);
    raised.style.setProperty("--look", look.colour);
  }

  /** The point of a line that is nearest to the pointer, up to 30 pixels away. */
  function nearest(event) {
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
    return best && best.distance <= 900 ? best : null;
  }

  function follow(event) {
    const found = nearest(event);
    on.point(found && found.line.name);
    if (!found) return tip("");
    const { line, i } = found;
    cross.setAttribute("visibility", "visible");
    cross.setAttribute("cx", x(line.x[i]));
    cross.setAttribute("cy", y(line.y[i]));
    cross.style.stroke = lookOf(line.name).colour;
    tip(`${line.name}\n${line.say(i)}`, event.clientX, event.clientY);
  }
  svg.addEventListener("pointermove", follow);
  svg.addEventListener("pointerdown", follow);
  svg.addEventListener("click", (event) => { const found = nearest(event); if (found) on.choose(found.line.name); });
  svg.addEventListener("pointerleave", () => { on.point(null); tip(""); });
  return { figure: make("figure", {}, make("figcaption", {}, title), svg), point };
}

/** The lower end of the axis: below the curves, without the steep drop at their ends. */
function lowest(curves, cut) {
  let low = 1;
  for (const curve of curves) {
    for (let i = cut; i < curve.length - cut; i++) if (curve[i] < low) low = curve[i];
  }
  return Math.max(0, Math.floor((low - 0.02) * 10) / 10);
}
