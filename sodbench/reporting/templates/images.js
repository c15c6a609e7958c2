// The images of a data set, sorted by score or by name, each with the maps of some methods and their errors.

const PER_PAGE = 6;
const ON_CARD = 4;
const byName = new Intl.Collator("en", { numeric: true });
// the methods that the reader chose for the cards of all data sets; null: the first ON_CARD of each table
let onCards = null;
// by data set: what the dialog and the address need of its images
const collections = new Map();

for (const section of document.querySelectorAll(".dataset")) {
  const dataset = page.datasets[Number(section.dataset.number)];
  const part = section.querySelector(".images");
  const control = (name) => part.querySelector(`[data-control="${name}"]`);
  const metrics = Object.keys(dataset.metrics);
  const count = dataset.count;
  let order = [];
  let at = 0;
  let drawn = false;

  if (!metrics.length || !count) { part.hidden = true; continue; }

  const images = () => dataset.parts.images;
  const valueOf = (metric, method, image) => scoresOf(dataset, metric)[method * count + image];

  /** Where a picture may lie: the thumbnail and its own file, the one that is asked for first. */
  function addresses(key, image, small = true) {
    const { names, thumbnails, sources } = images();
    const source = sources[key] || { start: null, others: {} };
    const rule = source.start === null ? null : source.start + encodeURIComponent(names[image]).replace(/%2F/g, "/") + source.end;
    const own = image in source.others ? source.others[image] : rule;
    const both = [(thumbnails[image] || {})[key], own];
    return (small ? both : both.reverse()).filter(Boolean);
  }

  /** Whether no image, mask or map of the data set can be shown, as where its terms forbid it: scores remain. */
  function withoutPictures() {
    const { thumbnails, sources } = images();
    if (!sources) return false;
    return !Object.keys(thumbnails).length && Object.values(sources).every((one) => one.start === null && !Object.keys(one.others).length);
  }

  function rank() {
    if (!drawn || images().file || dataset.parts[control("metric").value].file) return fetchParts();
    const metric = control("metric").value;
    const method = control("method").value;
    const how = control("order").value;
    const words = control("find").value.trim().toLowerCase();
    const { names } = images();
    const values = scoresOf(dataset, metric);
    const sign = dataset.metrics[metric].higher_is_better ? 1 : -1;
    const shown = method === "" ? filtered() : [dataset.methods.indexOf(method)];
    const matches = [];
    for (let image = 0; image < count; image++) {
      if (words && !names[image].toLowerCase().includes(words)) continue;
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
    if (how === "name") matches.sort((a, b) => byName.compare(names[a.image], names[b.image]));
    else matches.sort((a, b) => (Number.isNaN(a.key) - Number.isNaN(b.key)) || a.key - b.key || a.image - b.image);
    order = matches.map((one) => one.image);
    at = 0;
    show();
    return Promise.resolve(true);
  }

  /** Loads what the cards need, then draws them; says so where a file beside the page is missing. */
  async function fetchParts() {
    const needed = ["images", control("metric").value];
    const here = await Promise.all(needed.map((name) => arrives(dataset, name)));
    drawn = true;
    part.classList.toggle("bare", withoutPictures());
    const missing = needed.filter((_, i) => !here[i]);
    if (!missing.length) return rank();
    const files = missing.map((name) => dataset.parts[name].file).join(", ");
    part.querySelector(".where").textContent = `not found: ${files}; the folder page/ belongs beside this page`;
    return false;
  }

  const filtered = () => dataset.methods.map((_, i) => i).filter((i) => wanted(dataset.methods[i]));

  /** The methods on a card: the chosen ones that pass the filter, the one that sorts the images first. */
  function onCard() {
    const first = dataset.methods.indexOf(control("method").value);
    const others = filtered().filter((i) => i !== first);
    const chosen = onCards ? others.filter((i) => onCards.has(dataset.methods[i])) : others.slice(0, ON_CARD - (first >= 0));
    return first >= 0 ? [first, ...chosen] : chosen;
  }

  function methodTile(method, image, metric, tiles, small) {
    const name = dataset.methods[method];
    const value = valueOf(metric, method, image);
    const caption = small ? [make("span", { title: name }, name), make("b", {}, printed(value))] : [make("span", {}, tiles)];
    const files = { picture: addresses("picture", image, small), mask: addresses("mask", image, small), map: addresses(`map:${name}`, image, small) };
    const subject = `of ${name} on ${images().names[image]}, ${metric} ${printed(value)}`;
    return tiles.startsWith("map") ? pictureTile(files.map, caption, `map ${subject}`) : errorTile(files, caption, `errors ${subject}`);
  }

  function card(image) {
    const metric = control("metric").value;
    const name = images().names[image];
    const values = dataset.methods.map((_, i) => valueOf(metric, i, image)).filter((value) => !Number.isNaN(value));
    const ends = values.length > 1 ? [Math.min(...values), Math.max(...values)] : values;
    const facts = ends.length ? `${metric} ${ends.map((value) => printed(value)).join(" to ")}` : "no scores";
    const open = make("button", { type: "button", class: "open", "aria-label": `Open ${name}` }, "Open");
    open.addEventListener("click", () => openImage(dataset.id, image, open));
    const strip = make("div", { class: "strip", role: "group", "aria-label": `Tiles of ${name}`, tabindex: "0" });
    strip.append(
      pictureTile(addresses("picture", image), [make("span", {}, "image")], `image ${name}`),
      pictureTile(addresses("mask", image), [make("span", {}, "mask")], `mask of ${name}`),
      ...onCard().map((method) => methodTile(method, image, metric, control("tiles").value, true)),
    );
    setRatio(strip, [...addresses("mask", image), ...addresses("picture", image)]);
    return make("article", { class: "card" },
      make("div", { class: "heading" }, make("h4", {}, name, make("span", { class: "facts" }, facts)), open), strip);
  }

  function show() {
    const shown = order.slice(at, at + PER_PAGE);
    part.querySelector(".cards").replaceChildren(...shown.map(card));
    const [back, forward] = part.querySelectorAll("[data-page]");
    back.disabled = at === 0;
    forward.disabled = at + PER_PAGE >= order.length;
    part.querySelector(".where").textContent = order.length
      ? `${at + 1} to ${Math.min(at + PER_PAGE, order.length)} of ${order.length} images` : "no image has this name";
    fillPicker();
  }

  const picker = part.querySelector(".picker");
  function fillPicker() {
    const chosen = onCard();
    picker.querySelector("summary").textContent = `${chosen.length} of ${dataset.methods.length} methods`;
    picker.querySelector(".list").replaceChildren(...filtered().map((i) => {
      const name = dataset.methods[i];
      const box = make("input", { type: "checkbox", value: name });
      box.checked = chosen.includes(i);
      box.disabled = control("method").value === name;
      return make("label", { class: "check", title: name }, box, make("span", {}, name));
    }));
  }
  function pick(names) {
    onCards = names;
    for (const one of collections.values()) one.show();
    remember();
  }
  picker.addEventListener("change", (event) => {
    const chosen = new Set(onCards || onCard().map((i) => dataset.methods[i]));
    if (event.target.checked) chosen.add(event.target.value);
    else chosen.delete(event.target.value);
    const { value } = event.target;
    pick(chosen);
    for (const box of picker.querySelectorAll("input")) if (box.value === value) box.focus();
  });
  picker.querySelector("[data-pick=first]").addEventListener("click", () => pick(null));
  picker.querySelector("[data-pick=all]").addEventListener("click", () => pick(new Set(dataset.methods)));
  picker.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    picker.open = false;
    picker.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => { if (!picker.contains(event.target) && event.target.isConnected) picker.open = false; });

  const usual = dataset.distribution ? dataset.distribution.metric : metrics[0];
  for (const metric of metrics) {
    control("metric").append(make("option", { value: metric, selected: metric === usual }, `${metric} (${dataset.metrics[metric].text})`));
  }
  control("method").append(make("option", { value: "" }, "all methods"));
  for (const name of dataset.methods) control("method").append(make("option", { value: name }, name));
  fillPicker();
  part.querySelector(".gone").append(...dataset.notes.map((note) => make("li", {}, note)));
  for (const name of ["order", "metric", "method"]) control(name).addEventListener("change", () => { rank(); remember(); });
  control("tiles").addEventListener("change", () => { show(); remember(); });
  control("find").addEventListener("input", rank);
  for (const button of part.querySelectorAll("[data-page]")) {
    button.addEventListener("click", () => { at += PER_PAGE * Number(button.dataset.page); show(); });
  }
  document.addEventListener("filtered", () => { if (drawn) rank(); });
  whenNear(part, rank);

  const chosenNow = () => ["order", "metric", "method", "tiles"].map((name) => control(name).value);
  const atFirst = chosenNow();
  collections.set(dataset.id, {
    dataset, metrics, images, addresses, valueOf, methodTile, withoutPictures,
    order: () => order,
    metric: () => control("metric").value,
    ready: rank,
    show: () => { if (drawn && order.length) show(); },
    chosen: () => (chosenNow().every((value, i) => value === atFirst[i]) ? [] : [[dataset.id, ...chosenNow()]]),
    choose(values) {
      ["order", "metric", "method", "tiles"].forEach((name, i) => {
        const known = values && [...control(name).options].some((option) => option.value === values[i]);
        control(name).value = known ? values[i] : atFirst[i];
      });
      if (drawn) rank();
    },
  });
}

kept.set("tiles", {
  values: () => (onCards ? [[...onCards]] : []),
  restore: ([names]) => {
    const known = (names || []).filter((name) => page.datasets.some((one) => one.methods.includes(name)));
    onCards = known.length ? new Set(known) : null;
    for (const one of collections.values()) one.show();
  },
});
kept.set("images", {
  values: () => [...collections.values()].flatMap((one) => one.chosen()),
  restore: (all) => { for (const [id, one] of collections) one.choose(all.find(([name]) => name === id)?.slice(1)); },
});
