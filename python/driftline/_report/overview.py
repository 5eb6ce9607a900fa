"""A line for each column, what matters most first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftline._format import named, percent, whole_percent
from driftline._page.markup import LONGEST, NAME, VALUE, text
from driftline._page.tools import style_of
from driftline._report.verdicts import Line

if TYPE_CHECKING:
    from driftline._column_comparison import ColumnComparison

__all__ = ["overview"]


def overview(lines: Sequence[Line], tolerance: float) -> str:
    """The table; names lead to details, by the line's position."""
    # Bars end at the largest bound, or a column in which little moved would look changed.
    bounds = [line.column.effect_bound or 0.0 for line in lines if line.column is not None]
    widest = max([*bounds, 2 * tolerance]) or 1.0
    body = "".join(_row(i, line, tolerance, widest) for i, line in enumerate(lines))
    mark = f"; the mark is the tolerance, {whole_percent(tolerance)}" if tolerance else ""
    return (
        f"<table id=overview><caption>Share of the rows that moved, thin up to its upper bound{mark}"
        "<thead><tr><th scope=col>verdict<th scope=col>column<th scope=col>moved<th scope=col>at most"
        f"<td><span>0</span> <span>{percent(widest)}</span><tbody>{body}</table>"
    )


def _row(position: int, line: Line, tolerance: float, widest: float) -> str:
    column = line.column
    said = f"<tr class={style_of(line.word)}><td><b>{line.word}</b><th scope=row>"
    if column is None:
        where = "only in the reference" if line.word == "gone" else "only in the current data"
        # There are no details that would have the whole name.
        return f"{said}<span>{text(named(line.name, LONGEST))}</span><p>{where}<td><td><td>"
    about = _about(column)
    told = f"<p>{about}" if about else ""
    return (
        f"{said}<a href=#c{position}>{text(named(line.name, NAME))}</a>{told}"
        f"<td>{percent(column.effect)}<td>{percent(column.effect_bound)}<td>{_bar(column, tolerance, widest)}"
    )


def _about(column: "ColumnComparison") -> str:
    """What moved most, or why nothing is said."""
    told = [text(column.reason)] if column.reason else []
    if column.verdict == "undecided":
        told.append(text(column.size))
    moved = column.headline
    if moved is not None:
        # Apart from the figures, or these change places beside a value that is written from right to left.
        told.append(f"<bdi>{text(moved.label, VALUE)}</bdi>: {percent(moved.reference)} → {percent(moved.current)}")
    return "; ".join(told)


def _bar(column: "ColumnComparison", tolerance: float, widest: float) -> str:
    """The effect as a bar, the way to its bound as a thin one, and a mark at the tolerance."""
    if column.effect is None or column.effect_bound is None:
        return ""
    effect, bound, mark = (100 * share / widest for share in (column.effect, column.effect_bound, tolerance))
    drawn = f"<rect width={effect:.3g}% /><rect x={effect:.3g}% width={bound - effect:.3g}% />"
    return f"<svg role=none>{drawn}{f'<rect x={mark:.3g}% />' if tolerance else ''}</svg>"
