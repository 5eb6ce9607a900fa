"""Laws of data, and changes whose effect is known exactly.

A row of numbers is drawn as a cumulative share, which the law's quantile function maps to a value; missing rows take
the top shares. A change moves shares, so how many rows it moves does not depend on the shape of the law.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from scipy.special import ndtr, ndtri
from scipy.stats import poisson

Array = np.ndarray

INSIDE = (2.0**-60, 1 - 2.0**-53)
"""Shares are kept off 0 and 1, where some laws are infinite."""


@dataclass(frozen=True)
class Change:
    """Of all rows, `share` moved: the effect of the change, as a comparison defines it."""

    how: str
    share: float

    def __str__(self) -> str:
        return f"{100 * self.share:g} % {self.how}"


@dataclass(frozen=True)
class Numbers:
    """Numbers, by their quantile function.

    Attributes:
        quantile: Maps cumulative shares to values, and never falls.
        cut: The cumulative share of a value: `past` moves rows from below it to above it. Where it is an edge of the
            reference's 33 bins, the effect is the whole share that moved.
        value: The lower and upper cumulative share of the value, or of the bin, that `into` fills.
        missing: Share of the rows without a value.
    """

    name: str
    quantile: Callable[[Array], Array] = field(repr=False)
    cut: float = 16 / 33
    value: tuple[float, float] = (0.5, 0.5)
    missing: float = 0.0

    def draw(self, rng: np.random.Generator, rows: int, change: Change | None = None) -> pa.Array:
        """Independent rows, after a change."""
        share = rng.random(rows)
        if change is not None:
            moves = {
                "past": self._past,
                "just past": self._just_past,
                "into": self._into,
                "missing": self._missing,
                "neighbours": self._neighbours,
            }
            moves[change.how](rng, share, change.share)
        return self.at(share)

    def at(self, share: Array) -> pa.Array:
        """Rows at cumulative shares."""
        valid = 1 - self.missing
        missing = share >= valid
        return pa.array(self.quantile(np.clip(share / valid, *INSIDE)), mask=missing if missing.any() else None)

    def _past(self, rng: np.random.Generator, share: Array, moved: float) -> None:
        """From everywhere below the cut to everywhere above it."""
        valid = 1 - self.missing
        cut = self.cut * valid
        moves = (share < cut) & (rng.random(len(share)) < moved / cut)
        share[moves] = rng.uniform(cut, valid, np.count_nonzero(moves))

    def _just_past(self, rng: np.random.Generator, share: Array, moved: float) -> None:
        """All that lies next below the cut to next above it."""
        moves = (share < self.cut) & (share > self.cut - moved)
        share[moves] += moved

    def _into(self, rng: np.random.Generator, share: Array, moved: float) -> None:
        """From everywhere, missing rows too, into one value or bin."""
        low, high = (end * (1 - self.missing) for end in self.value)
        moves = rng.random(len(share)) < moved / (1 - (high - low))
        share[moves] = rng.uniform(low, high, np.count_nonzero(moves))

    def _missing(self, rng: np.random.Generator, share: Array, moved: float) -> None:
        """From everywhere to missing."""
        share[rng.random(len(share)) < moved / (1 - self.missing)] = 1.0

    def _neighbours(self, rng: np.random.Generator, share: Array, moved: float) -> None:
        """From every second of 40 equal cells to the next: no cut point and no bin sees more than a small part."""
        cells = 40
        moves = ((share * cells).astype(np.int64) % 2 == 0) & (rng.random(len(share)) < 2 * moved)
        share[moves] += 1 / cells


@dataclass(frozen=True, eq=False)
class Categories:
    """Strings, by the share of each value.

    Attributes:
        shares: Shares of the values, the most frequent first; they sum to 1 together with `missing`.
        missing: Share of the rows without a value.
    """

    name: str
    shares: Array = field(repr=False)
    missing: float = 0.0

    def draw(self, rng: np.random.Generator, rows: int, change: Change | None = None) -> pa.Array:
        """Independent rows, after a change."""
        shares = self.cells(change)
        values = len(shares) - 1
        codes = np.repeat(np.arange(values + 1, dtype=np.int16), rng.multinomial(rows, shares))
        rng.shuffle(codes)
        return self._strings(codes, values)

    def at(self, share: Array) -> pa.Array:
        """Rows at cumulative shares, the values in their order and missing rows last."""
        ends = np.cumsum(self.cells())
        # Divided by their sum, which rounding puts beside 1, they leave no share without a cell.
        codes = (ends / ends[-1]).searchsorted(share, "right").astype(np.int16)
        return self._strings(codes, len(ends) - 1)

    def _strings(self, codes: Array, values: int) -> pa.Array:
        missing = codes == values
        indices = pa.array(codes, mask=missing if missing.any() else None)
        return pa.DictionaryArray.from_arrays(indices, pa.array([f"value-{i}" for i in range(values)]))

    def cells(self, change: Change | None = None) -> Array:
        """Shares after a change: of the values, of a value that the reference never has, and of missing rows."""
        cells = np.append(self.shares, [0.0, self.missing])
        return cells if change is None else MOVES[change.how](cells, change.share)


def _across(shares: Array, moved: float) -> Array:
    """From the first value to the second; where the first holds too little, from as many as it takes to the last."""
    before = np.concatenate([[0.0], np.cumsum(shares[:-2])[:-1]])
    taken = np.clip(moved - before, 0, shares[:-2])
    to = 1 if np.count_nonzero(taken) == 1 else len(shares) - 3
    after = shares - np.append(taken, [0.0, 0.0])
    after[to] += moved
    return after


def _into(shares: Array, moved: float, to: int) -> Array:
    """From everywhere, in proportion, into one cell."""
    after = shares * (1 - moved / (1 - shares[to]))
    after[to] = shares[to] + moved
    return after


def _into_first(shares: Array, moved: float) -> Array:
    return _into(shares, moved, 0)


def _into_last(shares: Array, moved: float) -> Array:
    return _into(shares, moved, len(shares) - 3)


def _new(shares: Array, moved: float) -> Array:
    return _into(shares, moved, len(shares) - 2)


def _first_to_new(shares: Array, moved: float) -> Array:
    after = shares.copy()
    after[0] -= moved
    after[-2] += moved
    return after


def _spread(shares: Array, moved: float) -> Array:
    """From every second value to the others, in proportion."""
    after = shares.copy()
    gains, loses = after[1:-2:2], after[:-2:2]
    gains *= 1 + moved / gains.sum()
    loses *= 1 - moved / loses.sum()
    return after


MOVES: dict[str, Callable[[Array, float], Array]] = {
    "across": _across,
    "into the first": _into_first,
    "into the last": _into_last,
    "new": _new,
    "first to new": _first_to_new,
    "spread": _spread,
}


def uniform(values: int) -> Array:
    """Shares of so many values, all alike."""
    return np.full(values, 1 / values)


def zipf(values: int) -> Array:
    """Shares that fall as 1/rank."""
    weights = 1 / np.arange(1, values + 1)
    return weights / weights.sum()


def heavy_pair(values: int) -> Array:
    """Two values of 45 %, and the others alike."""
    return np.append([0.45, 0.45], np.full(values - 2, 0.1 / (values - 2)))


ZEROS = 0.7
ONES = 0.03
HALF_STEP = 0.25
"""Rounded to halves: the value 0 stands for all from -1/4 to 1/4."""
POISSON = poisson.cdf(np.arange(40), 3)
"""Beyond 40 the double that holds the cumulative share is 1."""


def _zero_inflated(share: Array) -> Array:
    above = share > ZEROS
    values = np.zeros(len(share))
    values[above] = np.exp(ndtri((share[above] - ZEROS) / (1 - ZEROS)))
    return values


def _with_special(share: Array) -> Array:
    """One row in a hundred is minus infinity, one infinity, and one NaN."""
    values = ndtri(share)
    values[share < 0.01] = -np.inf
    values[share > 0.98] = np.inf
    values[share > 0.99] = np.nan
    return values


NUMBERS = (
    Numbers("normal", ndtri),
    Numbers("lognormal, sigma 2", lambda share: np.exp(2 * ndtri(share))),
    Numbers("Cauchy", lambda share: np.tan(np.pi * (share - 0.5))),
    Numbers("Pareto, index 1", lambda share: 1 / (1 - share)),
    Numbers(
        "Poisson, mean 3", lambda share: POISSON.searchsorted(share, "right"), POISSON[3], (POISSON[2], POISSON[3])
    ),
    Numbers("70 % zeros", _zero_inflated, ZEROS, (0.0, ZEROS)),
    Numbers(
        "rounded",
        lambda share: np.round(2 * ndtri(share)) / 2,
        ndtr(HALF_STEP),
        (ndtr(-HALF_STEP), ndtr(HALF_STEP)),
    ),
    Numbers("3 % ones", lambda share: (share >= 1 - ONES).astype(np.int64), 1 - ONES, (1 - ONES, 1.0)),
    Numbers("normal, 10 % missing", ndtri, missing=0.1),
    Numbers("normal, NaN and infinities", _with_special, missing=0.05),
)

CATEGORIES = (
    Categories("3 values, uniform", uniform(3)),
    Categories("30 values, uniform", uniform(30)),
    Categories("300 values, uniform", uniform(300)),
    Categories("3 values, Zipf", zipf(3)),
    Categories("30 values, Zipf", zipf(30)),
    Categories("300 values, Zipf", zipf(300)),
    Categories("2 of 45 % among 300", heavy_pair(300)),
    Categories("30 values, 10 % missing", 0.9 * zipf(30), missing=0.1),
    Categories("3,000 values, Zipf", zipf(3000)),
    Categories("3 % yes", np.array([1 - ONES, ONES])),
)

LAWS: tuple[Numbers | Categories, ...] = NUMBERS + CATEGORIES
