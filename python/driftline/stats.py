"""Statistics of two rows of counts: how far apart they are, and how far they would be if nothing had changed.

Counts are rows per cell, the same cells on both sides: bins, categories, hours. They come as lists, NumPy
arrays, frames' columns, Arrow arrays, or anything else with a buffer or array interface. `ks`, `kuiper`,
`wasserstein`, `cramer_von_mises` and `energy` take cells in their order.

A result is a tuple whose first field is the statistic or the distance, and `float` of it is that field.
"""

import operator
from typing import Any, NamedTuple

from driftline import _core

__all__ = [
    "ChiSquare",
    "Distance",
    "Divergence",
    "KsTest",
    "OrderedTest",
    "TotalVariation",
    "chi_square",
    "cramer_von_mises",
    "energy",
    "hellinger",
    "jensen_shannon",
    "ks",
    "kuiper",
    "psi",
    "total_variation",
    "wasserstein",
]


class Divergence(NamedTuple):
    """A divergence of shares."""

    value: float
    """The divergence of the shares, their counts raised by 1/2."""
    debiased: float
    """`value` less its mean when nothing has changed; negative where shares are closer than chance makes them."""
    lower: float | None
    """Lower end of the 95 % interval of the true divergence; `None` where a cell has fewer than five rows on a side."""
    upper: float | None
    """Upper end of that interval."""
    p_value: float
    """Probability of this value or a larger one when nothing has changed."""
    null_mean: float
    """Mean of the value when nothing has changed."""
    null_95: float
    """What the value stays below in 95 % of cases when nothing has changed."""

    def __float__(self) -> float:
        return self.value


class TotalVariation(NamedTuple):
    """The share of rows that would have to move for the shares to be equal."""

    value: float
    """Total variation of the shares, 0 to 1."""
    debiased: float
    """`value` less its mean when nothing has changed."""
    upper: float
    """Upper bound of the true total variation: it is above in at most 5 % of cases."""
    null_mean: float
    """Mean of the value when nothing has changed, given the pooled counts."""

    def __float__(self) -> float:
        return self.value


class ChiSquare(NamedTuple):
    """Chi-square of homogeneity."""

    statistic: float
    """Pearson's statistic."""
    p_value: float
    """Probability of this statistic or a larger one when nothing has changed."""
    df: int
    """Degrees of freedom: cells that are not empty on both sides, less one."""
    w: float
    """Effect size at equal weights, 0 to 1; it does not depend on how many rows a side has."""

    def __float__(self) -> float:
        return self.statistic


class KsTest(NamedTuple):
    """Kolmogorov-Smirnov test."""

    statistic: float
    """Largest difference of the cumulative shares, 0 to 1."""
    p_value: float
    """Probability of this statistic or a larger one when nothing has changed."""

    def __float__(self) -> float:
        return self.statistic


class OrderedTest(NamedTuple):
    """A test of cumulative shares by permutations."""

    statistic: float
    """The statistic."""
    p_value: float
    """Probability of this statistic or a larger one when nothing has changed."""
    null_95: float
    """What the statistic stays below in 95 % of cases when nothing has changed."""

    def __float__(self) -> float:
        return self.statistic


class Distance(NamedTuple):
    """A distance in terms of the values."""

    value: float
    """The distance."""
    p_value: float
    """Probability of this distance or a larger one when nothing has changed."""
    null_95: float
    """What the distance stays below in 95 % of cases when nothing has changed."""

    def __float__(self) -> float:
        return self.value


def psi(reference: object, current: object, *, permutations: int = 999) -> Divergence:
    """Population stability index, in nats.

    Counts are raised by 1/2, so empty cells stay finite. Judge it by its p-value, never by 0.1.

    Args:
        reference: Rows per cell, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape.
        permutations: How many to draw where a cell is expected to hold fewer than five rows on a side, 999 to
            10,000,000.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> found = psi([50, 50], [90, 10])
        >>> round(found.value, 4), f"{found.p_value:.0e}"
        (0.8531, '7e-11')

    Source:
        Jeffreys (1946); Yurdakul and Naranjo (2020), Journal of Risk Model Validation, for its null.
    """
    return Divergence(*_core.psi(*_sides(reference, current), permutations=permutations))


def jensen_shannon(reference: object, current: object, *, permutations: int = 999) -> Divergence:
    """Jensen-Shannon divergence, in nats, 0 to ln 2; SciPy's `jensenshannon` of the same shares is its root.

    Counts are raised by 1/2, as of `psi`.

    Args:
        reference: Rows per cell, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape.
        permutations: How many to draw where a cell is expected to hold fewer than five rows on a side, 999 to
            10,000,000.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> round(jensen_shannon([50, 50], [90, 10]).value, 4)
        0.0991

    Source:
        Lin (1991), IEEE Transactions on Information Theory 37.
    """
    return Divergence(*_core.jensen_shannon(*_sides(reference, current), permutations=permutations))


def hellinger(reference: object, current: object, *, permutations: int = 999) -> Divergence:
    """Hellinger distance, 0 to 1: the root of half the sum of the squared differences of the roots of the shares.

    Counts are raised by 1/2, as of `psi`. Every field is the root of what it is of the squared distance, `debiased`
    with its sign.

    Args:
        reference: Rows per cell, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape.
        permutations: How many to draw where a cell is expected to hold fewer than five rows on a side, 999 to
            10,000,000.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> round(hellinger([50, 50], [90, 10]).value, 4)
        0.3204

    Source:
        Hellinger (1909).
    """
    return Divergence(*_core.hellinger(*_sides(reference, current), permutations=permutations))


def total_variation(reference: object, current: object) -> TotalVariation:
    """Total variation, the share of rows that moved: half the sum of the differences of the shares, 0 to 1.

    With few rows in many cells it is large though nothing has changed, so read it beside its `null_mean`. For a
    p-value take `chi_square`.

    Args:
        reference: Rows per cell, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> found = total_variation([500, 500], [600, 400])
        >>> found.value, round(found.null_mean, 3), round(found.upper, 3)
        (0.1, 0.018, 0.137)

    Source:
        Diaconis and Zabell (1991), Statistical Science 6, for the mean.
    """
    value, mean, upper = _core.total_variation(*_sides(reference, current))
    return TotalVariation(value, value - mean, upper, mean)


def chi_square(reference: object, current: object, *, permutations: int = 999) -> ChiSquare:
    """Chi-square of homogeneity, without Yates's correction.

    Args:
        reference: Rows per cell, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape. Cells that are empty on both sides are left out.
        permutations: How many to draw for the p-value where a cell is expected to hold fewer than five rows on a side,
            999 to 10,000,000.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> found = chi_square([30, 50, 20], [20, 60, 25])
        >>> round(found.statistic, 3), found.df, round(found.p_value, 3), round(found.w, 3)
        (3.345, 2, 0.188, 0.128)

    Source:
        Pearson (1900); Cohen (1988) for w.
    """
    statistic, p_value, df, w = _core.chi_square(*_sides(reference, current), permutations=permutations)
    return ChiSquare(statistic, p_value, df, w)


def ks(reference: object, current: object) -> KsTest:
    """Kolmogorov-Smirnov test: the largest difference of the cumulative shares at the ends of the cells.

    The p-value is that of a permutation test, computed and not drawn, so it is as sharp with ties as without.

    Args:
        reference: Rows per cell, in the order of the cells, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> found = ks([300, 400, 300], [250, 400, 350])
        >>> round(found.statistic, 3), round(found.p_value, 3)
        (0.05, 0.032)

    Source:
        Hodges (1958); Schröer and Trenkler (1995) for ties.
    """
    return KsTest(*_core.ks(*_sides(reference, current)))


def kuiper(reference: object, current: object, *, permutations: int = 999) -> OrderedTest:
    """Kuiper's test for hours and angles: it is the same wherever the circle is cut.

    Args:
        reference: Rows per cell, in the order of the cells, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape.
        permutations: How many to draw, 999 to 10,000,000; the p-value is at least `1 / (permutations + 1)`.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> by_hour = [40, 30, 20, 10, 10, 20, 30, 40]
        >>> an_hour_later = by_hour[-1:] + by_hour[:-1]
        >>> round(kuiper(by_hour, an_hour_later).statistic, 3)
        0.15

    Source:
        Kuiper (1960), Proceedings of the KNAW 63.
    """
    return OrderedTest(*_core.kuiper(*_sides(reference, current), permutations=permutations))


def wasserstein(reference: object, current: object, values: object, *, permutations: int = 999) -> Distance:
    """Wasserstein distance of order 1: how far a row has to move in the mean, in the unit of the values.

    It is infinite where the sides differ in how many rows lie at infinity.

    Args:
        reference: Rows per value, shape `(cells,)`, at least two cells.
        current: Rows per value, same shape.
        values: Where each cell lies, ascending, same shape.
        permutations: How many to draw, 999 to 10,000,000; the p-value is at least `1 / (permutations + 1)`.

    Raises:
        TypeError: An argument is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, a side has no rows, or values do not ascend.

    Example:
        >>> found = wasserstein([50, 30, 20], [20, 30, 50], [0.0, 1.0, 10.0])
        >>> round(found.value, 3), found.p_value
        (3.0, 0.001)

    Source:
        Vallender (1974), Theory of Probability and Its Applications 18.
    """
    at = _positions(values)
    return Distance(*_core.wasserstein(*_sides(reference, current), at, permutations=permutations))


def cramer_von_mises(reference: object, current: object, *, permutations: int = 999) -> OrderedTest:
    """Cramér-von Mises test: it finds many rows that moved a little, where `ks` looks at one place.

    Cumulative shares are taken at the ends of the cells. Without ties the statistic is SciPy's; with ties SciPy takes
    mean ranks instead.

    Args:
        reference: Rows per cell, in the order of the cells, shape `(cells,)`, at least two cells.
        current: Rows per cell over the same cells, same shape.
        permutations: How many to draw, 999 to 10,000,000; the p-value is at least `1 / (permutations + 1)`.

    Raises:
        TypeError: A side is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, or a side has no rows.

    Example:
        >>> round(cramer_von_mises([300, 400, 300], [250, 400, 350]).statistic, 3)
        0.844

    Source:
        Anderson (1962), Annals of Mathematical Statistics 33.
    """
    return OrderedTest(*_core.cramer_von_mises(*_sides(reference, current), permutations=permutations))


def energy(reference: object, current: object, values: object, *, permutations: int = 999) -> Distance:
    """Energy distance, as SciPy's `energy_distance`: `wasserstein` weighted towards large differences.

    Its unit is the root of that of the values. It is infinite where the sides differ in how many rows lie at infinity.

    Args:
        reference: Rows per value, shape `(cells,)`, at least two cells.
        current: Rows per value, same shape.
        values: Where each cell lies, ascending, same shape.
        permutations: How many to draw, 999 to 10,000,000; the p-value is at least `1 / (permutations + 1)`.

    Raises:
        TypeError: An argument is no sequence of numbers.
        ValueError: Shapes differ, a count is negative or not whole, a side has no rows, or values do not ascend.

    Example:
        >>> round(energy([50, 30, 20], [20, 30, 50], [0.0, 1.0, 10.0]).value, 3)
        1.342

    Source:
        Székely and Rizzo (2013), Journal of Statistical Planning and Inference 143.
    """
    at = _positions(values)
    return Distance(*_core.energy(*_sides(reference, current), at, permutations=permutations))


def _sides(reference: object, current: object) -> tuple[list[int], list[int]]:
    return _counts("reference", reference), _counts("current", current)


def _counts(name: str, values: object) -> list[int]:
    """Rows per cell as Python integers."""
    counts = []
    for i, value in enumerate(_numbers(name, values)):
        if isinstance(value, float) and value.is_integer():
            count = int(value)
        elif isinstance(value, float):
            raise ValueError(f"{name}[{i}] is {value}: counts must be whole numbers")
        else:
            try:
                count = operator.index(value)
            except TypeError:
                raise TypeError(f"{name}[{i}] is {value!r}: counts must be whole numbers") from None
        if count < 0:
            raise ValueError(f"{name}[{i}] is {value}: counts must be 0 or more")
        # What no 64 bits hold is told here, what is too much all the same in the engine.
        if count >= 2**62:
            raise ValueError(f"{name}[{i}] is {value}: 2^62 rows or more are beyond what is counted")
        counts.append(count)
    if len(counts) < 2:
        raise ValueError(f"{name} has {len(counts)} cells: give at least 2")
    return counts


def _positions(values: object) -> list[float]:
    """Where the cells lie, as Python floats."""
    positions = []
    for i, value in enumerate(_numbers("values", values)):
        try:
            positions.append(float(value))
        except (TypeError, ValueError):
            raise TypeError(f"values[{i}] is {value!r}: values must be numbers") from None
    return positions


def _numbers(name: str, values: Any) -> list[Any]:
    """The elements of one row of numbers, without NumPy where the values are not NumPy's."""
    if isinstance(values, list | tuple | range):
        return list(values)
    found = None
    # Arrow; columns of frames; NumPy and what only it can read; array, memoryview, ctypes and other sequences.
    for convert in ("to_pylist", "to_list"):
        if hasattr(values, convert):
            found = getattr(values, convert)()
            break
    else:
        if hasattr(values, "__array__"):
            found = values.__array__().tolist()
        elif hasattr(values, "__getitem__") and not hasattr(values, "keys") and not isinstance(values, str | bytes):
            found = list(values)
    if not isinstance(found, list):
        raise TypeError(f"{name} is of type {type(values).__name__}: it takes a sequence or an array of numbers")
    return found
