"""The profile of one column."""

import math
from collections.abc import Sequence

from driftline import _core
from driftline._estimates import Bin, Estimate, TopItem
from driftline._format import count, counted, number, shown, value_of_type

__all__ = ["ColumnProfile"]

FINITE_FROM = (0.0, 0.001, 0.01, 0.05, 0.25, 0.5)
"""Where a histogram begins (and mirrored, ends) if the values before are infinite."""


MOST_BINS = 100_000
"""More bins than a sketch retains values say nothing more."""


class ColumnProfile:
    """What is known of one column of a profile.

    What was not collected, or is asked of nothing, is `None`. Times are numbers in the unit of their
    type (`timestamp[us]`: microseconds since 1970).
    """

    __slots__ = ("_core", "_counts")

    def __init__(self, core: _core.Column) -> None:
        self._core = core
        self._counts = core.counts

    @property
    def name(self) -> str:
        """Name; `a.b` is the field of a struct, `a[]` the elements of a list, `a.norm` an embedding's norm."""
        return self._core.name

    @property
    def kind(self) -> str:
        """How the values are summarised: `number`, `time`, `category`, `list`, `embedding` or `null`."""
        return self._core.kind

    @property
    def type(self) -> str:
        """Logical type, such as `float64`, `string` or `timestamp[us, UTC]`."""
        return self._core.type

    @property
    def count(self) -> int:
        """Rows, nulls included."""
        return self._counts["rows"]

    @property
    def absent_count(self) -> int:
        """Rows of files or batches that have no such column; not part of `count`."""
        return self._counts["absent"]

    @property
    def null_count(self) -> int:
        """Nulls."""
        return self._counts["nulls"]

    @property
    def nan_count(self) -> int:
        """Floats that are not a number."""
        return self._counts["nans"]

    @property
    def pos_inf_count(self) -> int:
        """Positive infinities."""
        return self._counts["pos_inf"]

    @property
    def neg_inf_count(self) -> int:
        """Negative infinities."""
        return self._counts["neg_inf"]

    @property
    def zero_count(self) -> int:
        """Numbers equal to zero."""
        return self._counts["zeros"]

    @property
    def negative_count(self) -> int:
        """Numbers below zero."""
        return self._counts["negatives"]

    @property
    def empty_count(self) -> int:
        """Strings, bytes and lists of length zero."""
        return self._counts["empty"]

    @property
    def min(self) -> float | int | None:
        """Smallest value, exactly."""
        return self._core.min

    @property
    def max(self) -> float | int | None:
        """Largest value, exactly."""
        return self._core.max

    @property
    def mean(self) -> float | None:
        """Mean of the finite values."""
        return self._core.mean

    @property
    def std(self) -> float | None:
        """Standard deviation of the finite values, with n - 1."""
        return self._core.std

    @property
    def skewness(self) -> float | None:
        """Third standardised moment of the finite values."""
        return self._core.skewness

    @property
    def kurtosis(self) -> float | None:
        """Fourth standardised moment of the finite values, less 3: 0 for a normal distribution."""
        return self._core.kurtosis

    @property
    def k(self) -> int | None:
        """Accuracy of the quantile sketch."""
        return self._core.k

    @property
    def rank_error(self) -> float | None:
        """How far the rank of a quantile may be off, as a share of the values, with 99 % confidence."""
        return self._core.rank_error

    @property
    def length(self) -> "ColumnProfile | None":
        """Lengths of strings (in bytes) and lists (in elements), as a column of numbers."""
        lengths = self._core.length
        return None if lengths is None else ColumnProfile(lengths)

    def quantile(self, q: float) -> Estimate | None:
        """The value at or below which a share `q` of the values lies, with 99 % bounds.

        Raises:
            ValueError: `q` is not between 0 and 1.
        """
        found = self._core.quantiles([q])
        return None if found is None else Estimate(*found[0])

    def quantiles(self, q: Sequence[float]) -> list[Estimate] | None:
        """Several quantiles at once; see `quantile`."""
        found = self._core.quantiles(list(q))
        return None if found is None else [Estimate(*bounded) for bounded in found]

    def cdf(self, x: float) -> Estimate | None:
        """The share of the values that are at most `x`, with 99 % bounds."""
        found = self._core.cdf([x])
        return None if found is None else Estimate(*found[0])

    def histogram(self, bins: int = 20, *, edges: Sequence[float] | None = None) -> list[Bin] | None:
        """Rows per bin, with bounds: in `[e0, e1]`, `(e1, e2]` and so on.

        Args:
            bins: Number of bins of equal width between the smallest and the largest finite value.
            edges: Ascending edges to use instead.

        Raises:
            ValueError: `bins` is less than 1 or more than 100,000, or `edges` do not ascend.
        """
        if edges is None:
            if not 1 <= bins <= MOST_BINS:
                raise ValueError(f"bins is {bins:,}: it must be 1 to {MOST_BINS:,}")
            span = self._finite_span()
            if span is None:
                return None
            low, high = span
            if low == high:
                rows = self.count - self.null_count - self.nan_count
                return [Bin(low, high, rows, rows, rows)]
            inner = (low + (high - low) * (i / bins) for i in range(1, bins))
            # Between neighbouring floats there is no room for all the bins.
            edges = sorted({low, *inner, high})
        edges = [float(edge) for edge in edges]
        found = self._core.histogram(edges)
        if found is None:
            return None
        return [Bin(edges[i], edges[i + 1], *bounded) for i, bounded in enumerate(found)]

    def _finite_span(self) -> tuple[float, float] | None:
        """The first and last finite values that the sketch knows."""
        found = self._core.quantiles([*FINITE_FROM, *(1 - q for q in FINITE_FROM)])
        if found is None:
            return None
        values = [value for value, _, _ in found if math.isfinite(value)]
        return (min(values), max(values)) if values else None

    @property
    def distinct(self) -> Estimate | None:
        """How many different values there are, with 99.7 % bounds."""
        found = self._core.distinct()
        return None if found is None else Estimate(*found)

    def top(self, n: int = 10) -> list[TopItem] | None:
        """The most frequent values of categories and integers; only those that are provably frequent.

        Raises:
            ValueError: `n` is negative.
        """
        if n < 0:
            raise ValueError(f"n is {n}: it must be 0 or more")
        found = self._core.top(n)
        return None if found is None else [TopItem(*item) for item in found]

    @property
    def bins(self) -> list[Bin] | list[TopItem] | None:
        """Exact rows per bin of the reference that the data were profiled with.

        Of numbers the first bin begins at minus infinity and the last ends at infinity; of categories the last
        item, `None`, stands for all other values.
        """
        found = self._core.bins()
        if found is None:
            return None
        kind, names, counts = found
        if kind == "numbers":
            edges = [-math.inf, *names, math.inf]
            return [Bin(edges[i], edges[i + 1], n, n, n) for i, n in enumerate(counts)]
        return [TopItem(name, n, n, n) for name, n in zip([*names, None], counts, strict=True)]

    def __repr__(self) -> str:
        lines = [f"{self.name}: {self.type}, {counted(self.count, 'row')}, {counted(self.null_count, 'null')}"]
        if self.nan_count:
            lines[0] += f", {count(self.nan_count)} NaN"
        if self.kind in ("number", "time") and self.min is not None:
            found = self.quantiles([0.25, 0.5, 0.75])
            places = [self.min, *(q.value for q in found or []), self.max]
            lines.append("  " + " .. ".join(value_of_type(v, self.type) for v in places))
            if self.kind == "number" and self.mean is not None:
                lines.append(f"  mean {number(self.mean)}, standard deviation {number(self.std)}")
        distinct = self.distinct
        if distinct is not None:
            lower, upper = count(distinct.lower), count(distinct.upper)
            lines.append(f"  about {count(distinct.value)} distinct ({lower} to {upper})")
        items = self.top(5)
        if items:
            lines.append("  most frequent: " + ", ".join(f"{shown(i.value)} ({count(i.count)})" for i in items))
        return "\n".join(lines)
