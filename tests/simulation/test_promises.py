"""What comparisons promise, on data whose truth is known: a small part of what `python -m simulations` runs.

Each experiment lies where a recipe that looks right fails, and is shown to catch that recipe.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import driftline as dl
from simulations.claims import Figure, figures
from simulations.experiments import ALPHA, FRAMES, PROFILES, Answer, Column, Experiment, Source
from simulations.laws import CATEGORIES, LAWS, NUMBERS, Categories, Change, Numbers
from simulations.plan import EDGES, LAW, TOLERANCE, changed, experiment

SEED = 7

MANY_VALUES = [LAW[f"{values} values, {shape}"] for values in (30, 300) for shape in ("uniform", "Zipf")]
"""Categories of which a small side holds many values once or never."""


def broken(of: Experiment) -> list[Figure]:
    """The promises that are not kept."""
    return [figure for figure in figures(of, of.run(SEED, 0, of.runs)) if not figure.holds]


def unchanged(laws: Iterable[Numbers | Categories], sizes: tuple[int, int], runs: int) -> Experiment:
    return experiment("no change", "nothing", [Column(law) for law in laws], sizes, runs, 0.0)


def at_the_edge(of_numbers: str, of_categories: str, sizes: tuple[int, int], runs: int) -> Experiment:
    columns = [*changed(NUMBERS, of_numbers, TOLERANCE), *changed(CATEGORIES, of_categories, TOLERANCE)]
    return experiment("edge", f"{of_numbers}, {of_categories}", columns, sizes, runs, TOLERANCE)


def one_of_20(law: str, how: str, share: float, rows: int = 10_000, tolerance: float = 0.0) -> Experiment:
    columns = [Column(LAW[law], Change(how, share)), *(Column(law) for law in (*NUMBERS, *NUMBERS)[:19])]
    return experiment("one of 20", how, columns, (rows, rows), 20, tolerance, [FRAMES])


UNEQUAL = unchanged(MANY_VALUES, (5_000, 50), 300)
SPREAD = experiment("edge", "spread", changed(MANY_VALUES, "spread", TOLERANCE), (200, 200), 100, TOLERANCE)
LARGE = unchanged(NUMBERS, (100_000, 100_000), 25)
ONES = one_of_20("3 % ones", "into", 0.02)
FEW = experiment("few rows", "nothing", [Column(law) for law in LAWS], (50, 50), 50, TOLERANCE)
FAMILIES = unchanged(LAWS, (200, 200), 100)

EXPERIMENTS = {
    "categories, unequal sides": UNEQUAL,
    "all laws": FAMILIES,
    "all laws, unequal sides": unchanged(LAWS, (500, 5_000), 50),
    "large sketches": LARGE,
    "edge, spread": SPREAD,
    **{f"edge, {how[0]}, small": at_the_edge(*how, (200, 200), 100) for how in EDGES},
    **{f"edge, {how[0]}, unequal": at_the_edge(*how, (5_000, 500), 50) for how in EDGES},
    "edge, large": at_the_edge(*EDGES[0], (100_000, 100_000), 25),
    "3 % to 5 %": ONES,
    "3 % to 7 %": one_of_20("3 % ones", "into", 0.04, 30_000, TOLERANCE),
    "a value filled in": one_of_20("normal", "into", 0.05),
    "a new category": one_of_20("300 values, Zipf", "new", 0.05),
    "two large categories": one_of_20("2 of 45 % among 300", "across", 0.05),
    "few rows": FEW,
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_promises_are_kept(name):
    assert broken(EXPERIMENTS[name]) == []


@pytest.mark.parametrize(("source", "share"), [(FRAMES, 0.015), (PROFILES, 0.01)], ids=["frames", "profiles"])
def test_a_million_rows_prove_that_little_moved(source, share):
    categories = [LAW["3 values, Zipf"], LAW["30 values, Zipf"]]
    columns = [*changed(NUMBERS, "past", share), *changed(categories, "across", share)]
    assert broken(experiment("harmless", "past", columns, (1_000_000, 1_000_000), 1, TOLERANCE, [source])) == []


class Said(NamedTuple):
    p_value: float
    verdict: str


def recipe(name: str, p_value: Callable[[pa.ChunkedArray, pa.ChunkedArray, float], float], quiet: str) -> Source:
    """Another way to compare: `drift` where its p-value passes Bonferroni's correction, `quiet` elsewhere."""

    def compare(reference: pa.Table, current: pa.Table, tolerance: float) -> Mapping[str, Answer]:
        limit = ALPHA / reference.num_columns
        p = {c: p_value(reference[c], current[c], tolerance) for c in reference.column_names}
        return {column: Said(value, "drift" if value <= limit else quiet) for column, value in p.items()}

    return Source(name, compare)


def counts(reference: pa.ChunkedArray, current: pa.ChunkedArray) -> np.ndarray:
    sides = [Counter(side.to_pylist()) for side in (reference, current)]
    return np.array([[side[value] for value in sides[0] | sides[1]] for side in sides])


def chi_square(reference: pa.ChunkedArray, current: pa.ChunkedArray, tolerance: float) -> float:
    return stats.chi2_contingency(counts(reference, current)).pvalue


def variation_minus_tolerance(reference: pa.ChunkedArray, current: pa.ChunkedArray, tolerance: float) -> float:
    p, q = (side / side.sum() for side in counts(reference, current))
    deviation = np.sqrt(1 / len(reference) + 1 / len(current)) / 2
    return stats.norm.sf((np.abs(p - q).sum() / 2 - tolerance) / deviation)


def kolmogorov(reference: pa.ChunkedArray, current: pa.ChunkedArray, tolerance: float) -> float:
    return stats.ks_2samp(reference.drop_null(), current.drop_null(), method="asymp").pvalue


def sketches_taken_for_rows(reference: pa.ChunkedArray, current: pa.ChunkedArray, tolerance: float) -> float:
    sides = [dl.profile({"x": side}, k=200, progress=False)["x"] for side in (reference, current)]
    points = [side.quantile(q) for side in sides for q in np.linspace(0.02, 0.98, 49)]
    distance = max(abs(sides[0].cdf(x).value - sides[1].cdf(x).value) for x in points)
    return stats.kstwobign.sf(distance / np.sqrt(1 / len(reference) + 1 / len(current)))


def uncorrected(reference: pa.Table, current: pa.Table, tolerance: float) -> Mapping[str, Answer]:
    return dl.compare(reference, current, tolerance=tolerance, correction="none", threads=1)


NORMAL = replace(LARGE, columns=[Column(LAW["normal"])] * 2)


@pytest.mark.parametrize(
    ("of", "source"),
    [
        (UNEQUAL, recipe("chi-square at any expected count", chi_square, "undecided")),
        (SPREAD, recipe("total variation less the tolerance", variation_minus_tolerance, "undecided")),
        (ONES, recipe("Kolmogorov-Smirnov that knows no ties", kolmogorov, "undecided")),
        (FEW, recipe("stable is what is not significant", lambda *sides: 1.0, "stable")),
        (NORMAL, recipe("sketches taken for rows", sketches_taken_for_rows, "undecided")),
        (FAMILIES, Source("no correction", uncorrected)),
    ],
    ids=lambda value: value.name if isinstance(value, Source) else "",
)
def test_wrong_recipes_are_caught(of, source):
    assert broken(replace(of, sources=[source])) != []


def test_verdicts_follow_from_p_values():
    """The simulations count small p-values in place of verdicts without correction."""
    reference, current = FAMILIES.tables(np.random.default_rng(SEED))
    found = dl.compare(reference, current, tolerance=0.0, correction="none")
    assert all((column.verdict == "drift") == (column.p_value <= ALPHA) for column in found.values())
    assert {column.p_adjusted == column.p_value for column in found.values()} == {True}
    corrected = dl.compare(reference, current, tolerance=0.0)
    assert [column.p_value for column in corrected.values()] == [column.p_value for column in found.values()]
