"""Profiles as a mapping: what they answer, how they merge, how they look."""

import copy
import pickle
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import driftline as dl

FRAME: dict[str, Any] = {
    "x": [1.5, -2.0, 0.0, float("nan"), float("inf"), None],
    "n": [1, 1, 2, 3, None, 1],
    "s": ["a", "a", "", None, "bb", "a"],
    "b": [True, False, True, None, True, True],
}


def test_counts() -> None:
    p = dl.profile(FRAME)
    assert p.rows == 6
    assert list(p) == ["x", "n", "s", "b"]
    assert "x" in p
    assert "y" not in p
    x = p["x"]
    assert (x.count, x.null_count, x.nan_count, x.pos_inf_count, x.neg_inf_count) == (6, 1, 1, 1, 0)
    assert (x.zero_count, x.negative_count) == (1, 1)
    assert (x.min, x.max) == (-2.0, float("inf"))
    assert p["s"].empty_count == 1
    assert p["s"].length is not None
    assert p["s"].length.max == 2
    assert [c.kind for c in p.values()] == ["number", "number", "category", "category"]


def test_answers_have_bounds() -> None:
    p = dl.profile({"x": np.arange(1001.0)})["x"]
    assert p.quantile(0.5).value == 500.0
    assert p.quantile(0.5).lower <= 500 <= p.quantile(0.5).upper
    assert float(p.quantile(0)) == 0.0
    assert [round(e.value) for e in p.quantiles([0.25, 0.75])] == [250, 750]
    assert p.cdf(250).value == pytest.approx(251 / 1001)
    lower, upper = p.distinct.lower, p.distinct.upper
    assert lower <= 1001 <= upper
    assert p.top(3) is None  # floats have no frequent values


def test_top() -> None:
    p = dl.profile(FRAME)
    for item, value in ((p["s"].top(1)[0], "a"), (p["n"].top(1)[0], 1)):
        assert item.value == value
        assert item.lower <= 3 <= item.upper
    assert p["b"].top(1)[0].value is True
    assert p["s"].top(0) == []
    with pytest.raises(ValueError, match="n is -1: it must be 0 or more"):
        p["s"].top(-1)


def test_unique_values_do_not_leave_the_process() -> None:
    p = dl.profile({"id": [f"user-{i}" for i in range(20_000)]})
    assert p["id"].top(100) == []


def test_histogram() -> None:
    p = dl.profile({"x": np.arange(100.0)})["x"]
    bins = p.histogram(4)
    assert [b.count for b in bins] == [25, 25, 25, 25]
    assert (bins[0].low, bins[-1].high) == (0.0, 99.0)
    assert all(b.lower <= b.count <= b.upper for b in bins)
    assert [b.count for b in p.histogram(edges=[-1, 9, 99])] == [10, 90]
    assert dl.profile({"x": [7.0] * 3})["x"].histogram() == [(7.0, 7.0, 3, 3, 3)]
    assert dl.profile({"s": ["a"]})["s"].histogram() is None
    assert dl.profile({"x": [None, float("nan")]})["x"].histogram() is None
    with pytest.raises(ValueError, match="edges must be two or more ascending numbers"):
        p.histogram(edges=[3, 1])
    with pytest.raises(ValueError, match="bins is 0: it must be 1 to 100,000"):
        p.histogram(0)


def test_histogram_of_infinities_and_neighbours() -> None:
    inf = float("inf")
    bins = dl.profile({"x": [-inf, *range(1000), inf]})["x"].histogram(2)
    assert all(np.isfinite([b.low, b.high]).all() for b in bins)
    assert dl.profile({"x": [1.0, np.nextafter(1.0, 2)]})["x"].histogram(20) is not None


def test_reference_bins_are_exact() -> None:
    reference = dl.profile({"x": np.arange(1000.0), "s": ["a", "b"] * 500})
    p = dl.profile({"x": np.arange(5000.0), "s": ["a", "b", "c", "a", "a"] * 1000}, reference=reference)
    bins = p["x"].bins
    assert sum(b.count for b in bins) == 5000
    values = np.arange(5000.0)
    assert all(b.count == ((values > b.low) & (values <= b.high)).sum() for b in bins)
    assert {b.value: b.count for b in p["s"].bins} == {"a": 3000, "b": 1000, None: 1000}
    assert reference["x"].bins is None


def test_merge_is_the_whole() -> None:
    parts = [dl.profile({"x": [float(i), float(i + 1)]}) for i in range(4)]
    whole = dl.merge(parts)
    assert whole.rows == 8
    assert (parts[0] | parts[1]).rows == 4
    assert (whole["x"].min, whole["x"].max, whole["x"].mean) == (0.0, 4.0, 2.0)
    assert parts[0].rows == 2
    with pytest.raises(ValueError, match="no profiles to merge"):
        dl.merge([])
    with pytest.raises(TypeError, match="cannot merge int: profile it first"):
        dl.merge([1])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        _ = parts[0] | 3  # type: ignore[operator]


def test_a_column_that_one_side_lacks_is_absent() -> None:
    p = dl.profile({"a": [1]}) | dl.profile({"b": [1, 2]})
    assert (p["a"].count, p["a"].absent_count, p["b"].absent_count) == (1, 2, 1)


def test_collect_and_redact() -> None:
    p = dl.profile(FRAME, collect=["counts", "distinct"])
    assert p["x"].quantile(0.5) is None
    assert p["x"].mean is None
    assert p["x"].distinct is not None
    p = dl.profile(FRAME, collect={"x": ["moments"]})
    assert p["x"].quantile(0.5) is None
    assert p["n"].quantile(0.5) is not None
    p = dl.profile(FRAME, redact=["s", "n"])
    assert (p["s"].top(), p["n"].top(), p["n"].min, p["n"].quantile(0.5)) == (None, None, None, None)
    assert p["s"].null_count == 1
    assert b"bb" not in pickle.dumps(p)


def test_columns_and_k() -> None:
    p = dl.profile(FRAME, columns=["n"], k=200)
    assert list(p) == ["n"]
    assert p["n"].k == 200
    many = {"x": np.arange(50_000)}
    assert dl.profile(many, k=200)["x"].rank_error > dl.profile(many)["x"].rank_error > 0


def test_progress_tells_the_rows() -> None:
    told: list[int] = []
    dl.profile(FRAME, progress=told.append)
    assert told[-1] == 6


def test_an_error_in_progress_comes_through() -> None:
    def stop(rows: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        dl.profile(FRAME, progress=stop)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": 3}, ValueError, "k is 3: it must be 8 to 65535"),
        ({"threads": -1}, ValueError, "threads is -1: it must be 0"),
        ({"columns": ["y"]}, ValueError, 'no column "y"; columns are "x", "n", "s", "b"'),
        ({"columns": "x"}, TypeError, 'columns is "x": it takes a list, such as'),
        ({"columns": [1]}, TypeError, "columns has 1: it takes names"),
        ({"collect": ["mean"]}, ValueError, 'collect has "mean": it takes counts'),
        ({"progress": 3}, TypeError, "progress is of type int: give True, False or a function"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dl.profile(FRAME, **options)


def test_options_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        dl.profile(FRAME, ["x"])  # type: ignore[misc]


def test_looks() -> None:
    times = np.array(["2026-01-01", "2026-03-01"], "datetime64[us]")
    p = dl.profile({"t": times, "<b>": ["[red]x", "[red]x"]})
    text = repr(p)
    assert text.startswith("2 rows, 2 columns\n")
    assert "2026-01-01 00:00:00" in text
    assert "[red]x 100 %" in text
    assert "&lt;b&gt;" in p._repr_html_()
    assert "2026-01-01" in repr(p["t"])

    from rich.console import Console

    console = Console(width=160)
    with console.capture() as capture:
        console.print(p)
    assert "[red]x 100 %" in capture.get()


def test_many_columns_are_cut_short() -> None:
    text = repr(dl.profile({f"c{i}": [i] for i in range(100)}))
    assert "... 40 more columns" in text
    assert len(text.splitlines()) < 70


def test_pickles_and_copies() -> None:
    p = dl.profile(FRAME)
    again = pickle.loads(pickle.dumps(p))
    assert again["x"].quantile(0.5) == p["x"].quantile(0.5)
    assert copy.deepcopy(p).rows == 6
    assert len({p, again}) == 2


def test_a_dict_of_arrow_columns_keeps_their_types() -> None:
    p = dl.profile(
        {
            "u": pa.array([2**64 - 1, 1], pa.uint64()),
            "f": pa.chunked_array([[1.5], [2.5]], pa.float32()),
            "l": pl.Series([[1, 2], []]),
            "t": pa.array([0, 1], pa.timestamp("us", "Europe/Paris")),
        }
    )
    assert [p[c].type for c in ("u", "f", "l", "t")] == [
        "uint64",
        "float32",
        "list[int64]",
        "timestamp[us, Europe/Paris]",
    ]
    assert (p["u"].max, p["l"].length.max) == (2**64 - 1, 2)


def test_integers_and_floats_have_no_common_distinct_count() -> None:
    whole, parts = {"x": list(range(1000))}, {"x": [float(i) for i in range(1000)]}
    for options in ({"collect": ["distinct"]}, {"redact": ["x"]}, {}):
        assert (dl.profile(whole, **options) | dl.profile(parts, **options))["x"].distinct is None


def test_a_vector_with_a_null_has_no_norm() -> None:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([1e9, 2.0, 3.0, 4.0], mask=np.array([1, 0, 0, 0], bool)), 2)
    norm = dl.profile({"v": vectors})["v.norm"]
    assert (norm.null_count, norm.max) == (1, 5.0)


def test_bins_of_times_need_the_same_unit() -> None:
    times = {unit: pa.array(range(1000), pa.timestamp("ms")).cast(pa.timestamp(unit)) for unit in ("ms", "ns")}
    reference = dl.profile({"t": times["ms"]})
    assert dl.profile({"t": times["ms"]}, reference=reference)["t"].bins is not None
    assert dl.profile({"t": times["ns"]}, reference=reference)["t"].bins is None


def test_ids_of_a_reference_are_no_bins() -> None:
    ids = {"id": [f"user-{i}" for i in range(300)]}
    bins = dl.profile(ids, reference=dl.profile(ids))["id"].bins
    assert [b.value for b in bins] == [None]


def test_keys_that_point_nowhere_are_an_error() -> None:
    broken = pa.DictionaryArray.from_arrays(pa.array([0, 7], pa.int32()), pa.array(["a"]), safe=False)
    with pytest.raises(dl.errors.InputError, match="cannot be decoded"):
        dl.profile({"x": broken})
