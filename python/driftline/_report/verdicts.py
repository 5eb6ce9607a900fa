"""The verdicts, in the order in which they matter, and the columns of each."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from driftline._column_comparison import ColumnComparison
    from driftline._comparison import Comparison

__all__ = ["VERDICTS", "WORDS", "Line", "lines"]

VERDICTS = {"drift": "changed", "undecided": "undecided", "retyped": "retyped", "stable": "stable"}
VERDICTS["not judged"] = "not judged"
"""What readers see of a verdict."""

WORDS = ("changed", "undecided", "gone", "new", "retyped", "stable", "not judged")
"""All that is said of a column, what matters most first."""


class Line(NamedTuple):
    """A column of either side."""

    word: str
    """What is said of it."""
    name: str
    """Its name."""
    column: "ColumnComparison | None"
    """`None` where only one side has it."""


def lines(comparison: "Comparison") -> list[Line]:
    """All columns: by what is said of them, then by how much moved."""
    found = [Line(VERDICTS[column.verdict], name, column) for name, column in comparison.items()]
    found += [Line("gone", name, None) for name in comparison.only_in_reference]
    found += [Line("new", name, None) for name in comparison.only_in_current]
    return sorted(found, key=_place)


def _place(line: Line) -> tuple[int, float, bool]:
    column = line.column
    effect = 0.0 if column is None else column.effect or 0.0
    # Of columns that are not judged, those whose missing rows or lengths moved.
    return WORDS.index(line.word), -effect, column is None or not column.moved
