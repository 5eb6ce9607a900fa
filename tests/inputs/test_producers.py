"""Everything that holds data gives the same profile."""

import datetime
import pathlib
import subprocess
import sys
from array import array
from collections.abc import Callable
from typing import Any

import arro3.core
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import driftline as dl

X = [1.5, 2.5, None, -3.0]
N = [1, 2, None, 4]
S = ["a", None, "", "a"]
T = [datetime.datetime(2026, 1, 1, 12), None, datetime.datetime(1969, 12, 31), datetime.datetime(2026, 1, 2)]
COLUMNS: dict[str, list[Any]] = {"x": X, "n": N, "s": S, "t": T}
TABLE = pa.table({"x": X, "n": pa.array(N, pa.int64()), "s": S, "t": pa.array(T, pa.timestamp("us"))})
POLARS = pl.from_arrow(TABLE)
assert isinstance(POLARS, pl.DataFrame)

PRODUCERS: dict[str, Callable[[], object]] = {
    "dict of lists": lambda: COLUMNS,
    "dict of arrays": lambda: {name: TABLE[name] for name in TABLE.column_names},
    "dict of series": lambda: {name: POLARS[name] for name in POLARS.columns},
    "pyarrow table": lambda: TABLE,
    "pyarrow batch": lambda: TABLE.to_batches()[0],
    "pyarrow reader": lambda: TABLE.to_reader(),
    "pyarrow dataset": lambda: ds.dataset(TABLE),
    "pyarrow scanner": lambda: ds.dataset(TABLE).scanner(),
    "polars frame": lambda: POLARS,
    "polars lazy frame": lambda: POLARS.lazy(),
    "pandas arrow frame": lambda: TABLE.to_pandas(types_mapper=pd.ArrowDtype),
    "duckdb relation": lambda: duckdb.from_arrow(TABLE),
    "arro3 table": lambda: arro3.core.Table.from_arrow(TABLE),
    "arro3 batch": lambda: arro3.core.RecordBatch.from_arrow(TABLE.to_batches()[0]),
    "list of tables": lambda: [TABLE.slice(0, 1), TABLE.slice(1)],
    "generator of batches": lambda: (TABLE.slice(i, 1) for i in range(4)),
    "generator of anything": lambda: iter([POLARS.head(2), TABLE.slice(2, 1), POLARS.tail(1).lazy()]),
}


@pytest.mark.parametrize("name", PRODUCERS)
def test_the_same_profile(name: str) -> None:
    p = dl.profile(PRODUCERS[name]())
    assert p.rows == 4
    assert list(p) == ["x", "n", "s", "t"]
    assert [p[c].null_count for c in p] == [1, 1, 1, 1]
    assert [p[c].type for c in p] == ["float64", "int64", "string", "timestamp[us]"]
    assert (p["x"].min, p["x"].max) == (-3.0, 2.5)
    assert (p["n"].min, p["n"].max) == (1, 4)
    assert p["s"].top(1) == [("a", 2, 2, 2)]
    assert p["t"].min == -86_400_000_000


def test_pandas() -> None:
    frame = TABLE.to_pandas()
    frame.index = frame.index + 100
    p = dl.profile(frame)
    assert list(p) == ["x", "n", "s", "t"]  # the index is no column
    assert [p[c].null_count for c in p] == [1, 1, 1, 1]
    assert dl.profile(frame["x"])["x"].max == 2.5
    with pytest.raises(dl.errors.InputError, match='two columns are called "a": rename one'):
        dl.profile(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_pandas_without_pyarrow() -> None:
    code = """
import sys
sys.modules["pyarrow"] = None
import pandas as pd, driftline as dl
f = pd.DataFrame({"x": [1.5, None], "s": ["a", None], "t": pd.to_datetime(["2026-01-01", None]), "b": [True, False],
                  "c": pd.Categorical(["u", "v"]), "i": pd.array([1, None], dtype="Int64"),
                  "z": pd.to_datetime(["2026-01-01", None]).tz_localize("UTC")})
p = dl.profile(f)
print([c.null_count for c in p.values()], [c.kind for c in p.values()], p["t"].max == p["t"].min, p["i"].max)
try:
    p.to_arrow()
except ImportError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "[1, 1, 1, 0, 0, 1, 1]" in out
    assert "['number', 'category', 'time', 'category', 'category', 'number', 'time'] True 1" in out
    assert "to_arrow needs pyarrow: pip install 'driftline[arrow]'" in out


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ">f8", ">i4", ">u2", "g"]
)
def test_numpy_types(dtype: str) -> None:
    values = np.array([0, 1, 1, 0, 1], dtype=dtype)
    p = dl.profile(values)["value"]
    assert p.count == 5
    assert p.distinct.value == pytest.approx(2, abs=0.01)
    if dtype != "?":
        assert (p.min, p.max) == (0, 1)


def test_numpy_shapes() -> None:
    two = np.arange(12.0).reshape(4, 3)
    p = dl.profile(two)
    assert list(p) == ["0", "1", "2"]
    assert p["2"].max == 11
    assert dl.profile(two[::2, ::2])["1"].max == 8
    assert dl.profile(two[::-1].T)["0"].max == 11
    structured = np.array([(1, 2.5, "a"), (2, 3.5, "b")], dtype=[("i", "i4"), ("x", "f8"), ("s", "U4")])
    p = dl.profile(structured)
    assert [c.type for c in p.values()] == ["int32", "float64", "string"]
    assert dl.profile(np.arange(10)[::3])["value"].max == 9
    with pytest.raises(ValueError, match="the array has 3 dimensions: give one"):
        dl.profile(np.zeros((2, 2, 2)))
    with pytest.raises(TypeError, match='column "value" holds complex numbers'):
        dl.profile(np.zeros(2, complex))


def test_numpy_is_not_copied_and_stays_alive() -> None:
    p = dl.profile({"x": np.arange(1e6)})
    assert p["x"].max == 999_999
    read_only = np.arange(3.0)
    read_only.flags.writeable = False
    assert dl.profile(read_only)["value"].max == 2


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns"])
def test_numpy_times(unit: str) -> None:
    times = np.array(["2020-01-01", "NaT", "2021-01-01"], dtype=f"M8[{unit}]")
    p = dl.profile(times)["value"]
    kept = p.type.partition("[")[2].rstrip("]")
    assert (p.kind, p.null_count) == ("time", 1)
    assert p.max == times[2].astype(f"M8[{kept}]").astype(int)
    if unit not in ("Y", "M"):
        durations = np.array([1, "NaT"], dtype=f"m8[{unit}]")
        p = dl.profile(durations)["value"]
        assert (p.type.partition("[")[0], p.null_count) == ("duration", 1)
        assert p.max == durations[0].astype(f"m8[{kept}]").astype(int)


def test_masked_arrays_have_nulls() -> None:
    p = dl.profile({"x": np.ma.masked_equal([1.0, 2.0, 9.0], 9.0)})["x"]
    assert (p.null_count, p.max) == (1, 2.0)


def test_plain_python() -> None:
    from decimal import Decimal

    day = datetime.date(1970, 1, 2)
    p = dl.profile(
        {
            "i": array("i", [1, 2]),
            "d": array("d", [1.0, 2.0]),
            "r": range(2),
            "dec": [Decimal("1.5"), None],
            "day": [day, None],
            "delta": [datetime.timedelta(seconds=1), None],
            "zone": [datetime.datetime(1970, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), None],
            "bytes": [b"\xff", b"\xff"],
            "np": [np.float64(1.5), None],
            "none": [None, None],
        }
    )
    assert [p[c].max for c in ("i", "d", "r", "dec")] == [2, 2.0, 1, 1.5]
    assert [p[c].max for c in ("day", "delta", "zone", "np")] == [86_400_000_000, 1_000_000, 0, 1.5]
    assert p["bytes"].top(1)[0].value == b"\xff"
    assert (p["none"].kind, p["none"].null_count) == ("null", 2)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (3, TypeError, "cannot profile int: give a path"),
        (b"abc", TypeError, "cannot profile bytes"),
        ([1, 2], TypeError, r"data\[0\] is int, which is no batch: for one column write \{'value': data\}"),
        (["a.parquet", {"a": [1]}], TypeError, r"data\[0\] is str, which is no batch: give paths alone"),
        ({"a": 3}, TypeError, 'column "a" is of type int: give a NumPy array, a list'),
        ({"a": [1], "b": [1, 2]}, ValueError, 'column "b" has 2 rows, column "a" has 1'),
        ({"a": [1, "x"]}, ValueError, "row 1 is x, not"),
        ({"a": [{}]}, TypeError, "values of type dict are not supported"),
        (iter([]), ValueError, "no data: the source yields no batch"),
        ("", ValueError, "a path is empty"),
    ],
)
def test_what_is_no_data(data: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dl.profile(data)


def test_an_error_of_the_source_comes_through() -> None:
    def broken() -> Any:
        yield TABLE
        raise KeyError("the cluster is gone")

    with pytest.raises(KeyError, match="the cluster is gone"):
        dl.profile(broken())


def test_lazy_frames_without_rows_have_columns() -> None:
    p = dl.profile(pl.LazyFrame({"a": range(1000)}).filter(pl.col("a") < 0))
    assert (p.rows, list(p)) == (0, ["a"])


def test_lazy_frames_in_bounded_memory(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    # 40 row groups of 4 MB; polars itself takes some 150 MB.
    pl.DataFrame({f"c{i}": np.random.default_rng(i).random(2_000_000) for i in range(20)}).write_parquet(
        path, row_group_size=50_000, compression="uncompressed"
    )
    code = f"""
import resource, polars as pl, driftline as dl
small = dl.profile(pl.scan_parquet({str(path)!r}).head(100_000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
p = dl.profile(pl.scan_parquet({str(path)!r}))
print(p.rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    rows, grown_mb = map(int, out.split())
    assert rows == 2_000_000
    # The frame has 320 MB.
    assert grown_mb < 200


def test_endless_iterables_stop_with_their_consumer() -> None:
    def endless() -> Any:
        while True:
            yield TABLE

    def enough(rows: int) -> None:
        if rows > 100_000:
            raise StopIteration

    with pytest.raises((StopIteration, RuntimeError)):
        dl.profile(endless(), progress=enough)


def test_polars_columns_of_no_type() -> None:
    frame = pl.concat(
        [pl.DataFrame({"a": [1, 2], "none": [None, None]}), pl.DataFrame({"a": [3], "none": [None]})], rechunk=False
    ).with_columns(s=pl.struct("a", q=pl.lit("x")))
    for given in (frame, frame.lazy()):
        profile = dl.profile(given)
        assert list(profile) == ["a", "none", "s.a", "s.q"]
        assert (profile["none"].kind, profile["none"].null_count, profile["a"].max) == ("null", 3, 3)
    assert dl.profile(frame["none"])["none"].kind == "null"
