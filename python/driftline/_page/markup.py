"""Pieces of HTML.

End tags that HTML lets out (of rows, cells and paragraphs), quotes around plain attributes and spaces between elements
are left out: at a thousand columns they would be a fifth of the file.
"""

from collections.abc import Iterable, Sequence
from html import escape

from driftline._format import shown

__all__ = ["LONGEST", "NAME", "VALUE", "Row", "row", "table", "text"]

Row = Sequence[str]
"""Cells that are HTML already; the first is the row's header."""

LONGEST = 500
"""Characters of a text that are shown: more than a sentence of ours has, and not the megabyte that a value may have."""

NAME = 60
"""Characters of a column's name on one line."""

VALUE = 40
"""Characters of a value in a table: two lines of a phone."""


def text(value: object, width: int = LONGEST) -> str:
    """A text from data, for content and for attributes in double quotes; what cannot be seen is shown as such."""
    return escape(shown(value, width), quote=False).replace('"', "&quot;")


def row(cells: Row) -> str:
    """A row of a table."""
    return f"<tr><th scope=row>{cells[0]}" + "".join(f"<td>{cell}" for cell in cells[1:])


def table(caption: str, header: Row, rows: Iterable[Row], name: str = "") -> str:
    """A table whose first column names its rows, with or without a header; `name` is its class."""
    # A header without words would be read aloud as one.
    head = "".join(f"<th scope=col>{cell}" if cell else "<td>" for cell in header)
    head = f"<thead><tr>{head}<tbody>" if header else ""
    named = f" class={name}" if name else ""
    return f"<table{named}><caption>{caption}{head}{''.join(map(row, rows))}</table>"
