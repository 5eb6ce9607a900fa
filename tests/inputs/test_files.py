"""Files, folders, globs and hive partitions; text; schemas that change."""

import gzip
import pathlib

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline as dl

FRAME = pl.DataFrame({"x": [1.5, None, 3.0], "n": [1, 2, 3], "s": ["a", "b", None]})


def check(p: dl.Profile, times: int = 1) -> None:
    assert p.rows == 3 * times
    assert (p["x"].min, p["x"].max, p["x"].null_count) == (1.5, 3.0, times)
    assert (p["n"].max, p["s"].null_count) == (3, times)


def test_paths_of_any_form(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    one, two = tmp_path / "a.parquet", tmp_path / "deep" / "er" / "b.parquet"
    FRAME.write_parquet(one)
    FRAME.write_parquet(two)
    (tmp_path / "_SUCCESS").write_text("")
    check(dl.profile(one))
    check(dl.profile(str(one)))
    check(dl.profile(one.as_uri()))
    check(dl.profile([one, str(two)]), 2)
    check(dl.profile(tmp_path), 2)
    check(dl.profile(f"{tmp_path}/**/*.parquet"), 2)
    check(dl.profile(f"{tmp_path}/*.parquet"))
    monkeypatch.setenv("HOME", str(tmp_path))
    check(dl.profile("~/a.parquet"))


@pytest.mark.parametrize("compression", ["snappy", "gzip", "zstd", "lz4", "brotli", "none"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_parquet_codecs(tmp_path: pathlib.Path, compression: str, dictionary: bool) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(FRAME.to_arrow(), path, compression=compression, use_dictionary=dictionary, row_group_size=2)
    check(dl.profile(path))
    assert list(dl.profile(path, columns=["n"])) == ["n"]


def test_threads_change_nothing(tmp_path: pathlib.Path) -> None:
    for i in range(5):
        pl.DataFrame({"x": [float(j % 97) for j in range(i * 999)]}, schema={"x": pl.Float64}).write_parquet(
            tmp_path / f"{i}.parquet", row_group_size=500
        )
    one, two = (dl.profile(tmp_path, threads=n) for n in (1, 4))
    assert one.to_arrow().equals(two.to_arrow())


def test_text(tmp_path: pathlib.Path) -> None:
    FRAME.write_csv(tmp_path / "a.csv")
    FRAME.write_ndjson(tmp_path / "a.jsonl")
    check(dl.profile(tmp_path / "a.csv"))
    check(dl.profile(tmp_path / "a.jsonl"))
    with gzip.open(tmp_path / "b.csv.gz", "wb") as file:
        file.write((tmp_path / "a.csv").read_bytes())
    check(dl.profile(tmp_path / "b.csv.gz"))


def test_hive_partitions(tmp_path: pathlib.Path) -> None:
    for country in ("FR", "a%2Fb", "__HIVE_DEFAULT_PARTITION__"):
        folder = tmp_path / f"country={country}" / "day=2026-01-01"
        folder.mkdir(parents=True)
        FRAME.write_parquet(folder / "a.parquet")
    p = dl.profile(tmp_path)
    check(p, 3)
    assert {item.value: item.count for item in p["country"].top()} == {"FR": 3, "a/b": 3}
    assert p["country"].null_count == 3
    assert p["day"].distinct.value == pytest.approx(1, abs=0.01)


def test_schemas_that_change(tmp_path: pathlib.Path) -> None:
    a, b, c = (tmp_path / f"{name}.parquet" for name in "abc")
    pq.write_table(pa.table({"x": [1, 2], "old": ["u", "v"]}), a)
    pq.write_table(pa.table({"x": [1.5], "new": [True]}), b)
    p = dl.profile([a, b])
    assert (p.rows, p["x"].type, p["x"].max) == (3, "float64|int64", 2)
    assert (p["old"].count, p["old"].absent_count) == (2, 1)
    assert (p["new"].count, p["new"].absent_count) == (1, 2)
    pq.write_table(pa.table({"x": ["text"]}), c)
    message = r'c\.parquet: column "x" is (float64\|)?int64 on one side and string on the other: profile them apart'
    with pytest.raises(dl.errors.InputError, match=message):
        dl.profile([a, c])
