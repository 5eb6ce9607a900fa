"""What is said of a monitor in a terminal."""

import pathlib
from dataclasses import asdict

import monitored as log
import polars as pl

from driftline._format import percent
from driftline._monitor.alarms import told_together
from driftline._monitor.status import status_of
from driftline._monitor_page import page_of
from driftline.cli._monitor import status_as_json, tell_status
from tests.pages import words


def test_alarms_that_closed_are_told_after_those_that_are_open_in_the_zone_of_the_windows(
    tmp_path: pathlib.Path,
) -> None:
    parts = [log.hours(0, 45), log.hours(45, 50, shift=0.9), log.hours(50, 110), log.hours(110, 120, shift=0.9)]
    with log.monitor(tmp_path / "home", timezone="Asia/Kolkata") as made:
        made.update(pl.concat(parts), now=log.NOW)
        status = status_of(made.config)
    lines = list(tell_status(status, log.hour(125)))
    # Five hours and a half ahead of Greenwich.
    assert lines[0].startswith(
        "m: 4,800 rows; newest row 2024-01-06 05:28 IST, 5 hours ago; still open: 2024-01-06 04:"
    )
    assert [line.split()[:2] for line in lines if line[0] == "A"] == [["A2", "OPEN,"], ["A1", "closed"]]
    assert lines[-1] == "1 alarm open, 1 closed; 1 series quiet"


def test_that_more_values_came_than_are_watched_apart_is_told(tmp_path: pathlib.Path) -> None:
    names = pl.Series("c", [f"v{i}" for i in range(2400)])
    told = "   5 segments watched apart, which is the limit: the rows of any others are in c=__other__"
    settings = {"columns": {"time": "ts", "segments": ["c"]}, "segment_limit": 5}
    # Four values, and 2,400.
    for rows, is_told in ((log.hours(0, 60), False), (log.hours(0, 60).with_columns(names), True)):
        with log.monitor(tmp_path / str(is_told), **settings) as made:
            made.update(rows, now=log.NOW)
            assert (told in tell_status(status_of(made.config))) == is_told


def test_an_open_alarm_is_told_with_what_the_latest_window_says(tmp_path: pathlib.Path) -> None:
    parts = [log.hours(0, 45), log.hours(45, 50, shift=0.4), log.hours(50, 55, shift=0.9)]
    with log.monitor(tmp_path / "home") as made:
        made.update(pl.concat(parts), now=log.NOW)
        status = status_of(made.config)
        (alarm,) = status.open
        (listed,) = made.alarm_list()
        last = log.results(made).filter(column="x").row(-1, named=True)
    # Most of it came after the alarm.
    assert alarm.share < 0.75
    (latest,) = [line for line in tell_status(status) if line.startswith("   in ")]
    shares = f"{percent(last['reference_share'])} -> {percent(last['share'])}"
    assert latest == f"   in 2024-01-03 05:00: {last['moved']}, {shares}"
    assert last["share"] > 0.85
    # From Python too, and in JSON.
    assert listed == alarm
    assert listed.latest is not None
    told = {name: last[name] for name in ("window", "moved", "reference_share", "share", "effect", "effect_bound")}
    assert asdict(listed.latest) == told
    assert status_as_json(status)["alarms"][0]["latest"] == told


def test_what_the_latest_window_says_of_a_source_that_lags(tmp_path: pathlib.Path) -> None:
    for writer, last in (("slow", 60), ("main", 120)):
        with log.monitor(tmp_path / "home", writer=writer) as made:
            made.update(pl.concat([log.hours(0, 45), log.hours(45, last, shift=0.4)]), now=log.NOW)
    with log.monitor(tmp_path / "home") as made:
        found = {alarm.writer: alarm.latest for alarm in made.alarm_list()}
    assert {writer: latest and latest.window for writer, latest in found.items()} == {
        "main": "2024-01-05 22:00",
        "slow": "2024-01-03 10:00",
    }


def test_rules_and_closed_alarms_have_no_latest_window(tmp_path: pathlib.Path) -> None:
    parts = [log.hours(0, 45), log.hours(45, 50, shift=0.9), log.hours(50, 110), log.hours(110, 120).drop("c")]
    with log.monitor(tmp_path / "home") as made:
        made.update(parts, now=log.NOW)
        told = {(alarm.detector == "rule", alarm.is_open): alarm.latest for alarm in made.alarm_list()}
    assert told == {(False, False): None, (True, True): None}


def test_a_broken_column_and_its_check_are_one_thing(tmp_path: pathlib.Path) -> None:
    checks = {"x": {"nulls": "5%", "max": 3}, "c": {"allowed": ["A", "B", "C", "D"]}}
    empty = log.hours(60, 70, rows=100).with_columns(x=pl.lit(None, pl.Float64))
    # One row of the last window that closes is too large.
    large = pl.when(pl.col("ts") == log.hour(88)).then(9.0).otherwise("x")
    last = log.hours(80, 90, rows=100).with_columns(c=pl.lit(7), x=large)
    with log.monitor(tmp_path / "home", checks=checks) as made:
        made.update(log.hours(0, 60, rows=100), now=log.NOW)
        made.update(empty, now=log.NOW)
        made.update(log.hours(70, 80, rows=100), now=log.NOW)
        made.update(last, now=log.NOW)
        stored, status = made.alarms(), status_of(made.config)
    # No row is lost, and all are counted.
    opened = stored.filter(happened="opened")["alarm", "column", "detector"].sort("alarm").rows()
    assert opened == [
        ("A1", "x", "rule"),
        ("A2", "x", "breakage"),
        ("A3", "c", "rule"),
        ("A4", "c", "rule"),
        ("A5", "x", "rule"),
    ]
    told = list(tell_status(status))
    first = [(*line.split(" ")[:2], line.split(": ", 1)[1]) for line in told if line[0] == "A"]
    assert [(name, state) for name, state, _ in first] == [
        ("A3", "OPEN,"),
        ("A5", "OPEN,"),
        ("A2", "closed"),
    ]
    assert first[0][2] == "c the column is int32 now, and string in the reference"
    assert told[told.index(next(line for line in told if line.startswith("A3"))) + 1] == (
        '   it breaks a check too, A4: "7" is not allowed'
    )
    # A check by itself.
    assert first[1][2] == "x 9 is above 3"
    assert told[-1].startswith("3 alarms open, 2 closed; ")
    page = words(page_of(status.config, now=log.NOW))
    assert 'It breaks a check too, A4: "7" is not allowed' in page
    assert "It breaks a check too, A1: 100.00 % have no value, 5.00 % may" in page
    assert "2 closed alarms closed A2 x" in page
    assert 'id="A1"' in page_of(status.config)


def test_a_check_that_is_broken_for_longer_is_told_apart(tmp_path: pathlib.Path) -> None:
    some = pl.when(pl.int_range(pl.len()) % 100 >= 7).then("x")
    with log.monitor(tmp_path / "home", checks={"x": {"nulls": "5%"}}) as made:
        made.update(log.hours(0, 60, rows=100), now=log.NOW)
        made.update(log.hours(60, 70, rows=100).with_columns(x=pl.lit(None, pl.Float64)), now=log.NOW)
        together = [(alarm.id, [check.id for check in checks]) for alarm, checks in told_together(made.alarm_list())]
        made.update(log.hours(70, 72, rows=100).with_columns(x=some), now=log.NOW)
        apart = [(alarm.id, [check.id for check in checks]) for alarm, checks in told_together(made.alarm_list())]
    assert together == [("A2", ["A1"])]
    assert apart == [("A1", []), ("A2", [])]
