"""Which part of a column's numbers a picture shows, and how many rows lie where on it.

Bins of a reference hold about equally many rows each, so a few of them, very wide, cover all of a heavy tail. A picture
has intervals of equal width instead, over the range in which the bulk of either side lies.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from driftline._report.bars import MOST_BARS
from driftline._report.spans import Quantile, Span, spans_of

if TYPE_CHECKING:
    from driftline._column_comparison import Cell

__all__ = ["Outside", "Picture", "picture", "ticks"]

MOST_INTERVALS = 33
"""As many as a reference has bins: what they resolve can be seen, and no more is made up."""

FEWEST_INTERVALS = 8
"""Fewer show no shape."""

FENCE = 3.0
"""Interquartile ranges beyond the quartiles up to which numbers are shown: Tukey's outer fence, beyond which he calls
values far out (Exploratory Data Analysis, 1977). Of a million rows of a normal distribution, two lie beyond it."""

HEAVY = 0.1
"""A single value with this share of the rows says nothing of how far the others spread."""

TICKS = 5
"""So many labels stand beside each other on a phone."""

SMALLEST = 1e-300
"""Floats below lose digits, and an interval needs some."""

TALL = 0.15
"""Where all intervals but two stay below this part of the highest, those two are cut off so that the others show."""

HEADROOM = 3.0
"""How high the picture is then, as a multiple of the highest interval of the others."""

SLACK = 1e-9
"""Rounding errors of a position, as a share of an interval."""


class Outside(NamedTuple):
    """What a picture leaves out on one side."""

    edge: float
    """Where the picture ends."""
    shares: tuple[float, float]
    """Rows beyond, of the reference and now."""


class Picture(NamedTuple):
    """Rows over intervals of equal width."""

    low: float
    """Where the first interval begins."""
    high: float
    """Where the last one ends."""
    step: float
    """Distance of neighbouring numbers; 0 where they can lie anywhere."""
    sides: tuple[list[float], list[float]]
    """Share of the rows in each interval, of the reference and now."""
    top: float
    """The largest share that is shown; what is higher is cut off."""
    below: Outside | None
    """Rows below the picture, where there are any."""
    above: Outside | None
    """Rows above the picture, where there are any."""

    @property
    def intervals(self) -> int:
        """How many there are."""
        return len(self.sides[0])

    @property
    def cut(self) -> list[int]:
        """Intervals that are higher than the picture."""
        return [i for i, shares in enumerate(zip(*self.sides, strict=True)) if max(shares) > self.top]

    def numbers(self, interval: int) -> tuple[float, float]:
        """The lowest and the highest number of an interval."""
        width = (self.high - self.low) / self.intervals
        low = self.low + interval * width
        return low + self.step / 2, low + width - self.step / 2


def picture(cells: Sequence["Cell"], quantiles: Sequence[Quantile] | None) -> Picture | None:
    """How the numbers of `cells` spread; `None` where bars for the cells show it better, or nothing can."""
    spans, step = spans_of(cells, quantiles)
    if len(spans) <= MOST_BARS and all(span.is_single(step) or not span.is_finite for span in spans):
        return None
    shown = _bulk(spans, step)
    if not shown:
        return None
    low, high = shown[0].low, shown[-1].high
    rows = min(sum(cell.reference for cell in cells), sum(cell.current for cell in cells))
    # Rice's rule: so many intervals that each holds enough rows to say something.
    most = min(max(round(2 * rows ** (1 / 3)), FEWEST_INTERVALS), MOST_INTERVALS)
    width = (high - low) / most
    if not SMALLEST < width < math.inf:
        return None
    if step:
        width = step * math.ceil((high - low) / step / most - SLACK)
    # The last interval is as wide as the others, and may reach beyond the last number.
    intervals = math.ceil((high - low) / width - SLACK)
    if intervals < 2 or low + width == low or high - width == high:
        return None
    sides = (_spread(shown, low, width, intervals, 0), _spread(shown, low, width, intervals, 1))
    first, last = spans.index(shown[0]), spans.index(shown[-1])
    below, above = _outside(low, spans[:first]), _outside(high, spans[last + 1 :])
    return Picture(low, low + width * intervals, step, sides, _top(sides), below, above)


def ticks(low: float, high: float, step: float) -> list[float]:
    """Round numbers from `low` to `high`, a handful; on a lattice only such as lie on it."""
    rough = (high - low) / TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    distance = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * (1 - SLACK))
    if step:
        distance = step * max(math.ceil(distance / step - SLACK), 1)
    first, last = math.ceil(low / distance - SLACK), math.floor(high / distance + SLACK)
    return [i * distance for i in range(first, last + 1)]


def _bulk(spans: Sequence[Span], step: float) -> list[Span]:
    """The spans within the fences of either side."""
    finite = [span for span in spans if span.is_finite]
    fences = [fence for side in (0, 1) if (fence := _fences(finite, side, step)) is not None]
    low = min((low for low, _ in fences), default=0.0)
    high = max((high for _, high in fences), default=0.0)
    return [span for span in finite if low <= span.low and span.high <= high]


def _fences(spans: Sequence[Span], side: int, step: float) -> tuple[float, float] | None:
    """Tukey's outer fences of one side, without single values that hold many rows."""
    counted = [span for span in spans if span.shares[side]]
    counted = [span for span in counted if span.shares[side] < HEAVY or not span.is_single(step)] or counted
    if not counted:
        return None
    total = math.fsum(span.shares[side] for span in counted)
    lower, upper = (_quantile(counted, side, q * total) for q in (0.25, 0.75))
    reach = FENCE * (upper - lower)
    return lower - reach, upper + reach


def _quantile(spans: Sequence[Span], side: int, share: float) -> float:
    """The number below which `share` of the rows lie, of spans that hold some."""
    passed = 0.0
    for span in spans:
        rows = span.shares[side]
        if passed + rows >= share:
            return span.low + (span.high - span.low) * ((share - passed) / rows)
        passed += rows
    return spans[-1].high


def _spread(spans: Sequence[Span], low: float, width: float, intervals: int, side: int) -> list[float]:
    """Share of the rows in each interval; those of a span lie evenly over its width."""
    shares = [0.0] * intervals
    for span in spans:
        start, end = (span.low - low) / width, (span.high - low) / width
        first = min(math.floor(start + SLACK), intervals - 1)
        if end - start < SLACK:
            shares[first] += span.shares[side]
            continue
        for i in range(first, min(math.ceil(end - SLACK), intervals)):
            part = min(end, i + 1) - max(start, i)
            shares[i] += span.shares[side] * max(part, 0.0) / (end - start)
    return shares


def _top(sides: tuple[list[float], list[float]]) -> float:
    """How high the picture is."""
    heights = sorted(map(max, zip(*sides, strict=True)), reverse=True)
    highest, others = heights[0], heights[min(2, len(heights) - 1)]
    return HEADROOM * others if 0 < others < TALL * highest else highest


def _outside(edge: float, spans: Sequence[Span]) -> Outside | None:
    before, now = (math.fsum(span.shares[side] for span in spans) for side in (0, 1))
    return Outside(edge, (before, now)) if before or now else None
