"""Numbers, times and tables as text for people."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Any

__all__ = [
    "count",
    "counted",
    "html_table",
    "named",
    "number",
    "percent",
    "shown",
    "text_table",
    "told",
    "value_of_type",
    "whole_percent",
]

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count(value: float | None) -> str:
    """A number of rows: `48,112`."""
    return "" if value is None else f"{round(value):,}"


def counted(value: int, noun: str) -> str:
    """So many of something: `1 row`, `48,112 rows`."""
    return f"{count(value)} {noun if value == 1 else f'{noun}s'}"


def number(value: float | None) -> str:
    """Four significant digits, or all of a whole number that fits the eye."""
    if value is None:
        return ""
    if isinstance(value, int) or (value == value and abs(value) < 1e15 and value == int(value)):
        return f"{int(value):,}" if abs(value) < 10**15 else f"{value:.3e}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def percent(share: float | None) -> str:
    """A share of the rows: `18.2 %`."""
    if share is None:
        return ""
    return f"{100 * share:.1f} %" if 0 < share < 0.9995 else f"{100 * share:.0f} %"


def whole_percent(share: float) -> str:
    """A share as its user wrote it: `2 %`, `0.5 %`, `12.345 %`."""
    return f"{100 * share:.10g} %"


def value_of_type(value: float | None, type_name: str) -> str:
    """A number, or a time as a date, by the type of its column."""
    if value is None:
        return ""
    family, _, rest = type_name.partition("[")
    unit = rest.rstrip("]").split(",")[0]
    if "|" in type_name or family not in ("date", "timestamp", "time", "duration"):
        return number(value)
    try:
        if unit == "d":
            return (date(1970, 1, 1) + timedelta(days=round(value))).isoformat()
        since = timedelta(microseconds=round(value * 10**6 / PER_SECOND[unit]))
        moment = EPOCH + since
    except (OverflowError, KeyError, ValueError):
        return number(value)
    if family == "duration":
        return str(since)
    if family == "time":
        return moment.time().replace(microsecond=0).isoformat()
    if family == "date":
        return moment.date().isoformat()
    return moment.replace(tzinfo=None, microsecond=0).isoformat(" ")


def shown(value: Any, width: int = 24) -> str:
    """A value on one line; of a long one both ends, for what begins alike often ends otherwise."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, bytes) else str(value)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    if len(text) <= width:
        return text
    kept = width - 3
    end = kept // 2
    return f"{text[: kept - end]}...{text[len(text) - end :]}"


def named(name: str, width: int = 40) -> str:
    """The name of a column on one line; one in which there is nothing to see stands in quotes."""
    return shown(name, width) if name.strip() else f'"{shown(name, width)}"'


def told(value: Any) -> str:
    """A wrong argument in a message: on one line, and not at any length."""
    return shown(f'"{value}"' if isinstance(value, str) else repr(value), 40)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[bool]) -> str:
    """A plain table; columns that are not `left` are aligned to the right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(row, widths, left, strict=True)
        )
        return "  ".join(cells).rstrip()

    return "\n".join(map(line, (header, *rows)))


def html_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[bool]) -> str:
    """The same table for a notebook."""

    def line(cells: Sequence[str], tag: str, shown: Callable[[str], str] = escape) -> str:
        aligned = zip(cells, left, strict=True)
        inner = (
            f'<{tag} style="text-align: {"left" if to_left else "right"}">{shown(cell)}</{tag}>'
            for cell, to_left in aligned
        )
        return f"<tr>{''.join(inner)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption><thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"
    )
