"""What is said of a monitor in a terminal."""

import pathlib
from dataclasses import asdict

import monitored as log
import polars as pl

from driftline._format import percent
from driftline._monitor.status import status_of
from driftline.cli._monitor import status_as_json, tell_status


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
