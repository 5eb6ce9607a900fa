"""Which part of a column's numbers a picture shows, and how many rows lie where on it.

Bins of a reference hold about equally many rows each, so their widths differ by orders of magnitude: a few of them
cover all of a heavy tail. A picture has intervals of equal width instead, over the range in which the bulk of either
side lies; the rows of a bin are spread evenly over its width.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from driftline._column_comparison import Cell

__all__ = ["Picture", "picture", "ticks"]

MOST_INTERVALS = 33
"""As many as a reference has bins: what they resolve can be seen, and no more is made up."""

FEWEST_INTERVALS = 8
"""Fewer than these show no shape."""

FENCE = 3.0
"""Interquartile ranges beyond the quartiles up to which numbers are shown: Tukey's outer fence, beyond which he calls
values far out. A normal distribution lies within it to the last of a million rows."""

HEAVY = 0.1
"""A single value with this share of the rows says nothing of how far the others spread."""

TICKS = 5
"""About so many labels stand beside each other on a phone."""

SMALLEST = 1e-300
"""Floats below lose digits, and an interval needs some."""

TALL = 0.15
"""Where all intervals but two stay below this part of the highest, those two are cut off, so that the others show."""

HEADROOM = 3.0
"""How high the picture is then, as a multiple of the highest interval that is not cut."""


class Span(NamedTuple):
    """A range of numbers with the share of all rows in it, spread evenly; a single value has no width."""

    low: float
    high: float
    reference: float
    current: float


class Outside(NamedTuple):
    """What a picture leaves out on one side."""

    edge: float
    reference: float
    current: float


class Picture(NamedTuple):
    """Rows over intervals of equal width."""

    low: float
    """Where the first interval begins."""
    high: float
    """Where the last one ends."""
    step: float | None
    """Distance of neighbouring numbers, where these lie on a lattice: whole numbers, cents, half stars."""
    reference: list[float]
    """Share of the reference rows in each interval."""
    current: list[float]
    """Share of the current rows in each interval."""
    top: float
    """The largest share that is shown; what is higher is cut off."""
    below: Outside | None
    """Rows below the picture, where there are any."""
    above: Outside | None
    """Rows above the picture, where there are any."""

    def interval(self, position: int) -> tuple[float, float]:
        """The lowest and the highest number of an interval."""
        width = (self.high - self.low) / len(self.reference)
        # A lattice point lies half a step inside of the interval's ends.
        inside = (self.step or 0.0) / 2
        return self.low + position * width + inside, self.low + (position + 1) * width - inside

    @property
    def cut(self) -> list[int]:
        """Intervals that are higher than the picture."""
        return [i for i, pair in enumerate(zip(self.reference, self.current, strict=True)) if max(pair) > self.top]


def picture(cells: Sequence["Cell"], quantiles: Sequence[tuple[float, float, float]] | None) -> Picture | None:
    """How the numbers of `cells` spread; `None` where a picture would say no more than a bar for each cell.

    `quantiles`, a share of the numbers and the value of each side, tell how rows spread inside of the cells.
    """
    rows = [sum(cell.reference for cell in cells), sum(cell.current for cell in cells)]
    bins = [cell for cell in cells if cell.low is not None]
    if not all(rows) or not bins:
        return None
    step, edges = _edges(bins)
    spans = [
        Span(*edge, cell.reference / rows[0], cell.current / rows[1]) for edge, cell in zip(edges, bins, strict=True)
    ]
    if len(edges) <= TICKS * 2 + 2 and all(_is_single(span, step) or not _is_finite(span) for span in spans):
        return None
    spans = _refined(spans, quantiles or (), step)
    inside = _shown(spans, step)
    if not inside:
        return None
    low, high = inside[0].low, inside[-1].high
    at_most = min(MOST_INTERVALS, max(FEWEST_INTERVALS, round(2 * min(rows) ** (1 / 3))))
    width = (high - low) / at_most
    if not SMALLEST < width < math.inf:
        return None
    if step:
        width = step * math.ceil((high - low) / step / at_most - 1e-9)
    # The last interval is as wide as the others, and may reach beyond the last number.
    intervals = math.ceil((high - low) / width - 1e-9)
    high = low + width * intervals
    if intervals < 2 or not low < low + width < high:
        return None
    sides = [_spread(inside, low, width, intervals, side) for side in (2, 3)]
    below, above = (_outside(spans, inside, at) for at in (0, -1))
    return Picture(low, high, step, *sides, _top(sides), below, above)


def ticks(low: float, high: float, step: float | None = None) -> list[float]:
    """Round numbers from `low` to `high`, a handful."""
    rough = (high - low) / TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    distance = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * (1 - 1e-9))
    if step and distance < step:
        distance = step
    if step == 1.0:
        distance = math.ceil(distance)
    first, last = math.ceil(low / distance - 1e-9), math.floor(high / distance + 1e-9)
    return [i * distance for i in range(first, last + 1)]


def _is_finite(span: Span) -> bool:
    return math.isfinite(span.low) and math.isfinite(span.high)


def _is_single(span: Span, step: float | None) -> bool:
    """Whether all rows of a span have one value."""
    return span.high - span.low <= (step or 0.0) * 1.5


def _edges(bins: Sequence["Cell"]) -> tuple[float | None, list[tuple[float, float]]]:
    """The lattice's step, and where bins begin and end; on a lattice that is half-way between its points.

    A bin holds what lies above its lower edge, up to and including the upper one. An edge just below a value that has
    a bin of its own, or below the smallest of all, stands for that value.
    """
    pairs = [(cell.low, cell.high) for cell in bins if cell.low is not None and cell.high is not None]
    finite = sorted({edge for pair in pairs for edge in pair if math.isfinite(edge)})
    just_below = {low for low, high in pairs if math.nextafter(low, math.inf) == high} | set(finite[:1])
    value = {edge: math.nextafter(edge, math.inf) if edge in just_below else edge for edge in finite}
    step = _step(sorted(set(value.values())))

    def place(edge: float) -> float:
        if not math.isfinite(edge):
            return edge
        half = (step or 0.0) / 2
        return value[edge] - half if edge in just_below else value[edge] + half

    return step, [(place(low), place(high)) for low, high in pairs]


def _step(values: Sequence[float]) -> float | None:
    """The distance of which all distances between `values` are multiples; `None` where there is none."""
    gaps = [b - a for a, b in pairwise(values)]
    # Half a step beyond a number must be another number.
    if all(value == int(value) and abs(value) < 2**52 for value in values):
        return 1.0
    smallest = min(gaps, default=0.0)
    # Fewer than three distances are multiples of one by chance.
    if len(gaps) < 3 or smallest <= 0 or not math.isfinite(sum(gaps)):
        return None
    ratios = [gap / smallest for gap in gaps]
    return smallest if all(abs(ratio - round(ratio)) < 1e-6 * ratio for ratio in ratios) else None


def _refined(
    spans: Sequence[Span], quantiles: Sequence[tuple[float, float, float]], step: float | None
) -> list[Span]:
    """The spans, cut at the quantiles of both sides: these tell how rows spread inside of them, and how far beyond
    all that the reference has seen.
    """
    half = (step or 0.0) / 2
    known: list[list[tuple[float, float]]] = []
    for side in (2, 3):
        numbers = math.fsum(span[side] for span in spans)
        known.append([(row[side - 1] + half, numbers * row[0]) for row in quantiles if math.isfinite(row[side - 1])])
    refined = []
    before = [0.0, 0.0]
    for span in spans:
        inside = [
            [(x, share - since) for x, share in side if span.low < x < span.high and 0 < share - since < rows]
            for side, since, rows in zip(known, before, span[2:], strict=True)
        ]
        before = [since + rows for since, rows in zip(before, span[2:], strict=True)]
        if _is_single(span, step) or not any(inside):
            refined.append(span)
            continue
        cuts = sorted({x for side in inside for x, _ in side})
        below = [
            [0.0, *(_below(cut, side, span, rows) for cut in cuts), rows]
            for side, rows in zip(inside, span[2:], strict=True)
        ]
        ends = [span.low, *cuts, span.high]
        refined += [
            Span(ends[i], ends[i + 1], *(side[i + 1] - side[i] for side in below)) for i in range(len(ends) - 1)
        ]
    return refined


def _below(x: float, known: Sequence[tuple[float, float]], span: Span, rows: float) -> float:
    """Share of the rows of a span up to `x`, between places where it is known; rows at an open end lie beyond `x`."""
    places = [(span.low, 0.0), *known, (span.high, rows)]
    position = bisect_left(places, x, 1, len(places) - 1, key=lambda place: place[0])
    (low, since), (high, to) = places[position - 1], places[position]
    if low == -math.inf:
        return to
    if high == math.inf:
        return since
    return since + (to - since) * (x - low) / (high - low)


def _shown(spans: Sequence[Span], step: float | None) -> list[Span]:
    """The spans in which the bulk of either side lies, ascending."""
    finite = [span for span in spans if _is_finite(span)]
    fences = [fence for side in (2, 3) if (fence := _fences(finite, side, step)) is not None]
    low, high = min((fence[0] for fence in fences), default=0.0), max((fence[1] for fence in fences), default=0.0)
    return [span for span in finite if low <= span.low and span.high <= high]


def _fences(spans: Sequence[Span], side: int, step: float | None) -> tuple[float, float] | None:
    """Tukey's outer fences of one side, single values with many rows left out."""
    spread = [span for span in spans if span[side] < HEAVY or not _is_single(span, step)]
    if not any(span[side] for span in spread):
        spread = list(spans)
    total = math.fsum(span[side] for span in spread)
    if not total:
        return None
    lower, upper = _quantile(spread, side, 0.25 * total), _quantile(spread, side, 0.75 * total)
    reach = FENCE * (upper - lower)
    return lower - reach, upper + reach


def _quantile(spans: Sequence[Span], side: int, share: float) -> float:
    """The number below which `share` of the rows lie."""
    passed = 0.0
    for span in spans:
        if span[side] and passed + span[side] >= share:
            return span.low + (span.high - span.low) * (share - passed) / span[side]
        passed += span[side]
    return spans[-1].high


def _spread(spans: Sequence[Span], low: float, width: float, intervals: int, side: int) -> list[float]:
    """Share of the rows in each interval."""
    shares = [0.0] * intervals
    for span in spans:
        start, end = (span.low - low) / width, (span.high - low) / width
        first = min(max(math.floor(start + 1e-9), 0), intervals - 1)
        if end - start < 1e-9:
            shares[first] += span[side]
            continue
        for i in range(first, min(math.ceil(end - 1e-9), intervals)):
            shares[i] += span[side] * max(min(end, i + 1) - max(start, i), 0.0) / (end - start)
    return shares


def _top(sides: Sequence[Sequence[float]]) -> float:
    """How high a picture is."""
    heights = sorted(map(max, zip(*sides, strict=True)), reverse=True)
    highest, third = heights[0], heights[min(2, len(heights) - 1)]
    return HEADROOM * third if 0 < third < TALL * highest else highest


def _outside(spans: Sequence[Span], inside: Sequence[Span], at: int) -> Outside | None:
    """The rows before the first span that is shown, or behind the last one."""
    last = spans.index(inside[at])
    part = spans[:last] if at == 0 else spans[last + 1 :]
    reference, current = (math.fsum(span[side] for span in part) for side in (2, 3))
    edge = inside[0].low if at == 0 else inside[-1].high
    return Outside(edge, reference, current) if reference or current else None
