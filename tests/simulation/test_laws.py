"""The simulations prove something only where changes are as large as they say."""

import numpy as np
import pyarrow as pa
import pytest

from simulations.laws import CATEGORIES, LAWS, MOVES, NUMBERS, Change
from simulations.plan import TOLERANCE

ROWS = 400_000


MOVED = [(law, how) for law in CATEGORIES for how in MOVES if how != "first to new" or law.shares[0] >= TOLERANCE]
"""The first of 300 alike holds too little."""


@pytest.mark.parametrize(("law", "how"), MOVED, ids=[f"{law.name}, {how}" for law, how in MOVED])
def test_categories_move_exactly_the_share(law, how):
    before, after = law.cells(), law.cells(Change(how, TOLERANCE))
    assert after.sum() == pytest.approx(1, abs=1e-12)
    assert after.min() >= 0
    assert np.abs(after - before).sum() / 2 == pytest.approx(TOLERANCE, abs=1e-12)


@pytest.mark.parametrize("law", NUMBERS, ids=lambda law: law.name)
@pytest.mark.parametrize("how", ["past", "into", "missing"])
def test_the_effect_of_numbers_is_the_share(law, how):
    rng = np.random.default_rng(5)
    before, after = (law.draw(rng, ROWS, change) for change in (None, Change(how, TOLERANCE)))
    # Three standard deviations of a difference of shares.
    assert effect(before, after) == pytest.approx(TOLERANCE, abs=3 * np.sqrt(0.5 / ROWS))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_even_shares_are_the_law(law):
    """Of evenly spaced shares each value has exactly its part."""
    rows = law.at((np.arange(ROWS) + 0.5) / ROWS)
    drawn = law.draw(np.random.default_rng(6), ROWS)
    assert rows.type == drawn.type
    assert rows.null_count == pytest.approx(ROWS * law.missing, abs=1)
    if law in CATEGORIES:
        counts = np.bincount(rows.indices.drop_null(), minlength=len(law.shares))
        assert counts == pytest.approx(ROWS * law.shares, abs=1)
    else:
        assert effect(rows, drawn) < 3 * np.sqrt(0.5 / ROWS)


def effect(before: pa.Array, after: pa.Array) -> float:
    """The largest difference over cut points, single values, and missing rows, NaN among them."""
    sides = [np.sort(side.to_numpy(zero_copy_only=False).astype(float)) for side in (before, after)]
    # NaN sorts last.
    valid = [side[: np.searchsorted(side, np.nan)] for side in sides]
    points = np.unique(np.concatenate([side[:: len(side) // 1000] for side in valid]))
    below, up_to = (
        np.subtract(*(side.searchsorted(points, where) / ROWS for side in valid)) for where in ("left", "right")
    )
    missing = (len(valid[0]) - len(valid[1])) / ROWS
    return max(np.abs(up_to).max(), np.abs(up_to - below).max(), abs(missing))
