"""Profiles: made from data, merged, saved, shown."""

import operator
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from driftline import _core, _sources
from driftline._column import ColumnProfile
from driftline._format import count, counted, html_table, named, number, percent, shown, text_table, told, value_of_type
from driftline._sources import Path
from driftline.errors import InputError

if TYPE_CHECKING:
    import polars
    import pyarrow
    from rich.table import Table

__all__ = ["Profile", "merge", "profile", "profile_of"]

Part = Literal["counts", "moments", "quantiles", "distinct", "top", "length"]

SHOWN_COLUMNS = 60
"""Columns that a table for people has room for."""

MOST_THREADS = 1024
"""More than any machine has use for."""

FREQUENT_SHARE = 0.005
"""Rarer values tell a reader of the table nothing."""

HEADER = ("column", "type", "missing", "min", "median", "max", "mean", "distinct", "most frequent")
LEFT = (True, True, False, False, False, False, False, False, True)


class Profile(Mapping[str, ColumnProfile]):
    """Mergeable summary of some rows: a mapping of column names to `ColumnProfile`.

    It is made by `profile`, read by `Profile.load` and `Profile.from_arrow`, and never changes. Any library that
    speaks the Arrow PyCapsule interface reads it as a table of one row a column.
    """

    __slots__ = ("_core", "_names")

    def __init__(self, core: _core.Profile) -> None:
        self._core = core
        self._names = dict.fromkeys(core.names)

    @property
    def rows(self) -> int:
        """Rows that were profiled."""
        return self._core.rows

    @property
    def skipped(self) -> dict[str, str]:
        """Columns that cannot be profiled, with their types."""
        return dict(self._core.skipped)

    def __getitem__(self, name: str) -> ColumnProfile:
        return ColumnProfile(self._core.column(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    # Two profiles are the same where they are one: comparing sketches by their bytes would promise too much.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def merge(self, other: "Profile") -> "Profile":
        """A new profile of the rows of both; also written `profile | other`.

        A column that one side lacks is kept, and the other side's rows count as absent in it.

        Raises:
            InputError: A column has another kind or unit on the other side, or was counted over the bins
                of another reference.
        """
        if not isinstance(other, Profile):
            raise TypeError(f"cannot merge a Profile with {type(other).__name__}: profile it first")
        return Profile(self._core.merge(other._core))

    def __or__(self, other: object) -> "Profile":
        return self.merge(other) if isinstance(other, Profile) else NotImplemented

    def save(self, path: Path) -> None:
        """Writes the profile as Parquet to a file or an object-store URL: all of it or nothing.

        Raises:
            InputError: There is no such folder, it is not writable, or a file that is no profile has this name.
            StorageError: The disk is full, or the store fails.
        """
        if _sources.is_url(path):
            from driftline import _remote

            _remote.write_bytes(os.fspath(path), self._core.to_parquet())
        else:
            self._core.save(os.fspath(path))

    @classmethod
    def load(cls, path: Path) -> "Profile":
        """Reads a saved profile from a file or an object-store URL.

        Raises:
            InputError: It is not there, is no profile, is damaged, or is of a newer major version.
            StorageError: The disk or the store fails.
        """
        if not _sources.is_path(path):
            raise TypeError(f"path is of type {type(path).__name__}: give a str or a Path")
        if not _sources.is_url(path):
            return cls(_core.Profile.load(os.fspath(path)))
        from driftline import _remote

        data = _remote.read_bytes(os.fspath(path))
        try:
            return cls(_core.Profile.from_parquet(data))
        except InputError as error:
            raise InputError(f"{os.fspath(path)}: {error}") from None

    @staticmethod
    def is_saved(path: Path) -> bool:
        """Whether this names a saved profile, as a look at the footer tells; an object in a store, as its name does."""
        return _is_saved(path)

    @classmethod
    def from_arrow(cls, table: Any) -> "Profile":
        """Reads a profile from its table, as `to_arrow` gives it: anything with `__arrow_c_stream__`.

        Raises:
            InputError: The table is no profile, is damaged, or is of a newer major version.
        """
        return cls(_core.Profile.from_arrow(table))

    def to_arrow(self) -> "pyarrow.Table":
        """The profile as a table of pyarrow, one row a column.

        Raises:
            ImportError: pyarrow is not installed. Other Arrow libraries read the profile itself.
        """
        try:
            import pyarrow
        except ImportError:
            raise ImportError(
                "to_arrow needs pyarrow: pip install 'driftline[arrow]'; "
                "any library with the Arrow PyCapsule interface reads the profile itself"
            ) from None
        return pyarrow.table(self._core)

    def to_polars(self) -> "polars.DataFrame":
        """The profile as a frame of polars, one row a column, to look at: polars drops the table's metadata.

        Raises:
            ImportError: polars is not installed.
        """
        try:
            import polars
        except ImportError:
            raise ImportError("to_polars needs polars: pip install 'driftline[polars]'") from None
        return polars.DataFrame(self._core)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._core.__arrow_c_stream__(requested_schema)

    def __reduce__(self) -> tuple[Callable[[bytes], "Profile"], tuple[bytes]]:
        return _unpickled, (self._core.to_parquet(),)

    def _title(self) -> str:
        return f"{counted(self.rows, 'row')}, {counted(len(self), 'column')}"

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[bool, ...]]:
        """Header, rows and alignment; columns of the table that would be empty are left out."""
        names = list(self)[:SHOWN_COLUMNS]
        rows = [_cells(self[name]) for name in names]
        filled = [i for i in range(len(HEADER)) if i < 3 or any(row[i] for row in rows)]

        def chosen(cells: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(cells[i] for i in filled)

        return chosen(HEADER), [chosen(row) for row in rows], chosen(LEFT)

    def _notes(self) -> list[str]:
        notes = []
        if len(self) > SHOWN_COLUMNS:
            notes.append(f"... {len(self) - SHOWN_COLUMNS:,} more columns")
        notes += [f"not profiled: {name} ({kind})" for name, kind in list(self.skipped.items())[:SHOWN_COLUMNS]]
        return notes

    def __repr__(self) -> str:
        table = [text_table(*self._table())] if len(self) else []
        return "\n".join([self._title(), *table, *self._notes()])

    def __rich__(self) -> "Table":
        from driftline._rich import table

        return table(self._title(), *self._table(), self._notes())

    def _repr_html_(self) -> str:
        from html import escape

        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes())
        return html_table(self._title(), *self._table()) + notes


def _unpickled(data: bytes) -> Profile:
    return Profile(_core.Profile.from_parquet(data))


def _cells(column: ColumnProfile) -> tuple[str, ...]:
    rows = column.count + column.absent_count
    missing = column.null_count + column.nan_count + column.absent_count
    median = column.quantile(0.5)
    distinct = column.distinct
    top = [item for item in column.top(3) or [] if item.count >= FREQUENT_SHARE * column.count]
    return (
        named(column.name),
        shown(column.type, 22),
        percent(missing / rows) if missing else "0" if rows else "",
        value_of_type(column.min, column.type),
        value_of_type(median.value, column.type) if median else "",
        value_of_type(column.max, column.type),
        number(column.mean) if column.kind == "number" else "",
        count(distinct.value) if distinct else "",
        ", ".join(f"{shown(i.value, 16)} {percent(i.count / column.count)}" for i in top),
    )


def profile(
    data: object,
    *,
    columns: Sequence[str] | None = None,
    k: int = 1600,
    reference: object | None = None,
    collect: Sequence[Part] | Mapping[str, Sequence[Part]] | None = None,
    redact: Sequence[str] = (),
    threads: int | None = None,
    progress: bool | Callable[[int], object] | None = None,
) -> Profile:
    """Profiles any data in one pass.

    Args:
        data: A path, a folder, a glob or a URL of Parquet, CSV or JSON lines, or a list of these; a frame of polars
            (lazy too), pandas, Arrow or DuckDB; a NumPy array, or a dict of arrays or lists; or an iterable
            of frames, arrays or dicts, which is read once and in bounded memory.
        columns: Columns to profile; fields of structs by `a.b`, or all of them by `a`.
        k: Accuracy of the quantiles, 8 to 65535. The error of a rank shrinks like 1/k; 1600 gives .23 %.
        reference: Data, or a profile or the path of one, over whose bins the rows are counted exactly.
        collect: Parts to keep of every column, or by column: `counts` (always kept), `moments`, `quantiles`,
            `distinct`, `top`, `length`.
        redact: Columns of which no value is kept: neither range nor quantiles nor frequent values.
        threads: How many to use; all cores by default.
        progress: `True` shows a bar on stderr, `None` only on a terminal; or a function that is
            called with the number of rows done.

    Raises:
        TypeError: The data are of a type that cannot be read.
        ValueError: An option is out of range, or a column asked for is not there.
        InputError: The data cannot be read or do not fit together.
        StorageError: The disk or the network fails.

    Example:
        >>> p = profile({"amount": [1.0, 2.5, None]})
        >>> p["amount"].null_count, p["amount"].max
        (1, 2.5)
    """
    by_column = collect if isinstance(collect, Mapping) else {}
    return profile_raw(
        data,
        progress=progress,
        columns=None if columns is None else _names("columns", columns),
        k=k,
        collect=None if collect is None or by_column is collect else _names("collect", collect),
        collect_by_column={name: _names("collect", parts) for name, parts in by_column.items()},
        redact=_names("redact", redact),
        reference=None if reference is None else profile_of(reference, threads=threads)._core,
        threads=_threads(threads),
    )


def profile_raw(data: object, *, progress: bool | Callable[[int], object] | None = None, **options: Any) -> Profile:
    """Profiles data with the options of the engine."""
    from driftline._progress import watched

    checked = _core.Options(**options)
    inputs = _sources.open_inputs(data)
    if isinstance(data, Profile):
        raise TypeError("data is a profile already")
    if inputs is not None:
        _refuse_profiles([data] if _sources.is_path(data) else data)
    with watched(progress) as callback:
        if inputs is not None:
            return Profile(_core.profile_inputs(inputs, checked, progress=callback))
        return Profile(_core.profile_batches(_sources.produce(data), checked, progress=callback))


def profile_of(data: object, **options: Any) -> Profile:
    """The profile that `data` is, that a path holds, or that is made of the data."""
    there = profile_there(data)
    return profile(data, **options) if there is None else there


def profile_there(data: object) -> Profile | None:
    """The profile that `data` is or that a path holds; `None` of raw data."""
    if isinstance(data, Profile):
        return data
    if _sources.is_path(data) and _is_saved(data):
        return Profile.load(data)
    return None


def both_there(first: object, second: object) -> tuple[Profile, Profile] | None:
    """The profiles that two local paths hold, read side by side; `None` where either is anything else."""
    paths = [side for side in (first, second) if _sources.is_path(side) and not _sources.is_url(side)]
    if len(paths) < 2 or not all(map(_is_saved, paths)):
        return None
    before, now = _core.Profile.load_both(os.fspath(paths[0]), os.fspath(paths[1]))
    return Profile(before), Profile(now)


def merge(profiles: Iterable[Profile]) -> Profile:
    """A profile of the rows of all of them.

    Raises:
        ValueError: There is no profile to merge.
        InputError: Two of them do not fit together; see `Profile.merge`.
    """
    if isinstance(profiles, Profile):
        return profiles
    merged: Profile | None = None
    for one in profiles:
        if not isinstance(one, Profile):
            raise TypeError(f"cannot merge {type(one).__name__}: profile it first")
        merged = one if merged is None else merged.merge(one)
    if merged is None:
        raise ValueError("no profiles to merge")
    return merged


def _names(option: str, names: Any) -> list[str]:
    """A list of names; a single string is a mistake that would be read letter by letter."""
    if isinstance(names, str):
        raise TypeError(f'{option} is "{names}": it takes a list, such as ["{names}"]')
    if not isinstance(names, Iterable):
        raise TypeError(f"{option} is {told(names)}: it takes a list of names")
    listed = list(names)
    wrong = next((name for name in listed if not isinstance(name, str)), None)
    if wrong is not None:
        raise TypeError(f"{option} has {wrong!r}: it takes names")
    return listed


def _threads(threads: Any) -> int:
    """How many threads to use, 0 for all cores."""
    if threads is None:
        return 0
    if isinstance(threads, bool) or not hasattr(threads, "__index__"):
        raise TypeError(f"threads is {told(threads)}: it takes a whole number, or None for all cores")
    if not 0 <= threads <= MOST_THREADS:
        raise ValueError(f"threads is {threads}: it must be 0 (all cores) to {MOST_THREADS}")
    return operator.index(threads)


def _is_saved(path: Path) -> bool:
    """Whether this names a saved profile."""
    name = os.fspath(path)
    if not _sources.is_url(name):
        return _core.is_profile(name)
    # Nothing short of reading it tells, so an object says so by its name.
    return name.endswith(".profile.parquet")


def _refuse_profiles(paths: Any) -> None:
    for path in paths:
        if _is_saved(path):
            raise InputError(f"{os.fspath(path)}: is a saved profile: read it with Profile.load")
