// What is shown: methods by name, one data set, published numbers; the jump list; all kept in the address.

/** Applies the choices in the bar to tables, charts and cards. */
function applyFilter() {
  const published = document.getElementById("published");
  const chosen = document.getElementById("dataset");
  state.filter = document.getElementById("filter").value;
  for (const row of document.querySelectorAll(".leaderboard .details")) row.remove();
  for (const button of document.querySelectorAll(".name")) button.setAttribute("aria-expanded", "false");
  for (const section of document.querySelectorAll(".dataset, .overview")) {
    let shown = 0;
    for (const row of section.querySelectorAll(".leaderboard tbody tr")) {
      row.hidden = !wanted(row.dataset.method) || Boolean(published && !published.checked && row.classList.contains("published"));
      shown += !row.hidden;
    }
    section.classList.toggle("empty", !shown);
    section.querySelector(".nothing").hidden = shown > 0;
    for (const text of section.querySelectorAll(".nothing .words")) text.textContent = state.filter;
    const other = section.dataset.dataset || "";
    section.hidden = Boolean(chosen && chosen.value && other !== chosen.value);
  }
  const names = [...new Set([...document.querySelectorAll(".leaderboard .measured")].map((row) => row.dataset.method))];
  const shown = names.filter(wanted).length;
  announce(shown === names.length ? "" : `${shown} of ${names.length} methods`);
  document.dispatchEvent(new Event("filtered"));
}

for (const id of ["filter", "published", "dataset"]) {
  const control = document.getElementById(id);
  if (!control) continue;
  control.addEventListener(id === "filter" ? "input" : "change", () => { applyFilter(); remember(); });
}
for (const button of document.querySelectorAll("[data-clear]")) {
  button.addEventListener("click", () => {
    document.getElementById("filter").value = "";
    applyFilter();
    remember();
    document.getElementById("filter").focus();
  });
}

// the jump list: scrolls without losing what the address keeps
let jumpedTo = "";
function jump(id, behavior = "auto") {
  const section = [...document.querySelectorAll(".dataset")].find((one) => one.dataset.dataset === id);
  jumpedTo = section ? id : "";
  if (section) section.scrollIntoView({ behavior });
  return section;
}
for (const link of document.querySelectorAll("a[data-jump]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    jump(link.dataset.jump).focus({ preventScroll: true });
    remember();
  });
}

const field = (id) => document.getElementById(id);
kept.set("filter", {
  values: () => (state.filter ? [state.filter] : []),
  restore: ([first]) => { field("filter").value = first ? first[0] : ""; },
});
kept.set("published", {
  values: () => (field("published") && !field("published").checked ? ["no"] : []),
  restore: ([first]) => { if (field("published")) field("published").checked = !(first && first[0] === "no"); },
});
kept.set("dataset", {
  values: () => (field("dataset") && field("dataset").value ? [field("dataset").value] : []),
  restore: ([first]) => {
    if (field("dataset")) field("dataset").value = first && page.datasets.some((one) => one.id === first[0]) ? first[0] : "";
    applyFilter();
  },
});
kept.set("at", {
  values: () => (jumpedTo ? [jumpedTo] : []),
  restore: ([first]) => { jumpedTo = ""; if (first) jump(first[0], "instant"); },
});
