"""Archives whose rows do not lie in the order of their times: nothing of them is late that can be waited for."""

import pathlib
from typing import Any

import monitored as log
import polars as pl
import pytest

QUARTER = {"reference": "first quarter"}


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "home"


def expected(home: pathlib.Path, frame: pl.DataFrame, **settings: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is said of the same rows in the order of their times."""
    path = log.write(home.with_name("ordered") / "a.parquet", frame.sort("ts", maintain_order=True))
    log.read(home.with_name("ordered home"), path, **settings)
    return log.said(home.with_name("ordered home"), **settings)


def counts(home: pathlib.Path, **settings: Any) -> dict[str, int]:
    with log.monitor(home, **settings) as made:
        return dict(made._core.counts)


@pytest.mark.parametrize("order", ["descending", "shuffled", "in two halves"])
def test_rows_of_a_file_in_any_order(tmp_path: pathlib.Path, home: pathlib.Path, order: str) -> None:
    frame = pl.concat([log.hours(0, 150), log.hours(150, 200, shift=0.4)])
    match order:
        case "descending":
            rows = frame.reverse()
        case "shuffled":
            rows = frame.sample(fraction=1, shuffle=True, seed=1)
        case _:
            rows = pl.concat([frame[4000:], frame[:4000]])
    log.write(tmp_path / "data" / "a.parquet", rows)
    found = log.read(home, tmp_path / "data", **QUARTER)
    assert (found.rows, found.late, found.amended) == (8000, 0, [])
    log.same(log.said(home, **QUARTER), expected(home, frame, **QUARTER))


def test_folders_that_each_hold_the_whole_time(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    """As hive partitions do; and the later days of both."""
    parts = {}
    for country, seed in (("FR", 1), ("US", 2)):
        for part, (first, last) in enumerate(((0, 400), (400, 420))):
            frame = log.hours(first, last, seed=seed).with_columns(pl.col("ts") + pl.duration(microseconds=seed))
            parts[country, part] = frame.with_columns(k=pl.lit(country))
    for part in (0, 1):
        for country in ("FR", "US"):
            log.write(tmp_path / "data" / f"k={country}" / f"{part}.parquet", parts[country, part].drop("k"))
        found = log.read(home, tmp_path / "data", **QUARTER)
        assert (found.late, found.amended) == (0, [])
    table, events = log.said(home, **QUARTER)
    assert set(log.rows_by_window(table).values()) == {80}
    assert events.is_empty()
    with log.monitor(home, **QUARTER) as made:
        assert {series["reference_rows"] for series in made.series()} == {99 * 80}


def test_more_files_at_once_than_are_open(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    frame = pl.concat([log.hours(0, 100), log.hours(100, 120, shift=0.4)])
    for number in range(40):
        # Each holds all hours, and begins with another one.
        part = frame.gather_every(40, number)
        log.write(tmp_path / "data" / f"{number:02}.parquet", pl.concat([part[number:], part[:number]]))
    found = log.read(home, tmp_path / "data")
    assert (found.rows, found.late) == (len(frame), 0)
    log.same(log.said(home), expected(home, frame))


def test_rows_without_a_time_are_counted_with_the_others(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    frame = log.hours(0, 60)
    none = frame.head(50).with_columns(ts=pl.lit(None, dtype=frame["ts"].dtype))
    log.write(tmp_path / "data" / "a.parquet", pl.concat([none, frame[1200:], none, frame[:1200], none]))
    log.write(tmp_path / "data" / "b.parquet", none.with_columns(x=pl.lit(3.0)))
    log.read(home, tmp_path / "data")
    log.same(log.said(home), expected(home, frame))
    assert counts(home) == {"rows": 2600, "late": 0, "without_time": 200, "absurd": 0}


def test_what_takes_too_much_memory_comes_late_and_is_told(
    tmp_path: pathlib.Path, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in descending order, of more windows than may wait."""
    from driftline.cli._monitor import summary_lines

    monkeypatch.setattr("driftline._monitor.archive.MOST_HELD", 100)
    log.write(tmp_path / "data" / "a.parquet", log.hours(0, 60).reverse())
    found = log.read(home, tmp_path / "data")
    # The fifty-one last hours fill the room.
    assert (found.rows, found.late) == (2400, 360)
    assert any(line.startswith("360 of these rows came late") for line in summary_lines(found))
    with log.monitor(home) as made:
        made.advance(log.hour(62))
        assert set(log.rows_by_window(log.results(made)).values()) == {40}


def test_rows_that_come_late_to_the_reference_are_of_it(home: pathlib.Path) -> None:
    with log.monitor(home) as made:
        made.update(log.hours(0, 60, rows=100), now=log.NOW)
        made.update(log.hours(5, 6, rows=3000, seed=3, shift=2.0), now=log.NOW)
        made.update(log.hours(60, 64, rows=100), now=log.NOW)
        assert made.alarm_list() == []
        assert {series["reference_rows"] for series in made.series()} == {4000 + 3000}
        table = log.results(made).filter(pl.col("window") == "2024-01-01 05:00")
    assert (set(table["rows"]), set(table["revision"])) == ({3100}, {2})
