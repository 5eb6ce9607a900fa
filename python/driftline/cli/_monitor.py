"""What `driftline monitor` and `driftline status` say."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from driftline._format import count, counted, percent, shown
from driftline._monitor.alarms import Alarm
from driftline._monitor.archive import ReadSummary
from driftline._monitor.replay import Replay
from driftline._monitor.status import Status

__all__ = ["alarm_lines", "status_as_json", "summary_lines", "tell_replay", "tell_status"]

MOST_ALARMS = 20
"""Alarms that are listed; the rest is counted."""

MOST_FILES = 5
"""Files that are named."""


def summary_lines(summary: ReadSummary) -> Iterator[str]:
    """What a run read."""
    speed = f"{summary.seconds:.1f} s"
    yield f"{counted(summary.files, 'new file')}, {counted(summary.rows, 'row')}, {speed}"
    if summary.changed:
        windows = _few(summary.amended) if summary.amended else "none that had closed"
        yield f"changed since the last run: {_few(summary.changed)}; windows counted anew: {windows}"
    elif summary.amended:
        yield f"rows came late: windows amended: {_few(summary.amended)}"
    for name, first in list(summary.again.items())[:MOST_FILES]:
        yield f"{name} holds what {first} held: not read again"
    if summary.gone:
        yield f"gone since the last run: {_few(summary.gone)}; what they held stands"


def _few(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    rest = f" and {len(unique) - MOST_FILES} more" if len(unique) > MOST_FILES else ""
    return ", ".join(unique[:MOST_FILES]) + rest


def alarm_lines(alarm: Alarm) -> Iterator[str]:
    """An alarm in a few lines."""
    where = " in ".join(part for part in (alarm.column, alarm.segment) if part) or "rows"
    state = "OPEN" if alarm.is_open else f"closed {alarm.closed}"
    yield f"{alarm.id} {state}, since {alarm.since}: {shown(where, 60)} {alarm.what}{_shares(alarm)}"
    notes = [f"found by the {alarm.detector} detector after {alarm.opened}" if alarm.detector != "rule" else ""]
    notes += [f"then also {_few(alarm.also)}" if alarm.also else ""]
    notes += ["the data changed since" if alarm.data_changed else ""]
    told = "; ".join(note for note in notes if note)
    if told:
        yield f"   {told}"


def _shares(alarm: Alarm) -> str:
    if alarm.reference_share is None or alarm.share is None:
        return ""
    least, most = alarm.change_at_least or 0.0, alarm.change_at_most or 0.0
    low, high = sorted((abs(least), abs(most))) if least * most > 0 else (0.0, max(abs(least), abs(most)))
    return (
        f", {percent(alarm.reference_share)} -> {percent(alarm.share)} (by {100 * low:.1f} to {100 * high:.1f} points)"
    )


def tell_status(status: Status, now: datetime | None = None) -> Iterator[str]:
    """How a monitor stands, in lines."""
    config = status.config
    if not status.sources:
        yield f"{config.monitor}: nothing was read yet: run driftline monitor"
        return
    series = status.series
    for source in status.sources:
        name = f" from {source.writer}" if len(status.sources) > 1 else ""
        newest = "no rows" if source.newest is None else f"newest row {_ago(source.newest, now)}"
        rows = counted(source.counts["rows"], "row")
        odd = {"without a time": source.counts["without_time"], "with an absurd time": source.counts["absurd"]}
        told = "".join(f", {counted(n, 'row')} {what}" for what, n in odd.items() if n)
        late = f", {counted(source.counts['late'], 'row')} late" if source.counts["late"] else ""
        waiting = ", ".join(f"{label} ({counted(n, 'row')})" for label, n in source.open_windows[:MOST_FILES])
        still = f"; still open: {waiting}" if waiting else ""
        yield f"{config.monitor}{name}: {rows}{late}{told}; {newest}{still}"
        if source.learning:
            until = "" if source.learning_until is None else f" until {source.learning_until:%-d %b %Y %H:%M} UTC"
            yield f"   learning the reference{until}: drift alarms and breakages are off"
    yield from _promise(status)
    quiet = sum(row["status"] == "watching" and row["alarm"] is None for row in series)
    listed = status.open[:MOST_ALARMS]
    for alarm in listed:
        yield from alarm_lines(alarm)
    if len(status.open) > len(listed):
        yield f"   and {counted(len(status.open) - len(listed), 'more open alarm')}"
    closed = len(status.alarms) - len(status.open)
    yield f"{counted(len(status.open), 'alarm')} open, {closed} closed; {count(quiet)} series quiet"


def _promise(status: Status) -> Iterator[str]:
    config = status.config
    kept = [row for row in status.series if row["promises"]]
    if kept:
        worst = max(kept, key=lambda row: row["deff"] or 0.0)
        yield f"promise: {config.false_alarms} false at most, on average, over all series; {worst['promise']}"
    bare = status.without_promise
    if bare:
        names = _few([" in ".join(part for part in (row["column"], row["segment"]) if part) for row in bare])
        why = bare[0]["promise"].removeprefix("none: ").removeprefix("none yet: ")
        yield f"no promise for {len(bare)} of {len(status.series)} series: {names}: {why}"
    found = status.smallest_change
    if found is not None:
        best, worst_change = found
        spread = (
            percent(worst_change) if worst_change - best < 0.0005 else f"{percent(best)} to {percent(worst_change)}"
        )
        yield (
            f"finds: changes above {spread} of the rows, however long it takes, by column: the tolerance of "
            f"{percent(config.tolerance)} and what the reference leaves open"
        )


def tell_replay(made: Replay) -> Iterator[str]:
    """The past, event by event, beside what a bare threshold would have said."""
    for event in made.events:
        where = " in ".join(part for part in (event["column"], event["segment"]) if part) or "rows"
        share = ""
        if event["reference_share"] is not None and event["share"] is not None:
            share = f", {percent(event['reference_share'])} -> {percent(event['share'])}"
        since = f", since {event['since_window']}" if event["happened"] != "closed" else ""
        told = f"{shown(where, 60)} {event['what']}{share}{since}"
        yield f"{event['window']}  {event['alarm']} {event['happened']}: {told}"
    if not made.events:
        yield "no alarm"
    yield (
        f"{counted(len(made.status.alarms), 'alarm')} in {counted(made.windows, 'window')} of "
        f"{counted(len(made.status.series), 'series').removesuffix('s')}"
    )
    yield (
        f"beside it, PSI > 0.1: {count(made.bare)} of {count(made.series_windows)} windows of series, in "
        f"{count(made.bare_windows)} of {count(made.windows)} windows"
    )
    yield from _promise(made.status)


def _ago(moment: datetime, now: datetime | None) -> str:
    since = (now or datetime.now(UTC)) - moment
    seconds = since.total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{moment:%Y-%m-%d %H:%M} UTC, {counted(int(seconds // size), unit)} ago"
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def status_as_json(status: Status) -> dict[str, Any]:
    """The same for machines."""
    return {
        "monitor": status.config.monitor,
        "sources": [
            {
                **{key: value for key, value in asdict(source).items() if key != "series"},
                "newest": None if source.newest is None else source.newest.isoformat(),
                "learning_until": None if source.learning_until is None else source.learning_until.isoformat(),
                "series": source.series,
            }
            for source in status.sources
        ],
        "alarms": [{**asdict(alarm), "open": alarm.is_open} for alarm in status.alarms],
    }
