"""What is known of some data before anything is guessed: a profile, and the times that columns hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from driftline import _core, _sources
from driftline._column import ColumnProfile
from driftline._init.readable import read
from driftline._profile import Profile
from driftline.errors import InputError

__all__ = ["ColumnFacts", "Facts", "look"]

DAY_US: Final = 86_400_000_000
PER_UNIT_US: Final = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3, "d": float(DAY_US)}

OLDEST_US: Final = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""Whole numbers that stand for earlier times are no times: an age, a count, the days of a calendar."""

TEXT_OF_A_TIME: Final = (8, 40)
"""Characters that ISO 8601 takes, from a date to nanoseconds with an offset."""

RARE: Final = 0.001
"""The share of the rows at either end without which the times still tell where the bulk of them lies."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known of one column."""

    name: str
    kind: str
    """As of a profile: `number`, `time`, `category`, `list`, `embedding` or `null`."""
    type: str
    rows: int
    missing: int
    """Rows that lack a value."""
    distinct: float | None = None
    distinct_most: float | None = None
    """Upper bound of that, where it is an estimate."""
    least: float | None = None
    most: float | None = None
    top: tuple[tuple[object, int], ...] = ()
    """The most frequent values and their rows, where they are few."""
    length: tuple[float, float, float] | None = None
    """Shortest, mean and longest text."""
    span_us: tuple[int, int] | None = None
    """First and last time that all files could be read by; `None` where the column holds no times."""
    bulk_us: tuple[int, int] | None = None
    """The same without the first and last thousandth of the rows."""
    early_share: float | None = None
    """The share of the rows in the first quarter of the span."""
    refused: str | None = None
    """Why a file could not be read by the times of this column."""

    @property
    def values(self) -> int:
        """Rows that have a value."""
        return self.rows - self.missing

    @property
    def is_whole(self) -> bool:
        """Whether the values are whole numbers by their type."""
        return self.type.startswith(("int", "uint"))

    @property
    def is_text(self) -> bool:
        """Whether the values are text."""
        return self.type.startswith(("string", "dictionary", "large_string", "utf8"))

    @property
    def is_distinct(self) -> bool:
        """Whether nearly every row has a value of its own."""
        # An estimate may be off by some percent.
        most = self.distinct if self.distinct_most is None else self.distinct_most
        return most is not None and self.values > 1 and most >= 0.98 * self.values


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of some data."""

    rows: int
    files: int
    columns: tuple[ColumnFacts, ...]
    unreadable: dict[str, str] = field(default_factory=dict)
    """Files that cannot be read, and why; they are no part of what else is said."""
    retyped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that are of several kinds in these files, with their types."""


def look(data: Sequence[str], *, now_us: int, time: str | None = None) -> Facts:
    """Looks at data.

    Args:
        data: Files, folders, globs or URLs.
        now_us: What the clock says, in microseconds; rows from more than a day later have no time.
        time: The column of the times, where the user said so.

    Raises:
        InputError: There is no file, one cannot be read, or there are no rows.
        StorageError: The disk or the network fails.
    """
    for path in data:
        if Profile.is_saved(path):
            raise InputError(f"{path}: is a saved profile, which holds no rows: name the data that it was made of")
    found = read(_sources.open_inputs(list(data)) or [])
    made, inputs = found.profile, found.inputs
    if not made.rows or not len(made):
        named = data[0] if len(data) == 1 else f"{data[0]} and {len(data) - 1} more"
        raise InputError(f"{named}: has no rows: there is nothing to guess from; name a log of some days or weeks")
    columns = [_facts(made, column) for column in made.values()]
    columns = [_with_span(column, inputs, made, now_us, time == column.name) for column in columns]
    return Facts(made.rows, len(inputs), tuple(columns), found.unreadable, found.retyped)


def _facts(made: Profile, column: ColumnProfile) -> ColumnFacts:
    distinct, length = column.distinct, column.length
    nan = column.nan_count
    return ColumnFacts(
        name=column.name,
        kind=column.kind,
        type=column.type,
        rows=made.rows,
        missing=made.rows if column.kind == "null" else column.null_count + column.absent_count + nan,
        distinct=None if distinct is None else float(distinct.value),
        distinct_most=None if distinct is None or distinct.lower == distinct.upper else float(distinct.upper),
        least=None if column.min is None else float(column.min),
        most=None if column.max is None else float(column.max),
        top=tuple((item.value, item.count) for item in column.top(50) or []),
        length=None if length is None or length.min is None else (length.min, length.mean or 0.0, length.max or 0.0),
    )


def _with_span(
    column: ColumnFacts, inputs: Sequence[_core.Input], made: Profile, now_us: int, is_named: bool
) -> ColumnFacts:
    """The column with the times that it holds, where its type and its values may be some."""
    if not (is_named or _may_be_times(column, now_us)):
        return column
    spans = []
    for item in inputs:
        try:
            span = _core.Times(item, column.name, now_us + DAY_US).span
        except InputError as error:
            if is_named:
                raise InputError(f"{error}; --time takes a column of times") from None
            return replace(column, refused=str(error))
        if span is not None:
            spans.append(span)
    if not spans:
        return column
    first, last = min(first for first, _ in spans), max(last for _, last in spans)
    profiled = made[column.name]
    bulk = early = None
    if column.kind in ("time", "number"):
        ends = profiled.quantiles([RARE, 1 - RARE])
        if ends is not None:
            bulk = (_instant_us(ends[0].value, column.type), _instant_us(ends[1].value, column.type))
        if column.least is not None:
            # In the unit of the column; absurd times, which are in no span, count for nothing.
            per_us = 1 / _unit_us(column.least, column.type)
            quarter = profiled.cdf((first + (last - first) / 4) * per_us)
            early = None if quarter is None else float(quarter.value)
    return replace(column, span_us=(first, last), bulk_us=bulk, early_share=early)


def _may_be_times(column: ColumnFacts, now_us: int) -> bool:
    if column.kind == "time":
        return column.type.startswith(("timestamp", "date"))
    if column.is_text and column.length is not None:
        shortest, mean, longest = column.length
        low, high = TEXT_OF_A_TIME
        # A few may be empty or say something else; most are of the length of a time.
        return low <= mean <= high and longest <= 2 * high and shortest <= high
    if column.is_whole and column.least is not None and column.most is not None:
        first, last = _instant_us(column.least, column.type), _instant_us(column.most, column.type)
        return first >= OLDEST_US and last <= now_us + DAY_US
    return False


def _instant_us(value: float, type_name: str) -> int:
    """A number of a column as microseconds since 1970, as the monitor reads it."""
    return int(value * _unit_us(value, type_name))


def _unit_us(value: float, type_name: str) -> float:
    """Microseconds that a number of a column counts: its type tells them, or its size."""
    unit = type_name.partition("[")[2].rstrip("]").split(",")[0]
    if unit in PER_UNIT_US:
        return PER_UNIT_US[unit]
    size = abs(value)
    return 1e6 if size < 1e11 else 1e3 if size < 1e14 else 1.0 if size < 1e17 else 1e-3
