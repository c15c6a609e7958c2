// The images, sorted by score or by name, each with its maps and their errors.

const PER_PAGE = 6;
const byName = new Intl.Collator("en", { numeric: true });
const ON_CARD = 4;

/** Calls `then` once when the element is near the viewport. */
const nearby = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    nearby.unobserve(entry.target);
    entry.target.dispatchEvent(new Event("near"));
  }
}, { rootMargin: "300px" });

/** The picture at an address, decoded; null where it cannot be loaded. */
const loaded = new Map();
function load(address) {
  if (!address) return Promise.resolve(null);
  if (!loaded.has(address)) {
    if (loaded.size > 400) loaded.clear();
    loaded.set(address, new Promise((resolve) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = () => resolve(null);
      image.src = address;
    }));
  }
  return loaded.get(address);
}

/**
 * Draws the errors of a map by compositing, because a page may not read the pixels of files on disk. With
 * mask m, map s and grey picture g, as in sodbench.reporting.error_overlay:
 * (.35 g (1 - m s) + (90 + .6 g) m s)(1 - .75 e) + .75 (s (1 - m) blue + m (1 - s) orange), e the error.
 */
function drawErrors(canvas, picture, mask, map) {
  const { width, height } = canvas;
  function layer(paint) {
    const other = document.createElement("canvas");
    other.width = width;
    other.height = height;
    paint(other.getContext("2d"));
    return other;
  }
  const image = (source) => layer((c) => c.drawImage(source, 0, 0, width, height));
  const fill = (c, style, mode) => { c.globalCompositeOperation = mode; c.fillStyle = style; c.fillRect(0, 0, width, height); };
  const put = (c, source, mode, dx = 0, dy = 0) => { c.globalCompositeOperation = mode; c.drawImage(source, dx, dy); };
  const inverted = (source) => layer((c) => { fill(c, "#fff", "source-over"); put(c, source, "difference"); });
  const product = (a, b) => layer((c) => { put(c, a, "source-over"); put(c, b, "multiply"); });
  const sum = (...parts) => layer((c) => { fill(c, "#000", "source-over"); for (const part of parts) put(c, part, "lighter"); });
  const tinted = (a, style) => layer((c) => { put(c, a, "source-over"); fill(c, style, "multiply"); });

  const [m, s] = [image(mask), image(map)];
  const grey = picture
    ? layer((c) => { c.drawImage(picture, 0, 0, width, height); fill(c, "#808080", "saturation"); })
    : layer((c) => fill(c, "#000", "source-over"));
  const falsePositive = product(s, inverted(m));
  const falseNegative = product(m, inverted(s));
  const agreed = product(m, s);
  const dark = product(tinted(grey, "rgb(89 89 89)"), inverted(agreed));
  const light = product(sum(tinted(grey, "rgb(153 153 153)"), layer((c) => fill(c, "rgb(90 90 90)", "source-over"))), agreed);
  const error = tinted(sum(falsePositive, falseNegative), "rgb(191 191 191)");
  const ground = product(sum(dark, light), inverted(error));
  const edge = layer((c) => {
    fill(c, "#000", "source-over");
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      put(c, layer((d) => { put(d, m, "source-over"); put(d, m, "difference", dx, dy); }), "lighten");
    }
    put(c, m, "multiply");
  });
  const result = canvas.getContext("2d");
  result.drawImage(sum(ground, tinted(falsePositive, "rgb(0 86 134)"), tinted(falseNegative, "rgb(173 83 0)"), edge), 0, 0);
}

/** A picture that is loaded when it comes into view, or a frame that says that it is not available. */
function pictureTile(address, caption, alt) {
  const figure = make("figure", { class: "tile" });
  const frame = address ? make("img", { alt, loading: "lazy", decoding: "async", src: address }) : absent();
  if (address) frame.addEventListener("error", () => frame.replaceWith(absent()));
  figure.append(frame, make("figcaption", {}, ...caption));
  return figure;
}

function absent() {
  return make("div", { class: "absent" }, "not available");
}

/** The errors of a map, drawn when the tile comes into view. */
function errorTile(files, caption, alt) {
  if (!files.mask || !files.map) return pictureTile(null, caption, alt);
  const canvas = make("canvas", { role: "img", "aria-label": alt });
  canvas.addEventListener("near", async () => {
    const [picture, mask, map] = await Promise.all([load(files.picture), load(files.mask), load(files.map)]);
    if (!mask || !map) return canvas.replaceWith(absent());
    const longest = Math.max(mask.naturalWidth, mask.naturalHeight);
    const scale = Math.min(1, 640 / longest);
    canvas.width = Math.max(1, Math.round(mask.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(mask.naturalHeight * scale));
    drawErrors(canvas, picture, mask, map);
    canvas.dataset.drawn = "true";
  });
  nearby.observe(canvas);
  return make("figure", { class: "tile" }, canvas, make("figcaption", {}, ...caption));
}

for (const section of document.querySelectorAll(".dataset")) {
  const dataset = page.datasets[Number(section.dataset.number)];
  const part = section.querySelector(".images");
  const control = (name) => part.querySelector(`[data-control="${name}"]`);
  const metrics = Object.keys(dataset.metrics);
  const count = dataset.images.length;
  const unpacked = new Map();
  let order = [];
  let at = 0;

  if (!metrics.length || !count) { part.hidden = true; continue; }

  function scores(metric) {
    if (!unpacked.has(metric)) unpacked.set(metric, scoresOf(dataset, metric));
    return unpacked.get(metric);
  }

  function address(key, image, small = true) {
    const thumbnail = dataset.thumbnails[image];
    if (small && thumbnail && thumbnail[key]) return thumbnail[key];
    const source = dataset.sources[key];
    if (!source) return null;
    if (image in source.others) return source.others[image] || (thumbnail && thumbnail[key]) || null;
    return source.start + encodeURIComponent(dataset.images[image]).replace(/%2F/g, "/") + source.end;
  }

  function rank() {
    const metric = control("metric").value;
    const method = control("method").value;
    const how = control("order").value;
    const words = control("find").value.trim().toLowerCase();
    const values = scores(metric);
    const sign = dataset.metrics[metric].higher_is_better ? 1 : -1;
    const shown = method === "" ? dataset.methods.map((_, i) => i).filter((i) => wanted(dataset.methods[i])) : [Number(method)];
    const matches = [];
    for (let image = 0; image < count; image++) {
      if (words && !dataset.images[image].toLowerCase().includes(words)) continue;
      let sum = 0, seen = 0, low = Infinity, high = -Infinity;
      for (const one of shown) {
        const value = values[one * count + image];
        if (Number.isNaN(value)) continue;
        sum += value; seen += 1;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      const key = how === "disagreement" ? -(high - low) : how === "best" ? (-sign * sum) / seen : (sign * sum) / seen;
      matches.push({ image, key: seen ? key : NaN });
    }
    if (how === "name") matches.sort((a, b) => byName.compare(dataset.images[a.image], dataset.images[b.image]));
    else matches.sort((a, b) => (Number.isNaN(a.key) - Number.isNaN(b.key)) || a.key - b.key || a.image - b.image);
    order = matches.map((one) => one.image);
    at = 0;
    show();
  }

  /** The methods on a card: those that pass the filter, at most ON_CARD. */
  function onCard() {
    const chosen = control("method").value;
    const all = dataset.methods.map((_, i) => i).filter((i) => wanted(dataset.methods[i]));
    if (chosen === "") return all.slice(0, ON_CARD);
    return [Number(chosen), ...all.filter((i) => i !== Number(chosen))].slice(0, ON_CARD);
  }

  function setRatio(element, image) {
    load(address("mask", image) || address("picture", image)).then((picture) => {
      if (picture) element.style.setProperty("--ratio", (picture.naturalWidth / picture.naturalHeight).toFixed(4));
    });
  }

  function methodTile(method, image, metric, tiles, small) {
    const name = dataset.methods[method];
    const value = scores(metric)[method * count + image];
    const caption = small ? [make("span", {}, name), make("b", {}, printed(value))] : [make("span", {}, tiles)];
    const files = { picture: address("picture", image, small), mask: address("mask", image, small), map: address(`map:${name}`, image, small) };
    const subject = `of ${name} on ${dataset.images[image]}, ${metric} ${printed(value)}`;
    return tiles.startsWith("map") ? pictureTile(files.map, caption, `map ${subject}`) : errorTile(files, caption, `errors ${subject}`);
  }

  function card(image) {
    const metric = control("metric").value;
    const name = dataset.images[image];
    const values = dataset.methods.map((_, i) => scores(metric)[i * count + image]).filter((value) => !Number.isNaN(value));
    const ends = values.length > 1 ? [Math.min(...values), Math.max(...values)] : values;
    const facts = ends.length ? `${metric} ${ends.map((value) => printed(value)).join(" to ")}` : "no scores";
    const open = make("button", { type: "button", class: "open", "aria-label": `Open ${name}` }, "Open");
    open.addEventListener("click", () => openImage(image, open));
    const strip = make("div", { class: "strip", role: "group", "aria-label": `Tiles of ${name}`, tabindex: "0" });
    strip.append(
      pictureTile(address("picture", image), [make("span", {}, "image")], `image ${name}`),
      pictureTile(address("mask", image), [make("span", {}, "mask")], `mask of ${name}`),
      ...onCard().map((method) => methodTile(method, image, metric, control("tiles").value, true)),
    );
    const article = make("article", { class: "card" },
      make("div", { class: "heading" }, make("h4", {}, name, make("span", { class: "facts" }, facts)), open), strip);
    setRatio(strip, image);
    return article;
  }

  function show() {
    const images = order.slice(at, at + PER_PAGE);
    part.querySelector(".cards").replaceChildren(...images.map(card));
    const [back, forward] = part.querySelectorAll("[data-page]");
    back.disabled = at === 0;
    forward.disabled = at + PER_PAGE >= order.length;
    part.querySelector(".where").textContent = order.length
      ? `${at + 1} to ${Math.min(at + PER_PAGE, order.length)} of ${order.length} images` : "no image has this name";
  }

  const dialog = document.getElementById("image");
  function openImage(image, opener) {
    const metric = control("metric").value;
    dialog.querySelector("h2").textContent = `${dataset.title}: ${dataset.images[image]}`;
    const pair = make("div", { class: "pair" },
      pictureTile(address("picture", image, false), [make("span", {}, "image")], `image ${dataset.images[image]}`),
      pictureTile(address("mask", image, false), [make("span", {}, "mask")], `mask of ${dataset.images[image]}`));
    const each = make("div", { class: "each" }, ...dataset.methods.map((name, method) => {
      const line = metrics.map((one) => `${one} ${printed(scores(one)[method * count + image])}`).join(" · ");
      return make("section", {}, make("h3", {}, name), make("div", { class: "pair" },
        methodTile(method, image, metric, "map", false), methodTile(method, image, metric, "errors", false)),
      make("p", {}, line));
    }));
    const body = dialog.querySelector(".body");
    body.style.removeProperty("--ratio");
    body.replaceChildren(pair, each);
    setRatio(body, image);
    const place = order.indexOf(image);
    const [back, forward] = dialog.querySelectorAll("[data-step]");
    back.disabled = place <= 0;
    forward.disabled = place < 0 || place >= order.length - 1;
    back.onclick = () => openImage(order[place - 1], opener);
    forward.onclick = () => openImage(order[place + 1], opener);
    dialog.onclose = () => { if (opener && opener.isConnected) opener.focus(); };
    if (!dialog.open) dialog.showModal();
  }
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: 0, ArrowRight: 1 }[event.key];
    if (step === undefined || event.repeat || !dialog.querySelector("h2").textContent.startsWith(`${dataset.title}: `)) return;
    const button = dialog.querySelectorAll("[data-step]")[step];
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!button.disabled) button.onclick();
  });

  const preferred = ["S", "wF", "MAE", "adpF"].find((metric) => metrics.includes(metric)) || metrics[0];
  for (const metric of metrics) {
    control("metric").append(make("option", { value: metric, selected: metric === preferred }, `${metric} (${dataset.metrics[metric].text})`));
  }
  control("method").append(make("option", { value: "" }, "all methods"));
  dataset.methods.forEach((name, i) => control("method").append(make("option", { value: String(i) }, name)));
  part.querySelector(".gone").append(...dataset.notes.map((note) => make("li", {}, note)));
  for (const name of ["order", "metric", "method"]) control(name).addEventListener("change", rank);
  control("tiles").addEventListener("change", show);
  control("find").addEventListener("input", rank);
  for (const button of part.querySelectorAll("[data-page]")) {
    button.addEventListener("click", () => { at += PER_PAGE * Number(button.dataset.page); show(); });
  }
  let drawn = false;
  document.addEventListener("filtered", () => { if (drawn) rank(); });
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    drawn = true;
    rank();
  }, { rootMargin: "600px" }).observe(part);
}
