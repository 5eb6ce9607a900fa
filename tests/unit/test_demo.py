"""The demo's data are the published ones."""

import importlib.resources
import pathlib

import polars as pl
import pytest

DEMO = importlib.resources.files("driftline") / "demo"


@pytest.mark.parametrize(("ours", "published"), [("reference.parquet", "reference"), ("production", "analysis")])
def test_no_value_is_lost(shared: pathlib.Path, ours: str, published: str) -> None:
    original = pl.read_parquet(shared / "data" / f"nannyml_car_loan_{published}.parquet")
    copy = pl.read_parquet(str(DEMO / ours))
    assert copy.columns == original.columns
    # Smaller integers hold the same numbers: cast back, every bit is the same.
    assert copy.cast(original.schema).equals(original, null_equal=True)


def test_size_and_notice() -> None:
    sizes = [file.stat().st_size for file in pathlib.Path(str(DEMO)).rglob("*.parquet")]
    assert len(sizes) == 5
    assert sum(sizes) <= 2_000_000
    assert "nannyml 0.13.1" in (DEMO / "NOTICE").read_text()
    assert "Apache License" in (DEMO / "LICENSE").read_text()
