"use strict";
// The page's data and what its parts share. Pictures and large parts of the data are loaded from files
// relative to the page, when they are needed.

const page = JSON.parse(document.getElementById("data").textContent);

/** An element with attributes and children; text is always text. */
function make(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "text", "circle", "g"].includes(name);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Calls `then` once, when the element is near the viewport. */
function whenNear(element, then) {
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    then();
  }, { rootMargin: "600px" }).observe(element);
}

/** Base64 of little-endian uint16 as numbers, NaN for none. */
function unpack(text, offset, scale) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const codes = new DataView(bytes.buffer);
  const values = new Float32Array(bytes.length / 2);
  for (let i = 0; i < values.length; i++) {
    const code = codes.getUint16(2 * i, true);
    values[i] = code === page.none ? NaN : code / scale - offset;
  }
  return values;
}

// Parts of the data that came from files beside the page, by address; the files call `receive`.
const received = new Map();
function receive(address, part) { received.set(address, part); }

/**
 * Loads a part of a data set ("images" or a metric) unless it is here; resolves to whether it is. The event
 * "arrived" then names the data set.
 */
const asked = new Map();
function arrives(dataset, name) {
  const address = dataset.parts[name].file;
  if (!address) return Promise.resolve(true);
  if (!asked.has(address)) {
    asked.set(address, new Promise((resolve) => {
      const script = make("script", { src: address });
      script.onload = () => {
        if (received.has(address)) dataset.parts[name] = received.get(address);
        received.delete(address);
        resolve(!dataset.parts[name].file);
        document.dispatchEvent(new CustomEvent("arrived", { detail: dataset.id }));
      };
      script.onerror = () => resolve(false);
      document.head.append(script);
    }));
  }
  return asked.get(address);
}

/** All images' scores of one metric, method after method; NaN until they have arrived. */
const unpacked = new Map();
function scoresOf(dataset, metric) {
  const key = `${dataset.id}/${metric}`;
  if (unpacked.has(key)) return unpacked.get(key);
  const packed = dataset.parts[metric];
  if (packed.file) {
    arrives(dataset, metric);
    dataset.none ||= new Float32Array(dataset.methods.length * dataset.count).fill(NaN);
    return dataset.none;
  }
  unpacked.set(key, unpack(packed, 1, dataset.metrics[metric].scale));
  return unpacked.get(key);
}

/** A score as the table prints it. */
function printed(value, digits = page.digits) {
  if (Number.isNaN(value)) return "–";
  return value.toFixed(digits).replace(/^(-?)0\./, "$1.");
}

/** How a method is drawn: the same in every chart. */
function lookOf(method) {
  const { colour, dash } = page.looks[method];
  return { colour: `var(--m${colour})`, dash };
}

// `chosen`: whether a method is in colour in the charts, where the reader has said so
const state = { chosen: new Map(), filter: "" };
// what the address keeps: by key a function that gives its values (none: as at first) and one that restores
const kept = new Map();

/** Whether a method's name contains one of the words in the filter. */
function wanted(method) {
  const words = state.filter.toLowerCase().split(",").map((word) => word.trim()).filter(Boolean);
  return !words.length || words.some((word) => method.toLowerCase().includes(word));
}

// light or dark: as the system, until the reader chooses
(function themes() {
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  let chosen = null;
  try { chosen = localStorage.getItem("sodbench-theme"); } catch { /* a page from disk may have no storage */ }
  function show() {
    if (chosen) root.dataset.theme = chosen;
    button.textContent = (chosen || (system.matches ? "dark" : "light")) === "dark" ? "Light" : "Dark";
  }
  button.addEventListener("click", () => {
    chosen = (chosen || (system.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
    try { localStorage.setItem("sodbench-theme", chosen); } catch { /* then only for this visit */ }
    show();
  });
  system.addEventListener("change", show);
  show();
})();

/** Shows the text near the pointer or element; hidden again by `tip("")`. */
function tip(text, x = 0, y = 0) {
  const box = document.getElementById("tip");
  box.hidden = !text;
  if (!text) return;
  box.textContent = text;
  const { width, height } = box.getBoundingClientRect();
  const left = Math.min(Math.max(8, x + 14), innerWidth - width - 8);
  const top = y + 18 + height > innerHeight ? y - height - 12 : y + 18;
  box.style.left = `${left}px`;
  box.style.top = `${Math.max(8, top)}px`;
}
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip(""); });
