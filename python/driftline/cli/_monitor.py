"""What `driftline monitor` and `driftline status` say."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from driftline._format import count, counted, percent, shown
from driftline._monitor import words
from driftline._monitor.alarms import Alarm, how_many, told_together
from driftline._monitor.archive import ReadSummary
from driftline._monitor.replay import Replay
from driftline._monitor.status import Status

__all__ = ["alarm_lines", "status_as_json", "summary_lines", "tell_replay", "tell_status"]

MOST_ALARMS = 20
"""Alarms that are listed; the rest is counted."""

MOST_CLOSED = 3
"""Alarms that closed, the latest of them."""

LATE_SHARE = 0.05
"""Of the new rows: where more come late, the order of the files is worth a look."""

ASIDE = "counted, and in no window"

MOST_FILES = 5
"""Files that are named."""


def summary_lines(summary: ReadSummary) -> Iterator[str]:
    """What a run read."""
    speed = f"{summary.seconds:.1f} s"
    yield f"{counted(summary.files, 'new file')}, {counted(summary.rows, 'row')}, {speed}"
    if summary.late > LATE_SHARE * summary.rows:
        yield (
            f"{count(summary.late)} of these rows came late, after their windows had been judged: they are counted, "
            "as more evidence of these windows"
        )
    if summary.late and not summary.amended and not summary.changed:
        yield f"{counted(summary.late, 'row')} came late: their windows are amended when the next one closes"
    if summary.without_time:
        yield f"{counted(summary.without_time, 'new row')} without a time: {ASIDE}"
    if summary.absurd:
        yield f"{counted(summary.absurd, 'new row')} from before 1970 or more than a day ahead of the clock: {ASIDE}"
    if summary.grown:
        yield f"grown since the last run, and read on: {words.few(summary.grown)}"
    if summary.changed:
        windows = words.few(summary.amended) if summary.amended else "none that had closed"
        yield f"changed since the last run: {words.few(summary.changed)}; windows counted anew: {windows}"
    elif summary.amended:
        yield f"rows came late: windows amended: {words.few(summary.amended)}"
    if summary.without:
        yield f"these windows have no rows of {words.few(summary.without)} any more, which can be read no more"
    if summary.unreadable:
        yield f"could not be read, and is tried again in the next run: {words.few(list(summary.unreadable))}"
    if summary.torn:
        yield f"read without a last line that is not whole yet: {words.few(summary.torn)}"
    for name, first in list(summary.moved.items())[:MOST_FILES]:
        yield f"{name} is what {first} was: not read again"
    for name, first in list(summary.again.items())[:MOST_FILES]:
        yield f"{name} holds what {first} held: not read again"
    if summary.gone:
        yield f"gone since the last run: {words.few(summary.gone)}; what they held stands"
    for name, (rows, of) in list(summary.partly.items())[:MOST_FILES]:
        yield f"{name} is gone after {count(rows)} of its {count(of)} rows were read: the others are missing"


def alarm_lines(alarm: Alarm, checks: Sequence[Alarm] = ()) -> Iterator[str]:
    """An alarm in a few lines, with the checks that it breaks."""
    where = words.place(alarm.column, alarm.segment)
    state = "OPEN" if alarm.is_open else f"closed {alarm.closed}"
    yield f"{alarm.id} {state}, since {alarm.since}: {shown(where, 60)} {alarm.what}{_shares(alarm)}"
    notes = [f"found by the {alarm.detector} detector after {alarm.opened}" if alarm.detector != "rule" else ""]
    notes += [f"then also {words.few(alarm.also)}" if alarm.also else ""]
    notes += ["the data changed since" if alarm.data_changed else "", *words.checks(checks)]
    told = "; ".join(note for note in notes if note)
    if told:
        yield f"   {told}"


def _shares(alarm: Alarm) -> str:
    points = words.points(alarm)
    if points is None:
        return ""
    least, most = points
    return f", {percent(alarm.reference_share)} -> {percent(alarm.share)} (by {least:.1f} to {most:.1f} points)"


def tell_status(status: Status, now: datetime | None = None) -> Iterator[str]:
    """How a monitor stands, in lines."""
    config = status.config
    yield from words.damaged(status)
    if not status.sources and not status.damaged:
        yield f"{config.monitor}: nothing was read yet into {config.home}: run driftline monitor"
        return
    for source in status.sources:
        name = f" from {source.writer}" if len(status.sources) > 1 else ""
        yield f"{config.monitor}{name}: {words.rows_of(source, now)}"
        for told in (words.learning(source), words.segments(source, config.segment_limit)):
            if told is not None:
                yield f"   {told}"
    yield from words.promise(status)
    opened = told_together(status.open)
    for alarm, checks in opened[:MOST_ALARMS]:
        yield from alarm_lines(alarm, checks)
        latest = alarm.latest
        if latest is not None:
            shares = f"{percent(latest.reference_share)} -> {percent(latest.share)}"
            yield f"   in {latest.window}: {shown(latest.moved, 60)}, {shares}"
    if len(opened) > MOST_ALARMS:
        yield f"   and {counted(how_many(opened[MOST_ALARMS:]), 'more open alarm')}"
    closed = told_together(sorted(status.closed, key=lambda alarm: alarm.closed_us or 0))
    for alarm, _ in closed[-MOST_CLOSED:]:
        yield next(alarm_lines(alarm))
    yield words.summary(status)


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
        f"{count(len(made.status.series))} series"
    )
    yield (
        f"beside it, PSI > 0.1: {count(made.bare)} of {count(made.series_windows)} windows of series, in "
        f"{count(made.bare_windows)} of {count(made.windows)} windows"
    )
    yield from words.promise(made.status)


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
        "damaged": [finding._asdict() for finding in status.damaged],
        "alarms": [{**asdict(alarm), "open": alarm.is_open} for alarm in status.alarms],
    }
