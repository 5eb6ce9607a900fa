"""Every Arrow type is profiled, or named as not profiled."""

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import driftline as dl

UTC = datetime.UTC
DAY = datetime.date(1970, 1, 2)
MOMENT = datetime.datetime(1970, 1, 1, 0, 0, 1)

# type, two values, kind, our name of the type, minimum of the numeric ones
NUMERIC: list[tuple[pa.DataType, list[Any], str, str, float]] = [
    *((t, [1, 2], "number", str(t), 1) for t in map(pa.type_for_alias, ["int8", "int16", "int32", "int64"])),
    *((t, [1, 2], "number", str(t), 1) for t in map(pa.type_for_alias, ["uint8", "uint16", "uint32", "uint64"])),
    (pa.uint64(), [2**64 - 2, 2**64 - 1], "number", "uint64", 2**64 - 2),
    (pa.int64(), [-(2**63), 2**63 - 1], "number", "int64", -(2**63)),
    (pa.float16(), [1.5, 2.5], "number", "float16", 1.5),
    (pa.float32(), [1.5, 2.5], "number", "float32", 1.5),
    (pa.float64(), [1.5, 2.5], "number", "float64", 1.5),
    (pa.decimal32(5, 2), [Decimal("1.25"), Decimal(2)], "number", "decimal(5, 2)", 1.25),
    (pa.decimal64(5, 2), [Decimal("1.25"), Decimal(2)], "number", "decimal(5, 2)", 1.25),
    (pa.decimal128(20, 2), [Decimal("1.25"), Decimal(2)], "number", "decimal(20, 2)", 1.25),
    (pa.decimal256(50, 2), [Decimal("1.25"), Decimal(2)], "number", "decimal(50, 2)", 1.25),
    (pa.date32(), [DAY, DAY], "time", "date[d]", 1),
    (pa.date64(), [DAY, DAY], "time", "date[ms]", 86_400_000),
    (pa.time32("s"), [datetime.time(0, 0, 1)] * 2, "time", "time[s]", 1),
    (pa.time32("ms"), [datetime.time(0, 0, 1)] * 2, "time", "time[ms]", 1000),
    (pa.time64("us"), [datetime.time(0, 0, 1)] * 2, "time", "time[us]", 10**6),
    (pa.time64("ns"), [datetime.time(0, 0, 1)] * 2, "time", "time[ns]", 10**9),
    (pa.timestamp("s"), [MOMENT] * 2, "time", "timestamp[s]", 1),
    (pa.timestamp("ms"), [MOMENT] * 2, "time", "timestamp[ms]", 1000),
    (pa.timestamp("us", "UTC"), [MOMENT.replace(tzinfo=UTC)] * 2, "time", "timestamp[us, UTC]", 10**6),
    (pa.timestamp("ns"), [MOMENT] * 2, "time", "timestamp[ns]", 10**9),
    (pa.duration("ms"), [datetime.timedelta(seconds=1)] * 2, "time", "duration[ms]", 1000),
    (pa.dictionary(pa.int8(), pa.int64()), [1, 2], "number", "int64", 1),
    (pa.run_end_encoded(pa.int32(), pa.float64()), [1.5, 2.5], "number", "float64", 1.5),
]

CATEGORIES: list[tuple[pa.DataType, Any, str]] = [
    (pa.bool_(), True, "bool"),
    (pa.string(), "ü", "string"),
    (pa.large_string(), "ü", "string"),
    (pa.string_view(), "a string longer than a view holds", "string"),
    (pa.binary(), b"\xff", "binary"),
    (pa.large_binary(), b"\xff", "binary"),
    (pa.binary_view(), b"\xff", "binary"),
    (pa.binary(2), b"\xff\x00", "binary"),
    (pa.dictionary(pa.int32(), pa.string()), "ü", "string"),
    (pa.dictionary(pa.uint8(), pa.large_string()), "ü", "string"),
    (pa.run_end_encoded(pa.int16(), pa.string()), "ü", "string"),
]


def column(values: list[Any], kind: pa.DataType) -> pa.Table:
    if pa.types.is_dictionary(kind):
        return pa.table({"c": pa.array(values, kind.value_type).dictionary_encode().cast(kind)})
    if pa.types.is_run_end_encoded(kind):
        import pyarrow.compute as pc

        return pa.table({"c": pc.run_end_encode(pa.array(values, kind.value_type), run_end_type=kind.run_end_type)})
    return pa.table({"c": pa.array(values, kind)})


@pytest.mark.parametrize(("kind", "values", "our_kind", "name", "smallest"), NUMERIC)
def test_numbers_and_times(kind: pa.DataType, values: list[Any], our_kind: str, name: str, smallest: float) -> None:
    p = dl.profile(column([None, *values], kind))["c"]
    ours = {"halffloat": "float16", "float": "float32", "double": "float64"}.get(name, name)
    assert (p.kind, p.type, p.count, p.null_count) == (our_kind, ours, 3, 1)
    assert p.min == smallest
    assert p.quantile(0).value == pytest.approx(smallest)
    assert p.distinct.value == pytest.approx(len(set(values)), abs=0.01)


@pytest.mark.parametrize(("kind", "value", "name"), CATEGORIES)
def test_categories(kind: pa.DataType, value: Any, name: str) -> None:
    p = dl.profile(column([value, None, value], kind))["c"]
    assert (p.kind, p.type, p.count, p.null_count) == ("category", name, 3, 1)
    assert p.top(1) == [(value, 2, 2, 2)]
    assert p.distinct.value == pytest.approx(1, abs=0.01)


def test_nested() -> None:
    table = pa.table(
        {
            "l": pa.array([[1, 2], [], None], pa.list_(pa.int64())),
            "ll": pa.array([["a"], ["a", None], None], pa.large_list(pa.string())),
            "fl": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int16(), 2)),
            "e": pa.array([[3.0, 4.0], [0.0, 0.0], None], pa.list_(pa.float32(), 2)),
            "s": pa.array([{"a": 1, "b": {"c": "x"}}, None, {"a": None, "b": None}]),
            "null": pa.nulls(3),
        }
    )
    p = dl.profile(table)
    expected = ["l", "l[]", "ll", "ll[]", "fl", "fl[]", "e", "e.norm", "s.a", "s.b.c", "null"]
    assert list(p) == expected
    assert (p["l"].kind, p["l"].empty_count, p["l"].null_count, p["l"].length.max) == ("list", 1, 1, 2)
    assert (p["l[]"].count, p["l[]"].max) == (2, 2)
    assert (p["ll[]"].count, p["ll[]"].null_count) == (3, 1)
    assert (p["fl[]"].count, p["fl[]"].max) == (4, 4)
    assert (p["e"].kind, p["e.norm"].max, p["e.norm"].null_count) == ("embedding", 5.0, 1)
    assert (p["s.a"].null_count, p["s.b.c"].null_count) == (2, 2)
    assert p["null"].kind == "null"
    assert list(dl.profile(table, columns=["s", "e.norm"])) == ["e.norm", "s.a", "s.b.c"]


@pytest.mark.parametrize(
    ("array", "name"),
    [
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "map"),
        (pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]), "union"),
        (pa.array([pa.MonthDayNano([1, 2, 3])]), "interval"),
    ],
)
def test_what_is_not_profiled_is_named(array: pa.Array, name: str) -> None:
    p = dl.profile(pa.table({"odd": array, "n": [1]}))
    assert list(p) == ["n"]
    assert list(p.skipped) == ["odd"]
    assert name in p.skipped["odd"]
    assert "not profiled: odd" in repr(p)
