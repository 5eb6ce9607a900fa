"""Comparisons as a mapping, and how they look."""

import pathlib
import re

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import driftline as dl

RNG = np.random.default_rng(4)
BEFORE = {"moved": RNG.normal(size=200_000), "same": RNG.normal(size=200_000), "city": ["a", "b", "c", "d"] * 50_000}
NOW = {"moved": RNG.normal(0.5, size=200_000), "same": RNG.normal(size=200_000), "city": ["a", "b", "b", "d"] * 50_000}


def test_verdicts() -> None:
    c = dl.compare(BEFORE, NOW)
    assert c.drifted == ["city", "moved"]
    assert c.stable == ["same"]
    assert c.undecided == []
    assert (c.reference_rows, c.current_rows, c.tolerance) == (200_000, 200_000, 0.02)
    city = c["city"]
    assert (city.test, city.verdict) == ("chi-square", "drift")
    assert city.effect == pytest.approx(0.25)
    assert city.effect <= city.effect_bound
    moved = c["moved"]
    # Half a standard deviation moves 2 Phi(1/4) - 1 = 19.7 % of the rows.
    assert moved.effect == pytest.approx(0.197, abs=0.015)
    assert moved.p_adjusted < 1e-6
    assert moved.moved.current > moved.moved.reference


def test_few_rows_leave_it_undecided() -> None:
    c = dl.compare({"x": RNG.normal(size=100)}, {"x": RNG.normal(size=100)})
    assert c.undecided == ["x"]
    assert re.search(r"undecided +x +100 rows cannot tell 2.0 % from nothing", repr(c))


def test_any_mix_of_sides(tmp_path: pathlib.Path) -> None:
    frame, saved = tmp_path / "frame.parquet", tmp_path / "saved.parquet"
    pl.DataFrame(BEFORE).write_parquet(frame)
    dl.profile(NOW).save(saved)
    for before in (BEFORE, frame, str(frame), dl.profile(BEFORE), pa.table(BEFORE)):
        for now in (NOW, saved, pl.DataFrame(NOW)):
            assert dl.compare(before, now).drifted == ["city", "moved"]


def test_columns_that_come_and_go() -> None:
    c = dl.compare({"a": [1, 2], "gone": [1, 2]}, {"a": [1, 2], "new": [1, 2]})
    assert (c.only_in_reference, c.only_in_current) == (["gone"], ["new"])
    assert re.search(r"GONE +gone", repr(c))
    assert re.search(r"NEW +new", repr(c))


def test_looks() -> None:
    c = dl.compare(BEFORE, NOW)
    lines = repr(c).splitlines()
    assert re.fullmatch(r"200,000 reference rows, 200,000 current, 3 columns, \d+\.\d\d s", lines[0])
    assert re.match(r"CHANGED +city +25.0 % of rows moved \(at most 2[5-9].\d %\) +'[bc]': 25.0 % -> ", lines[1])
    assert lines[3].startswith("stable")
    assert "CHANGED" in c._repr_html_()


def test_tables() -> None:
    c = dl.compare(BEFORE, NOW)
    assert c.to_polars().filter(pl.col("verdict") == "drift")["column"].to_list() == ["moved", "city"]
    assert c.to_arrow().num_rows == 3
    assert c.to_dicts()[0]["moved"]["current"] > 0


def test_wrong_options() -> None:
    with pytest.raises(ValueError, match="tolerance is 2"):
        dl.compare(BEFORE, NOW, tolerance=2)
    with pytest.raises(ValueError, match='no column "x" on either side'):
        dl.compare(BEFORE, NOW, columns=["x"])
    with pytest.raises(dl.errors.InputError, match="no column in common"):
        dl.compare({"a": [1]}, {"b": [1]})
    with pytest.raises(dl.errors.InputError, match="has no rows"):
        dl.compare({"a": []}, {"a": [1]})
