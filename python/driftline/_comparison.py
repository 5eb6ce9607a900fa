"""Comparisons: what changed between two profiles, and how sure that is."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from driftline import _core
from driftline._column_comparison import FIELDS, ColumnComparison, Moved, rows_shown
from driftline._format import count, counted, html_table, named, percent, text_table, whole_percent
from driftline._profile import Profile

if TYPE_CHECKING:
    import polars
    import pyarrow
    from rich.table import Table

__all__ = ["Comparison"]

SHOWN_COLUMNS = 60
"""Columns of one verdict that a text for people has room for."""

FEW = 3
"""Columns that are not judged for one reason and that are named on its line; more are counted."""


class Comparison(Mapping[str, ColumnComparison]):
    """Two profiles side by side: a mapping of column names to `ColumnComparison`."""

    __slots__ = ("_columns", "_core", "_names", "_options", "_profiles", "_seconds", "_statistics")

    def __init__(
        self,
        core: _core.Comparison,
        profiles: tuple[Profile, Profile],
        names: tuple[str | None, str | None],
        options: dict[str, Any],
        seconds: float,
    ) -> None:
        self._core = core
        self._names = names
        self._profiles = profiles
        self._options = options
        self._seconds = seconds
        self._statistics: dict[int, dict[str, float]] = {}
        self._columns = {column["name"]: self._column(i, column) for i, column in enumerate(core.columns)}

    def _column(self, position: int, column: dict[str, Any]) -> ColumnComparison:
        largest = column["largest"]
        fields = {
            **column,
            "largest": None if largest is None else Moved(*largest),
            "moved": tuple(Moved(*moved) for moved in column["moved"]),
        }
        return ColumnComparison(self, position, fields)

    @property
    def reference(self) -> Profile:
        """The profile of the reference."""
        return self._profiles[0]

    @property
    def current(self) -> Profile:
        """The profile of what came later."""
        return self._profiles[1]

    @property
    def reference_name(self) -> str | None:
        """The path that the reference was read from; `None` of data and profiles in memory."""
        return self._names[0]

    @property
    def current_name(self) -> str | None:
        """The same of what came later."""
        return self._names[1]

    @property
    def reference_rows(self) -> int:
        """Rows of the reference."""
        return self._core.reference_rows

    @property
    def current_rows(self) -> int:
        """Rows now."""
        return self._core.current_rows

    @property
    def tolerance(self) -> float:
        """Share of the rows up to which a change does not matter."""
        return float(self._options["tolerance"])

    @property
    def alpha(self) -> float:
        """Accepted share of false findings."""
        return float(self._options["alpha"])

    @property
    def resolution(self) -> float:
        """The change that `stable` excludes at tolerance 0."""
        return float(self._options["resolution"])

    @property
    def correction(self) -> str:
        """How p-values are corrected for the number of columns."""
        return str(self._options["correction"])

    @property
    def seconds(self) -> float:
        """How long it took, reading included."""
        return self._seconds

    @property
    def drifted(self) -> list[str]:
        """Columns proven to have changed by more than the tolerance, largest change first."""
        return [column.name for column in self._of("drift")]

    @property
    def stable(self) -> list[str]:
        """Columns proven to have changed by no more than the tolerance."""
        return [column.name for column in self._of("stable")]

    @property
    def undecided(self) -> list[str]:
        """Columns of which the data prove neither."""
        return [column.name for column in self._of("undecided")]

    @property
    def changed(self) -> bool:
        """Whether anything is proven to have changed: what `--fail-on drift` asks.

        A column drifted, is gone or was retyped, or one that is not judged by its values has another share of missing
        rows or other lengths.
        """
        aside = any(column.moved for column in self._of("not judged"))
        return bool(self.drifted or self.only_in_reference or self.retyped or aside)

    @property
    def retyped(self) -> dict[str, str]:
        """Columns whose values are of another kind now, and of which."""
        return {column.name: column.reason or "" for column in self._of("retyped")}

    @property
    def not_judged(self) -> dict[str, str]:
        """Columns whose values are not compared, and why."""
        return {column.name: column.reason or "" for column in self._of("not judged")}

    @property
    def only_in_reference(self) -> list[str]:
        """Columns that are gone."""
        return self._core.only_in_reference

    @property
    def only_in_current(self) -> list[str]:
        """Columns that are new."""
        return self._core.only_in_current

    def __getitem__(self, name: str) -> ColumnComparison:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def to_dicts(self) -> list[dict[str, Any]]:
        """One plain dict a column."""
        self._all_statistics()
        return [column.as_dict() for column in self.values()]

    def to_arrow(self) -> "pyarrow.Table":
        """One row a column, as a table of pyarrow.

        Raises:
            ImportError: pyarrow is not installed.
        """
        try:
            import pyarrow
        except ImportError:
            raise ImportError("to_arrow needs pyarrow: pip install 'driftline[arrow]'") from None
        self._all_statistics()
        names = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
        schema = pyarrow.schema([(name, names[kind]) for name, kind in FLAT.items()])
        return pyarrow.Table.from_pylist([_flat(column) for column in self.values()], schema=schema)

    def to_polars(self) -> "polars.DataFrame":
        """One row a column, as a frame of polars.

        Raises:
            ImportError: polars is not installed.
        """
        try:
            import polars
        except ImportError:
            raise ImportError("to_polars needs polars: pip install 'driftline[polars]'") from None
        self._all_statistics()
        return polars.DataFrame([_flat(column) for column in self.values()], schema=dict(FLAT))

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Writes a report to look at: one file that needs no network. An older report is replaced, no other file.

        Raises:
            ValueError: The path names no file, or something else than a page is there.
            InputError: There is no such folder, or it is not writable.
            StorageError: The disk is full or fails.
        """
        from driftline._page.file import check_place, write_page
        from driftline._report import render

        name = check_place(path)
        self._all_statistics()
        write_page(name, render(self))

    def _statistics_of(self, position: int) -> dict[str, float]:
        if position not in self._statistics:
            self._statistics[position] = self._core.statistics(position)
        return self._statistics[position]

    def _all_statistics(self) -> None:
        """Computes those of every column at once, on all threads."""
        if len(self._statistics) < len(self):
            self._statistics = dict(enumerate(self._core.all_statistics()))

    def _of(self, verdict: str) -> list[ColumnComparison]:
        found = [column for column in self._columns.values() if column.verdict == verdict]
        return sorted(found, key=lambda column: -(column.effect or 0.0))

    def _title(self) -> str:
        rows = f"{counted(self.reference_rows, 'reference row')}, {count(self.current_rows)} current"
        where = " in common" if self.only_in_reference or self.only_in_current else ""
        return f"{rows}, {counted(len(self), 'column')}{where}, {self._seconds:.2f} s"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Verdict, column, size and what moved: most important first, the rest summed up."""
        rows: list[tuple[str, str, str, str]] = []

        def add(word: str, told: Sequence[tuple[str, str, str]]) -> None:
            rows.extend((word, named(name), size, moved) for name, size, moved in told[:SHOWN_COLUMNS])
            if len(told) > SHOWN_COLUMNS:
                rows.append((word, f"{len(told) - SHOWN_COLUMNS:,} more columns", "", ""))

        for verdict, word in (("drift", "CHANGED"), ("undecided", "undecided")):
            add(word, [(c.name, c.size, _moved(c.headline)) for c in self._of(verdict)])
        add("RETYPED", [(name, types, "") for name, types in self.retyped.items()])
        add("GONE", [(name, "only in the reference", "") for name in self.only_in_reference])
        add("NEW", [(name, "only in the current data", "") for name in self.only_in_current])
        stable = self._of("stable")
        if len(stable) == 1:
            rows.append(("stable", named(stable[0].name), stable[0].size, ""))
        elif stable:
            limit = whole_percent(self.tolerance or self.resolution)
            rows.append(("stable", f"{len(stable):,} columns", f"each within {limit} of the rows", ""))
        unjudged = self._of("not judged")
        add("not judged", [(c.name, c.reason or "", _moved(m)) for c in unjudged for m in c.moved])
        quiet: dict[str, list[str]] = {}
        for column in unjudged:
            if not column.moved:
                quiet.setdefault(column.reason or "", []).append(named(column.name))
        for reason, names in quiet.items():
            listed = ", ".join(names) if len(names) <= FEW else f"{len(names):,} columns"
            rows.append(("not judged", listed, reason, ""))
        return rows

    def __repr__(self) -> str:
        rows = self._rows()
        table = text_table(rows[0], rows[1:], LEFT) if rows else ""
        return f"{self._title()}\n{table}".rstrip()

    def __rich__(self) -> "Table":
        from driftline._rich import table

        return table(self._title(), HEADER, self._rows(), LEFT)

    def _repr_html_(self) -> str:
        return html_table(self._title(), HEADER, self._rows(), LEFT)


HEADER = ("verdict", "column", "size", "what moved")
LEFT = (True, True, True, True)

STATISTICS = (
    "missing_change",
    "total_variation",
    *(f"psi{part}" for part in ("", "_debiased", "_lower", "_upper", "_null_95")),
    *(f"jensen_shannon{part}" for part in ("", "_debiased", "_lower", "_upper", "_null_95")),
    *(f"hellinger{part}" for part in ("", "_debiased", "_lower", "_upper", "_null_95")),
    *("chi_square", "chi_square_df", "w"),
    *(f"ks{part}" for part in ("", "_lower", "_upper")),
    *(f"kuiper{part}" for part in ("", "_lower", "_upper")),
    *(f"cramer_von_mises{part}" for part in ("", "_lower", "_upper")),
    *(f"energy{part}" for part in ("", "_lower", "_upper")),
    *(f"wasserstein{part}" for part in ("", "_lower", "_upper", "_null_95", "_scaled")),
)
"""Statistics in the order of the table."""

FLAT: dict[str, type] = {
    "column": str,
    **dict.fromkeys(FIELDS[1:6], str),
    "effect": float,
    "effect_bound": float,
    "test": str,
    "p_value": float,
    "p_adjusted": float,
    "rows_to_decide": int,
    "needs": str,
    "sketch_error": float,
    "hidden": float,
    "reference_rows": int,
    "current_rows": int,
    "moved": str,
    "moved_reference": float,
    "moved_current": float,
    **dict.fromkeys(STATISTICS, float),
}
"""Columns of a comparison as a table."""


def _flat(column: ColumnComparison) -> dict[str, Any]:
    plain = dict.fromkeys(STATISTICS) | column.statistics
    plain |= {"column": column.name, **{name: getattr(column, name) for name in FIELDS}}
    moved = column.headline
    plain["moved"] = moved and moved.label
    plain["moved_reference"] = moved and moved.reference
    plain["moved_current"] = moved and moved.current
    return {name: plain[name] for name in FLAT}


def _moved(moved: Moved | None) -> str:
    if moved is None:
        return ""
    return f"{rows_shown(moved.label, 30)}: {percent(moved.reference)} -> {percent(moved.current)}"
