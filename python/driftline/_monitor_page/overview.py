"""A line for each series; the script draws its history beside it, and below it what is unfolded."""

from collections.abc import Sequence

from driftline._format import percent, whole_percent
from driftline._monitor_page.ranked import Line
from driftline._page.markup import NAME, VALUE, text
from driftline._page.tools import style_of

__all__ = ["legend", "overview", "unit"]

DEFAULT_UNIT = 0.01
"""Where the tolerance is 0, colours need another measure."""

EDGES = (1, 2, 4, 8)
"""Where colours change, in tolerances; the script knows them too."""


def unit(tolerance: float) -> float:
    """The share that colours count in."""
    return tolerance or DEFAULT_UNIT


def overview(lines: Sequence[Line], labels: Sequence[str]) -> str:
    """The table. Rows have ids that alarms link to."""
    ends = f"<span>{text(labels[0])}</span> <span>{text(labels[-1])}</span>" if labels else ""
    body = "".join(_row(i, line) for i, line in enumerate(lines))
    return (
        "<table id=overview><caption>Share of the rows that moved in the latest window, and its upper bound"
        "<thead><tr><th scope=col>alarm<th scope=col>series<th scope=col>moved<th scope=col>at most"
        f"<td>{ends}<tbody>{body}</table>"
    )


def legend(tolerance: float) -> str:
    """What colours mean."""
    edges = [whole_percent(edge * unit(tolerance)) for edge in EDGES]
    steps = [f"up to {edge}" for edge in edges] + ["more"]
    doubtful = "".join(f"<span><i class=u{i}></i>{step}</span>" for i, step in enumerate(steps))
    proved = "".join(f"<span><i class=p{i}></i>{step}</span>" for i, step in enumerate(steps) if i)
    than = f"more than {whole_percent(tolerance)}" if tolerance else "a change"
    return (
        "<div id=legend hidden><p>Colours: the share of the rows that moved."
        f"<p class=steps><span>{than} by a test of the window alone: one in twenty may be chance</span>"
        f"<span></span>{proved}"
        f"<span>not proved by the window alone</span>{doubtful}"
        "<p><span><i class=outline></i>alarm, from when it has been so until it closed</span>"
        "<span><i class=hatch></i>the reference was learnt</span><span><i></i>no rows</span></div>"
    )


def _row(position: int, line: Line) -> str:
    latest, key = line.series.latest, line.series.key
    about = [f"in <bdi>{text(key.segment, NAME)}</bdi>"] if key.segment else []
    if key.writer != "main":
        about.append(f"from <bdi>{text(key.writer, NAME)}</bdi>")
    if latest is not None and latest.moved:
        shares = f": {percent(latest.reference_share)} → {percent(latest.share)}"
        about.append(f"<bdi>{text(latest.moved, VALUE)}</bdi>{shares}")
    told = f"<p>{'; '.join(about)}" if about else ""
    moved, bound = ("", "") if latest is None else (percent(latest.effect), percent(latest.bound))
    style = "changed" if line.word == "open" else style_of(line.word)
    return (
        f"<tr id=s{position} class={style}><td><b>{line.word}</b><th scope=row>"
        f"<span>{text(key.column, NAME)}</span>{told}<td>{moved}<td>{bound}<td>"
    )
