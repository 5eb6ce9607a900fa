"""The tables of the docs, from figures."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from simulations.claims import Figure

Group = Callable[[Figure], str]

SHOWN = 50
"""Promises that were not kept are listed, up to so many."""


def report(figures: Sequence[Figure], seed: int) -> str:
    """Markdown: a summary, and a table for each promise."""
    return "\n\n".join(filter(None, _parts(figures, seed))) + "\n"


def _parts(figures: Sequence[Figure], seed: int) -> Iterator[str]:
    judged = [figure for figure in figures if figure.limit is not None]
    broken = [figure for figure in judged if not figure.holds]
    yield f"Seed {seed}; {len(judged):,} shares have a limit, {len(judged) - len(broken):,} keep it."
    if broken:
        yield _table("Beyond their limit", DETAIL, (_detail(figure) for figure in broken[:SHOWN]))

    for source in dict.fromkeys(figure.source for figure in figures):
        of_source = [f for f in figures if f.source == source]
        columns = _pick(of_source, "no change", "p small") + _pick(of_source, "no change", "any drift")
        yield _matrix(f"Nothing changed, tolerance 0, {source}: `drift`", columns, _law, _sizes)
    tiny = _pick(figures, "no change", "p tiny")
    yield _matrix("Nothing changed, tolerance 0, worst source: p at most 0.0025", tiny, _law, _sizes)

    drift = _pick(figures, "edge", "p small") + _pick(figures, "edge", "any drift")
    yield _matrix("2 % moved, tolerance 2 %, worst change and source: `drift`", drift, _law, _sizes)
    stable = _pick(figures, "edge", "stable")
    yield _matrix("2 % moved, tolerance 2 %, worst change and source: `stable`", stable, _law, _sizes)

    for claim, what, title in POWER:
        yield _matrix(title, _pick(figures, claim, what), _law_and_change, _tolerance_and_source)
    harmless = _pick(figures, "harmless", "stable")
    yield _matrix("A million rows a side, tolerance 2 %: `stable`", harmless, _law, _change_and_source)
    hidden = _pick(figures, "hidden", "stable")
    title = "The same, where as much again may hide among many values: `stable`"
    yield _matrix(title, hidden, _law_and_change, lambda figure: figure.source)
    few = _pick(figures, "few rows", "stable")
    yield _matrix("50 rows on one side, tolerance 2 %, worst law: `stable`", few, lambda figure: figure.source, _sizes)


POWER = (
    ("power", "p tiny", "Changes that are found, in one column of 20: `drift`"),
    ("hard", "p tiny", "Changes that no test finds for certain, in one column of 20: `drift`"),
    ("hard", "p small", "Changes that no test finds for certain, without correction: `drift`"),
)

DETAIL = (
    "claim",
    "column",
    "change",
    "reference",
    "current",
    "tolerance",
    "source",
    "counted",
    "runs",
    "share",
    "limit",
)


def _detail(figure: Figure) -> list[str]:
    rows = (f"{figure.reference_rows:,}", f"{figure.current_rows:,}")
    said = (f"{figure.runs:,}", _percent(figure.share), f"{figure.bound} {_percent(figure.limit or 0.0)}")
    tolerance = f"{100 * figure.tolerance:g} %"
    return [figure.claim, figure.law, figure.change, *rows, tolerance, figure.source, figure.what, *said]


def _pick(figures: Iterable[Figure], claim: str, what: str) -> list[Figure]:
    return [figure for figure in figures if (figure.claim, figure.what) == (claim, what)]


def _law(figure: Figure) -> str:
    return figure.law


def _sizes(figure: Figure) -> str:
    before, now = figure.reference_rows, figure.current_rows
    return f"{before:,}" if before == now else f"{before:,} : {now:,}"


def _law_and_change(figure: Figure) -> str:
    return f"{figure.law}: {figure.change}"


def _tolerance_and_source(figure: Figure) -> str:
    return f"{100 * figure.tolerance:g} % tolerance, {figure.current_rows:,} rows, {figure.source}"


def _change_and_source(figure: Figure) -> str:
    return f"{figure.change.split(' %')[0]} % moved, {figure.source}"


def _matrix(title: str, figures: Sequence[Figure], row: Group, column: Group) -> str:
    """The worst share of each cell, bold where a limit is not kept."""
    cells: dict[str, dict[str, Figure]] = {}
    headings = list(dict.fromkeys(map(column, figures)))
    for figure in figures:
        found = cells.setdefault(row(figure), {})
        worst = found.setdefault(column(figure), figure)
        if (figure.holds, _goodness(figure)) < (worst.holds, _goodness(worst)):
            found[column(figure)] = figure
    rows = ([name, *(_cell(found.get(heading)) for heading in headings)] for name, found in cells.items())
    return _table(title, ("", *headings), rows) if figures else ""


def _goodness(figure: Figure) -> float:
    return -figure.share if figure.bound == "at most" else figure.share


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return _percent(figure.share) if figure.holds else f"**{_percent(figure.share)}**"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _table(title: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---", *["--:"] * (len(heading) - 1)], *rows]
    return f"**{title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)
