// Filters the tables of a page as one writes. Without this script the tables are simply whole.
"use strict";
for (const form of document.querySelectorAll("form.filter")) {
  const [find, show, said] = ["input", "select", "output"].map((tag) => form.querySelector(tag));
  const rows = [...document.querySelectorAll("[data-filter] tbody tr, dl[data-filter] > div")];
  const texts = rows.map((row) => `${row.id} ${row.textContent}`.toLowerCase());
  const tables = [...document.querySelectorAll("table[data-filter]")];
  const apply = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      const kinds = (row.dataset.kind || "").split(/ (?=met|missed)/);
      const fits = (!show.value || kinds.includes(show.value)) && words.every((word) => texts[i].includes(word));
      row.hidden = !fits;
      shown += fits;
    });
    for (const table of tables) {
      const none = !table.querySelector("tbody tr:not([hidden])");
      const part = tables.length > 1 ? table.closest("section") : table;
      part.hidden = none;
    }
    said.textContent = `${shown} of ${rows.length} ${said.dataset.what}`;
  };
  if (show.options.length < 2) show.closest("label").hidden = true;
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A link to one row shows it, whatever is filtered.
  addEventListener("hashchange", () => { find.value = ""; show.value = ""; apply(); });
  apply();
}
