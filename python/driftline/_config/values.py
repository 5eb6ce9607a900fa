"""Single values: how each is read, and what editors are told of it.

A reader takes what a file or a caller gives, and raises `ValueError` with what to write instead; the value's path and
what was found are told around that.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from driftline._config.mistakes import Mistake, MistakesError, found
from driftline._config.units import EVERY_PATTERN, RATE_PATTERN, Every, Rate, parse_share
from driftline._shares import SHARE_PATTERN

__all__ = [
    "SHARE_SCHEMA",
    "Budget",
    "Flag",
    "Lateness",
    "Name",
    "Retention",
    "Share",
    "TimeZone",
    "Whole",
    "Window",
    "each",
    "name_of_folder",
    "read_number",
    "schema",
]

T = TypeVar("T")

SHARE_SCHEMA: Final = {
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        {"type": "string", "pattern": f"^{SHARE_PATTERN}$"},
    ]
}

NAME_PATTERN: Final = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
"""Part of the names of files and metrics."""


def schema(keywords: Mapping[str, Any]) -> WithJsonSchema:
    """What editors are told of a value; a copy, as some versions of Pydantic write the default into it."""
    return WithJsonSchema(deepcopy(dict(keywords)))


def _text_schema(pattern: str) -> WithJsonSchema:
    """The same of text of that pattern, as a whole."""
    return schema({"type": "string", "pattern": f"^{pattern}$"})


def each(values: Sequence[object], read: Callable[[object], T]) -> tuple[T, ...]:
    """All items read; all mistakes told, each with its position."""
    made: list[T] = []
    mistakes: list[Mistake] = []
    for i, value in enumerate(values):
        try:
            made.append(read(value))
        except MistakesError as wrong:
            mistakes += (Mistake((i, *inner), text) for inner, text in wrong.mistakes)
        except ValueError as error:
            mistakes.append(Mistake((i,), f"is {found(value)}: {error}"))
    if mistakes:
        raise MistakesError(mistakes)
    return tuple(made)


def name_of_folder(folder: Path) -> str:
    """A folder's name, without what a monitor's name must not have."""
    return re.sub("[^A-Za-z0-9_.-]", "-", folder.name).lstrip(".-")[:100] or "monitor"


def _read_name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write a name, in quotes where it looks like something else")
    if not re.fullmatch(NAME_PATTERN, value):
        raise ValueError("a name has at most 100 of A-Z, a-z, 0-9, _, - and ., and begins with none of - and .")
    return value


def _read_timezone(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write the IANA name of a time zone, such as Europe/Paris")
    try:
        return ZoneInfo(value).key
    except (OSError, ValueError, KeyError):
        known = {name.lower(): name for name in sorted(available_timezones())}
    if not known:
        raise ValueError("this machine has no time zones: pip install tzdata")
    close = get_close_matches(value.lower(), known, n=1)
    hint = f"did you mean {known[close[0]]}?" if close else "write an IANA name, such as Europe/Paris"
    raise ValueError(f"no such time zone: {hint}")


def _read_every(value: object, example: str) -> Every:
    if isinstance(value, Every):
        return value
    if isinstance(value, timedelta):
        return Every.of(value)
    if not isinstance(value, str):
        raise ValueError(f"write a count and a unit, such as {example}")
    return Every.parse(value)


def _read_window(value: object) -> Every:
    window = _read_every(value, "1 day")
    if window.count == 0:
        raise ValueError("a window lasts at least 1 second")
    return window


def _read_lateness(value: object) -> Every:
    lateness = _read_every(value, "1 hour")
    if lateness.unit in ("month", "year"):
        raise ValueError(f"a {lateness.unit} is not always as long: write it in weeks, days or hours")
    return lateness


def _read_retention(value: object) -> Every:
    retention = _read_every(value, "2 years")
    if retention.count == 0:
        raise ValueError("nothing would be kept: leave it out, and all is")
    return retention


def _read_budget(value: object) -> Rate:
    if isinstance(value, Rate):
        return value
    if not isinstance(value, str):
        raise ValueError("write a count and a unit of time, such as 1 per year")
    return Rate.parse(value)


def _read_whole(value: object) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError("write a whole number of 1 or more")
    return int(value)


def read_number(value: object) -> int | float:
    """A finite number; a whole one keeps all its digits."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError("write a number")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError("write a finite number")
    return int(value) if isinstance(value, Integral) else float(value)


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


Name = Annotated[str, PlainValidator(_read_name), _text_schema(NAME_PATTERN)]
TimeZone = Annotated[str, PlainValidator(_read_timezone), schema({"type": "string"})]
Window = Annotated[Every, PlainValidator(_read_window), PlainSerializer(str), _text_schema(EVERY_PATTERN)]
Lateness = Annotated[Every, PlainValidator(_read_lateness), PlainSerializer(str), _text_schema(EVERY_PATTERN)]
Retention = Annotated[Every, PlainValidator(_read_retention), PlainSerializer(str), _text_schema(EVERY_PATTERN)]
Budget = Annotated[Rate, PlainValidator(_read_budget), PlainSerializer(str), _text_schema(RATE_PATTERN)]
Share = Annotated[float, PlainValidator(parse_share), schema(SHARE_SCHEMA)]
Whole = Annotated[int, PlainValidator(_read_whole), schema({"type": "integer", "minimum": 1})]
Flag = Annotated[bool, PlainValidator(_read_flag), schema({"type": "boolean"})]
