"""Mistakes in a configuration: where they are, what was found, what was expected."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final, NamedTuple

from driftline._format import shown as one_line
from driftline.errors import ConfigError

__all__ = ["Mistake", "MistakesError", "Where", "config_error", "dotted", "found"]

Where = tuple[str | int, ...]
"""The keys and positions that lead to a value."""

PLAIN_KEY: Final = re.compile(r"[^\W\d][\w-]*")

WIDTH: Final = 60
"""What is shown of a value."""


class Mistake(NamedTuple):
    """One mistake."""

    where: Where
    """The value's path; empty for the whole."""
    text: str
    """What is the matter with it, as what follows its path in a sentence."""


class MistakesError(ValueError):
    """Mistakes inside a value or between its parts, each with its path below the value."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        super().__init__("several mistakes")
        self.mistakes = tuple(mistakes)


def dotted(where: Where) -> str:
    """A path as it is shown: `checks.age.max`, `columns.segments[1]`."""
    path = ""
    for part in where:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            key = part if PLAIN_KEY.fullmatch(part) else f'"{one_line(part, WIDTH)}"'
            path += f".{key}" if path else key
    return path


def found(value: object) -> str:
    """A value as it is shown; of a large one, its kind."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{one_line(value, WIDTH)}"'
        case int() | float():
            return str(value) if abs(value) < 10**15 or isinstance(value, float) else "a number of many digits"
        case datetime() | date() | time():
            return f"the date or time {value.isoformat()}"
        case Mapping():
            return "a mapping"
        case list() | tuple():
            items = ("[...]" if isinstance(item, list | tuple) else found(item) for item in value[:8])
            return f"[{one_line(', '.join(items), WIDTH)}]"
        case _:
            return f"of type {type(value).__name__}"


def config_error(mistakes: Sequence[Mistake], name: str, lines: Mapping[Where, int]) -> ConfigError:
    """The error that tells all mistakes, in the order of the lines of the file called `name`."""

    def line(mistake: Mistake) -> int:
        """That of the value, or of what should hold it."""
        parts = mistake.where
        return next((lines[parts[:n]] for n in range(len(parts), 0, -1) if parts[:n] in lines), 0)

    def told(mistake: Mistake) -> str:
        number = line(mistake)
        place = f"{name}:{number}: " if number else f"{name}: " if name else ""
        return f"{place}{dotted(mistake.where)} {mistake.text}" if mistake.where else f"{place}{mistake.text}"

    return ConfigError("\n".join(map(told, sorted(mistakes, key=line))))
