"""Rows of each window, and how fresh they are."""

from collections.abc import Sequence
from datetime import datetime

from driftline._format import count, counted
from driftline._monitor import words
from driftline._monitor.status import Status
from driftline._monitor_page.history import History
from driftline._page.markup import table, text

__all__ = ["Range", "bins_of", "reference_range", "volume"]

HEIGHT = 100

Range = tuple[int, int]
"""The least and the most rows of some windows."""


def volume(status: Status, history: History, width: int, now: datetime) -> str:
    """The picture, what came late or had no time, and the figures folded."""
    told = "".join(f"<p>{line}." for line in _freshness(status, now))
    if not history.starts:
        return told
    bins = bins_of(history, width)
    known = reference_range(status, history)
    return f"{told}{_figure(history, bins, width, known)}{_figures(history, bins, width)}"


def bins_of(history: History, width: int) -> list[Range]:
    """Rows of so many windows at a time."""
    parts = [history.rows[i : i + width] for i in range(0, len(history.rows), width)]
    return [(min(part), max(part)) for part in parts]


def reference_range(status: Status, history: History) -> tuple[Range, str] | None:
    """Rows that windows of the reference had, and in words; their mean where no more is known."""
    learnt = [rows for rows, is_learning in zip(history.rows, history.learning, strict=True) if is_learning and rows]
    if learnt:
        least, most = min(learnt), max(learnt)
        return (least, most), f"windows of the reference had {count(least)} to {count(most)} rows"
    whole = [row for row in status.series if not row["segment"] and row["reference_windows"]]
    if not whole:
        return None
    mean = max(round(row["reference_rows"] / row["reference_windows"]) for row in whole)
    return (mean, mean), f"windows of the reference had {counted(mean, 'row')} on average"


def _freshness(status: Status, now: datetime) -> list[str]:
    told = []
    for source in status.sources:
        name = f"From {source.writer}: " if len(status.sources) > 1 else ""
        is_odd = any(source.counts[key] for key in ("late", "without_time", "absurd"))
        well = "" if is_odd else "; no row came late or without a time"
        told.append(text(f"{name}{words.rows_of(source, now)}{well}"))
    return told


def _figure(history: History, bins: Sequence[Range], width: int, known: tuple[Range, str] | None) -> str:
    top = max(*(most for _, most in bins), known[0][1] if known else 0, 1)
    least, most = (_path([bar[side] for bar in bins], top) for side in (0, 1))
    none = "".join(f"M{i},{HEIGHT}h1" for i, (fewest, _) in enumerate(bins) if not fewest)
    band = _band(known[0], top, len(bins)) if known else ""
    said = f"; {known[1]}" if known else ""
    first, last = text(history.labels[0]), text(history.labels[-1])
    grouped = f"; a bar stands for {width} windows, up to the fewest rows, pale up to the most" if width > 1 else ""
    gaps = "; long stretches without rows are left out" if history.has_gaps else ""
    lowest, highest = min(fewest for fewest, _ in bins), max(most for _, most in bins)
    box = f'viewBox="0 0 {len(bins)} {HEIGHT}" preserveAspectRatio=none'
    return (
        f"<figure id=volume-plot><div class=plot><svg role=img {box} "
        f'aria-label="Rows of {len(history.labels):,} windows from {first} to {last}: {count(lowest)} to '
        f'{count(highest)}{said}"><path class=most d="{most}" /><path class=least d="{least}" />{band}'
        f'<path class=none d="{none}" /></svg><span class=at>{count(top)}</span></div>'
        f"<div class=ends><span>{first}</span> <span>{last}</span></div>"
        f"<figcaption><span><i class=least></i>rows of a window</span>"
        f"{f'<span><i class=band></i>{known[1]}</span>' if known else ''}"
        f"<span><i class=none></i>no rows</span>{grouped}{gaps}</figcaption></figure>"
    )


def _band(known: Range, top: int, bins: int) -> str:
    """The reference range, or a line where only a mean is known."""
    low, high = (HEIGHT * (1 - rows / top) for rows in known)
    return f'<path class=band d="M0,{high:.4g}H{bins}V{low:.4g}H0z" />'


def _path(rows: Sequence[int], top: int) -> str:
    """Bars side by side as one outline."""
    path = f"M0,{HEIGHT}"
    for i, many in enumerate(rows):
        path += f"V{HEIGHT * (1 - many / top):.4g}H{i + 1}"
    return f"{path}V{HEIGHT}z"


def _figures(history: History, bins: Sequence[Range], width: int) -> str:
    """The same as a table, the latest window first."""
    rows = []
    for i, (least, most) in reversed(list(enumerate(bins))):
        first, last = history.labels[i * width], history.labels[min((i + 1) * width, len(history.labels)) - 1]
        name = text(first) if first == last else f"{text(first)} to {text(last)}"
        rows.append((name, count(least) if least == most else f"{count(least)} to {count(most)}"))
    made = table("Rows of each window", ("window", "rows"), rows, "figures")
    return f"<details><summary><h3>Figures</h3></summary>{made}</details>"
