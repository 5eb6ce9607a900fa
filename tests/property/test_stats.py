"""Statistics of counts equal SciPy's, and keep their laws."""

from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats as scipy_stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from driftline import stats

rows = st.integers(0, 10**9)
few = st.integers(0, 12)


def sides(count: st.SearchStrategy[int], cells: int = 12) -> st.SearchStrategy[Any]:
    """Two rows of counts of the same cells, with rows on both sides."""
    tables = st.lists(st.tuples(count, count), min_size=2, max_size=cells)
    return tables.filter(lambda table: all(map(any, zip(*table, strict=True)))).map(lambda table: np.array(table).T)


def places(count: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(-1e6, 1e6), min_size=count, max_size=count, unique=True).map(sorted)


def raised(counts: NDArray[Any]) -> Any:
    return ((side + 0.5) / (side + 0.5).sum() for side in counts)


@given(sides(rows))
def test_psi_is_the_symmetric_kl_divergence(counts: NDArray[Any]) -> None:
    p, q = raised(counts)
    oracle = (rel_entr(p, q) + rel_entr(q, p)).sum()
    assert_allclose(stats.psi(*counts).value, oracle, rtol=1e-9, atol=1e-12)


@given(sides(rows))
def test_jensen_shannon_equals_scipy(counts: NDArray[Any]) -> None:
    oracle = jensenshannon(*raised(counts)) ** 2
    assert_allclose(stats.jensen_shannon(*counts).value, oracle, rtol=1e-9, atol=1e-12)


@given(sides(rows))
def test_hellinger_is_the_distance_of_the_roots(counts: NDArray[Any]) -> None:
    p, q = raised(counts)
    oracle = np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2)
    assert_allclose(stats.hellinger(*counts).value, oracle, rtol=1e-9, atol=1e-12)


@given(sides(rows))
def test_total_variation_is_half_the_absolute_difference(counts: NDArray[Any]) -> None:
    p, q = (side / side.sum() for side in counts)
    assert_allclose(stats.total_variation(*counts).value, np.abs(p - q).sum() / 2, rtol=1e-9, atol=1e-12)


@given(sides(few))
def test_the_mean_of_total_variation_is_that_of_hypergeometric_counts(counts: NDArray[Any]) -> None:
    m, n = counts.sum(axis=1)
    pooled = counts.sum(axis=0)
    drawn = np.arange(n + 1)
    # Rows of the current side in each cell, for all that there can be.
    weights = scipy_stats.hypergeom.pmf(drawn[:, None], m + n, pooled, n)
    apart = np.abs(drawn[:, None] / n - (pooled - drawn[:, None]) / m)
    oracle = (weights * apart).sum() / 2
    assert_allclose(stats.total_variation(*counts).null_mean, oracle, rtol=1e-9, atol=1e-12)


@given(sides(rows))
def test_chi_square_equals_scipy(counts: NDArray[Any]) -> None:
    filled = counts[:, counts.sum(axis=0) > 0]
    found = stats.chi_square(*counts)
    oracle = scipy_stats.chi2_contingency(filled, correction=False)
    assert_allclose(found.statistic, oracle.statistic, rtol=1e-9, atol=1e-9)
    assert found.df == oracle.dof
    assert_allclose(found.w, np.sqrt(oracle.statistic * counts.sum() / (4 * np.prod(counts.sum(axis=1)))), rtol=1e-9)
    if oracle.expected_freq.min() >= 5:
        assert_allclose(found.p_value, oracle.pvalue, rtol=1e-8, atol=1e-300)


def cdfs(counts: NDArray[Any]) -> NDArray[Any]:
    return counts.cumsum(axis=1) / counts.sum(axis=1, keepdims=True)


@given(sides(few))
def test_ks_and_its_p_value_equal_scipy_on_different_values(counts: NDArray[Any]) -> None:
    f, g = cdfs(counts)
    assert_allclose(stats.ks(*counts).statistic, np.abs(f - g).max(), rtol=1e-9, atol=1e-12)
    # SciPy's exact p-value takes no ties: here every cell has one row.
    apart = np.minimum(counts, 1)
    apart[1, apart[0] > 0] = 0
    assume(apart.sum(axis=1).all())
    x, y = (np.flatnonzero(side) for side in apart)
    oracle = scipy_stats.ks_2samp(x, y, method="exact")
    assert_allclose(stats.ks(*apart), (oracle.statistic, oracle.pvalue), rtol=1e-9)


@given(sides(rows))
def test_kuiper_is_the_range_of_the_differences(counts: NDArray[Any]) -> None:
    f, g = cdfs(counts)
    assert_allclose(stats.kuiper(*counts).statistic, np.ptp(np.append(g - f, 0)), rtol=1e-9, atol=1e-12)


@given(sides(rows), st.data())
def test_kuiper_is_the_same_wherever_the_circle_is_cut(counts: NDArray[Any], data: st.DataObject) -> None:
    turned = np.roll(counts, data.draw(st.integers(1, counts.shape[1])), axis=1)
    assert_allclose(stats.kuiper(*turned).statistic, stats.kuiper(*counts).statistic, rtol=1e-9, atol=1e-15)


@given(sides(few), st.data())
def test_wasserstein_and_energy_equal_scipy(counts: NDArray[Any], data: st.DataObject) -> None:
    at = data.draw(places(counts.shape[1]))
    weighted = (at, at, *counts)
    assert_allclose(stats.wasserstein(*counts, at).value, scipy_stats.wasserstein_distance(*weighted), rtol=1e-9)
    assert_allclose(stats.energy(*counts, at).value, scipy_stats.energy_distance(*weighted), rtol=1e-9)


@given(st.lists(st.booleans(), min_size=2, max_size=40))
def test_cramer_von_mises_equals_scipy_on_different_values(is_current: list[bool]) -> None:
    current = np.array(is_current)
    assume(current.any() and not current.all())
    # SciPy refuses a side of one row.
    assume(min(current.sum(), (~current).sum()) > 1)
    oracle = scipy_stats.cramervonmises_2samp(np.flatnonzero(~current), np.flatnonzero(current)).statistic
    assert_allclose(stats.cramer_von_mises(~current, current).statistic, oracle, rtol=1e-9)


@given(sides(few))
def test_cramer_von_mises_with_ties_is_its_integral(counts: NDArray[Any]) -> None:
    (f, g), (m, n) = cdfs(counts), counts.sum(axis=1)
    oracle = m * n / (m + n) * np.average((f - g) ** 2, weights=counts.sum(axis=0))
    assert_allclose(stats.cramer_von_mises(*counts).statistic, oracle, rtol=1e-9, atol=1e-12)


def every(reference: NDArray[Any], current: NDArray[Any]) -> list[Any]:
    at = range(len(reference))
    return [
        stats.psi(reference, current),
        stats.jensen_shannon(reference, current),
        stats.hellinger(reference, current),
        stats.total_variation(reference, current),
        stats.chi_square(reference, current),
        stats.ks(reference, current),
        stats.kuiper(reference, current),
        stats.cramer_von_mises(reference, current),
        stats.wasserstein(reference, current, at),
        stats.energy(reference, current, at),
    ]


@given(sides(few))
def test_all_are_symmetric(counts: NDArray[Any]) -> None:
    for there, back in zip(every(*counts), every(*counts[::-1]), strict=True):
        assert_allclose(float(there), float(back), rtol=1e-9, atol=1e-12)


@given(sides(few))
def test_equal_sides_are_at_distance_0_with_p_value_1(counts: NDArray[Any]) -> None:
    for found in every(counts[0], counts[0]):
        assert float(found) == 0
        assert getattr(found, "p_value", 1) == 1


@given(sides(few), st.integers(2, 1000))
def test_distances_of_shares_do_not_depend_on_the_number_of_rows(counts: NDArray[Any], factor: int) -> None:
    def distances(reference: NDArray[Any], current: NDArray[Any]) -> list[float]:
        *_, moved, chi_square, ks, kuiper, _, wasserstein, energy = every(reference, current)
        return [*map(float, (moved, ks, kuiper, wasserstein, energy)), chi_square.w]

    assert_allclose(distances(*(counts * factor)), distances(*counts), rtol=1e-9, atol=1e-12)
    # w is one of equal weights only in the limit, so the sides grow alike here; the others take any.
    assert_allclose(distances(counts[0] * factor, counts[1])[:-1], distances(*counts)[:-1], rtol=1e-9, atol=1e-12)


@given(sides(few), st.floats(0.01, 1e6), st.floats(-1e3, 1e3))
def test_distances_follow_the_unit_and_not_the_origin(counts: NDArray[Any], unit: float, origin: float) -> None:
    at = np.arange(counts.shape[1])
    moved = origin + unit * at
    slack = {"rtol": 1e-9, "atol": 1e-12 * (abs(origin) + unit)}
    wide, narrow = stats.wasserstein(*counts, moved), stats.wasserstein(*counts, at)
    assert_allclose(wide.value, unit * narrow.value, **slack)
    assert_allclose(stats.energy(*counts, moved).value ** 2, unit * stats.energy(*counts, at).value ** 2, **slack)


@given(sides(st.integers(5, 10**6)))
def test_divergences_keep_their_interval_and_null(counts: NDArray[Any]) -> None:
    s = (1 / counts.sum(axis=1)).sum()
    df = counts.shape[1] - 1
    expected = counts.sum(axis=0).min() * counts.sum(axis=1).min() / counts.sum()
    assume(expected >= 5)
    for found, scale in [(stats.psi(*counts), 1), (stats.jensen_shannon(*counts), 8)]:
        assert_allclose(found.p_value, scipy_stats.chi2.sf(scale * found.value / s, df), rtol=1e-8, atol=1e-300)
        assert_allclose(found.null_95, scipy_stats.chi2.ppf(0.95, df) * s / scale, rtol=1e-9)
        assert_allclose(found.null_mean, df * s / scale, rtol=1e-9)
        assert 0 <= found.lower <= found.value
        assert max(found.lower, found.debiased) <= found.upper


@given(sides(few))
def test_permutations_agree_with_each_other(counts: NDArray[Any]) -> None:
    # Kuiper, Wasserstein, energy and Cramér-von Mises of two cells are one and the same question.
    binary = np.stack([counts[:, 0], counts[:, 1:].sum(axis=1)], axis=1)
    assume(binary.sum(axis=1).all())
    ks, *others = every(*binary)[5:]
    for found in others:
        # The same draws, and the same order of the tables.
        assert found.p_value == others[0].p_value
    # Five standard errors of a share of 999 draws.
    assert abs(ks.p_value - others[0].p_value) <= 5 * np.sqrt(0.25 / 999)
