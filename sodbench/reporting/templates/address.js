// The address: after "#" it keeps filter, data set, orders, chosen methods and open picture, for links.

/** Writes what differs from the page as it opens into the address. Names hold no "&", "=" or ":" once encoded. */
let restoring = false;
function remember() {
  if (restoring) return;
  const parts = [];
  for (const [key, { values }] of kept) {
    for (const value of values()) parts.push(`${key}=${[value].flat().map(encodeURIComponent).join(":")}`);
  }
  const hash = parts.length ? `#${parts.join("&")}` : "";
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
}

/** Restores what the address says; what is not as `remember` writes it is passed over. */
function restore() {
  const found = new Map([...kept.keys()].map((key) => [key, []]));
  for (const part of location.hash.slice(1).split("&")) {
    const [key, ...rest] = part.split("=");
    if (!found.has(key) || rest.length !== 1) continue;
    try { found.get(key).push(rest[0].split(":").map(decodeURIComponent)); } catch { /* not ours */ }
  }
  restoring = true;
  for (const [key, values] of found) kept.get(key).restore(values);
  restoring = false;
  remember();
}
window.addEventListener("hashchange", () => { if (location.hash === "" || location.hash.includes("=")) restore(); });
restore();
