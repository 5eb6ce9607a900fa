"""Tables for terminals."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

__all__ = ["table"]


def table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: Sequence[bool],
    notes: Sequence[str] = (),
) -> Table:
    """A table without lines, its title above and its notes below."""
    made = Table(
        title=Text(title),
        caption=Text("\n".join(notes)) if notes else None,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name, to_left in zip(header, left, strict=True):
        made.add_column(name, justify="left" if to_left else "right", overflow="fold")
    for row in rows:
        # As text: a value in brackets is no markup.
        made.add_row(*(Text(cell) for cell in row))
    return made
