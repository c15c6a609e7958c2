// The dialog: one image with its mask, the scores and the maps of all methods.

const FEW = 6; // methods whose table leaves room for a large image
const dialog = document.getElementById("image");
let shownImage = null; // the open image as [data set, number]
let opener = null;
// the order of the methods: a metric and a direction; null: the best first by the metric of the cards
let dialogOrder = null;

function openImage(id, image, from = null) {
  const { dataset, images, addresses, order, withoutPictures } = collections.get(id);
  dialog.classList.toggle("bare", withoutPictures());
  shownImage = [id, image];
  if (from) opener = from;
  const name = images().names[image];
  dialog.querySelector("h2").textContent = `${dataset.title}: ${name}`;
  const pair = make("div", { class: "pair" },
    pictureTile(addresses("picture", image, false), [make("span", {}, "image")], `image ${name}`),
    pictureTile(addresses("mask", image, false), [make("span", {}, "mask")], `mask of ${name}`));
  const scores = make("div", { class: "scroll scores", role: "region", tabindex: "0", "aria-label": `Scores of all methods on ${name}` });
  const each = make("div", { class: "each" });
  const body = dialog.querySelector(".body");
  body.style.removeProperty("--ratio");
  body.replaceChildren(make("div", { class: dataset.methods.length > FEW ? "first" : "first few" }, pair, scores), each);
  setRatio(body, [...addresses("mask", image), ...addresses("picture", image)]);
  fillScores(scores, each);
  fillMaps(each);
  const place = order().indexOf(image);
  const [back, forward] = dialog.querySelectorAll("[data-step]");
  back.disabled = place <= 0;
  forward.disabled = place < 0 || place >= order().length - 1;
  dialog.querySelector(".where").textContent = place < 0 ? "" : `${place + 1} of ${order().length}`;
  if (!dialog.open) dialog.showModal();
  remember();
}

// metrics in files beside the page arrive one after another; one of them may be the one that sorts
document.addEventListener("arrived", (event) => {
  if (!shownImage || event.detail !== shownImage[0]) return;
  const each = dialog.querySelector(".each");
  fillScores(dialog.querySelector(".scores"), each);
  const drawn = [...each.children].map((section) => Number(section.dataset.method));
  if (methodsInOrder().methods.some((method, i) => method !== drawn[i])) fillMaps(each);
});

/** The methods in the chosen order of their scores on the open image. */
function methodsInOrder() {
  const [id, image] = shownImage;
  const { dataset, metric, valueOf } = collections.get(id);
  const by = dialogOrder && dialogOrder.metric in dataset.metrics ? dialogOrder.metric : metric();
  const best = dataset.metrics[by].higher_is_better === false ? "ascending" : "descending";
  const direction = dialogOrder && dialogOrder.metric === by ? dialogOrder.direction : best;
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = dataset.methods.map((_, method) => ({ method, value: valueOf(by, method, image) }));
  keyed.sort((a, b) => (Number.isNaN(a.value) - Number.isNaN(b.value)) || sign * (a.value - b.value) || a.method - b.method);
  return { by, direction, best, methods: keyed.map((one) => one.method) };
}

/** The table of scores: a row for each method, best and second best marked as printed. */
function fillScores(place, each) {
  const [id, image] = shownImage;
  const { dataset, metrics, valueOf } = collections.get(id);
  const { by, direction, methods } = methodsInOrder();
  const focused = place.contains(document.activeElement) && document.activeElement.dataset.metric;
  const heads = metrics.map((metric) => {
    const { higher_is_better: higher, text } = dataset.metrics[metric];
    const button = make("button", { type: "button", "data-metric": metric, title: text }, metric,
      make("span", { class: "arrow", "aria-hidden": "true" }, higher === null ? "" : higher ? "↑" : "↓"));
    button.addEventListener("click", () => {
      const first = higher === false ? "ascending" : "descending";
      const other = first === "ascending" ? "descending" : "ascending";
      dialogOrder = { metric, direction: metric === by && direction === first ? other : first };
      fillScores(place, each);
      fillMaps(each);
    });
    return make("th", { scope: "col", "aria-sort": metric === by && direction }, button);
  });
  const marks = metrics.map((metric) => {
    const higher = dataset.metrics[metric].higher_is_better;
    const texts = dataset.methods.map((_, method) => valueOf(metric, method, image)).filter((value) => !Number.isNaN(value));
    const distinct = [...new Set(texts.map((value) => value.toFixed(page.digits)))].sort((a, b) => (higher === false ? a - b : b - a));
    return higher === null || texts.length < 2 ? [] : distinct;
  });
  const rows = methods.map((method) => {
    const name = make("button", { type: "button", class: "plain", title: "to its map" }, dataset.methods[method]);
    name.addEventListener("click", () => {
      const target = each.querySelector(`[data-method="${method}"]`);
      target.scrollIntoView({ block: "start" });
      target.focus({ preventScroll: true });
    });
    return make("tr", {}, make("th", { scope: "row", class: "method" }, name), ...metrics.map((metric, i) => {
      const value = valueOf(metric, method, image);
      const text = printed(value);
      const mark = Number.isNaN(value) ? -1 : marks[i].indexOf(value.toFixed(page.digits));
      return make("td", { class: mark === 0 && "best" }, mark === 1 ? make("span", { class: "second" }, text) : text);
    }));
  });
  place.replaceChildren(make("table", {},
    make("caption", { class: "hidden" }, "Scores of all methods on this image; the headings sort the methods."),
    make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "method" }, "Method"), ...heads)),
    make("tbody", {}, ...rows)));
  if (focused) place.querySelector(`[data-metric="${focused}"]`)?.focus();
}

/** Map and errors of every method. */
function fillMaps(place) {
  const [id, image] = shownImage;
  const { dataset, valueOf, methodTile } = collections.get(id);
  const { by, methods } = methodsInOrder();
  place.replaceChildren(...methods.map((method) => make("section", { "data-method": method, tabindex: "-1" },
    make("h3", {}, dataset.methods[method], make("span", { class: "facts" }, `${by} ${printed(valueOf(by, method, image))}`)),
    make("div", { class: "pair" }, methodTile(method, image, by, "map", false), methodTile(method, image, by, "errors", false)))));
}

function step(by) {
  const [id, image] = shownImage;
  const order = collections.get(id).order();
  const next = order[order.indexOf(image) + by];
  if (next !== undefined) openImage(id, next);
}

for (const button of dialog.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => step(Number(button.dataset.step)));
}
dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  if (dialog.open) return;
  shownImage = null;
  remember();
  if (opener && opener.isConnected) opener.focus();
  opener = null;
});
dialog.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || event.repeat || event.target.closest(".scroll")) return;
  event.preventDefault();
  step(by);
});

kept.set("image", {
  values: () => (shownImage ? [[shownImage[0], collections.get(shownImage[0]).images().names[shownImage[1]]]] : []),
  restore: async ([first]) => {
    if (dialog.open) dialog.close();
    const collection = first && collections.get(first[0]);
    if (!collection || !(await collection.ready())) return;
    const image = collection.images().names.indexOf(first[1]);
    if (image >= 0) openImage(first[0], image);
  },
});
