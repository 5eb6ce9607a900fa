"""One column of a comparison, and the words for what it says."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from driftline._format import count, counted, percent, shown, whole_percent

if TYPE_CHECKING:
    from driftline._comparison import Comparison

__all__ = ["FIELDS", "Cell", "ColumnComparison", "Moved", "rows_shown"]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Shares whose quantiles tell the shape of a column: the ends, the middle, and what lies between."""

TWO_CELLS = 2
"""What one of them loses the other gains."""

NAMED = 3
"""What moved that a sentence has room for."""


class Moved(NamedTuple):
    """Rows whose share changed."""

    label: str
    """Which rows: `above 0.31`, `'0-20k'`, `missing`."""
    reference: float
    """Their share in the reference."""
    current: float
    """Their share now."""


class Cell(NamedTuple):
    """Rows that are counted together on both sides: a bin of numbers, a category, missing rows."""

    label: str
    """Which rows."""
    low: float | None
    """Lower edge of a bin, which lies outside; `None` where the cell is no bin."""
    high: float | None
    """Upper edge of a bin, which lies inside."""
    reference: int
    """Rows of the reference."""
    current: int
    """Rows now."""


class ColumnComparison:
    """One column of both sides."""

    # Not a dataclass: that import alone would take longer than the package.
    __slots__ = (
        "_comparison",
        "_position",
        "current_rows",
        "current_type",
        "effect",
        "effect_bound",
        "hidden",
        "kind",
        "largest",
        "moved",
        "name",
        "needs",
        "p_adjusted",
        "p_value",
        "reason",
        "reference_rows",
        "reference_type",
        "rows_to_decide",
        "sketch_error",
        "test",
        "verdict",
    )

    name: str
    """Name of the column."""
    kind: str
    """Kind of its values."""
    reference_type: str
    """Logical type in the reference."""
    current_type: str
    """Logical type now."""
    verdict: str
    """`drift`, `stable`, `undecided`, `retyped` or `not judged`."""
    reason: str | None
    """Why it is not judged, or the two types where it was retyped."""
    effect: float | None
    """Share of the rows that moved: of numbers the largest change of the rows up to a bin's end or in a single bin,
    of categories total variation less what chance adds to it; missing rows count like any others."""
    effect_bound: float | None
    """Its upper bound at level alpha."""
    test: str | None
    """The tests behind the p-value."""
    p_value: float | None
    """Probability of such a change, or a larger one, if no more than the tolerance had moved."""
    p_adjusted: float | None
    """The same, corrected for the number of columns."""
    rows_to_decide: int | None
    """Of an undecided column: rows now with which an unchanged one would be `stable` four times in five, with this
    reference; `None` where no number of rows would do."""
    needs: str | None
    """Of an undecided column, what would decide: `rows` now, a larger `reference`, a finer `sketch` (raw data or a
    larger k), or fewer `values`, because those that are too rare to be counted hold more rows than may change; `None`
    where the change is too close to the tolerance for the rows there are."""
    hidden: float | None
    """Share of the rows that may have changed unseen, among values too rare to be counted; part of the bound."""
    sketch_error: float | None
    """How far a share may be off because it comes from sketches: part of bound and p-value; 0 of exact counts."""
    reference_rows: int
    """Rows of the reference."""
    current_rows: int
    """Rows now."""
    largest: Moved | None
    """Of a number column that drifted: the set of rows with the largest change, the one that `effect` measures."""
    moved: tuple[Moved, ...]
    """The bins and categories that provably moved, the surest first."""

    def __init__(self, comparison: "Comparison", position: int, fields: dict[str, Any]) -> None:
        self._comparison = comparison
        self._position = position
        for name, value in fields.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {self.verdict}; {self.size}>"

    @property
    def cells(self) -> list[Cell]:
        """The counts behind the judgement: every row is in one cell; empty where values are not judged."""
        return [Cell(*cell) for cell in self._comparison._core.cells(self._position)]

    @property
    def quantiles(self) -> list[tuple[float, float, float]] | None:
        """Share, and the value that so many lie at or below, in the reference and now; `None` of what has no order."""
        sides = (self._comparison.reference[self.name], self._comparison.current[self.name])
        before, now = (side.quantiles(QUANTILES) for side in sides)
        if before is None or now is None:
            return None
        return [(q, a.value, b.value) for q, a, b in zip(QUANTILES, before, now, strict=True)]

    @property
    def statistics(self) -> dict[str, float]:
        """Distances that others know, by name; none of them is judged by a threshold.

        `total_variation`, `psi`, `jensen_shannon`, `hellinger`, `chi_square` with `chi_square_df` and its effect size
        `w`, `missing_change`; of numbers also `ks`, `kuiper`, `cramer_von_mises`, `energy`, and `wasserstein`, which
        `wasserstein_scaled` gives in units of the reference's interquartile range. Beside them `..._debiased`, and
        `..._null_95`, which 5 % exceed when nothing changed. `..._lower` to `..._upper` is the 95 % interval of `psi`,
        `jensen_shannon` and `hellinger` where one holds, and of the others what sketches leave open.
        Those of cells are of `cells`, with bins merged until each holds 40 rows of the reference where that leaves ten
        of them; the others are of the numbers, from sketches where these are not exact.
        """
        return self._comparison._statistics_of(self._position)

    @property
    def explanation(self) -> str:
        """What is known of the column, in a sentence or two; empty where nothing is to be said."""
        if self.verdict == "drift":
            told = self._told() or "Many cells changed a little, no single one provably"
            # Of more than two cells a stretch may have gained or lost more than moved past any one value.
            is_part = self.kind == "number" and len(self.cells) > TWO_CELLS
            where = " past a value or into a bin" if is_part else ""
            return f"{self._rows_moved(where)}. {told}."
        if self.verdict in ("stable", "undecided"):
            return f"{capital(self.size)}."
        return f"{_went(self.moved)}." if self.moved else ""

    @property
    def size(self) -> str:
        """How much moved, or why that cannot be told."""
        bound = percent(self.effect_bound)
        if self.verdict == "drift":
            return self._rows_moved()
        if self.verdict == "stable":
            if self.kind == "number":
                return f"no cut point or bin gained or lost more than {bound} of the rows"
            return f"no more than {bound} of the rows moved"
        if self.verdict == "undecided":
            return self._undecided()
        return self.reason or ""

    @property
    def headline(self) -> Moved | None:
        """What moved most, where that is proved."""
        return self.largest or (self.moved[0] if self.moved else None)

    @property
    def all_moved(self) -> list[Moved]:
        """What moved, the headline first."""
        first = self.headline
        return [] if first is None else [first, *(moved for moved in self.moved if moved.label != first.label)]

    def _rows_moved(self, where: str = "") -> str:
        return f"{percent(self.effect)} of rows moved{where} (at most {percent(self.effect_bound)})"

    def _told(self) -> str:
        moved = self.all_moved
        more = len(moved) - NAMED
        return _went(moved[:NAMED]) + (f"; and {more:,} more" if more > 0 else "")

    def _undecided(self) -> str:
        limit = self._comparison.tolerance or self._comparison.resolution
        told = f"cannot tell {whole_percent(limit)} from nothing"
        if self.needs == "rows" and self.rows_to_decide is not None:
            return f"{counted(self.current_rows, 'row')} {told}; about {about(self.rows_to_decide)} would"
        if self.needs is None:
            return f"{self._rows_moved()}: too close to {whole_percent(limit)} to tell"
        if self.needs == "values":
            return f"rare values hold {percent(self.hidden)} of rows, and what changes there goes unseen: group them"
        if self.needs == "sketch":
            return f"sketches with an error of {percent(self.sketch_error)} {told}; it takes raw data or a larger k"
        rows = f"{counted(self.reference_rows, 'row')} of the reference"
        return f"{rows} may show a change, but never exclude {whole_percent(limit)}; a larger reference would"

    def as_dict(self) -> dict[str, Any]:
        """Plain data: every field, and the statistics."""
        return {
            **{name: getattr(self, name) for name in FIELDS},
            "largest": self.largest and self.largest._asdict(),
            "moved": [moved._asdict() for moved in self.moved],
            "size": self.size,
            "explanation": self.explanation,
            "statistics": self.statistics,
        }


FIELDS = (
    "name",
    "kind",
    "reference_type",
    "current_type",
    "verdict",
    "reason",
    "effect",
    "effect_bound",
    "test",
    "p_value",
    "p_adjusted",
    "rows_to_decide",
    "needs",
    "sketch_error",
    "hidden",
    "reference_rows",
    "current_rows",
)
"""Fields of one plain value."""


def _went(moved: Sequence[Moved]) -> str:
    """From what share to what."""
    told = (f"{rows_shown(m.label, 40)} went from {percent(m.reference)} to {percent(m.current)}" for m in moved)
    return capital("; ".join(told))


def rows_shown(label: str, width: int) -> str:
    """Which rows, on one line: a long value is cut in its middle, edges of bins never."""
    return shown(label, width) if label.startswith("'") else label


def about(rows: int) -> str:
    """A number of rows with two digits that count."""
    unit = 10 ** max(len(str(rows)) - 2, 0)
    return count(-(-rows // unit) * unit)


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]
