"""From the cells of a column of numbers to ranges that a picture can be drawn of."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from driftline._column_comparison import Cell

__all__ = ["Quantile", "Span", "spans_of"]

Quantile = tuple[float, float, float]
"""A share of the numbers, and the values that so many of the reference and now lie at or below."""

FEWEST_GAPS = 3
"""Fewer distances between numbers are multiples of one by chance."""

MOST_STEPS = 10**6
"""Steps between two bins beyond which a lattice looks like no lattice."""

ROUNDING = 1e-6
"""How far decimal fractions are from multiples of each other, in steps, and others are by no chance."""


class Span(NamedTuple):
    """A range of numbers, and the share of all rows that lie spread over it."""

    low: float
    """Where it begins; equal to `high` for a single value."""
    high: float
    """Where it ends."""
    shares: tuple[float, float]
    """Of the reference, and now."""

    @property
    def is_finite(self) -> bool:
        """Whether it is known where it begins and ends."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def is_single(self, step: float) -> bool:
        """Whether all its rows have one value."""
        return self.high - self.low <= 1.5 * step


def spans_of(cells: Sequence["Cell"], quantiles: Sequence[Quantile] | None) -> tuple[list[Span], float]:
    """The bins, ascending, and the step of the lattice that the numbers lie on; 0 where they lie on none.

    Whole numbers, cents and half stars lie on a lattice. Its spans end half-way between two numbers, so that all
    have the width of the numbers in them.
    """
    rows = [max(sum(side), 1) for side in zip(*((cell.reference, cell.current) for cell in cells), strict=True)]
    bins = [cell for cell in cells if cell.low is not None]
    step, ends = _ends([(cell.low, cell.high) for cell in bins if cell.low is not None and cell.high is not None])
    spans = [
        Span(*pair, (cell.reference / rows[0], cell.current / rows[1])) for pair, cell in zip(ends, bins, strict=True)
    ]
    return _refined(spans, quantiles or (), step), step


def _ends(bins: Sequence[tuple[float, float]]) -> tuple[float, list[tuple[float, float]]]:
    """The step of the lattice, and where bins begin and end.

    A bin holds what lies above its lower edge, up to and including the upper one. An edge just below a value that has
    a bin of its own, or below the smallest of all, stands for that value.
    """
    edges = sorted({edge for pair in bins for edge in pair if math.isfinite(edge)})
    just_below = {low for low, high in bins if math.nextafter(low, math.inf) == high} | set(edges[:1])
    value = {edge: math.nextafter(edge, math.inf) if edge in just_below else edge for edge in edges}
    step = _step(sorted(set(value.values())))
    place = {edge: value[edge] + (-step if edge in just_below else step) / 2 for edge in edges}
    return step, [(place.get(low, low), place.get(high, high)) for low, high in bins]


def _step(values: Sequence[float]) -> float:
    """The distance of which all distances between `values` are multiples; 0 where there is none."""
    # Up to 2^52 a number and a half can be told apart.
    if all(value.is_integer() and abs(value) < 2**52 for value in values):
        return 1.0
    gaps = [b - a for a, b in pairwise(values)]
    if len(gaps) < FEWEST_GAPS or max(gaps) > MOST_STEPS * min(gaps):
        return 0.0
    ratios = [gap / min(gaps) for gap in gaps]
    return min(gaps) if all(abs(ratio - round(ratio)) < ROUNDING for ratio in ratios) else 0.0


def _refined(spans: Sequence[Span], quantiles: Sequence[Quantile], step: float) -> list[Span]:
    """The spans, cut at the quantiles of both sides, which tell more of how rows spread.

    They do so where bins are wide, and beyond all that the reference has seen, where there are no bins at all.
    """
    known: list[list[tuple[float, float]]] = []
    for side in (0, 1):
        numbers = math.fsum(span.shares[side] for span in spans)
        values = [(row[0], row[1 + side]) for row in quantiles]
        known.append([(value + step / 2, q * numbers) for q, value in values if math.isfinite(value)])
    refined = []
    before = [0.0, 0.0]
    for span in spans:
        inside = [
            [(x, share - since) for x, share in side if span.low < x < span.high and 0 < share - since < rows]
            for side, since, rows in zip(known, before, span.shares, strict=True)
        ]
        before = [since + rows for since, rows in zip(before, span.shares, strict=True)]
        cuts = sorted({x for side in inside for x, _ in side})
        if span.is_single(step) or not cuts:
            refined.append(span)
            continue
        sides = [
            [0.0, *(_share_up_to(cut, side, span, rows) for cut in cuts), rows]
            for side, rows in zip(inside, span.shares, strict=True)
        ]
        parts = [tuple(to - since for since, to in pairwise(side)) for side in sides]
        ends = pairwise([span.low, *cuts, span.high])
        refined += [Span(low, high, (a, b)) for (low, high), a, b in zip(ends, *parts, strict=True)]
    return refined


def _share_up_to(x: float, known: Sequence[tuple[float, float]], span: Span, rows: float) -> float:
    """The share of a span's rows up to `x`, from the places where it is known."""
    places = [(span.low, 0.0), *known, (span.high, rows)]
    after = bisect_left(places, x, 1, len(places) - 1, key=lambda place: place[0])
    (low, since), (high, to) = places[after - 1], places[after]
    # Of rows towards an open end nobody knows the place: they are as far out as can be.
    if low == -math.inf:
        return to
    if high == math.inf:
        return since
    return since + (to - since) * (x - low) / (high - low)
