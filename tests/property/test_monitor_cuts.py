"""However rows come to a monitor, it says the same of them."""

import itertools
import pathlib
import tempfile
from typing import Any

import monitored as log
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

FIRST_H, LAST_H = 0, 72
ROWS = pl.concat(
    [
        log.hours(0, 55, rows=80),
        # A column that moves, one that breaks, and a gap.
        log.hours(55, 63, rows=80, shift=0.4),
        log.hours(65, 72, rows=80).with_columns(c=pl.lit("Z")),
    ]
)
SETTINGS: dict[str, Any] = {
    "reference": "first 45 hours",
    "columns": {"time": "ts", "segments": ["c"]},
    "segment_limit": 3,
}
cuts = st.lists(st.integers(1, len(ROWS) - 1), max_size=9, unique=True).map(sorted)


def parts(at: list[int]) -> list[pl.DataFrame]:
    return [ROWS.slice(a, b - a) for a, b in itertools.pairwise([0, *at, len(ROWS)])]


def in_one_go() -> tuple[pl.DataFrame, pl.DataFrame]:
    with tempfile.TemporaryDirectory() as folder, log.monitor(pathlib.Path(folder), **SETTINGS) as made:
        made.update(ROWS, now=log.NOW)
        made.advance(log.hour(74))
        return log.results(made), log.alarms(made)


WHOLE = in_one_go()


def test_there_is_something_to_say() -> None:
    assert {"opened", "closed"} <= set(WHOLE[1]["happened"])
    assert {"fast", "rule"} <= set(WHOLE[1]["detector"])


@settings(max_examples=12)
@given(cuts, st.sets(st.integers(0, 9)))
def test_batches_and_restarts_change_nothing(at: list[int], ends: set[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = log.monitor(pathlib.Path(folder), **SETTINGS)
        for number, part in enumerate(parts(at)):
            made.update(part, now=log.NOW)
            if number in ends:
                made.close()
                made = log.monitor(pathlib.Path(folder), **SETTINGS)
        with made:
            made.advance(log.hour(74))
            log.same((log.results(made), log.alarms(made)), WHOLE)


@settings(max_examples=12)
@given(cuts, st.randoms(use_true_random=False), st.integers(1, 9))
def test_files_and_runs_change_nothing(at: list[int], random: Any, runs: int) -> None:
    """Rows in the order of their times; the first run has the reference, from which bins are taken."""
    with tempfile.TemporaryDirectory() as folder:
        data, home, whole = (pathlib.Path(folder, name) for name in ("data", "home", "whole"))
        log.write(whole / "all.parquet", ROWS)
        log.read(home.with_name("other"), whole, **SETTINGS)
        expected = log.said(home.with_name("other"), **SETTINGS)
        first = len(log.hours(0, 45, rows=80))
        files = parts(sorted({*at, first}))
        names = [f"{number:02}.parquet" for number in range(len(files))]
        random.shuffle(names)
        of_reference = sum(cut <= first for cut in {*at, first})
        left = list(zip(names, files, strict=True))
        now, left = left[:of_reference], left[of_reference:]
        while now:
            for name, rows in now:
                log.write(data / name, rows)
            log.read(home, data, **SETTINGS)
            now, left = left[:runs], left[runs:]
        log.same(log.said(home, **SETTINGS), expected)


@settings(max_examples=8)
@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(1, 200))
def test_rows_in_any_file_and_order_change_nothing(random: Any, files: int, block: int) -> None:
    """Blocks of rows, shuffled, in files that each hold some of any time."""
    plain = {**SETTINGS, "columns": {"time": "ts"}}
    # So few that the quantiles from which bins are taken are exact, in whatever order rows come.
    rows = ROWS.gather_every(4)
    with tempfile.TemporaryDirectory() as folder:
        data, whole = (pathlib.Path(folder, name) for name in ("data", "whole"))
        log.write(whole / "all.parquet", rows)
        log.read(pathlib.Path(folder, "other"), whole, **plain)
        blocks = [rows.slice(start, block) for start in range(0, len(rows), block)]
        random.shuffle(blocks)
        for number in range(files):
            log.write(data / f"{number}.parquet", pl.concat([rows.clear(), *blocks[number::files]]))
        found = log.read(pathlib.Path(folder, "home"), data, **plain)
        assert (found.rows, found.late) == (len(rows), 0)
        log.same(log.said(pathlib.Path(folder, "home"), **plain), log.said(pathlib.Path(folder, "other"), **plain))


NESTED = ROWS.with_columns(
    s=pl.struct(a=pl.col("x") * 2, b=pl.col("c")), items=pl.concat_list("x", "x").list.head(pl.int_range(pl.len()) % 3)
)
CHANGES: dict[str, Any] = {
    "none": lambda rows: rows,
    "gone": lambda rows: rows.drop("x", "s"),
    "retyped": lambda rows: rows.with_columns(pl.col("x").cast(pl.String)),
    "new": lambda rows: rows.with_columns(new=1.5),
    "no rows": lambda rows: rows.clear(),
}


@settings(max_examples=15)
@given(cuts, st.lists(st.sampled_from(sorted(CHANGES)), min_size=10, max_size=10), st.integers(1, 3000), st.data())
def test_files_say_what_batches_of_the_same_rows_say(
    at: list[int], changes: list[str], row_group: int, data: st.DataObject
) -> None:
    """Files are decoded column by column, and batches are there as a whole; columns go, come and change their types."""
    with tempfile.TemporaryDirectory() as folder:
        files, reference = pathlib.Path(folder, "data"), pathlib.Path(folder, "reference.parquet")
        files.mkdir()
        log.write(reference, NESTED.head(3600))
        asked = {
            **SETTINGS,
            "reference": str(reference),
            "checks": {"x": {"max": 1.2}, "s.a": {"min": 0.1}},
            "threads": data.draw(st.integers(1, 3)),
        }
        cut = list(itertools.pairwise([3600, *(place for place in at if place > 3600), len(NESTED)]))
        batches = [CHANGES[change](NESTED.slice(a, b - a)) for (a, b), change in zip(cut, changes, strict=False)]
        for number, rows in enumerate(batches):
            rows.write_parquet(files / f"{number}.parquet", row_group_size=row_group, data_page_size=500)
        log.read(pathlib.Path(folder, "read"), files, **asked)
        with log.monitor(pathlib.Path(folder, "handed over"), **asked) as made:
            for rows in batches:
                made.update(rows, now=log.NOW)
            made.commit()
            expected = log.results(made), log.alarms(made)
        log.same(log.said(pathlib.Path(folder, "read"), **asked), expected)


@settings(max_examples=8)
@given(st.lists(st.integers(0, len(ROWS) - 1), max_size=60, unique=True), st.integers(1, 3000))
def test_rows_that_come_late_are_counted_where_they_belong(late: list[int], size: int) -> None:
    """A row of an hour that comes hours later, in any batches: each window has its rows."""
    order = ROWS.with_row_index("place")
    moved = pl.col("place").is_in(late)
    order = order.with_columns(at=pl.col("ts") + pl.when(moved).then(pl.duration(hours=5)).otherwise(pl.duration()))
    rows = order.sort("at", "place").drop("place", "at")
    with tempfile.TemporaryDirectory() as folder, log.monitor(pathlib.Path(folder), **SETTINGS) as made:
        for start in range(0, len(rows), size):
            made.update(rows.slice(start, size), now=log.NOW)
        made.advance(log.hour(76))
        made.advance(log.hour(78))
        table = log.results(made).filter(pl.col("window_start") < log.hour(74))
        for segment in ("", "c=__other__"):
            ours, theirs = (log.rows_by_window(frame, segment=segment) for frame in (table, WHOLE[0]))
            assert sum(ours.values()) == sum(theirs.values())
            if segment == "":
                assert ours == theirs
