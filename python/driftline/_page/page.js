"use strict";
// Filters rows of the overview by name and by what is said of them. `show` is told of each entry whether it is shown,
// and `limit` how many are shown where nothing is searched for.
const filtered = (entries, unit, show, limit = () => Infinity) => {
  const [tools, search, verdict, found] = ["tools", "search", "verdict", "found"].map((id) =>
    document.getElementById(id),
  );
  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    const isAll = wanted === "" && verdict.value === "";
    let count = 0;
    for (const entry of entries) {
      const isFound =
        entry.key.includes(wanted) && (verdict.value === "" || verdict.value === entry.row.className);
      const shown = isFound && (!isAll || count < limit());
      entry.row.hidden = !shown;
      show(entry, shown);
      count += shown;
    }
    const all = entries.length.toLocaleString("en");
    found.textContent = count ? `${count.toLocaleString("en")} of ${all} ${unit}` : `None of ${all} ${unit}`;
  };
  tools.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", filter);
  verdict.addEventListener("change", filter);
  filter();
  tools.hidden = false;
  return filter;
};
