"""Shares as pairs of bars, in a table that has the figures too."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from driftline._format import percent
from driftline._page.markup import VALUE, Row, table, text

if TYPE_CHECKING:
    from driftline._column_comparison import Cell

__all__ = ["MOST_BARS", "categories", "without_number"]

MOST_BARS = 12
"""What a screen of a phone shows at once."""

HEADER = ("", "reference", "current", "")


class Bar(NamedTuple):
    """One row of the table."""

    label: str
    reference: float
    current: float
    drawn: bool = True


def categories(cells: Sequence["Cell"]) -> str:
    """The largest cells, all others summed, and rows without a value last."""
    rows = _rows(cells)
    bars = [_bar(cell, rows) for cell in cells if not _is_special(cell)]
    special = [_bar(cell, rows) for cell in cells if _is_special(cell)]
    if len(bars) > MOST_BARS:
        by_size = sorted(bars, key=lambda bar: -max(bar.reference, bar.current))
        least = max(by_size[MOST_BARS - 1].reference, by_size[MOST_BARS - 1].current)
        bars, rest = by_size[: MOST_BARS - 1], by_size[MOST_BARS - 1 :]
        # A bar of many small values would dwarf those that can be told apart.
        sums = (math.fsum(bar.reference for bar in rest), math.fsum(bar.current for bar in rest))
        bars.append(Bar(f"{len(rest):,} more, each at most {percent(least)}", *sums, drawn=False))
    return _table("Share of the rows", [*bars, *special])


def without_number(cells: Sequence["Cell"]) -> str:
    """Rows that a distribution of numbers does not show: missing ones and such; nothing where there are none."""
    rows = _rows(cells)
    special = [_bar(cell, rows) for cell in cells if cell.low is None]
    return _table("Rows without a number", special) if special else ""


def _is_special(cell: "Cell") -> bool:
    """Values are quoted; what the engine itself calls a cell is not."""
    return cell.low is None and not cell.label.startswith("'")


def _rows(cells: Sequence["Cell"]) -> tuple[int, int]:
    return max(sum(cell.reference for cell in cells), 1), max(sum(cell.current for cell in cells), 1)


def _bar(cell: "Cell", rows: tuple[int, int]) -> Bar:
    return Bar(cell.label, cell.reference / rows[0], cell.current / rows[1])


def _table(caption: str, bars: Sequence[Bar]) -> str:
    longest = max((max(bar.reference, bar.current) for bar in bars if bar.drawn), default=0.0) or 1.0

    def row(bar: Bar) -> Row:
        lengths = [100 * share / longest for share in (bar.reference, bar.current)] if bar.drawn else []
        drawn = "".join(f"<rect width={length:.3g}% />" for length in lengths)
        pair = f"<svg role=none>{drawn}</svg>"
        return (text(bar.label, VALUE), percent(bar.reference), percent(bar.current), pair)

    return table(caption, HEADER, map(row, bars), "bars")
