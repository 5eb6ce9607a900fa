"""Rows as they come back from a store."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from driftline import _core
from driftline._profile import Profile

if TYPE_CHECKING:
    import polars
    import pyarrow

__all__ = ["Facts", "WindowProfile", "microseconds", "moment", "window_profiles"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

EXAMPLE = "datetime(2026, 11, 3, 14, tzinfo=UTC)"
"""A time as it is to be written."""


class Facts:
    """A table of a store: any library that speaks the Arrow PyCapsule interface reads it."""

    __slots__ = ("_core",)

    def __init__(self, core: _core.Facts) -> None:
        self._core = core

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._core.rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns, the identity first."""
        return self._core.names

    def to_arrow(self) -> "pyarrow.Table":
        """The rows as a table of pyarrow.

        Raises:
            ImportError: pyarrow is not installed.
        """
        try:
            import pyarrow
        except ImportError:
            raise ImportError("to_arrow needs pyarrow: pip install 'driftline[arrow]'") from None
        return pyarrow.table(self._core)

    def to_polars(self) -> "polars.DataFrame":
        """The rows as a frame of polars.

        Raises:
            ImportError: polars is not installed.
        """
        try:
            import polars
        except ImportError:
            raise ImportError("to_polars needs polars: pip install 'driftline[polars]'") from None
        return polars.DataFrame(self._core)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dicts, of text, numbers, flags and times; times are microseconds since 1970, in UTC."""
        return self._core.to_dicts()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._core.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return self.rows

    def __repr__(self) -> str:
        return f"Facts({self.rows} rows: {', '.join(self.columns)})"


class WindowProfile(NamedTuple):
    """The profile of a segment in a window, merged over all writers."""

    monitor: str
    segment: str
    window_start: datetime
    profile: Profile


def window_profiles(facts: Facts) -> list[WindowProfile]:
    """The profiles that rows of the table `profiles` are."""
    return [
        WindowProfile(monitor, segment, moment(start), Profile(profile))
        for monitor, segment, start, profile in facts._core.window_profiles()
    ]


def moment(us: int) -> datetime:
    """The inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=us)


def microseconds(name: str, time: datetime) -> int:
    """A time as the engine takes it."""
    # The missing time of pandas calls itself a datetime, and is not equal to itself.
    if not isinstance(time, datetime) or time != time:
        raise TypeError(f"{name} is {time!r}: it takes a datetime with a zone, such as {EXAMPLE}")
    if time.utcoffset() is None:
        raise ValueError(f"{name} is {time}, without a zone: it takes a datetime with one, such as {EXAMPLE}")
    return (time - EPOCH) // timedelta(microseconds=1)
