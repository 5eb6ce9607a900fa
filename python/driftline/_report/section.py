"""All that is known of one column."""

from typing import TYPE_CHECKING

from driftline._column_comparison import capital
from driftline._format import named
from driftline._page.markup import NAME, text
from driftline._page.tools import style_of
from driftline._report import bars, outline, tables
from driftline._report.picture import picture
from driftline._report.verdicts import Line

if TYPE_CHECKING:
    from driftline._column_comparison import ColumnComparison

__all__ = ["section"]

WHOLE_NAME = 10_000
"""Characters of a name below its heading, where it is longer than that."""


def section(position: int, line: Line, column: "ColumnComparison", *, brief: bool) -> str:
    """What can be unfolded: open for what changed; without picture and tables if `brief`."""
    opened = " open" if line.word == "changed" else ""
    told = " ".join(filter(None, [f"{capital(column.reason)}." if column.reason else "", column.explanation]))
    name = text(named(line.name, NAME))
    return (
        f"<details class={style_of(line.word)}{opened}><summary><b>{line.word}</b> <h3>{name}</h3>"
        f"<span>{text(told)}</span></summary>"
        f"<div id=c{position}>{_kind(column)}{'' if brief else _data(column)}</div></details>"
    )


def _kind(column: "ColumnComparison") -> str:
    full = f"<span class=name>{text(column.name, WHOLE_NAME)}</span>" if len(column.name) > NAME else ""
    types = [text(side, 80) for side in (column.reference_type, column.current_type)]
    typed = types[0] if types[0] == types[1] else " → ".join(types)
    return f"<p class=kind>{full}{column.kind if column.kind == typed else f'{column.kind}, {typed}'}"


def _data(column: "ColumnComparison") -> str:
    cells = column.cells
    known = column.quantiles
    drawn = picture(cells, known) if any(cell.low is not None for cell in cells) else None
    values = tables.quantiles(column, known)
    if drawn is not None:
        medians = next(((before, now) for q, before, now in known or () if q == tables.MEDIAN), None)
        shown = outline.figure(drawn, column.current_type, medians) + values + bars.without_number(cells)
    else:
        shown = (bars.categories(cells) if cells else "") + values
    return shown + tables.moved(column) + tables.statistics(column)
