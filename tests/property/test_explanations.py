"""What is said to have moved is true of the values themselves."""

import re
from collections.abc import Callable

import numpy as np
import pytest

import driftline as dl

Draw = Callable[[np.random.Generator, int, float], np.ndarray]

COLUMNS: dict[str, Draw] = {
    "whole numbers as floats": lambda rng, n, s: rng.poisson(5 + s, n).astype(float),
    "whole numbers": lambda rng, n, s: rng.poisson(5 + s, n),
    "negative ones as floats": lambda rng, n, s: -rng.poisson(4 + s, n).astype(float),
    "few whole numbers as floats": lambda rng, n, s: np.minimum(rng.poisson(1 + s, n), 6).astype(float),
    "halves": lambda rng, n, s: np.round(rng.normal(s / 2, 1.5, n) * 2) / 2,
    "tenths in single precision": lambda rng, n, s: np.round(rng.normal(s / 2, 1.5, n), 1).astype(np.float32),
    "cents": lambda rng, n, s: np.round(rng.gamma(2 + s / 3, 20, n), 2),
    "prices that many share": lambda rng, n, s: np.where(
        rng.random(n) < 0.3, rng.choice([73, 81.67, 99.45], n), np.round(rng.gamma(4 + s, 25, n), 2)
    ),
    "normal": lambda rng, n, s: rng.normal(s / 3, 1, n),
    "many zeros": lambda rng, n, s: np.where(rng.random(n) < 0.6 - 0.2 * s, 0, rng.lognormal(s / 3, 1, n)),
    "some missing": lambda rng, n, s: np.where(rng.random(n) < 0.05 + 0.05 * s, np.nan, rng.poisson(5 + s, n)),
}

NUMBER = r"(-?[\d.]+(?:e-?\d+)?)"

MEANS: tuple[tuple[str, Callable[..., np.ndarray]], ...] = (
    ("not a number", lambda x: np.isnan(x)),
    (f"above {NUMBER} up to {NUMBER}", lambda x, a, b: (x > a) & (x <= b)),
    (f"above {NUMBER} to below {NUMBER}", lambda x, a, b: (x > a) & (x < b)),
    (f"{NUMBER} to below {NUMBER}", lambda x, a, b: (x >= a) & (x < b)),
    (f"{NUMBER} to {NUMBER}", lambda x, a, b: (x >= a) & (x <= b)),
    (f"{NUMBER} or more", lambda x, a: x >= a),
    (f"above {NUMBER}", lambda x, a: x > a),
    (f"below {NUMBER}", lambda x, b: x < b),
    (f"up to {NUMBER}", lambda x, b: x <= b),
    (NUMBER, lambda x, a: x == a),
)


def share(values: np.ndarray, label: str) -> float:
    """Of the values, those that a label names, by what its words mean."""
    for pattern, among in MEANS:
        found = re.fullmatch(pattern, label)
        if found is not None:
            # A number is written in decimals, and means what lies next to it in the precision of the values.
            return float(np.mean(among(values, *(values.dtype.type(text) for text in found.groups()))))
    raise AssertionError(f"{label!r} means nothing")


@pytest.mark.parametrize("of_profiles", [False, True], ids=["frames", "profiles"])
@pytest.mark.parametrize("column", COLUMNS)
def test_labels_mean_the_rows_whose_share_they_tell(column: str, of_profiles: bool) -> None:
    rng = np.random.default_rng([7, *column.encode()])
    told = 0
    for rows in (3_000, 20_000):
        for shift in (0.0, 0.5, 1.0):
            before, now = COLUMNS[column](rng, rows, 0.0), COLUMNS[column](rng, rows, shift)
            sides = [dl.profile({"x": side}) if of_profiles else {"x": side} for side in (before, now)]
            found = dl.compare(*sides)["x"]
            for moved in found.all_moved:
                told += 1
                # Edges of many digits are rounded: a fiftieth of the way to the next, of bins with 3 % of the rows. Two
                # sketches are off by a quarter of a percent each.
                margin = 0.0075 if of_profiles else 0.002
                assert share(before, moved.label) == pytest.approx(moved.reference, abs=margin), moved
                assert share(now, moved.label) == pytest.approx(moved.current, abs=margin), moved
    assert told >= 4
