// Search, filter, sorting, and unfolding all at once: the page says everything without them.
{
  const byId = (id) => document.getElementById(id);
  const table = byId("overview");
  const sections = [...document.querySelectorAll("main > details")];
  const sectionOf = new Map(sections.map((section) => [`#${section.lastElementChild.id}`, section]));

  const entries = [...table.tBodies[0].rows].map((row, position) => {
    const link = row.querySelector("a");
    const section = sectionOf.get(link?.hash);
    // The overview shortens long names.
    const name = (section?.querySelector(".name") ?? link ?? row.querySelector("span")).textContent;
    return { row, section, position, name, key: name.toLowerCase() };
  });

  const percent = (cell) => (entry) => Number.parseFloat(entry.row.cells[cell].textContent);
  const names = new Intl.Collator("en", { numeric: true });
  const orders = [
    { value: (entry) => entry.position, first: "ascending" },
    { value: (entry) => entry.name, first: "ascending" },
    { value: percent(2), first: "descending" },
    { value: percent(3), first: "descending" },
  ];
  const heads = [...table.tHead.rows[0].cells].slice(0, orders.length);

  const sort = (cell) => {
    const { value, first } = orders[cell];
    const second = first === "ascending" ? "descending" : "ascending";
    const way = heads[cell].getAttribute("aria-sort") === first ? second : first;
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[cell].setAttribute("aria-sort", way);
    const sign = way === "ascending" ? 1 : -1;
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (typeof x === "string") return sign * names.compare(x, y);
      // Columns without a number come last, whichever way.
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return sign * (x - y);
    };
    table.tBodies[0].append(...[...entries].sort(compare).map((entry) => entry.row));
  };

  heads.forEach((head, cell) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(cell));
    head.replaceChildren(button);
  });
  heads[0].setAttribute("aria-sort", "ascending");

  const unfold = (open) => () => sections.forEach((section) => (section.open = open));
  byId("expand").addEventListener("click", unfold(true));
  byId("collapse").addEventListener("click", unfold(false));
  // Not every browser unfolds what a link leads into.
  table.addEventListener("click", ({ target }) => {
    const section = sectionOf.get(target.closest("a")?.hash);
    if (section) section.open = true;
  });
  filtered(entries, "columns", ({ section }, shown) => {
    if (section) section.hidden = !shown;
  });
}
