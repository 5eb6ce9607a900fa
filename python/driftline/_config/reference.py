"""What a monitor compares with, in words: `first 8 weeks`, `trailing 8 weeks`, `same weekday, 8 weeks`, or paths."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from driftline._config.units import Every, Unit

__all__ = ["Cycle", "Files", "First", "FirstQuarter", "Reference", "Same", "Trailing", "impossible", "parse_reference"]

Cycle = Literal["hour", "weekday", "month"]
"""Hour of the day, day of the week, month of the year."""

ROUND: Final[dict[Cycle, Unit]] = {"hour": "day", "weekday": "week", "month": "year"}
"""How long it takes until a cycle comes round."""

LONGEST_WINDOW: Final[dict[Cycle, Unit]] = {"hour": "hour", "weekday": "day", "month": "month"}

FORMS: Final = "first 8 weeks, trailing 8 weeks, same weekday, 8 weeks (or hour, month), a path, or a list of paths"

VERSION: Final = re.compile(r"[\w.-]+@[\w-]+")
"""A version of a model, `churn@4`; the dot of a file's ending is in no alias."""

WORDS: Final = re.compile(r"[\w, -]+")
"""Not the name of a data file, which has a dot or a slash, nor a glob."""


@dataclass(frozen=True, slots=True)
class FirstQuarter:
    """The first quarter of the time that the data span."""

    def __str__(self) -> str:
        return "first quarter"


@dataclass(frozen=True, slots=True)
class First:
    """The first rows, fixed from then on."""

    span: Every

    def __str__(self) -> str:
        return f"first {self.span}"


@dataclass(frozen=True, slots=True)
class Trailing:
    """What came just before each window."""

    span: Every

    def __str__(self) -> str:
        return f"trailing {self.span}"


@dataclass(frozen=True, slots=True)
class Same:
    """The same hour of the day, day of the week or month of the year, over what came before."""

    cycle: Cycle
    span: Every

    def __str__(self) -> str:
        return f"same {self.cycle}, {self.span}"


@dataclass(frozen=True, slots=True)
class Files:
    """Data, or one saved profile."""

    paths: tuple[str, ...]


Reference = FirstQuarter | First | Trailing | Same | Files


def parse_reference(text: str) -> FirstQuarter | First | Trailing | Same | None:
    """Reads a reference in words, the inverse of `str`; `None` where the text is a path."""
    first, _, rest = text.partition(" ")
    if text == "first quarter":
        return FirstQuarter()
    if first in ("first", "trailing"):
        span = _span(rest, f"{first} 8 weeks")
        return First(span) if first == "first" else Trailing(span)
    if first == "same":
        return _same(rest)
    if VERSION.fullmatch(text):
        raise ValueError(f"versions of models come with the registry, which is not there yet; of a path write ./{text}")
    if " " in text and WORDS.fullmatch(text):
        raise ValueError(f"write {FORMS}; of a path write ./{text}")
    return None


def impossible(reference: Reference, window: Every) -> str | None:
    """Why no window of this length can be compared with it."""
    if isinstance(reference, FirstQuarter | Files):
        return None
    if isinstance(reference, Same):
        longest = LONGEST_WINDOW[reference.cycle]
        if window.mean_s > Every(1, longest).mean_s:
            return f"a window of {window} holds more than one {reference.cycle}: take windows of 1 {longest} or shorter"
    if reference.span.mean_s < window.mean_s:
        return f"it is shorter than one window, which is {window}"
    return None


def _same(rest: str) -> Same:
    cycle, comma, span = (part.strip() for part in rest.partition(","))
    if cycle not in ROUND or not comma:
        raise ValueError("write same hour, same weekday or same month with a span: same weekday, 8 weeks")
    same = Same(cycle, _span(span, f"same {cycle}, 8 {ROUND[cycle]}s"))
    if same.span.mean_s < Every(1, ROUND[cycle]).mean_s:
        turn = ROUND[cycle]
        article = "an" if cycle == "hour" else "a"
        raise ValueError(f"{article} {cycle} comes round once a {turn}: the span must be at least 1 {turn}")
    return same


def _span(text: str, example: str) -> Every:
    try:
        span = Every.parse(text)
    except ValueError as error:
        raise ValueError(f"{error}; the whole is {example}") from None
    if span.count == 0:
        raise ValueError(f"it holds no rows: write {example}")
    return span
