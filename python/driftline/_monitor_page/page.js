// Draws what series were like over time, beside each and, where one is unfolded, below it. Alarms, figures of the
// latest window and volume are there without it.
(async () => {
  const byId = (id) => document.getElementById(id);
  const table = byId("overview");
  const told = byId("told");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];

  // The layout is that of packed.py.
  const STATUSES = ["no rows", "learning", "calibrating", "watching", "no reference", "retyped", "gone"];
  const [DRIFT, AMENDED, LEARNING] = [8, 16, 1];
  const EDGES = [1, 2, 4, 8];

  const unpacked = async () => {
    const packed = Uint8Array.from(atob(byId("data").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const end = bytes.indexOf(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
    const [bins, many] = [header.from.length, header.series.length];
    let at = end + 1;
    const measures = [1, 1, 1, 0, 0].map((isShare) => {
      const [low, high] = [bytes.subarray(at, at + bins * many), bytes.subarray(at + bins * many)];
      at += 2 * bins * many;
      return (series) =>
        Array.from({ length: bins }, (_, i) => {
          const whole = low[series * bins + i] | (high[series * bins + i] << 8);
          if (whole === 0xffff) return NaN;
          return isShare ? whole / header.shares : (whole - header.lowest) / header.evidence;
        });
    });
    const flags = (series) => bytes.subarray(at + series * bins, at + (series + 1) * bins);
    return { ...header, bins, measures, flags };
  };
  let data;
  try {
    data = await unpacked();
  } catch (error) {
    const sorry = document.createElement("p");
    sorry.textContent = "This browser cannot draw histories: a newer one can.";
    table.before(sorry);
    return;
  }
  const { bins, width } = data;

  const series = rows.map((row, i) => {
    let made;
    // Read from the bytes when it is first shown.
    const values = () => {
      if (!made) {
        const [effect, gap, missing, fast, strict] = data.measures.map((measure) => measure(i));
        made = { effect, bound: effect.map((e, j) => e + gap[j]), missing, fast, strict, flags: data.flags(i) };
      }
      return made;
    };
    const name = row.querySelector("th span").textContent;
    const segment = data.series[i].segment;
    const whole = segment ? `${name} in ${segment}` : name;
    return { row, i, whole, values, key: `${name} ${segment}`.toLowerCase(), ...data.series[i] };
  });

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const drawn = (attributes, ...paths) => {
    const make = (tag, values) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
      return made;
    };
    const svg = make("svg", { preserveAspectRatio: "none", ...attributes });
    for (const [name, d] of paths) if (d) svg.append(make("path", { class: name, d }));
    return svg;
  };
  const percent = (share) => (Number.isNaN(share) ? "" : `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)} %`);
  const count = (n) => n.toLocaleString("en");
  const power = (log) => `10${[...`${log}`].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
  const times = (log) => {
    if (Number.isNaN(log)) return "";
    const size = Math.abs(log);
    const shown = size < 3 ? Number((10 ** size).toPrecision(2)) : power(Math.round(size));
    return log >= 0 ? `${shown} times` : `1/${shown} of`;
  };
  const when = (i) => (data.from[i] === data.to[i] ? data.from[i] : `${data.from[i]} to ${data.to[i]}`);

  // What a step of a history says, in words.
  const words = (one, i) => {
    const { effect, bound, missing, fast, strict, flags } = one.values();
    const status = STATUSES[flags[i] & 7];
    const lines = [`${when(i)}: ${Number.isNaN(effect[i]) ? status : `${percent(effect[i])} moved, at most ${percent(bound[i])}`}`];
    if (!Number.isNaN(effect[i])) {
      if (data.tolerance) lines[0] += ` (${(effect[i] / data.tolerance).toFixed(1)} times the tolerance)`;
      lines.push(flags[i] & DRIFT ? "more than tolerated by a test of the window alone, which may be chance" : "not proved by the window alone");
      if (status !== "watching") lines.push(status);
    }
    if (missing[i] > 0) lines.push(`${percent(missing[i])} missing`);
    if (!Number.isNaN(fast[i]))
      lines.push(`evidence: fast ${times(fast[i])}, strict ${times(strict[i])} what raises an alarm`);
    if (flags[i] & AMENDED) lines.push("data changed after it had closed");
    const on = one.alarms.filter(([, from, to]) => from <= i && i < to).map(([id]) => id);
    if (on.length) lines.push(`alarm ${on.join(", ")}`);
    return lines.join("\n");
  };

  const tell = (text, x, y) => {
    told.textContent = text;
    told.hidden = !text;
    if (!text) return;
    const { width: w, height: h } = told.getBoundingClientRect();
    told.style.left = `${Math.max(4, Math.min(x + 12, document.documentElement.clientWidth - w - 4))}px`;
    told.style.top = `${y + 20 + h < innerHeight ? y + 20 : y - h - 12}px`;
  };

  // Makes a picture of steps one that can be explored: by pointer, and by arrow keys as a slider whose value is words.
  const explored = (place, name, say, marks) => {
    const at = { i: bins - 1 };
    const step = (i) => {
      at.i = Math.max(0, Math.min(bins - 1, i));
      place.setAttribute("aria-valuenow", at.i);
      place.setAttribute("aria-valuetext", say(at.i));
      for (const mark of marks()) {
        mark.hidden = false;
        mark.style.left = `${(100 * (at.i + 0.5)) / bins}%`;
      }
    };
    const leave = () => {
      for (const mark of marks()) mark.hidden = true;
      tell("");
    };
    const beside = () => {
      const box = place.getBoundingClientRect();
      tell(say(at.i), box.left + (box.width * at.i) / bins, box.bottom - 16);
    };
    for (const [key, value] of Object.entries({ role: "slider", "aria-label": name, "aria-valuemin": 0 }))
      place.setAttribute(key, value);
    place.setAttribute("aria-valuemax", bins - 1);
    place.setAttribute("aria-readonly", "true");
    place.setAttribute("aria-valuenow", at.i);
    place.setAttribute("aria-valuetext", say(at.i));
    place.addEventListener("pointermove", (event) => {
      const box = place.getBoundingClientRect();
      step(Math.floor((bins * (event.clientX - box.left)) / box.width));
      tell(say(at.i), event.clientX, event.clientY);
    });
    place.addEventListener("pointerleave", leave);
    place.addEventListener("blur", leave);
    place.addEventListener("focus", () => {
      step(at.i);
      if (place.matches(":focus-visible")) beside();
    });
    place.addEventListener("keydown", (event) => {
      const page = Math.max(1, Math.round(bins / 10));
      const to = { ArrowLeft: at.i - 1, ArrowRight: at.i + 1, PageUp: at.i - page, PageDown: at.i + page, Home: 0, End: bins - 1 };
      if (event.key === "Escape") leave();
      if (!(event.key in to)) return;
      event.preventDefault();
      step(to[event.key]);
      beside();
    });
  };

  // Runs of steps for which `is` holds, as pairs of first and end.
  const runs = (is) => {
    const found = [];
    for (let i = 0; i < bins; i++) {
      if (!is(i)) continue;
      if (found.length && found.at(-1)[1] === i) found.at(-1)[1] = i + 1;
      else found.push([i, i + 1]);
    }
    return found;
  };
  const between = (place, [from, to]) => {
    place.style.left = `${(100 * from) / bins}%`;
    place.style.width = `${(100 * (to - from)) / bins}%`;
    return place;
  };
  const colour = ({ effect, flags }, i) => {
    if (Number.isNaN(effect[i])) return "";
    const step = EDGES.filter((edge) => effect[i] > edge * data.unit).length;
    return flags[i] & DRIFT ? `p${Math.max(step, 1)}` : `u${step}`;
  };

  const strip = (one) => {
    const values = one.values();
    const colours = Array.from({ length: bins }, (_, i) => colour(values, i));
    // Where steps are narrower than dots, the stronger are drawn last.
    const kinds = [...new Set(colours)].filter(Boolean).sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a < b ? 1 : -1));
    const paths = kinds.map((kind) => [
      kind,
      runs((i) => colours[i] === kind).map(([from, to]) => `M${from},0H${to}V1H${from}z`).join(""),
    ]);
    const made = element("div", { className: "strip", tabIndex: -1 });
    made.append(drawn({ viewBox: `0 0 ${bins} 1`, "aria-hidden": "true" }, ...paths));
    for (const run of runs((i) => (values.flags[i] & 7) === LEARNING))
      made.append(between(element("div", { className: "hatch" }), run));
    for (const [, from, to] of one.alarms) made.append(between(element("div", { className: "alarmed" }), [from, to]));
    const mark = element("div", { className: "mark", hidden: true });
    made.append(mark);
    explored(made, `History of ${one.whole}`, (i) => words(one, i), () => [mark]);
    made.addEventListener("keydown", (event) => {
      const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      const strips = [...table.querySelectorAll(".strip")].filter((other) => other.checkVisibility());
      strips[strips.indexOf(made) + way]?.focus();
    });
    // One stop for the Tab key, wherever it was last.
    made.addEventListener("focus", () => {
      for (const other of table.querySelectorAll(".strip[tabindex='0']")) other.tabIndex = -1;
      made.tabIndex = 0;
    });
    one.row.lastElementChild.append(made);
    one.strip = made;
  };

  // A chart of steps between `low` and `high`; areas and lines are pairs of class and values.
  const chart = (one, { name, low, high, areas = [], lines = [], band, at, legend, note = "" }) => {
    const y = (value) => Math.round(1000 * (1 - (Math.min(Math.max(value, low), high) - low) / (high - low))) / 10;
    const shape = (values, floor) => {
      const isThere = runs((i) => !Number.isNaN(values[i]));
      return isThere
        .map(([from, to]) => {
          let d = floor ? `M${from},100` : `M${from},${y(values[from])}`;
          for (let i = from; i < to; i++) d += `V${y(values[i])}H${i + 1}`;
          return floor ? `${d}V100z` : d;
        })
        .join("");
    };
    const paths = one.alarms.map(([, from, to]) => ["period", `M${from},0H${to}V100H${from}z`]);
    paths.push(...areas.map(([kind, values]) => [kind, shape(values, true)]));
    if (band !== undefined) paths.push(["band", `M0,${y(band)}H${bins}V100H0z`]);
    paths.push(...lines.map(([kind, values]) => [kind, shape(values, false)]));
    paths.push(...at.filter(([, , kind]) => kind).map(([value, , kind]) => [kind, `M0,${y(value)}H${bins}`]));
    const plot = element("div", { className: "plot", tabIndex: 0 });
    plot.append(drawn({ viewBox: `0 0 ${bins} 100`, "aria-hidden": "true" }, ...paths));
    for (const [value, label] of at) {
      const tag = element("span", { className: "at", textContent: label });
      tag.style.top = `${y(value) > 50 ? y(value) * 0.08 - 0.95 : y(value) * 0.08 + 0.1}rem`;
      plot.append(tag);
    }
    const ends = element("div", { className: "ends" });
    ends.append(element("span", { textContent: data.from[0] }), element("span", { textContent: data.to.at(-1) }));
    const mark = element("div", { className: "mark", hidden: true });
    plot.append(mark);
    const caption = element("figcaption");
    for (const [kind, text] of legend)
      caption.append(element("span", {}, element("i", { className: kind }), text));
    if (note) caption.append(element("span", { textContent: note }));
    const title = element("h4", { textContent: name });
    explored(plot, `${name}, ${one.whole}`, (i) => words(one, i), () => plot.closest(".charts").querySelectorAll(".mark"));
    return element("figure", {}, title, plot, ends, caption);
  };

  const most = (values, least) => values.reduce((top, value) => (value > top ? value : top), least);
  const charts = (one) => {
    const { effect, bound, missing, fast, strict } = one.values();
    const made = element("div", { className: "charts" });
    const say = (text) => made.append(element("p", { textContent: text }));
    const about = [one.kind];
    if (one.rows) about.push(`reference of ${count(one.rows)} rows in ${count(one.windows)} windows`);
    if (one.smallest != null) about.push(`finds changes above ${percent(one.smallest)} of the rows, however long it takes`);
    if (one.promise !== undefined) about.push(one.promises ? `the promise holds ${data.promises[one.promise]}` : `promise: ${data.promises[one.promise]}`);
    say(`${about.filter(Boolean).join("; ")}.`);
    if (one.alarms.length) {
      const links = one.alarms.flatMap(([id, , , isOpen]) => [
        element("a", { href: `#${encodeURIComponent(id)}`, textContent: id }),
        isOpen ? " (open) " : " (closed) ",
      ]);
      made.append(element("p", {}, "Alarms: ", ...links));
    }
    const periods = one.alarms.length ? [["period", "alarm"]] : [];
    const top = most(bound, 2 * data.unit);
    made.append(
      chart(one, {
        name: "Share of the rows that moved",
        low: 0,
        high: 1.05 * top,
        areas: [["bound", bound]],
        lines: [["line", effect]],
        band: data.tolerance || undefined,
        at: [
          [top, percent(top)],
          [data.tolerance, data.tolerance ? `tolerance ${percent(data.tolerance)}` : "0 %"],
        ],
        legend: [["line", "moved"], ["bound", "at most"], ["band", "tolerated"], ...periods],
      }),
    );
    const known = [...fast, ...strict].filter((value) => !Number.isNaN(value));
    if (known.length) {
      const [floor, ceiling] = [-8, 8];
      const [lowest, highest] = [Math.min(...known), Math.max(...known)];
      const [low, high] = [Math.max(floor, Math.floor(lowest)), Math.min(ceiling, Math.max(1, Math.ceil(highest)))];
      const beyond = highest > ceiling ? `cut off at the top: the most was ${times(highest)} what raises an alarm` : "";
      made.append(
        chart(one, {
          name: "Evidence of both detectors, in powers of ten",
          low: low - 0.3,
          high: high + 0.3,
          lines: [["other", strict], ["line", fast]],
          at: [
            [high, `× ${power(high)}`],
            [0, "raises an alarm", "limit"],
            [low, `× ${power(low)}`],
          ],
          legend: [["line", "fast"], ["other", "strict"], ["limit", "threshold"], ...periods],
          note: beyond,
        }),
      );
    }
    const gone = most(missing, 0);
    if (gone > 0)
      made.append(
        chart(one, {
          name: "Rows without a value",
          low: 0,
          high: 1.05 * gone,
          areas: [["least", missing]],
          at: [[gone, percent(gone)]],
          legend: [["least", "missing"], ...periods],
        }),
      );
    else say("No window has a missing value.");
    made.append(figures(one));
    return made;
  };

  const figures = (one) => {
    const made = element("details", {}, element("summary", { textContent: "Figures of each window" }));
    made.addEventListener("toggle", () => {
      if (made.children.length > 1) return;
      const { effect, bound, missing, fast, strict, flags } = one.values();
      const head = ["window", "moved", "at most", "missing", "fast", "strict", "", ""];
      const list = element("table", { className: "figures" });
      list.append(element("caption", { textContent: "The latest first; evidence as log10 over what raises an alarm" }));
      const cell = (text) => element("td", { textContent: text });
      list.append(element("thead", {}, element("tr", {}, ...head.map((text) => (text ? element("th", { scope: "col", textContent: text }) : element("td"))))));
      const body = element("tbody");
      for (let i = bins - 1; i >= 0; i--) {
        const log = (value) => (Number.isNaN(value) ? "" : value.toFixed(1));
        const told = [percent(effect[i]), percent(bound[i]), percent(missing[i]), log(fast[i]), log(strict[i])];
        const on = one.alarms.filter(([, from, to]) => from <= i && i < to).map(([id]) => id);
        body.append(element("tr", {}, element("th", { scope: "row", textContent: when(i) }), ...told.map(cell), cell(STATUSES[flags[i] & 7]), cell(on.join(", "))));
      }
      list.append(body);
      made.append(element("div", { tabIndex: 0 }, list));
    });
    return made;
  };

  const unfold = (one, open = true) => {
    if (!one.more) {
      const cell = element("td", { colSpan: 5 }, charts(one));
      one.more = element("tr", { className: "more", id: `d${one.i}` }, cell);
      one.row.after(one.more);
    }
    one.more.hidden = !open;
    one.button.setAttribute("aria-expanded", open);
  };
  for (const one of series) {
    const name = one.row.querySelector("th span");
    one.button = element("button", { type: "button", textContent: name.textContent });
    one.button.setAttribute("aria-expanded", "false");
    one.button.addEventListener("click", () => unfold(one, one.more === undefined || one.more.hidden));
    name.replaceWith(one.button);
  }

  let limit = 50;
  const more = byId("more");
  const filter = filtered(
    series,
    "series",
    (one, shown) => {
      if (shown && !one.strip) strip(one);
      if (one.more) one.more.hidden = !shown || one.button.getAttribute("aria-expanded") === "false";
    },
    () => limit,
  );
  const showAll = () => {
    limit = Infinity;
    more.hidden = true;
    filter();
  };
  more.textContent = `Show all ${count(series.length)}`;
  more.hidden = series.length <= limit;
  more.addEventListener("click", showAll);
  const first = table.querySelector(".strip");
  if (first) first.tabIndex = 0;
  byId("legend").hidden = false;

  // A link from an alarm unfolds its series.
  const follow = (hash) => {
    const one = series.find(({ row }) => `#${row.id}` === hash);
    if (one) {
      if (one.row.hidden) {
        byId("search").value = byId("verdict").value = "";
        showAll();
      }
      unfold(one);
      one.row.scrollIntoView();
    }
    let card;
    try {
      card = byId(decodeURIComponent(hash.slice(1)));
    } catch {
      // Whoever wrote the address made it up.
    }
    if (card && card.closest("#closed")) {
      card.closest("#closed").open = true;
      card.scrollIntoView();
    }
  };
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href^='#']");
    if (link) setTimeout(() => follow(link.hash));
  });
  follow(location.hash);

  const place = document.querySelector("#volume-plot > .plot");
  if (place) {
    const picture = place.querySelector("svg");
    const name = picture.getAttribute("aria-label");
    picture.removeAttribute("role");
    picture.removeAttribute("aria-label");
    picture.setAttribute("aria-hidden", "true");
    const mark = element("div", { className: "mark", hidden: true });
    place.append(mark);
    place.tabIndex = 0;
    const say = (i) => {
      const [least, top] = data.rows[i];
      const rows = least === top ? count(least) : `${count(least)} to ${count(top)}`;
      return `${when(i)}: ${rows} rows${data.usual ? `\n${data.usual}` : ""}`;
    };
    explored(place, name, say, () => [mark]);
  }

  // On paper, what open alarms are about is unfolded.
  addEventListener("beforeprint", () => {
    for (const one of series.filter(({ row }) => row.className === "changed" && !row.hidden).slice(0, 20)) unfold(one);
  });
  document.documentElement.classList.add("ready");
})();
