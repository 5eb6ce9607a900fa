"""The profile table: saved, loaded, and read by others."""

import pathlib

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline as dl

RNG = np.random.default_rng(1)
FRAME = {
    "x": RNG.normal(size=5_000),
    "n": RNG.integers(0, 9, 5_000),
    "s": np.array(["a", "bb", ""], dtype=object)[RNG.integers(0, 3, 5_000)],
    "t": np.arange(5_000).astype("datetime64[ms]"),
}


@pytest.fixture
def saved(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "a.profile.parquet"
    dl.profile(FRAME, reference=FRAME).save(path)
    return path


def same(a: dl.Profile, b: dl.Profile) -> None:
    assert list(a) == list(b)
    assert a.rows == b.rows
    for name, column in a.items():
        other = b[name]
        for what in ("count", "null_count", "min", "max", "mean", "std", "skewness", "kurtosis", "distinct", "bins"):
            assert getattr(column, what) == getattr(other, what), what
        assert column.quantiles([0, 0.1, 0.5, 1]) == other.quantiles([0, 0.1, 0.5, 1])
        assert column.top() == other.top()
        assert (column.length is None) == (other.length is None)


def test_round_trips(saved: pathlib.Path) -> None:
    p = dl.profile(FRAME, reference=FRAME)
    same(p, dl.Profile.load(saved))
    same(p, dl.Profile.load(str(saved)))
    same(p, dl.Profile.from_arrow(p))
    same(p, dl.Profile.from_arrow(p.to_arrow()))
    assert p.to_polars()["column"].to_list() == list(p)


def test_others_read_the_plain_columns(saved: pathlib.Path) -> None:
    p = dl.Profile.load(saved)
    expected = [(name, c.kind, c.count, c.null_count, c.mean, c.max) for name, c in p.items() if c.mean is not None]
    names = "column", "kind", "rows", "null_count", "mean", "max"
    quoted = ", ".join(f'"{name}"' for name in names)
    assert duckdb.sql(f"select {quoted} from '{saved}' where mean is not null").fetchall() == expected
    assert pl.read_parquet(saved).select(names).drop_nulls("mean").rows() == expected
    frame = pd.read_parquet(saved)[list(names)].dropna(subset="mean")
    assert list(frame.itertuples(index=False, name=None)) == expected


def test_unknown_columns_are_ignored(saved: pathlib.Path) -> None:
    table = pq.read_table(saved)
    table = table.append_column("of_a_later_version", pa.array([{"a": 1}] * table.num_rows))
    pq.write_table(table, saved)
    same(dl.Profile.load(saved), dl.profile(FRAME, reference=FRAME))


def with_version(path: pathlib.Path, version: str) -> None:
    table = pq.read_table(path)
    metadata = {**table.schema.metadata, b"driftline.schema_version": version.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def test_versions(saved: pathlib.Path) -> None:
    with_version(saved, "1.7")
    assert dl.Profile.load(saved).rows == 5_000
    with_version(saved, "2.0")
    with pytest.raises(
        dl.errors.InputError, match=r"is a profile of version 2.0, this driftline reads up to 1.x: update"
    ):
        dl.Profile.load(saved)
    with_version(saved, "soon")
    with pytest.raises(dl.errors.InputError, match='has the profile version "soon", which no driftline writes'):
        dl.Profile.load(saved)


def test_truncated_at_any_byte(saved: pathlib.Path) -> None:
    data = saved.read_bytes()
    for length in range(0, len(data), 211):
        saved.write_bytes(data[:length])
        with pytest.raises(dl.errors.InputError, match=r"a\.profile\.parquet: is (not a readable Parquet file|empty)"):
            dl.Profile.load(saved)


@pytest.mark.parametrize("image", ["quantiles", "distinct", "top"])
def test_a_corrupt_sketch_is_named(saved: pathlib.Path, image: str) -> None:
    table = pq.read_table(saved)
    at = table.column_names.index(image)
    broken = [None if b is None else b[: len(b) // 2] for b in table[image].to_pylist()]
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(broken, pa.binary())), saved)
    with pytest.raises(dl.errors.InputError, match=f'column "(x|n|s|t)": {image}: '):
        dl.Profile.load(saved)


def test_other_parquet_is_no_profile(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "plain.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(dl.errors.InputError, match="is not a driftline profile"):
        dl.Profile.load(path)
    with pytest.raises(dl.errors.InputError, match="is not a driftline profile"):
        dl.Profile.from_arrow(pa.table({"a": [1]}))
    with pytest.raises(dl.errors.InputError, match="no such file"):
        dl.Profile.load(tmp_path / "none.parquet")
    with pytest.raises(TypeError, match="path is of type int"):
        dl.Profile.load(3)  # type: ignore[arg-type]


def test_a_profile_is_not_profiled_by_mistake(saved: pathlib.Path) -> None:
    with pytest.raises(dl.errors.InputError, match=r"is a saved profile: read it with Profile\.load"):
        dl.profile(saved)
    with pytest.raises(TypeError, match="data is a profile already"):
        dl.profile(dl.Profile.load(saved))


def test_save_into_no_folder(tmp_path: pathlib.Path) -> None:
    with pytest.raises(dl.errors.InputError, match="there is no folder"):
        dl.profile(FRAME).save(tmp_path / "none" / "a.parquet")
