"""Distributions in the report: which part of the numbers they show, and that every row is where it lies."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftline as dl
from driftline._report import render
from driftline._report.picture import picture, ticks
from driftline._report.spans import spans_of

N = 20_000


class Cell(NamedTuple):
    label: str
    low: float | None
    high: float | None
    reference: int
    current: int


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def shares(values: Any, edges: Sequence[float]) -> Any:
    return np.histogram(values, edges)[0] / len(values)


def drawn(before: Any, now: Any) -> Any:
    column = dl.compare({"x": before}, {"x": now})["x"]
    return picture(column.cells, column.quantiles)


def edges_of(shown: Any) -> Any:
    return np.linspace(shown.low, shown.high, shown.intervals + 1)


def test_a_distribution_is_drawn_as_it_is(rng: np.random.Generator) -> None:
    before, now = rng.normal(size=N), rng.normal(0.5, 1.2, N)
    shown = drawn(before, now)
    assert (shown.intervals, shown.step, shown.below, shown.cut) == (33, 0, None, [])
    for side, values in zip(shown.sides, (before, now), strict=True):
        # A bin of the reference holds 3 % of its rows, and is spread evenly.
        np.testing.assert_allclose(side, shares(values, edges_of(shown)), atol=0.012)
    assert shown.low == pytest.approx(before.min())


def test_whole_numbers_are_drawn_exactly(rng: np.random.Generator) -> None:
    before, now = rng.poisson(9, N), rng.poisson(10, N)
    shown = drawn(before, now)
    assert shown.step == 1
    assert [shown.numbers(i)[0] for i in range(3)] == [shown.low + 0.5 + i for i in range(3)]
    frequent = [i for i in range(shown.intervals) if 4 <= shown.numbers(i)[0] <= 14]
    for side, values in zip(shown.sides, (before, now), strict=True):
        exact = shares(values, edges_of(shown))
        assert [side[i] for i in frequent] == [pytest.approx(exact[i]) for i in frequent]


@pytest.mark.parametrize("step", [0.5, 0.01, 0.1])
def test_a_lattice_is_found(step: float, rng: np.random.Generator) -> None:
    shown = drawn(*(rng.integers(0, 21, N) * step for _ in range(2)))
    assert shown.step == pytest.approx(step)
    assert shown.intervals == 21
    np.testing.assert_allclose(shown.sides[0], 1 / 21, atol=0.01)


def heights(path: str) -> list[int]:
    """Heights of the intervals of an outline."""
    found: list[int] = []
    height = 0
    for command, length in re.findall(r"([hv])(-?\d+)", path):
        if command == "v":
            height -= int(length)
        else:
            found += [height] * int(length)
    assert height == 0
    return found


def test_outlines_are_as_high_as_the_shares(rng: np.random.Generator) -> None:
    before = np.where(rng.random(N) < 0.8, 0, rng.exponential(50, N))
    now = rng.exponential(50, N)
    shown = drawn(before, now)
    paths = re.findall("<path d=(.*?) />", render(dl.compare({"x": before}, {"x": now})))
    assert len(paths) == 2
    for side, path in zip(shown.sides, paths, strict=True):
        found = heights(path)
        assert len(found) == shown.intervals
        for share, height in zip(side, found, strict=True):
            # What is cut off leaves the picture.
            assert height > 99 if share > 1.01 * shown.top else height == round(99 * share / shown.top)
    assert max(heights(paths[0])) > 99 >= max(heights(paths[1]))


def test_quantiles_refine_even_the_widest_bin() -> None:
    spans, _ = spans_of([Cell("bin", -1.7e308, 1.7e308, 100, 100)], [(0.2, -1e308, 1e308)])
    assert [span.shares[0] for span in spans] == pytest.approx([0.2, 0.8 * 2 / 2.7, 0.8 * 0.7 / 2.7])
    assert [span.shares[1] for span in spans] == pytest.approx([0.2 * 0.7 / 2.7, 0.2 * 2 / 2.7, 0.8])


def test_a_lattice_is_not_found_by_chance() -> None:
    for edges in (
        [0.5, 2, 5],
        [0, 1e-20, 1, 2.5, 3.7, 9.1],
        [0.3, 1.7, 2.9, 3.3, 8.1],
        [1e16, 1e16 + 2, 1e16 + 4, 1e16 + 8],
    ):
        cells = [Cell("bin", low, high, 100, 100) for low, high in pairwise([-math.inf, *edges, math.inf])]
        assert spans_of(cells, None)[1] == 0
    cells = [Cell("bin", low, high, 100, 100) for low, high in pairwise([0.5, 2, 5, 6.5])]
    assert spans_of(cells, None)[1] == pytest.approx(1.5)


def test_heavy_tails_do_not_squash_the_picture(rng: np.random.Generator) -> None:
    before, now = (rng.standard_cauchy(N) for _ in range(2))
    shown = drawn(before, now)
    # Quartiles are at -1 and 1.
    assert -7.2 < shown.low < -4
    assert 4 < shown.high < 7.2
    for outside, beyond in ((shown.below, before < shown.low), (shown.above, before > shown.high)):
        assert outside.shares[0] == pytest.approx(beyond.mean(), abs=0.003)
    page = render(dl.compare({"x": before}, {"x": now}))
    assert re.search(r"<br>Not drawn: below -\d\.\d+ \d\.\d % → \d\.\d %; above \d\.\d+ \d\.\d % → \d\.\d %", page)


def test_a_frequent_value_is_cut_off_so_that_the_others_show(rng: np.random.Generator) -> None:
    before, now = (np.where(rng.random(N) < zeros, 0, rng.exponential(50, N)) for zeros in (0.8, 0.7))
    shown = drawn(before, now)
    assert shown.cut == [0]
    assert shown.sides[0][0] == pytest.approx(0.8, abs=0.03)
    assert shown.high > 150
    assert max(max(side[1:]) for side in shown.sides) > shown.top / 4
    page = render(dl.compare({"x": before}, {"x": now}))
    assert re.search(r"<br>Higher than drawn \(↑\): 0 to \d\.\d+ 8\d\.\d % → 7\d\.\d %", page)
    assert len(re.findall("<text[^>]*>↑</text>", page)) == 1


def test_what_lies_beyond_the_reference_is_drawn_by_its_quantiles(rng: np.random.Generator) -> None:
    before, now = rng.normal(size=N), rng.normal(100, 1, N)
    shown = drawn(before, now)
    assert 101 < shown.high < 104
    assert sum(shown.sides[1][-2:]) == pytest.approx(0.99, abs=0.03)
    assert shown.above.shares == (0, pytest.approx(0.01, abs=0.001))


def test_few_values_are_bars_and_no_picture(rng: np.random.Generator) -> None:
    for values in (np.ones(N), rng.integers(0, 12, N), rng.choice([0.1, 0.7, 3.14], N), np.full(N, np.nan)):
        assert drawn(values, values) is None
    assert drawn(rng.integers(0, 14, N), rng.integers(0, 14, N)) is not None


def test_numbers_as_large_or_small_as_can_be_break_nothing(rng: np.random.Generator) -> None:
    for scale in (1.7e308, 1e307, 1e-310, 5e-324, 1e16):
        before, now = (np.append(rng.uniform(-1, 1, 2000) * scale, [scale, -scale]) for _ in range(2))
        page = render(dl.compare({"x": before}, {"x": now + scale / 10 * (scale < 1e308)}))
        assert not re.search(r"=[^>]*\b(inf|nan)\b", page)


numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.tuples(st.integers(0, 1000), st.integers(0, 1000))


@st.composite
def columns(draw: Any) -> tuple[list[Cell], list[tuple[float, float, float]] | None]:
    """Bins as an engine might give, with gaps, and with edges just below values."""
    edges = set(draw(st.lists(numbers | st.integers(-50, 50).map(float), min_size=1, max_size=30)))
    for edge in draw(st.lists(st.sampled_from(sorted(edges)), max_size=5)):
        edges.add(math.nextafter(edge, -math.inf))
    ends = [-math.inf, *sorted(edge for edge in edges if math.isfinite(edge)), math.inf]
    cells = [Cell("bin", low, high, *draw(counts)) for low, high in pairwise(ends)]
    cells = [cell for cell in cells if cell.reference + cell.current]
    cells.append(Cell("missing", None, None, 1, 1))
    values = [sorted(draw(st.lists(numbers, min_size=3, max_size=3))) for _ in range(2)]
    quantiles = [(q, *pair) for q, pair in zip((0.05, 0.5, 0.95), zip(*values, strict=True), strict=True)]
    return cells, draw(st.sampled_from([quantiles, None]))


@given(columns())
def test_a_picture_holds_every_row_once(column: tuple[list[Cell], list[tuple[float, float, float]] | None]) -> None:
    cells, quantiles = column
    shown = picture(cells, quantiles)
    if shown is None:
        return
    for side, name in enumerate(("reference", "current")):
        rows = sum(getattr(cell, name) for cell in cells)
        numbers = sum(getattr(cell, name) for cell in cells if cell.low is not None)
        outside = sum(part.shares[side] for part in (shown.below, shown.above) if part is not None)
        assert sum(shown.sides[side]) + outside == pytest.approx(numbers / rows)
        assert min(shown.sides[side]) >= -1e-12
    assert 2 <= shown.intervals <= 33
    assert shown.top > 0
    assert shown.low < shown.high


@given(numbers, numbers, st.sampled_from([0.0, 1.0, 0.5]))
def test_ticks_are_few_round_and_inside(low: float, width: float, step: float) -> None:
    high = low + max(abs(width), abs(low) * 1e-9, 4 * step, 1e-290)
    if not math.isfinite(high - low):
        return
    found = ticks(low, high, step)
    slack = (high - low) * 1e-6
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert 1 <= len(found) <= 6
    if step:
        assert all((tick / step).is_integer() for tick in found)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (0.3, 1.2, [0.4, 0.6, 0.8, 1.0, 1.2]),
        (-7, 7, [-5, 0, 5]),
        (10_011, 109_564, [20_000, 40_000, 60_000, 80_000, 100_000]),
    ],
)
def test_ticks_are_round(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high, 0) == pytest.approx(found)
