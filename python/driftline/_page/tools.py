"""Search and filter over the rows of a table, which the script of all pages works."""

from collections.abc import Iterable, Sequence

__all__ = ["style_of", "tools"]


def style_of(word: str) -> str:
    """The class that a word has in a page."""
    return word.replace(" ", "-")


def tools(label: str, counts: Iterable[tuple[str, int]], buttons: Sequence[tuple[str, str]]) -> str:
    """What scripts add: without them it stays hidden.

    Args:
        label: What rows are filtered by.
        counts: What is said of rows, and of how many.
        buttons: Ids and texts of buttons.
    """
    listed = list(counts)
    total = sum(n for _, n in listed)
    options = "".join(f"<option value={style_of(word)}>{word} ({n:,})" for word, n in listed)
    pressed = "".join(f"<button type=button id={name}>{text}</button>" for name, text in buttons)
    return (
        "<form id=tools role=search hidden><label>Name <input type=search id=search></label>"
        f"<label>{label} <select id=verdict><option value=''>all ({total:,}){options}</select></label>"
        f"{pressed}<output id=found></output></form>"
    )
