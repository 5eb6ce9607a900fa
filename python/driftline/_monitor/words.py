"""What is said of a monitor, wherever it is said."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from driftline._format import count, counted, percent
from driftline._monitor.alarms import Alarm
from driftline._monitor.status import Source, Status

__all__ = [
    "checks",
    "damaged",
    "few",
    "learning",
    "place",
    "points",
    "promise",
    "rows_of",
    "segments",
    "state_of",
    "summary",
]

OTHER = "=__other__"
"""What stands in the name of a segment of rows that have none of their own."""

MOST_NAMED = 5
"""Names of files and windows that are listed; the rest is counted."""


def few(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    unique = list(dict.fromkeys(names))
    rest = f" and {len(unique) - MOST_NAMED} more" if len(unique) > MOST_NAMED else ""
    return ", ".join(unique[:MOST_NAMED]) + rest


def place(column: str, segment: str) -> str:
    """What is watched: a column, that of a segment, or whole rows."""
    return " in ".join(part for part in (column, segment) if part) or "rows"


def points(alarm: Alarm) -> tuple[float, float] | None:
    """By how many points the share changed at least and at most, whichever way."""
    if alarm.reference_share is None or alarm.share is None:
        return None
    least, most = alarm.change_at_least or 0.0, alarm.change_at_most or 0.0
    low, high = sorted((abs(least), abs(most))) if least * most > 0 else (0.0, max(abs(least), abs(most)))
    return 100 * low, 100 * high


def checks(broken: Sequence[Alarm]) -> Iterator[str]:
    """Checks that an alarm breaks too, which are told beside it."""
    for check in broken:
        yield f"it breaks a check too, {check.id}: {check.what}"


def damaged(status: Status) -> Iterator[str]:
    """Which files of the home cannot be read, what to do, and which alarms are open of which no more is known."""
    for finding in status.damaged:
        yield f"damaged: {finding}"
    if status.damaged:
        yield "what these files hold is missing below; driftline status --verify reads the whole store"
    for row in status.unread:
        yield f"{row['alarm']} of {place(row['column'], row['segment'])} is open, and what it says cannot be read"


def rows_of(source: Source, now: datetime | None = None) -> str:
    """Rows of a source, the newest, and windows that are still open."""
    newest = "no rows" if source.newest is None else f"newest row {_ago(source.newest, now)}"
    rows = counted(source.counts["rows"], "row")
    odd = {"without a time": source.counts["without_time"], "with an absurd time": source.counts["absurd"]}
    told = "".join(f", {counted(n, 'row')} {what}" for what, n in odd.items() if n)
    late = f", {counted(source.counts['late'], 'row')} late" if source.counts["late"] else ""
    waiting = ", ".join(f"{label} ({counted(n, 'row')})" for label, n in source.open_windows[:MOST_NAMED])
    still = f"; still open: {waiting}" if waiting else ""
    return f"{rows}{late}{told}; {newest}{still}"


def learning(source: Source) -> str | None:
    """That a reference is still learnt, where it is."""
    if not source.learning:
        return None
    until = "" if source.learning_until is None else f" until {source.learning_until:%-d %b %Y %H:%M %Z}"
    return f"learning the reference{until}: drift alarms and breakages are off"


def promise(status: Status) -> Iterator[str]:
    """What is promised of which series, and the smallest change that can be found."""
    config = status.config
    kept = [row for row in status.series if row["promises"]]
    if kept:
        worst = max(kept, key=lambda row: row["deff"] or 0.0)
        over = "on average, over all series of a source"
        yield f"promise: {config.false_alarms} false at most, {over}; {worst['promise']}"
    for bare in _without_promise(status):
        names = few([place(row["column"], row["segment"]) for row in bare])
        why = bare[0]["promise"].removeprefix("none: ").removeprefix("none yet: ")
        first = "" if len(bare) == 1 else "of the first, "
        yield f"no promise for {len(bare)} of {len(status.series)} series: {names}: {first}{why}"
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


def _without_promise(status: Status) -> Iterator[list[dict[str, Any]]]:
    """Series of which nothing is promised, for each reason those that lack most first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in status.without_promise:
        found.setdefault(row["promise_kind"], []).append(row)
    for kind, rows in sorted(found.items()):
        if kind == "none":
            yield sorted(rows, key=lambda row: -(row["covering_percent"] or 100))
        else:
            yield sorted(rows, key=lambda row: row["reference_windows"])


def segments(source: Source, limit: int) -> str | None:
    """That there are as many segments as are watched apart, where it is so: others have no series of their own."""
    names = {row["segment"] for row in source.series if row["segment"]}
    pooled = {name for name in names if OTHER in name}
    if len(names - pooled) < limit:
        return None
    where = few(sorted(pooled, key=len))
    return f"{counted(limit, 'segment')} watched apart, which is the limit: the rows of any others are in {where}"


def state_of(standing: Mapping[str, Any] | None, alarms: Iterable[Alarm]) -> str:
    """What is said of a series, here and wherever series are counted, in a word.

    `open` where an alarm is; of those that are watched else `closed` where there was one, `quiet` where there was none;
    and of all others where they stand.

    Args:
        standing: How it stands, where its source still has it.
        alarms: All of its alarms.
    """
    listed = list(alarms)
    # One that cannot be read is known by the series.
    if any(alarm.is_open for alarm in listed) or (standing is not None and standing["alarm"] is not None):
        return "open"
    word = "no reference" if standing is None else str(standing["status"])
    if word != "watching":
        return word
    return "closed" if listed else "quiet"


def summary(status: Status) -> str:
    """How many alarms are open, how many series are quiet, and how many are not watched yet."""
    alarms: dict[tuple[str, str, str], list[Alarm]] = {}
    for alarm in status.alarms:
        alarms.setdefault((alarm.writer, alarm.segment, alarm.column), []).append(alarm)
    words = Counter(
        state_of(row, alarms.get((source.writer, row["segment"], row["column"]), ()))
        for source in status.sources
        for row in source.series
        # Where there are no more values than are watched apart, no row is of any other.
        if not (OTHER in row["segment"] and row["status"] == "no reference")
    )
    # Alarms are counted, and not their series.
    words.pop("open", None)
    opened, closed = len(status.open) + len(status.unread), len(status.closed)
    told = [f"{count(words.pop('quiet', 0))} series quiet"]
    over = words.pop("closed", 0)
    told += [f"{count(over)} quiet again"] if over else []
    told += [f"{count(number)} {word}" for word, number in sorted(words.items())]
    return f"{counted(opened, 'alarm')} open, {count(closed)} closed; {', '.join(told)}"


def _ago(moment: datetime, now: datetime | None) -> str:
    since = (now or datetime.now(UTC)) - moment
    seconds = since.total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{moment:%Y-%m-%d %H:%M %Z}, {counted(int(seconds // size), unit)} ago"
    return f"{moment:%Y-%m-%d %H:%M %Z}"
