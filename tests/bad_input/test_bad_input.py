"""Bad input gives a result or one clear sentence."""

import pathlib
import resource
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline as dl


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"", "a.parquet: is empty: a Parquet file ends with a footer"),
        ("a.csv", b"", "a.csv: is empty: a CSV file begins with a header line"),
        ("a.parquet", b"PAR1 not really PAR1", "a.parquet: is not a readable Parquet file"),
        ("a.csv", b"a,b\n1,2\n3\n", "a.csv: .*(line|row|record)"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "a.jsonl: "),
        ("a.txt", b"x", "a.txt: the name tells no format; names end in .parquet, .csv"),
    ],
)
def test_broken_files(tmp_path: pathlib.Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(dl.errors.InputError, match=message) as caught:
        dl.profile(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_empty_json_file_has_no_rows(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert dl.profile(tmp_path / "a.jsonl").rows == 0


def test_zero_rows_and_zero_columns(tmp_path: pathlib.Path) -> None:
    p = dl.profile(pa.table({"a": pa.array([], pa.float64()), "s": pa.array([], pa.string())}))
    assert (p.rows, list(p), p["a"].min, p["a"].quantile(0.5), p["s"].top()) == (0, ["a", "s"], None, None, [])
    assert p["a"].distinct.value == 0
    assert dl.profile({}).rows == 0
    assert len(dl.profile(pa.table({}))) == 0
    path = tmp_path / "a.parquet"
    for table in (pa.table({}), pa.table({"a": pa.array([], pa.int8())})):
        pq.write_table(table, path)
        p = dl.profile(path)
        assert (p.rows, list(p)) == (0, table.column_names)
        repr(p)
        p.save(tmp_path / "saved.parquet")
        assert dl.Profile.load(tmp_path / "saved.parquet").rows == 0


def test_all_null_all_nan_and_infinities() -> None:
    inf, nan = float("inf"), float("nan")
    nulls = pa.array([None, None, None], pa.float64())
    p = dl.profile(pa.table({"null": nulls, "nan": [nan] * 3, "inf": [inf, -inf, inf]}))
    assert (p["null"].null_count, p["null"].min, p["null"].quantile(0.5)) == (3, None, None)
    assert (p["nan"].nan_count, p["nan"].min, p["nan"].mean) == (3, None, None)
    assert (p["inf"].min, p["inf"].max, p["inf"].pos_inf_count, p["inf"].neg_inf_count) == (-inf, inf, 2, 1)
    assert (p["inf"].mean, p["inf"].quantile(1).value) == (None, inf)
    assert p["inf"].histogram() is None
    repr(p)
    with pytest.raises(dl.errors.InputError, match="has no rows"):
        dl.compare(p, p_empty())


def p_empty() -> dl.Profile:
    return dl.profile({"nan": []})


def test_ten_thousand_columns(tmp_path: pathlib.Path) -> None:
    frame = {f"c{i}": np.arange(3.0) + i for i in range(10_000)}
    p = dl.profile(frame)
    assert (len(p), p["c9999"].max) == (10_000, 10_001)
    p.save(tmp_path / "wide.parquet")
    assert len(dl.Profile.load(tmp_path / "wide.parquet")) == 10_000
    assert len(repr(p)) < 20_000


LONG_STRINGS = """
import resource, numpy as np, pyarrow as pa, driftline as dl
rng = np.random.default_rng(0)
def batches():
    for i in range(1024):
        # 16 strings of 64 KB a batch: 1 GB in all.
        text = rng.integers(97, 123, 16 * 65536, dtype=np.uint8).tobytes().decode()
        yield pa.table({"s": [text[j * 65536 : (j + 1) * 65536] for j in range(16)]})
first = dl.profile(b for b, _ in zip(batches(), range(4)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
p = dl.profile(batches())
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
print(p.rows, round(p["s"].distinct.value), int(p["s"].length.max), len(p["s"].top()), grown)
"""


def test_a_gigabyte_of_strings_in_small_batches() -> None:
    out = subprocess.run([sys.executable, "-c", LONG_STRINGS], check=True, capture_output=True, text=True).stdout
    rows, distinct, longest, top, grown_mb = map(int, out.split())
    assert (rows, longest, top) == (16_384, 65_536, 0)
    assert abs(distinct - 16_384) < 0.05 * 16_384
    # The frequent items may hold 1,536 of them, 100 MB.
    assert grown_mb < 400


def test_an_endless_iterable_is_flat() -> None:
    batch = pa.table({"x": np.random.default_rng(0).random(50_000), "n": np.arange(50_000)})

    def many(n: int) -> Iterator[pa.Table]:
        return (batch for _ in range(n))

    dl.profile(many(20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert dl.profile(many(300)).rows == 15_000_000
    # 15 million rows are 240 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_duplicate_names() -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(dl.errors.InputError, match='two columns are called "a": rename one of them'):
        dl.profile(twice)
    with pytest.raises(dl.errors.InputError, match='two columns are called "s.a"'):
        dl.profile(pa.table({"s": [{"a": 1}], "s.a": [1]}))


def test_a_file_cut_in_half(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"x": np.random.default_rng(0).random(10_000)}).write_parquet(path)
    data = path.read_bytes()
    for length in range(1, len(data), len(data) // 20):
        path.write_bytes(data[:length])
        with pytest.raises(dl.errors.InputError, match="is not a readable Parquet file, or only part of one"):
            dl.profile(path)


def test_a_file_damaged_inside(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    frame = {"x": np.arange(1000.0), "s": [f"value {i % 7}" for i in range(1000)]}
    pl.DataFrame(frame).write_parquet(path, compression="uncompressed")
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 4):
            broken[at] = rng.integers(0, 256)
        path.write_bytes(broken)
        try:
            dl.profile(path)  # Values may differ: without checksums nobody can tell.
        except dl.errors.InputError as error:
            assert "a.parquet" in str(error)


def test_paths_that_lead_nowhere(tmp_path: pathlib.Path) -> None:
    with pytest.raises(dl.errors.InputError, match="none.parquet: no such file or folder"):
        dl.profile(tmp_path / "none.parquet")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(dl.errors.InputError, match="no Parquet, CSV or JSON-lines file in this folder or below it"):
        dl.profile(tmp_path)
    with pytest.raises(dl.errors.InputError, match="matches no Parquet, CSV or JSON-lines file"):
        dl.profile(f"{tmp_path}/*.parquet")
    with pytest.raises(dl.errors.InputError, match="just some text: no such file or folder"):
        dl.profile("just some text")


def test_merging_what_does_not_fit() -> None:
    with pytest.raises(dl.errors.InputError, match='column "a" is int64 on one side and string on the other'):
        dl.merge([dl.profile({"a": [1]}), dl.profile({"a": ["x"]})])
    one, two = (dl.profile({"x": np.arange(100.0) * s}) for s in (1, 2))
    with pytest.raises(dl.errors.InputError, match="was counted over the bins of two different references"):
        dl.merge([dl.profile({"x": [1.0]}, reference=r) for r in (one, two)])
