"""Series with all that is known of them, the worst first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftline._monitor import words
from driftline._monitor.alarms import Alarm
from driftline._monitor.status import Status
from driftline._monitor_page.history import History, Key, Series

__all__ = ["WORDS", "Line", "lines"]

WORDS = {
    "open": "an alarm is open",
    "closed": "quiet again: an alarm was open, and closed",
    "quiet": "watched, and no alarm so far",
    "learning": "the reference is being learnt",
    "calibrating": "watched, but how windows vary is not known yet, so no promise is stated",
    "no reference": "there is nothing to compare with",
    "retyped": "its values are of another kind now",
    "gone": "the column is gone",
}
"""All that is said of a series, and what is meant by it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A series."""

    word: str
    """What is said of it."""
    series: Series
    standing: Mapping[str, Any] | None
    """How it stands, where its source still has it."""
    alarms: Sequence[Alarm]


def lines(status: Status, history: History) -> list[Line]:
    """All series: those with open alarms, then those that had one, then those that are nearest to one."""
    standings = {
        Key(source.writer, row["segment"], row["column"]): row for source in status.sources for row in source.series
    }
    alarms: dict[Key, list[Alarm]] = {}
    for alarm in status.alarms:
        alarms.setdefault(key_of(alarm), []).append(alarm)
    known = {series.key: series for series in history.series}
    # What has no window yet, as while the first is open.
    known |= {key: Series.empty(key, len(history.starts)) for key in standings.keys() - known.keys()}
    found = [_line(series, standings.get(key), alarms.get(key, [])) for key, series in known.items()]
    return sorted(found, key=_place)


def key_of(alarm: Alarm) -> Key:
    """The series of an alarm."""
    return Key(alarm.writer, alarm.segment, alarm.column)


def _line(series: Series, standing: Mapping[str, Any] | None, alarms: Sequence[Alarm]) -> Line:
    return Line(words.state_of(standing, alarms), series, standing, alarms)


def _place(line: Line) -> tuple[int, float, Key]:
    latest = 0.0 if line.series.latest is None else line.series.latest.effect
    evidence = [value for side in (line.series.fast, line.series.strict) for value in side if not math.isnan(value)]
    # Of what has an alarm, how much moved; of what has none, how near one it came.
    near = latest if line.word == "open" else max(evidence, default=-math.inf)
    return list(WORDS).index(line.word), -near, line.series.key
