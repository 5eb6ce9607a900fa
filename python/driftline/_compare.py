"""Comparisons: what changed between two profiles, and how sure that is."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from driftline import _core
from driftline._format import count, html_table, percent, shown, text_table
from driftline._profile import _names, profile_of

if TYPE_CHECKING:
    import polars
    import pyarrow
    from rich.table import Table

__all__ = ["ColumnComparison", "Comparison", "Moved", "compare"]

SHOWN_COLUMNS = 60
"""Columns of one verdict that a text for people has room for."""


class Moved(NamedTuple):
    """What moved most in a column."""

    label: str
    """Which rows: `above 0.31`, `'0-20k'`, `missing`."""
    reference: float
    """Their share in the reference."""
    current: float
    """Their share now."""


class ColumnComparison(NamedTuple):
    """One column of both sides."""

    name: str
    """Name of the column."""
    kind: str
    """Kind of its values."""
    verdict: str
    """`drift`, `stable`, `undecided`, `retyped` or `not judged`."""
    reason: str | None
    """Why it is not judged, or the two types where it was retyped."""
    effect: float | None
    """Share of the rows that moved."""
    effect_bound: float | None
    """Its upper bound."""
    test: str | None
    """`ks` for numbers, `chi-square` for categories."""
    p_value: float | None
    """Probability of such a change, or a larger one, if no more than the tolerance had moved."""
    p_adjusted: float | None
    """The same, corrected for the number of columns."""
    reference_rows: int
    """Rows of the reference."""
    current_rows: int
    """Rows now."""
    moved: Moved | None
    """What moved most."""


class Comparison(Mapping[str, ColumnComparison]):
    """Two profiles side by side: a mapping of column names to `ColumnComparison`."""

    __slots__ = ("_columns", "_core", "_seconds")

    def __init__(self, core: _core.Comparison, seconds: float) -> None:
        self._core = core
        self._seconds = seconds
        self._columns = {column["name"]: _column(column) for column in core.columns}

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
        return self._core.tolerance

    @property
    def alpha(self) -> float:
        """Accepted share of false findings."""
        return self._core.alpha

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
        return [
            {**column._asdict(), "moved": None if column.moved is None else column.moved._asdict()}
            for column in self._columns.values()
        ]

    def to_arrow(self) -> "pyarrow.Table":
        """One row a column, as a table of pyarrow.

        Raises:
            ImportError: pyarrow is not installed.
        """
        try:
            import pyarrow
        except ImportError:
            raise ImportError("to_arrow needs pyarrow: pip install 'driftline[arrow]'") from None
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
        return polars.DataFrame([_flat(column) for column in self.values()], schema=dict(FLAT))

    def _of(self, verdict: str) -> list[ColumnComparison]:
        found = [column for column in self._columns.values() if column.verdict == verdict]
        return sorted(found, key=lambda column: -(column.effect or 0.0))

    def _title(self) -> str:
        columns = f"{len(self):,} {'column' if len(self) == 1 else 'columns'}"
        rows = f"{count(self.reference_rows)} reference rows, {count(self.current_rows)} current"
        return f"{rows}, {columns}, {self._seconds:.2f} s"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Verdict, column, size and what moved: most important first, the rest summed up."""
        rows = []
        for column in self._of("drift")[:SHOWN_COLUMNS]:
            size = f"{percent(column.effect)} of rows moved (at most {percent(column.effect_bound)})"
            rows.append(("CHANGED", shown(column.name, 40), size, _moved(column.moved)))
        for column in self._of("undecided")[:SHOWN_COLUMNS]:
            few = min(column.reference_rows, column.current_rows)
            against = f"{percent(self.tolerance)} from nothing" if self.tolerance else "a change from nothing"
            size = f"{count(few)} rows cannot tell {against} (at most {percent(column.effect_bound)})"
            rows.append(("undecided", shown(column.name, 40), size, _moved(column.moved)))
        for verdict, word in (("drift", "CHANGED"), ("undecided", "undecided")):
            more = len(self._of(verdict)) - SHOWN_COLUMNS
            if more > 0:
                rows.append((word, f"{more:,} more columns", "", ""))
        rows += [("RETYPED", shown(name, 40), types, "") for name, types in self.retyped.items()]
        rows += [("GONE", shown(name, 40), "only in the reference", "") for name in self.only_in_reference]
        rows += [("NEW", shown(name, 40), "only in the current data", "") for name in self.only_in_current]
        stable = self._of("stable")
        if len(stable) == 1:
            rows.append(("stable", shown(stable[0].name, 40), f"at most {percent(stable[0].effect_bound)}", ""))
        elif stable:
            within = max(column.effect_bound or 0.0 for column in stable)
            rows.append(("stable", f"{len(stable):,} columns", f"each within {percent(within)} of the rows", ""))
        reasons: dict[str, list[str]] = {}
        for name, reason in self.not_judged.items():
            reasons.setdefault(reason, []).append(shown(name, 40))
        for reason, names in reasons.items():
            listed = names[0] if len(names) == 1 else f"{len(names):,} columns"
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


HEADER = ("verdict", "column", "size", "what moved most")
LEFT = (True, True, True, True)

FLAT: dict[str, type] = {
    "column": str,
    "kind": str,
    "verdict": str,
    "reason": str,
    "effect": float,
    "effect_bound": float,
    "test": str,
    "p_value": float,
    "p_adjusted": float,
    "reference_rows": int,
    "current_rows": int,
    "moved": str,
    "moved_reference": float,
    "moved_current": float,
}
"""Columns of a comparison as a table."""


def _flat(column: ColumnComparison) -> dict[str, Any]:
    plain = {"column": column.name, **column._asdict()}
    moved = column.moved
    plain["moved"] = moved and moved.label
    plain["moved_reference"] = moved and moved.reference
    plain["moved_current"] = moved and moved.current
    return {name: plain[name] for name in FLAT}


def _column(column: dict[str, Any]) -> ColumnComparison:
    moved = column["moved"]
    return ColumnComparison(**{**column, "moved": None if moved is None else Moved(**moved)})


def _moved(moved: Moved | None) -> str:
    if moved is None:
        return ""
    return f"{shown(moved.label, 30)}: {percent(moved.reference)} -> {percent(moved.current)}"


def compare(
    reference: object,
    current: object,
    *,
    columns: Sequence[str] | None = None,
    tolerance: float = 0.02,
    alpha: float = 0.05,
    threads: int | None = None,
) -> Comparison:
    """Says what changed from a reference to current data.

    Numbers are compared by the largest difference of their cumulative shares (Kolmogorov-Smirnov), categories
    by their shares (chi-square); p-values are corrected for the number of columns.

    Args:
        reference: A profile, the path of a saved one, or anything that `profile` takes.
        current: The same for what came later.
        columns: Columns to compare; by default all that both sides have.
        tolerance: Share of the rows up to which a change does not matter.
        alpha: Accepted share of false findings among the changes reported.
        threads: How many to use; all cores by default.

    Raises:
        TypeError: One side is of a type that cannot be read.
        ValueError: An option is out of range, or a column asked for is on neither side.
        InputError: A side cannot be read or has no rows, or they have no column in common.
        StorageError: The disk or the network fails.

    Example:
        >>> compare({"x": [0, 1] * 500}, {"x": [1, 2] * 500}).drifted
        ['x']
    """
    started = time.perf_counter()
    before = profile_of(reference, threads=threads)
    now = profile_of(current, threads=threads)
    core = _core.compare(
        before._core,
        now._core,
        columns=None if columns is None else _names("columns", columns),
        tolerance=tolerance,
        alpha=alpha,
    )
    return Comparison(core, time.perf_counter() - started)
