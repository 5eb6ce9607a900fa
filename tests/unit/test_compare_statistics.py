"""The statistics of a comparison are those of SciPy where the data are small, and within their bounds where not."""

import numpy as np
import pytest
from scipy import stats

import driftline as dl

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("sizes", [(40, 60), (700, 300)])
def test_numbers_equal_scipy(sizes: tuple[int, int]) -> None:
    before, now = RNG.normal(size=sizes[0]), RNG.normal(0.3, 1.4, size=sizes[1])
    found = dl.compare({"x": before}, {"x": now})["x"].statistics
    ks = stats.ks_2samp(before, now)
    expected = {
        "ks": ks.statistic,
        "wasserstein": stats.wasserstein_distance(before, now),
        "energy": stats.energy_distance(before, now),
        "cramer_von_mises": stats.cramervonmises_2samp(before, now).statistic,
        "missing_change": 0.0,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name
    # Exact: the bounds have no width, and no smoothing hides them.
    assert found["wasserstein_lower"] == found["wasserstein"] == found["wasserstein_upper"]
    spread = np.subtract(*np.quantile(before, [0.75, 0.25], method="inverted_cdf"))
    assert found["wasserstein_scaled"] == pytest.approx(found["wasserstein"] / spread, rel=1e-9)
    both = np.concatenate([before, now])
    d = np.array([np.mean(now <= x) - np.mean(before <= x) for x in both])
    assert found["kuiper"] == pytest.approx(max(d.max(), 0) - min(d.min(), 0), rel=1e-9)


def test_categories_equal_scipy_and_the_formulas() -> None:
    before, now = {"a": 500, "b": 300, "c": 200}, {"a": 420, "b": 350, "d": 130}
    sides = [{"c": [name for name, rows in side.items() for _ in range(rows)]} for side in (before, now)]
    found = dl.compare(*sides)["c"].statistics
    table = np.array([[side.get(name, 0) for name in "abcd"] for side in (before, now)])
    chi_square = stats.chi2_contingency(table, correction=False)
    assert found["chi_square"] == pytest.approx(chi_square.statistic, rel=1e-9)
    assert found["chi_square_df"] == chi_square.dof
    m, n = table.sum(axis=1)
    assert found["w"] == pytest.approx(np.sqrt(chi_square.statistic * (n + m) / (4 * n * m)), rel=1e-9)
    p, q = table / table.sum(axis=1, keepdims=True)
    assert found["total_variation"] == pytest.approx(np.abs(p - q).sum() / 2, rel=1e-9)
    p, q = (table + 0.5) / (table + 0.5).sum(axis=1, keepdims=True)
    assert found["psi"] == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-9)
    middle = (p + q) / 2
    assert found["jensen_shannon"] == pytest.approx((stats.entropy(p, middle) + stats.entropy(q, middle)) / 2, rel=1e-9)
    assert found["hellinger"] == pytest.approx(np.sqrt(1 - np.sqrt(p * q).sum()), rel=1e-9)
    assert "ks" not in found


def test_large_numbers_lie_within_the_propagated_error() -> None:
    before, now = RNG.normal(size=200_000), RNG.normal(0.05, 1.1, size=150_000)
    column = dl.compare(dl.profile({"x": before}, k=200), dl.profile({"x": now}, k=200))["x"]
    found = column.statistics
    assert column.sketch_error > 0
    assert found["wasserstein_lower"] <= stats.wasserstein_distance(before, now) <= found["wasserstein_upper"]
    assert found["ks"] == pytest.approx(stats.ks_2samp(before, now).statistic, abs=column.sketch_error)
    # Shares of estimated counts have no interval.
    assert "psi_lower" not in found
    assert "psi_lower" in dl.compare({"x": before}, {"x": now})["x"].statistics


def test_a_distance_of_unchanged_data_is_told_beside_what_chance_gives() -> None:
    found = dl.compare({"x": RNG.normal(size=2000)}, {"x": RNG.normal(size=2000)})["x"].statistics
    assert 0 < found["wasserstein"] < 2 * found["wasserstein_null_95"]
    # 33 bins and 2,000 rows a side: chance alone gives a PSI of 32 / 1000.
    assert found["chi_square_df"] == 32
    assert found["psi_debiased"] == pytest.approx(found["psi"] - 0.032, rel=1e-9)


def test_statistics_are_in_every_table() -> None:
    c = dl.compare(
        {"x": RNG.normal(size=500), "c": ["a", "b"] * 250, "t": np.arange(500).astype("M8[s]")},
        {"x": RNG.normal(size=500), "c": ["a", "b"] * 250, "t": np.arange(500).astype("M8[s]")},
    )
    rows = {row["column"]: row for row in c.to_polars().to_dicts()}
    for name, column in c.items():
        told = {key: value for key, value in rows[name].items() if key in column.statistics}
        assert told == column.statistics
        assert set(column.statistics) <= set(rows[name])
    assert c["t"].statistics == {}
    assert rows["t"]["psi"] is None
    assert {entry["name"]: entry["statistics"] for entry in c.to_dicts()} == {n: col.statistics for n, col in c.items()}


def test_a_small_reference_has_its_distances_too() -> None:
    column = dl.compare({"x": RNG.normal(size=50)}, {"x": RNG.normal(3, 1, size=50)})["x"]
    assert column.statistics["total_variation"] >= column.effect - 1e-9 > 0.7
