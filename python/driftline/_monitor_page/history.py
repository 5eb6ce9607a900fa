"""What each series was like in each window, read from a store."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

from driftline import _core
from driftline._config import Config
from driftline._monitor.status import Status
from driftline._store import Finding, Store
from driftline._store.facts import moment

__all__ = ["STATUSES", "History", "Key", "Latest", "Series", "axis", "history_of"]

STATUSES: Final = ("", "learning", "calibrating", "watching", "no reference", "retyped", "gone")
"""What a series may have been in a window, the first where it was not there; the script knows them by position."""

PLACE: Final = {status: i for i, status in enumerate(STATUSES)}

DRIFT: Final = 8
"""Flag of a window that proves by itself that more than the tolerance moved."""
AMENDED: Final = 16
"""Flag of a window whose data changed after it had closed."""

ROWS_AT_ONCE: Final = 100_000
"""Rows of results that are in memory as dicts at one time."""

LONGEST_GAP: Final = 1_000
"""Windows without rows that are shown one by one; of a longer gap, which one wrong time can make, only the ends."""

SELECTED: Final = (
    "rows",
    "missing",
    "status",
    "verdict",
    "effect",
    "effect_bound",
    "evidence_fast",
    "evidence_strict",
)

MOVED: Final = ("moved", "reference_share", "share")
"""Read of the latest windows only."""

NONE: Final = float("nan")


class Key(NamedTuple):
    """What names a series."""

    writer: str
    segment: str
    column: str


class Latest(NamedTuple):
    """What a series was like in the latest window that told anything."""

    window: int
    """Its place on the axis."""
    effect: float
    bound: float
    moved: str
    reference_share: float | None
    share: float | None


@dataclass(slots=True)
class Series:
    """One series over time: a number a window, NaN where there is none."""

    key: Key
    effect: "array[float]"
    bound: "array[float]"
    missing: "array[float]"
    """Share of the rows without a value."""
    fast: "array[float]"
    """Log10 of the evidence over what raises an alarm."""
    strict: "array[float]"
    flags: bytearray
    latest: Latest | None = None

    @classmethod
    def empty(cls, key: Key, windows: int) -> "Series":
        """A series of which nothing is known."""
        effect, bound, missing, fast, strict = (array("d", [NONE]) * windows for _ in range(5))
        return cls(key, effect, bound, missing, fast, strict, bytearray(windows))


@dataclass(slots=True)
class History:
    """All series of a monitor over one axis of windows."""

    labels: list[str]
    """What windows are called."""
    starts: list[int]
    """When they begin, in microseconds; ascending."""
    rows: list[int]
    """Rows of each window, of all sources."""
    learning: list[bool]
    """Whether the reference was learnt from it."""
    series: list[Series] = field(default_factory=list)
    damaged: list[Finding] = field(default_factory=list)
    """Files of the home that cannot be read: windows that are in no other look as if they had no rows."""
    has_gaps: bool = False
    """Whether long stretches without rows are left out."""


def history_of(status: Status) -> History:
    """Reads the results of a monitor."""
    config = status.config
    store = Store(config.home, skip_damaged=True)
    columns = sorted({series["column"] for series in status.series})
    # Every window has a row of every watched column, so one column names all windows.
    first = store.results(config.monitor, column=columns[:1], select=[]).to_dicts()
    counts: dict[int, int] = {}
    for row in first:
        counts[row["window_start"]] = counts.get(row["window_start"], 0) + 1
    labels, starts, has_gaps = axis(config, counts)
    many = len(starts)
    history = History(labels, starts, [0] * many, [False] * many, has_gaps=has_gaps)
    found: dict[tuple[str, str, str], Series] = {}
    for begin, end in _slices(counts, len(columns)):
        until = None if end is None else moment(end)
        selected = SELECTED if until else SELECTED + MOVED
        results = store.results(config.monitor, since=moment(begin), until=until, select=selected)
        _add(history, found, results.to_dicts())
    history.series = list(found.values())
    history.damaged = store.skipped
    return history


def axis(config: Config, known: Iterable[int]) -> tuple[list[str], list[int], bool]:
    """All windows from the first to the last, those without rows too, and whether long gaps are left out."""
    windows = _core.Windows((config.window.count, config.window.unit), config.timezone)
    numbers = sorted(windows.number(start) for start in known)
    shown = numbers[:1]
    has_gaps = False
    for before, after in pairwise(numbers):
        is_long = after - before > LONGEST_GAP
        has_gaps |= is_long
        shown += [after] if is_long else range(before + 1, after + 1)
    return [windows.label(number) for number in shown], [windows.start_us(number) for number in shown], has_gaps


def _slices(counts: Mapping[int, int], columns: int) -> Iterator[tuple[int, int | None]]:
    """Stretches of time whose results fit into memory, as their begin and the begin of the next."""
    begins: list[int] = []
    size = ROWS_AT_ONCE
    for start in sorted(counts):
        rows = counts[start] * columns
        if size + rows > ROWS_AT_ONCE:
            begins.append(start)
            size = 0
        size += rows
    return zip(begins, [*begins[1:], None], strict=False)


def _add(history: History, found: dict[tuple[str, str, str], Series], results: Iterable[Mapping[str, Any]]) -> None:
    place = {start: i for i, start in enumerate(history.starts)}
    volume: dict[tuple[str, int], int] = {}
    for row in results:
        i = place.get(row["window_start"])
        if i is None:
            continue
        named = (row["writer"], row["segment"], row["column"])
        series = found.get(named)
        if series is None:
            series = found[named] = Series.empty(Key(*named), len(place))
        rows, effect, bound = row["rows"], row["effect"], row["effect_bound"]
        series.flags[i] = (
            PLACE.get(row["status"], 0) | DRIFT * (row["verdict"] == "drift") | AMENDED * (row["revision"] > 1)
        )
        if effect is not None and bound is not None:
            series.effect[i], series.bound[i] = effect, bound
            if series.latest is None or series.latest.window < i:
                series.latest = Latest(
                    i, effect, bound, row.get("moved") or "", row.get("reference_share"), row.get("share")
                )
        if rows:
            series.missing[i] = row["missing"] / rows
        if row["evidence_fast"] is not None:
            series.fast[i], series.strict[i] = row["evidence_fast"], row["evidence_strict"]
        # A list has as many rows here as elements.
        if not series.key.segment and "[]" not in series.key.column:
            # A column that is gone has no rows, others of the window have.
            volume[named[0], i] = max(volume.get((named[0], i), 0), rows)
            history.learning[i] |= row["status"] == "learning"
    for (_, i), rows in volume.items():
        history.rows[i] += rows
