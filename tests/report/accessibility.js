// Returns a list of accessibility problems of the page as it stands: names, roles, order, contrast, size.
const problems = [];
const visible = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && e.getClientRects().length > 0;
const say = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ""}${e.className && e.className.baseVal === undefined ? ` class=${e.className}` : ""}> ${(e.textContent || "").trim().slice(0, 40)}`;

function nameOf(e) {
  const by = e.getAttribute("aria-labelledby");
  if (by) return by.split(" ").map((id) => document.getElementById(id)?.textContent || "").join(" ").trim();
  if (e.getAttribute("aria-label")) return e.getAttribute("aria-label").trim();
  if (e.labels && e.labels.length) return [...e.labels].map((l) => l.textContent).join(" ").trim();
  return (e.textContent || e.getAttribute("alt") || e.title || "").trim();
}

if (!document.documentElement.lang) problems.push("html has no lang");
if (!document.title.trim()) problems.push("no title");
if (document.querySelectorAll("main").length !== 1) problems.push("not exactly one main");
if ([...document.querySelectorAll("h1")].filter(visible).length !== 1) problems.push("not exactly one h1");

const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) problems.push(`id ${id} twice`);
for (const e of document.querySelectorAll("[aria-labelledby], [aria-describedby], [aria-controls]")) {
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
    for (const id of (e.getAttribute(name) || "").split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) problems.push(`${name} of ${say(e)} names no element: ${id}`);
    }
  }
}
for (const e of document.querySelectorAll("button, input, select, a[href], [role=region], [role=search], [role=group], section[aria-labelledby], dialog")) {
  if (e.tagName === "DIALOG" && !e.open) continue;
  if (visible(e) && !nameOf(e)) problems.push(`no name: ${say(e)}`);
}
for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) problems.push(`no alt: ${e.src}`);
for (const e of document.querySelectorAll("[role=img]")) if (!e.getAttribute("aria-label")) problems.push(`no label: ${say(e)}`);
for (const e of document.querySelectorAll("svg:not([role=img]):not([aria-hidden])")) problems.push(`svg neither named nor hidden: ${say(e)}`);
for (const e of document.querySelectorAll("table")) {
  if (!e.caption) problems.push("table without caption");
  for (const th of e.querySelectorAll("th")) if (!th.scope) problems.push(`th without scope: ${say(th)}`);
}
let level = 0;
for (const e of document.querySelectorAll("h1, h2, h3, h4, h5")) {
  if (!visible(e) || (e.closest("dialog") && !e.closest("dialog").open)) continue;
  const now = Number(e.tagName[1]);
  if (now > level + 1) problems.push(`heading jumps from h${level} to ${say(e)}`);
  level = now;
}
for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) problems.push(`positive tabindex: ${say(e)}`);
// what scrolls must be reachable by keyboard
for (const e of document.querySelectorAll("*")) {
  if (!visible(e) || e.tabIndex >= 0 || e === document.documentElement || e === document.body) continue;
  const style = getComputedStyle(e);
  const scrolls = (e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(style.overflowX)) || (e.scrollHeight > e.clientHeight + 1 && /auto|scroll/.test(style.overflowY));
  if (scrolls && !e.querySelector("button, a, input, select, [tabindex]")) problems.push(`scrolls, cannot be focused: ${say(e)}`);
}
for (const e of document.querySelectorAll("button, select, input")) {
  const box = e.getBoundingClientRect();
  if (visible(e) && !e.closest("label") && (box.height < 24 || box.width < 24)) problems.push(`smaller than 24 px: ${say(e)}`);
}

const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
function rgba(text) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
function ground(e) {
  const layers = [];
  for (let at = e; at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if (colour[3] > 0) layers.push(colour);
    if (colour[3] === 1) break;
  }
  return layers.reverse().reduce((under, over) => [0, 1, 2].map((i) => over[i] * over[3] + under[i] * (1 - over[3])), [255, 255, 255]);
}
function luminance(colour) {
  const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const seen = new Set();
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !visible(e) || e.closest("[disabled], .hidden, .skip, script, style, noscript")) continue;
  if (document.querySelector("dialog[open]") && !e.closest("dialog")) continue;
  const style = getComputedStyle(e);
  const paint = rgba(e.namespaceURI.endsWith("svg") ? style.fill : style.color);
  const under = ground(e);
  const text = [0, 1, 2].map((i) => paint[i] * paint[3] + under[i] * (1 - paint[3]));
  const [light, dark] = [luminance(text), luminance(under)].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) seen.add(`contrast ${ratio.toFixed(2)} of ${e.tagName.toLowerCase()}.${e.className?.baseVal ?? e.className}: ${e.textContent.trim().slice(0, 30)}`);
}
problems.push(...seen);
return problems;
