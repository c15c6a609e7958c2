// Tiles: an image, a mask, a map, or the errors of a map, loaded when they come into view.

/** The picture at the first of the addresses that can be loaded, decoded; null where none can. */
const loaded = new Map();
async function load(addresses) {
  for (const address of addresses) {
    if (!loaded.has(address)) {
      if (loaded.size > 400) loaded.clear();
      loaded.set(address, new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve(image);
        image.onerror = () => resolve(null);
        image.src = address;
      }));
    }
    const picture = await loaded.get(address);
    if (picture) return picture;
  }
  return null;
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

/** The first of the pictures that can be loaded, when it comes into view; else a frame that says so. */
function pictureTile([address, ...others], caption, alt) {
  const figure = make("figure", { class: "tile" });
  const frame = address ? make("img", { alt, loading: "lazy", decoding: "async", src: address }) : absent();
  frame.addEventListener("error", () => {
    const next = others.shift();
    if (next) frame.src = next;
    else frame.replaceWith(absent());
  });
  figure.append(frame, make("figcaption", {}, ...caption));
  return figure;
}

function absent() {
  return make("div", { class: "absent" }, "not available");
}

/** The errors of a map, drawn when the tile comes into view. */
function errorTile(files, caption, alt) {
  if (!files.mask.length || !files.map.length) return pictureTile([], caption, alt);
  const canvas = make("canvas", { role: "img", "aria-label": alt });
  whenNear(canvas, async () => {
    const [picture, mask, map] = await Promise.all([load(files.picture), load(files.mask), load(files.map)]);
    if (!mask || !map) return canvas.replaceWith(absent());
    const longest = Math.max(mask.naturalWidth, mask.naturalHeight);
    const scale = Math.min(1, 640 / longest);
    canvas.width = Math.max(1, Math.round(mask.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(mask.naturalHeight * scale));
    drawErrors(canvas, picture, mask, map);
    canvas.dataset.drawn = "true";
  });
  return make("figure", { class: "tile" }, canvas, make("figcaption", {}, ...caption));
}

/** Gives tiles the proportions of a picture, so that nothing moves when it arrives. */
function setRatio(element, addresses) {
  load(addresses).then((picture) => {
    if (picture) element.style.setProperty("--ratio", (picture.naturalWidth / picture.naturalHeight).toFixed(4));
  });
}
