// The tables: sorted by their headings, filtered by name, with the provenance of each row.

const announce = (text) => { document.getElementById("status").textContent = text; };
// by the name of a table ("" is the overview, else a data set): its order as [column, direction], and `sort`
const orders = new Map();
const sorters = new Map();

for (const table of document.querySelectorAll("table.leaderboard:has([data-sort])")) {
  const section = table.closest(".panel");
  const dataset = page.datasets.find((one) => one.id === section.dataset.dataset);
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("thead [data-sort]")].map((button) => button.closest("th"));
  const rows = [...body.rows];

  function closeDetails() {
    for (const row of body.querySelectorAll(".details")) row.remove();
    for (const button of body.querySelectorAll(".name")) button.setAttribute("aria-expanded", "false");
  }

  function keyOf(row, place) {
    const name = heads[place].dataset.name;
    if (name === "method") return row.dataset.method.toLowerCase();
    if (name === "count") return parseInt(row.cells[place].textContent, 10);
    const text = row.cells[place].dataset.value;
    return text === "" ? NaN : Number(text);
  }

  /** Sorts by the column of this name; without a name back to the order of the file. */
  function sort(name, direction) {
    closeDetails();
    for (const head of heads) head.removeAttribute("aria-sort");
    const place = heads.findIndex((head) => head.dataset.name === name);
    if (place < 0) {
      orders.delete(section.dataset.dataset);
      body.append(...rows);
      return;
    }
    heads[place].setAttribute("aria-sort", direction);
    orders.set(section.dataset.dataset, [name, direction]);
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((row, at) => ({ row, at, key: keyOf(row, place) }));
    keyed.sort((a, b) => {
      const [empty, other] = [Number.isNaN(a.key), Number.isNaN(b.key)];
      if (empty || other) return empty - other || a.at - b.at;
      return sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.at - b.at;
    });
    body.append(...keyed.map((one) => one.row));
  }
  sorters.set(section.dataset.dataset, { sort, names: heads.map((head) => head.dataset.name) });

  function sortBy(head) {
    const name = head.dataset.name;
    const first = name === "method" || head.dataset.higherIsBetter === "false" ? "ascending" : "descending";
    const second = first === "ascending" ? "descending" : "ascending";
    const direction = head.getAttribute("aria-sort") === first ? second : first;
    sort(name, direction);
    const words = [head.dataset.group, head.querySelector("button").textContent.replace(/[↑↓]/g, "")];
    announce(`${dataset ? dataset.title : "Overview"} sorted by ${words.filter(Boolean).join(" ")}, ${direction}`);
    remember();
  }

  function toggleDetails(button) {
    const row = button.closest("tr");
    const open = button.getAttribute("aria-expanded") === "true";
    closeDetails();
    if (open) return;
    button.setAttribute("aria-expanded", "true");
    const lines = dataset
      ? [["scores", scoresIn(row)], ...(dataset.provenance[row.dataset.method] || [])]
      : overDatasets(row.dataset.method);
    const list = make("dl");
    for (const [name, text] of lines) list.append(make("dt", {}, name), make("dd", {}, text));
    row.after(make("tr", { class: "details" }, make("td", { colspan: row.cells.length }, list)));
  }

  /** The scores in a row with all their digits. */
  function scoresIn(row) {
    const values = heads.map((head, place) => {
      const value = row.cells[place].dataset.value;
      return value && head.dataset.name.includes("@") ? `${head.dataset.name} ${Number(value).toPrecision(10)}` : "";
    });
    return values.filter(Boolean).join(", ");
  }

  table.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.sort !== undefined) sortBy(button.closest("th"));
    else toggleDetails(button);
  });
  table.addEventListener("mousemove", (event) => {
    const cell = event.target.closest("td[data-value]");
    if (!cell || !cell.dataset.value) return tip("");
    const head = heads[cell.cellIndex];
    const row = cell.parentElement;
    const name = head.dataset.metric || head.dataset.name;
    const value = Number(cell.dataset.value);
    const text = name.includes("@") ? value.toPrecision(8) : value.toLocaleString("en");
    const facts = Object.fromEntries((dataset && dataset.provenance[row.dataset.method]) || []);
    const source = row.classList.contains("published")
      ? row.querySelector(".source").textContent
      : dataset ? [`${row.cells[1].textContent.trim()} images`, facts.code, facts.scored].filter(Boolean).join("\n")
        : head.dataset.group || "";
    tip(`${row.dataset.method}\n${name} = ${text}\n${source}`, event.clientX, event.clientY);
  });
  table.addEventListener("mouseleave", () => tip(""));
}

/** The provenance of a method on all data sets: what is the same everywhere once, the rest per data set. */
function overDatasets(method) {
  const found = page.datasets.filter((dataset) => dataset.provenance[method]);
  const names = [...new Set(found.flatMap((dataset) => dataset.provenance[method].map(([name]) => name)))];
  return names.map((name) => {
    const texts = found.map((dataset) => [dataset.title, (dataset.provenance[method].find(([one]) => one === name) || [])[1]]);
    const different = new Set(texts.map(([, text]) => text));
    if (different.size === 1) return [name, String(texts[0][1])];
    const known = texts.filter(([, text]) => text !== undefined).map(([title, text]) => `${title}: ${text}`);
    return [name, known.join(known.some((text) => text.length > 50) ? "\n" : " · ")];
  });
}

kept.set("sort", {
  values: () => [...orders].map(([name, order]) => [name, ...order]),
  restore: (all) => {
    for (const { sort } of sorters.values()) sort();
    for (const [name, column, direction] of all) {
      const known = sorters.get(name);
      if (known && known.names.includes(column) && ["ascending", "descending"].includes(direction)) known.sort(column, direction);
    }
  },
});
