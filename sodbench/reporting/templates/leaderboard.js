// The tables: sorted by their headings, filtered by name, with the provenance of each row.

for (const section of document.querySelectorAll(".dataset")) {
  const dataset = page.datasets[Number(section.dataset.number)];
  const table = section.querySelector("table");
  const body = table.tBodies[0];

  function closeDetails() {
    for (const row of body.querySelectorAll(".details")) row.remove();
    for (const button of body.querySelectorAll(".name")) button.setAttribute("aria-expanded", "false");
  }

  function keyOf(row, column) {
    if (column === "method") return row.dataset.method.toLowerCase();
    if (column === "count") return parseInt(row.cells[1].textContent, 10);
    const text = row.cells[Number(column) + 2].dataset.value;
    return text === "" ? NaN : Number(text);
  }

  function sort(button) {
    closeDetails();
    const head = button.closest("th");
    const column = button.dataset.sort;
    const first = column === "method" || head.dataset.higherIsBetter === "false" ? "ascending" : "descending";
    const second = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? second : first;
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row, place) => ({ row, place, key: keyOf(row, column) }));
    rows.sort((a, b) => {
      const [empty, other] = [Number.isNaN(a.key), Number.isNaN(b.key)];
      if (empty || other) return empty - other || a.place - b.place;
      return sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.place - b.place;
    });
    body.append(...rows.map((one) => one.row));
    document.getElementById("status").textContent = `${dataset.title} sorted by ${button.textContent.replace(/[↑↓]/g, "")}, ${order}`;
  }

  function toggleDetails(button) {
    const row = button.closest("tr");
    const open = button.getAttribute("aria-expanded") === "true";
    closeDetails();
    if (open) return;
    button.setAttribute("aria-expanded", "true");
    const list = make("dl");
    const heads = [...table.querySelectorAll("thead th")].slice(2);
    const values = heads.map((head, place) => {
      const value = row.cells[place + 2].dataset.value;
      return value && head.dataset.name.includes("@") ? `${head.dataset.name} ${Number(value).toPrecision(10)}` : "";
    });
    const lines = [["scores", values.filter(Boolean).join(", ")], ...(dataset.provenance[row.dataset.method] || [])];
    for (const [name, text] of lines) list.append(make("dt", {}, name), make("dd", {}, text));
    const cell = make("td", { colspan: row.cells.length }, list);
    row.after(make("tr", { class: "details" }, cell));
  }

  table.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.sort !== undefined) sort(button);
    else toggleDetails(button);
  });
  table.addEventListener("mousemove", (event) => {
    const cell = event.target.closest("td[data-value]");
    if (!cell || !cell.dataset.value) return tip("");
    const head = table.tHead.rows[0].cells[cell.cellIndex];
    const row = cell.parentElement;
    const name = head.dataset.name;
    const value = Number(cell.dataset.value);
    const text = name.includes("@") ? value.toPrecision(8) : value.toLocaleString("en");
    const facts = Object.fromEntries(dataset.provenance[row.dataset.method] || []);
    const source = row.classList.contains("published")
      ? row.querySelector(".source").textContent
      : [`${row.cells[1].textContent.trim()} images`, facts.code, facts.scored].filter(Boolean).join("\n");
    tip(`${row.dataset.method}\n${name} = ${text}\n${source}`, event.clientX, event.clientY);
  });
  table.addEventListener("mouseleave", () => tip(""));
}

/** Applies the choices in the bar to tables, charts and cards. */
function applyFilter() {
  const input = document.getElementById("filter");
  const published = document.getElementById("published");
  const chosen = document.getElementById("dataset");
  state.filter = input.value;
  let shown = 0;
  let all = 0;
  for (const row of document.querySelectorAll(".leaderboard tbody tr")) {
    if (row.classList.contains("details")) { row.remove(); continue; }
    const visible = wanted(row.dataset.method) && (!published || published.checked || !row.classList.contains("published"));
    row.hidden = !visible;
    all += 1;
    shown += visible;
  }
  for (const button of document.querySelectorAll(".name")) button.setAttribute("aria-expanded", "false");
  if (chosen) {
    for (const section of document.querySelectorAll(".dataset")) {
      section.hidden = Boolean(chosen.value) && section.dataset.dataset !== chosen.value;
    }
  }
  document.getElementById("status").textContent = shown === all ? "" : `${shown} of ${all} rows`;
  document.dispatchEvent(new Event("filtered"));
}
for (const id of ["filter", "published", "dataset"]) {
  const control = document.getElementById(id);
  if (control) control.addEventListener(id === "filter" ? "input" : "change", applyFilter);
}
