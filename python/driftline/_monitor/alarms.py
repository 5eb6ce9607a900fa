"""Events of alarms put together: a row for each alarm, as it stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from driftline._config import Config
from driftline._store import Store
from driftline._store.facts import moment

__all__ = ["Alarm", "Latest", "alarms_in", "alarms_of", "how_many", "tell_latest", "told_together"]

RECENT: Final = 3
"""Windows back from the newest row among which the latest that closed is looked for."""

SELECTED: Final = ("window", "moved", "reference_share", "share", "effect", "effect_bound")


@dataclass(frozen=True, slots=True)
class Latest:
    """What the latest window says of a series."""

    window: str
    moved: str
    """The rows whose share differs most from the reference; what an alarm is about may be other ones."""
    reference_share: float
    """Their share of the reference."""
    share: float
    """Their share of the window."""
    effect: float
    """The share of the rows that moved."""
    effect_bound: float
    """At most so large a share of the rows moved."""


@dataclass(slots=True)
class Alarm:
    """One alarm as it stands.

    Its shares are of the rows that raised it, from `since` to `opened`; `latest` tells what has become of it.
    """

    id: str
    """`A1`, `A2`: its number in its monitor."""
    segment: str
    """Empty for all rows."""
    column: str
    """Empty for a rule about whole rows."""
    detector: str
    """`fast`, `strict`, `breakage` or `rule`."""
    opened: str
    """The window after which it was raised."""
    opened_us: int
    since: str
    """The window since which it has been so."""
    since_us: int
    rows: int
    """Rows since then: the evidence."""
    what: str
    """Which rows moved, or which rule is broken."""
    reference_share: float | None
    """The share of the reference that these rows had; `None` of a rule."""
    share: float | None
    """Their share of the rows since then."""
    change_at_least: float | None
    change_at_most: float | None
    """Bounds of how much the share changed, at 95 %."""
    promise: str
    """Under which assumptions it is no false one."""
    closed: str | None = None
    """The window after which it closed; `None` while it is open."""
    closed_us: int | None = None
    also: list[str] = field(default_factory=list)
    """What moved later."""
    reopened: int = 0
    raised_us: int | None = None
    """The window after which it was raised last: that of `opened`, or a later one where it was reopened."""
    data_changed: bool = False
    """Whether the data of its windows were changed after it was raised."""
    latest: Latest | None = None
    """What the latest window says, of an open alarm about what is watched; `None` of rules and of closed ones."""

    @property
    def writer(self) -> str:
        """The source that its rows came from: alarms of several sources say theirs in their ids."""
        return self.id.partition("@")[2] or "main"

    @property
    def is_open(self) -> bool:
        """Whether what moved is not back."""
        return self.closed is None


def alarms_in(store: Store, monitor: str) -> list[Alarm]:
    """The alarms of a monitor as they stand, in the order of their numbers."""
    events = store.alarms(monitor).to_dicts()
    if not events:
        return []
    # Only windows between what an alarm is about and its raising can change it.
    first, last = min(event["since"] for event in events), max(event["window_start"] for event in events)
    results = store.amended(monitor, since=moment(first), until=moment(last + 1)).to_dicts()
    amended = {(row["writer"], row["segment"], row["window_start"]) for row in results}
    return alarms_of(events, amended)


def tell_latest(store: Store, config: Config, alarms: Sequence[Alarm], newest: datetime | None) -> None:
    """Tells open alarms what the latest window says of their series.

    Args:
        store: Where results are.
        config: The monitor.
        alarms: All of its alarms.
        newest: The latest time of any row, so that only few windows are read; all are where it is not known.
    """
    asked = {
        (alarm.writer, alarm.segment, alarm.column): alarm
        for alarm in alarms
        if alarm.is_open and alarm.reference_share is not None
    }
    if not asked:
        return
    columns, segments = sorted({column for _, _, column in asked}), sorted({segment for _, segment, _ in asked})
    back = timedelta(seconds=RECENT * config.window.mean_s + config.lateness_s)
    since = None if newest is None else newest - back
    rows = store.results(config.monitor, column=columns, segment=segments, since=since, select=SELECTED).to_dicts()
    for row in sorted(rows, key=lambda row: row["window_start"]):
        alarm = asked.get((row["writer"], row["segment"], row["column"]))
        if alarm is not None and row["moved"] is not None:
            alarm.latest = Latest(**{name: row[name] for name in SELECTED})


def alarms_of(events: Iterable[Mapping[str, Any]], amended: Iterable[tuple[str, str, int]] = ()) -> list[Alarm]:
    """Alarms in the order of their numbers.

    Args:
        events: Rows of the table of alarms.
        amended: Writer, segment and start, in microseconds, of windows whose data changed after they had closed.
    """
    alarms: dict[str, Alarm] = {}
    writers: dict[str, str] = {}
    for event in sorted(events, key=lambda event: (_number(event["alarm"]), event["event"])):
        alarm = alarms.get(event["alarm"])
        if alarm is None:
            alarm = alarms[event["alarm"]] = _opened(event)
            writers[event["alarm"]] = event["writer"]
            # Where the file with its beginning is lost, what is left of it stands for it.
            if event["happened"] != "closed":
                continue
        match event["happened"]:
            case "extended":
                alarm.also.append(event["what"])
            case "closed":
                alarm.closed, alarm.closed_us = event["window"], event["window_start"]
            case "reopened":
                alarm.closed, alarm.closed_us = None, None
                alarm.reopened += 1
                alarm.raised_us = event["window_start"]
    changed: dict[tuple[str, str], list[int]] = {}
    for writer, segment, start in amended:
        changed.setdefault((writer, segment), []).append(start)
    for name, alarm in alarms.items():
        starts = changed.get((writers[name], alarm.segment), [])
        alarm.data_changed = any(alarm.since_us <= start <= alarm.opened_us for start in starts)
    return list(alarms.values())


def told_together(alarms: Iterable[Alarm]) -> list[tuple[Alarm, list[Alarm]]]:
    """Alarms as they are told, each with the declared checks that say no more than it does.

    A column that is broken, gone or retyped breaks its checks in the same window: that is one thing, as long as both
    are open or closed with the same window. All of them are alarms, in the store and where alarms are counted.
    """
    listed = list(alarms)
    checks: dict[tuple[object, ...], list[Alarm]] = {}
    for alarm in filter(_is_check, listed):
        checks.setdefault(_when(alarm), []).append(alarm)
    told = [(alarm, checks.pop(_when(alarm), [])) for alarm in listed if _says_why(alarm)]
    together = {alarm.id: with_it for alarm, with_it in told}
    within = {check.id for _, with_it in told for check in with_it}
    return [(alarm, together.get(alarm.id, [])) for alarm in listed if alarm.id not in within]


def how_many(told: Iterable[tuple[Alarm, list[Alarm]]]) -> int:
    """Alarms that are told so, checks among them."""
    return sum(1 + len(checks) for _, checks in told)


def _says_why(alarm: Alarm) -> bool:
    """Whether all rows of a column are wrong, which breaks any check of it."""
    return (alarm.detector == "breakage" and not alarm.segment) or (alarm.detector == "rule" and not _is_check(alarm))


def _is_check(alarm: Alarm) -> bool:
    """Whether it is of a declared check, and of no rule of all monitors: about whole rows, or what a column is."""
    return alarm.detector == "rule" and bool(alarm.column) and not alarm.what.startswith("the column is ")


def _when(alarm: Alarm) -> tuple[object, ...]:
    return alarm.writer, alarm.column, alarm.raised_us or alarm.opened_us, alarm.closed_us


def _number(alarm: str) -> tuple[str, int]:
    """Source and number of an id: `A7`, `A7@host`."""
    number, _, writer = alarm.partition("@")
    return writer, int(number[1:])


def _opened(event: Mapping[str, Any]) -> Alarm:
    return Alarm(
        id=event["alarm"],
        segment=event["segment"],
        column=event["column"],
        detector=event["detector"],
        opened=event["window"],
        opened_us=event["window_start"],
        raised_us=event["window_start"],
        since=event["since_window"],
        since_us=event["since"],
        rows=event["rows"],
        what=event["what"],
        reference_share=event["reference_share"],
        share=event["share"],
        change_at_least=event["change_at_least"],
        change_at_most=event["change_at_most"],
        promise=event["promise"],
    )
