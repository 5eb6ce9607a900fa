"""Laws of profiles: exact answers against NumPy and SciPy, whatever way the data are cut."""

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

import driftline as dl

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.1, 1e300, -1e300, 5e-324, np.nan, np.inf, -np.inf]
numbers = st.one_of(st.sampled_from(SPECIAL), st.floats(-1e6, 1e6))
columns = arrays(np.float64, st.integers(1, 300), elements=numbers)
texts = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "", "ü"]), st.text(max_size=3)), max_size=200)


@given(columns)
def test_counts_and_range(x: NDArray[np.float64]) -> None:
    p = dl.profile({"x": x})["x"]
    valid = x[~np.isnan(x)]
    assert (p.count, p.null_count, p.nan_count) == (len(x), 0, np.isnan(x).sum())
    assert (p.pos_inf_count, p.neg_inf_count) == ((x == np.inf).sum(), (x == -np.inf).sum())
    assert (p.zero_count, p.negative_count) == ((x == 0).sum(), (x < 0).sum())
    expected = (valid.min(), valid.max()) if len(valid) else (None, None)
    assert (p.min, p.max) == expected


@given(arrays(np.float64, st.integers(4, 300), elements=st.floats(-1e6, 1e6)))
def test_moments(x: NDArray[np.float64]) -> None:
    p = dl.profile({"x": x})["x"]
    # Promised to 1e-12 of their scale.
    assert abs(p.mean - x.mean()) <= 1e-12 * np.abs(x).mean() + 1e-300
    sigma = x.std()
    assert abs(p.std - x.std(ddof=1)) <= 1e-9 * np.abs(x).max()
    # Where the spread is lost in the last bits of the values, so are the higher moments, for SciPy as well.
    if sigma > 1e-5 * np.abs(x).max():
        np.testing.assert_allclose(p.skewness, stats.skew(x), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(p.kurtosis, stats.kurtosis(x), rtol=1e-6, atol=1e-6)


@given(st.integers(0, 2**32), st.sampled_from(["normal", "pareto", "few", "sorted"]))
def test_quantiles_lie_within_their_bounds(seed: int, shape: str) -> None:
    rng = np.random.default_rng(seed)
    made = {
        "normal": rng.normal(size=20_000),
        "pareto": rng.pareto(1.2, 20_000),
        "few": rng.integers(0, 7, 20_000).astype(float),
        "sorted": np.sort(rng.random(20_000)),
    }
    x = made[shape]
    p = dl.profile({"x": x}, k=200)["x"]
    ordered = np.sort(x)
    qs = [0.01, 0.25, 0.5, 0.75, 0.99]
    # 99 % bounds may fail now and then; three times as wide they may not (the sketch's error is subgaussian).
    slack = 3 * p.rank_error
    for q, (value, lower, upper) in zip(qs, p.quantiles(qs), strict=True):
        assert lower <= value <= upper
        below, at_most = np.searchsorted(ordered, [value], "left")[0], np.searchsorted(ordered, [value], "right")[0]
        assert below / len(x) - slack <= q <= at_most / len(x) + slack


def exact(p: dl.Profile) -> list[Any]:
    """The parts that may not depend on how the data were cut."""
    table = p.to_arrow()
    names = [n for n in table.column_names if n.endswith("_count") or n in ("rows", "min", "max", "distinct")]
    return [table[name].to_pylist() for name in [*names, "bin_counts", "length_min", "length_max"]]


@given(columns, texts, st.lists(st.floats(0, 1), max_size=5), st.integers(1, 4))
def test_any_cut_gives_the_same_bits(
    x: NDArray[np.float64], s: list[str | None], cuts: list[float], threads: int
) -> None:
    rows = min(len(x), len(s))
    table = pa.table({"x": pa.array(x[:rows], from_pandas=False), "s": pa.array(s[:rows], pa.string())})
    reference = dl.profile({"x": [-1.0, 0.0, 1.0, 2.0], "s": ["a", "b", "a", ""]})
    whole = dl.profile(table, reference=reference, threads=1)
    at = sorted(int(cut * rows) for cut in cuts)
    parts = [table.slice(a, b - a) for a, b in zip([0, *at], [*at, rows], strict=True)]
    streamed = dl.profile(parts, reference=reference, threads=threads)
    merged = dl.merge(dl.profile(part, reference=reference, threads=threads) for part in reversed(parts))
    assert exact(streamed) == exact(whole)
    assert exact(merged) == exact(whole)


@given(texts)
def test_categories_are_counted(s: list[str | None]) -> None:
    p = dl.profile({"s": pa.array(s, pa.string()).to_pylist() if s else []}) if any(s) else None
    if p is None:
        return
    values = [v for v in s if v is not None]
    c = p["s"]
    assert c.null_count == len(s) - len(values)
    assert c.empty_count == values.count("")
    counts = {v: values.count(v) for v in set(values)}
    once = {v for v, n in counts.items() if n == 1}
    if 2 * len(once) > len(counts):
        # They look like ids: what came once is not shown, and so could have come once more than the rest tells.
        shown = {(v, n + 1, n, n + 1) for v, n in counts.items() if v not in once}
    else:
        # Below 192 different values every count is exact.
        shown = {(v, n, n, n) for v, n in counts.items()}
    assert set(c.top(1000)) == shown
    assert c.distinct.lower <= len(set(values)) <= c.distinct.upper
