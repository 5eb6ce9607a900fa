"""Lengths of time, rates and shares as people write them: `15 minutes`, `1 per year`, `2%`.

What cannot be read raises a `ValueError` that says what to write instead.
"""

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Final, Literal, cast, get_args

from driftline._shares import NUMBER, read_share

__all__ = ["EVERY_PATTERN", "RATE_PATTERN", "Every", "Rate", "Unit", "parse_share"]

Unit = Literal["second", "minute", "hour", "day", "week", "month", "year"]

UNITS: Final = cast("tuple[Unit, ...]", get_args(Unit))

FIXED_S: Final[dict[Unit, int]] = {"second": 1, "minute": 60, "hour": 3600}
"""Units that last equally long everywhere and always."""

MEAN_YEAR_S: Final = 31_556_952
"""365.2425 days, the mean of the Gregorian calendar."""

MEAN_S: Final[dict[Unit, int]] = {
    **FIXED_S,
    "day": 86_400,
    "week": 604_800,
    "month": MEAN_YEAR_S // 12,
    "year": MEAN_YEAR_S,
}

LONGEST_S: Final = 1000 * MEAN_YEAR_S
"""Far beyond any log, and far below what times of 64 bits hold."""

SHORT: Final[dict[str, Unit]] = {
    **dict.fromkeys(("s", "sec", "secs"), "second"),
    **dict.fromkeys(("min", "mins"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs"), "hour"),
    "d": "day",
    **dict.fromkeys(("w", "wk", "wks"), "week"),
    **dict.fromkeys(("mo", "mon"), "month"),
    **dict.fromkeys(("y", "yr", "yrs"), "year"),
}
"""Understood well enough to say what to write."""

BELOW_A_SECOND: Final = re.compile(r"(ms|us|µs|ns|(milli|micro|nano)seconds?)")

EVERY_PATTERN: Final = rf"([0-9]{{1,12}}) +({'|'.join(UNITS)})s?"
RATE_PATTERN: Final = rf"({NUMBER}) +per +({'|'.join(UNITS)})"


@dataclass(frozen=True, slots=True)
class Every:
    """A length of time: seconds, minutes and hours are durations; days and longer are periods of the calendar."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("a length of time is not negative")
        if self.mean_s > LONGEST_S:
            raise ValueError("the longest is 1000 years")

    @classmethod
    def parse(cls, text: str) -> "Every":
        """Reads `15 minutes` or `1 day`; the inverse of `str`."""
        matched = re.fullmatch(EVERY_PATTERN, text)
        if matched is None:
            raise ValueError(_hint(text))
        return cls(int(matched[1]), cast("Unit", matched[2]))

    @classmethod
    def of(cls, duration: timedelta) -> "Every":
        """A duration, so `timedelta(days=1)` is 24 hours and no day of the calendar."""
        if duration.microseconds:
            raise ValueError("the shortest unit is the second")
        seconds = duration.days * MEAN_S["day"] + duration.seconds
        unit: Unit = next(unit for unit in ("hour", "minute", "second") if seconds % FIXED_S[unit] == 0)
        return cls(seconds // FIXED_S[unit], unit)

    @property
    def fixed_s(self) -> int | None:
        """Seconds of a duration; `None` of a period of the calendar."""
        seconds = FIXED_S.get(self.unit)
        return None if seconds is None else self.count * seconds

    @property
    def mean_s(self) -> int:
        """Seconds that it lasts on average."""
        return self.count * MEAN_S[self.unit]

    def __str__(self) -> str:
        return f"{self.count} {self.unit if self.count == 1 else f'{self.unit}s'}"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many expected per unit of time."""

    count: float
    unit: Unit

    def __post_init__(self) -> None:
        if not 0 < self.count < math.inf:
            raise ValueError("it must be above 0, as no rule that finds anything is never wrong: try 0.1 per year")

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Reads `1 per year` or `0.5 per week`; the inverse of `str`."""
        matched = re.fullmatch(RATE_PATTERN, text)
        if matched is None:
            raise ValueError("write a count and a unit of time, such as 1 per year, 3 per month or 0.5 per week")
        return cls(float(matched[1]), cast("Unit", matched[2]))

    def expected(self, seconds: float) -> float:
        """How many are expected in that time."""
        return self.count * seconds / MEAN_S[self.unit]

    @property
    def per_year(self) -> float:
        """How many are expected in a year."""
        return self.expected(MEAN_YEAR_S)

    def __str__(self) -> str:
        return f"{repr(float(self.count)).removesuffix('.0')} per {self.unit}"


def parse_share(value: object) -> float:
    """Reads a share of the rows below 1: `2%`, `0.02`, or a number."""
    with suppress(ValueError):
        share = read_share(value)
        if 0 <= share < 1:
            return share
    raise ValueError("write a share of the rows, 0 to below 1, such as 2% or 0.02")


def _hint(text: str) -> str:
    """What to write instead of a length of time that cannot be read."""
    general = "write a count and a unit, such as 15 minutes or 1 day"
    matched = re.fullmatch(rf"(-?)({NUMBER})? *([^\W\d]+)", text.strip())
    if matched is None:
        return general
    minus, count, unit = matched[1], matched[2] or "1", matched[3].lower()
    if minus:
        return "a length of time is not negative"
    if BELOW_A_SECOND.fullmatch(unit):
        return "the shortest unit is the second"
    if not count.isdecimal():
        return "the count is a whole number: write it in a smaller unit"
    if unit == "m":
        return f"write {count} minutes or {count} months"
    close = get_close_matches(unit.removesuffix("s"), UNITS, n=1)
    known = SHORT.get(unit) or (cast("Unit", close[0]) if close else None)
    if known is None:
        return f"units are {', '.join(UNITS)}"
    return f"write {int(count)} {known if int(count) == 1 else f'{known}s'}" if len(count) <= 12 else general
