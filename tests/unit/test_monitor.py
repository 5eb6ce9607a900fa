"""`Monitor`: rows in by any way, results and alarms out, and all that it knows kept."""

import pathlib
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import monitored as log
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import driftline as dl
from driftline._monitor.state import VERSION
from driftline._monitor.status import status_of
from driftline.store import Store


def hours(first: int, last: int, **of: Any) -> pl.DataFrame:
    """As many rows an hour that bins are there before the reference ends: they are taken from the first 4096."""
    return log.hours(first, last, **{"rows": 100, **of})


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "home"


def test_arguments_and_a_file_say_the_same(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "driftline.yaml"
    path.write_text(
        "monitor: m\ndata: []\ncolumns: {time: ts}\nwindow: 1 hour\nlateness: 15 minutes\n"
        "reference: first 40 hours\nfalse_alarms: 1 per month\n"
    )
    rows = hours(0, 55)
    by_file = dl.Monitor(path)
    assert by_file.config.home == str(tmp_path / ".driftline")
    with by_file, log.monitor(tmp_path / "other") as by_arguments:
        for made in (by_file, by_arguments):
            made.update(rows, now=log.NOW)
        log.same([log.results(by_file)], [log.results(by_arguments)])
    monkeypatch.setenv("DRIFTLINE_HOME", str(tmp_path / "variable"))
    with dl.Monitor(path) as made:
        assert made.config.home == str(tmp_path / "variable")
    with dl.Monitor(path, home=tmp_path / "given") as made:
        assert made.config.home == str(tmp_path / "given")
    with pytest.raises(TypeError, match="window stands beside a configuration: write it there, or give no file"):
        dl.Monitor(path, window="1 day")
    with pytest.raises(dl.errors.ConfigError, match="windw is no key: did you mean window"):
        log.monitor(tmp_path / "x", windw="1 day")


def test_what_is_told_of_a_window(home: pathlib.Path) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 60), now=log.NOW)
        made.update(hours(60, 80, shift=0.3), now=log.NOW)
        table, events = log.results(made), log.alarms(made)
        series, alarms = made.series(), made.alarm_list()
    assert isinstance(made.results(), pl.DataFrame)
    first = table.row(0, named=True)
    assert {key: first[key] for key in ("monitor", "writer", "segment", "column", "window", "revision", "rows")} == {
        "monitor": "m",
        "writer": "main",
        "segment": "",
        "column": "c",
        "window": "2024-01-01 00:00",
        "revision": 1,
        "rows": 100,
    }
    assert (first["window_start"], first["window_end"]) == (log.BEGIN, log.hour(1))
    status = table.filter(pl.col("column") == "x")["status"].to_list()
    assert status == ["learning"] * 40 + ["watching"] * 39
    assert [(row["column"], row["reference_rows"], row["reference_windows"]) for row in series] == [
        ("x", 4000, 40),
        ("c", 4000, 40),
    ]
    # Nothing of c moved.
    assert set(events["column"]) == {"x"}
    (alarm,) = [alarm for alarm in alarms if alarm.detector == "fast"]
    assert alarm.is_open
    assert alarm.since in ("2024-01-03 11:00", "2024-01-03 12:00", "2024-01-03 13:00")
    assert log.hour(60) <= datetime.fromtimestamp(alarm.opened_us / 1e6, UTC) < log.hour(80)
    assert {row["alarm"] for row in series if row["column"] == "x"} != {None}
    opened = events.filter(pl.col("alarm") == alarm.id).row(0, named=True)
    assert (opened["what"], opened["since_window"], opened["rows"]) == (alarm.what, alarm.since, alarm.rows)


ROWS = hours(0, 60)
FORMS: dict[str, Any] = {
    "polars": ROWS,
    "lazy": ROWS.lazy(),
    "pandas": ROWS.to_pandas(),
    "arrow": ROWS.to_arrow(),
    "dict": {name: ROWS[name].to_list() for name in ROWS.columns},
    "batches": ROWS.to_arrow().to_batches(max_chunksize=77),
    "frames": list(ROWS.iter_slices(333)),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_any_form(home: pathlib.Path, form: str) -> None:
    with log.monitor(home) as made, log.monitor(home, monitor="row-by-row") as other:
        made.update(FORMS[form], now=log.NOW)
        other.update(ROWS, now=log.NOW)
        log.same([log.results(made)], [log.results(other)], without=["monitor"])
        assert len(log.results(made)) == 2 * 59


def epochs(per_second: int) -> pl.DataFrame:
    milliseconds = pl.col("ts").dt.timestamp("ms")
    return ROWS.with_columns(milliseconds // 1000 if per_second == 1 else milliseconds * (per_second // 1000))


TIMES: dict[str, Any] = {
    "naive, in UTC": ROWS.with_columns(pl.col("ts").dt.replace_time_zone(None)),
    "zoned": ROWS.with_columns(pl.col("ts").dt.convert_time_zone("America/New_York")),
    "milliseconds": ROWS.with_columns(pl.col("ts").dt.cast_time_unit("ms")),
    "text in UTC": ROWS.with_columns(pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")),
    "text with an offset": ROWS.with_columns(
        pl.col("ts").dt.convert_time_zone("Asia/Kolkata").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z")
    ),
    "text without an offset": ROWS.with_columns(pl.col("ts").dt.strftime("%Y-%m-%d %H:%M:%S%.6f")),
    "seconds since 1970": epochs(1),
    "milliseconds since 1970": epochs(1000),
    "microseconds since 1970": epochs(1_000_000),
    "nanoseconds since 1970": epochs(1_000_000_000),
    "datetimes of Python": {
        **FORMS["dict"],
        "ts": [time.astimezone(ZoneInfo("Europe/Oslo")) for time in ROWS["ts"]],
    },
    "datetimes of NumPy": {**FORMS["dict"], "ts": ROWS["ts"].dt.replace_time_zone(None).to_numpy()},
    "timestamps of pandas": pd.DataFrame(ROWS.to_pandas()).assign(ts=lambda f: f.ts.dt.tz_convert("Asia/Tokyo")),
}


@pytest.mark.parametrize("form", TIMES)
def test_times_of_any_form(home: pathlib.Path, form: str) -> None:
    with log.monitor(home) as made:
        made.update(TIMES[form], now=log.NOW)
        rows = log.rows_by_window(log.results(made))
    assert list(rows)[:2] == ["2024-01-01 00:00", "2024-01-01 01:00"]
    assert (len(rows), set(rows.values())) == (59, {100})


def test_missing_and_absurd_times_are_counted_and_kept_apart(home: pathlib.Path) -> None:
    odd = [None, datetime(9999, 12, 31, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC), log.hour(62)]
    rows = pl.concat([hours(0, 60), hours(0, 1, rows=4).with_columns(ts=pl.Series(odd, dtype=ROWS["ts"].dtype))])
    with log.monitor(home) as made:
        # The last is ahead of the clock by more than a day.
        made.update(rows, now=log.hour(37.9))
        # Those that are ahead by less are counted, and windows close as the clock goes.
        assert made.results()["window_start"].max() == log.hour(36)
    (source,) = _status(home).sources
    assert source.counts == {"rows": 6004, "late": 0, "without_time": 1, "absurd": 3}
    assert source.newest == log.hour(59) + timedelta(minutes=59.4)
    assert (len(source.open_windows), source.open_windows[-1]) == (23, ("2024-01-03 11:00", 100))


def _status(home: pathlib.Path, **settings: Any) -> Any:
    from driftline._monitor.status import status_of

    with log.monitor(home, **settings) as made:
        config = made.config
    return status_of(config)


def test_time_goes_on_without_rows(home: pathlib.Path) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 60), now=log.NOW)
        assert len(log.rows_by_window(log.results(made))) == 59
        made.advance(log.hour(60.2))
        assert len(log.rows_by_window(log.results(made))) == 59
        made.advance(log.hour(60.25))
        assert len(log.rows_by_window(log.results(made))) == 60
        made.advance(log.hour(50))
        made.advance(log.hour(62.5).astimezone(ZoneInfo("Asia/Tokyo")))
        (alarm,) = made.alarm_list()
        assert (alarm.detector, alarm.opened) == ("rule", "2024-01-03 12:00")
        assert alarm.what.startswith("no rows")
        with pytest.raises(ValueError, match="now is .*, without a zone"):
            made.update(hours(61, 62), now=datetime(2024, 1, 3))


class Nowhere(tzinfo):
    """A zone that does not say what it is."""

    def utcoffset(self, _: object) -> None:
        return None


@pytest.mark.parametrize(
    ("to_time", "said"),
    [
        ("text", "to_time is 'text'"),
        (7, "to_time is 7"),
        (None, "to_time is None"),
        (date(2024, 1, 3), "to_time is datetime.date(2024, 1, 3)"),
        (np.datetime64("2024-01-03"), f"to_time is {np.datetime64('2024-01-03')!r}"),
        (pd.NaT, "to_time is NaT"),
        (datetime(2024, 1, 3), "to_time is 2024-01-03 00:00:00, without a zone"),
        (datetime(2024, 1, 3, tzinfo=Nowhere()), "to_time is 2024-01-03 00:00:00, without a zone"),
        (pd.Timestamp("2024-01-03"), "to_time is 2024-01-03 00:00:00, without a zone"),
    ],
)
def test_what_is_no_time_is_told_with_one_that_is(home: pathlib.Path, to_time: Any, said: str) -> None:
    # Whatever else is wrong: an archive's first quarter is no reference of rows that are handed over.
    for settings in ({}, {"reference": "first quarter"}):
        with log.monitor(home, **settings) as made:
            with pytest.raises(ValueError if "without" in said else TypeError) as caught:
                made.advance(to_time)
            assert str(caught.value).startswith(said)
            assert str(caught.value).endswith(", such as datetime(2026, 11, 3, 14, tzinfo=UTC)")


@pytest.mark.parametrize("minutes", [9_000, 10_100, 300_000])
def test_a_gap_is_told_however_long_it_is(home: pathlib.Path, minutes: int) -> None:
    settings = {"window": "1 minute", "lateness": "0 seconds", "reference": "first 40 minutes"}
    with log.monitor(home, **settings) as made:
        made.update(log.hours(0, 3, rows=600), now=log.NOW)
        made.advance(log.hour(3 + minutes / 60))
        (alarm,) = made.alarm_list()
        assert (alarm.what.partition(";")[0], alarm.opened, alarm.is_open) == ("no rows", "2024-01-01 03:00", True)
        rows = log.hours(3, 4, rows=600).with_columns(pl.col("ts") + pl.duration(minutes=minutes))
        made.update(rows, now=log.NOW)
        (alarm,) = made.alarm_list()
        assert not alarm.is_open


def test_it_goes_on_where_it_ended(home: pathlib.Path) -> None:
    parts = [hours(0, 60).head(1234), hours(0, 60).slice(1234), hours(60, 80, shift=0.3)]
    with log.monitor(home, monitor="whole") as whole:
        for part in parts:
            whole.update(part, now=log.NOW)
        expected = log.results(whole), log.alarms(whole)
        series = whole.series()
    for part in parts:
        with log.monitor(home) as made:
            made.update(part, now=log.NOW)
    with log.monitor(home) as made:
        log.same([log.results(made), log.alarms(made)], expected, without=["monitor"])
        assert made.series() == series
    for call in (lambda: made.update(parts[0]), lambda: made.advance(log.NOW), lambda: made.read()):
        with pytest.raises(ValueError, match="the monitor is closed: make a new one, which goes on where"):
            call()
    # What it said is there to be read.
    assert len(made.results()) == len(expected[0])
    made.close()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("columns", {"time": "ts", "segments": ["c"]}, "columns is "),
        ("reference", "first 41 hours", "reference is first 41 hours, and monitor m began with first 40 hours"),
        ("timezone", "Europe/Oslo", "timezone is Europe/Oslo, and monitor m began with UTC"),
        ("segment_limit", 7, "segment_limit is 7, and monitor m began with 50"),
        ("window", "2 hours", "window is "),
        ("lateness", "1 hour", "lateness is "),
        ("tolerance", 0.01, "tolerance is 0.01, and monitor m began with 0.02"),
        ("false_alarms", "1 per week", "false_alarms is "),
    ],
)
def test_another_configuration_is_refused(home: pathlib.Path, key: str, value: object, said: str) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 45), now=log.NOW)
    with pytest.raises(dl.errors.ConfigError) as caught:
        log.monitor(home, **{key: value})
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("put it back, or name the monitor anew")
    # Refused, it lets go of the source; and what is only said otherwise is the same.
    with log.monitor(home, checks={"x": {"max": 2}}, tolerance="2%"):
        pass


def test_a_status_under_another_configuration_is_refused(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from driftline._monitor.status import status_of

    with log.monitor(home) as made:
        made.update(hours(0, 70), now=log.NOW)
    other = log.monitor(home, writer="other", window="1 day")
    config = other.config
    other.close()
    for look in (lambda: status_of(config), lambda: other.to_html(tmp_path / "page.html")):
        with pytest.raises(dl.errors.ConfigError, match="window is .*, and monitor m began with .*: what it promised"):
            look()


def test_a_source_has_one_process(home: pathlib.Path) -> None:
    def taken() -> None:
        with pytest.raises(dl.errors.StorageError, match="source 'main' of monitor 'm' is in use by process") as caught:
            log.monitor(home)
        assert "wait until that has ended, or stop it" in str(caught.value)

    with log.monitor(home):
        taken()
        with log.monitor(home, writer="other"), log.monitor(home, monitor="another"):
            pass
    code = "import sys; sys.path.insert(0, sys.argv[2]); import monitored as log, pathlib\n"
    code += "made = log.monitor(pathlib.Path(sys.argv[1])); print('has it', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(home), str(pathlib.Path(log.__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"has it\n"
        taken()
        other.communicate()
    with log.monitor(home):
        pass


def test_writers_of_one_monitor(home: pathlib.Path) -> None:
    for writer, shift in (("main", 0.0), ("host/1", 0.3), ("host 2", 0.4)):
        with log.monitor(home, writer=writer) as made:
            made.update(hours(0, 60), now=log.NOW)
            made.update(hours(60, 80, shift=shift), now=log.NOW)
    with log.monitor(home) as made:
        table, alarms = log.results(made), made.alarm_list()
    assert set(table["writer"]) == {"main", "host/1", "host 2"}
    assert len(table) == 3 * 2 * 79
    assert {alarm.id.partition("@")[2] for alarm in alarms} == {"host/1", "host 2"}
    assert {alarm.id for alarm in alarms if alarm.detector == "fast"} <= {
        "A1@host/1",
        "A1@host 2",
        "A2@host/1",
        "A2@host 2",
    }
    status = _status(home)
    assert [source.writer for source in status.sources] == ["host 2", "host/1", "main"]
    assert len(status.series) == 6
    with log.monitor(home, writer="main") as made:
        (promising,) = {row["promises"] for row in made.series()}
        assert promising


def test_changed_data_of_one_writer_mark_its_alarms_alone(home: pathlib.Path) -> None:
    late = hours(60, 61, rows=5)
    for writer in ("a", "b"):
        with log.monitor(home, writer=writer) as made:
            made.update(hours(0, 60), now=log.NOW)
            made.update(hours(60, 80, shift=0.4), now=log.NOW)
    with log.monitor(home, writer="b") as made:
        made.update(pl.concat([late, hours(80, 82, shift=0.4)]), now=log.NOW)
        changed = {alarm.id.partition("@")[2] for alarm in made.alarm_list() if alarm.data_changed}
    assert changed == {"b"}


@pytest.mark.parametrize("apart", [True, False], ids=["later", "in the same batch"])
def test_late_rows_amend_their_window(home: pathlib.Path, apart: bool) -> None:
    columns = {"time": "ts", "segments": ["c"]}
    late, then = hours(50, 51, rows=9, seed=1), hours(60, 62)
    with log.monitor(home, columns=columns) as made:
        if apart:
            made.update(hours(0, 60), now=log.NOW)
            made.update(late, now=log.NOW)
            made.update(then, now=log.NOW)
        else:
            made.update(pl.concat([hours(0, 60), late, then]), now=log.NOW)
        table = log.results(made)
    amended = table.filter(pl.col("window") == "2024-01-03 02:00")
    # The whole, and every segment of which a row came late.
    by_segment = dict(zip(amended["segment"], amended["revision"], strict=True))
    assert by_segment == {"": 2} | {
        f"c={name}": 2 if name in set(late["c"]) else 1 for name in set(hours(50, 51)["c"]) | set(late["c"])
    }
    whole = pl.concat([hours(50, 51), late])
    for segment in by_segment:
        rows = len(whole) if segment == "" else len(whole.filter(c=segment.removeprefix("c=")))
        assert set(amended.filter(segment=segment)["rows"]) == {rows}
    assert set(table.filter(pl.col("window") != "2024-01-03 02:00")["revision"]) == {1}
    (profile,) = Store(home).window_profiles("m", segment="", since=log.hour(50), until=log.hour(51))
    assert (profile.profile.rows, profile.profile["x"].max) == (109, whole["x"].max())
    (source,) = _status(home, columns=columns).sources
    assert source.counts["late"] == 9


def test_late_rows_of_two_deliveries_add_up(home: pathlib.Path) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 60), now=log.NOW)
        for number in range(3):
            late = hours(50, 51, rows=number + 1, seed=number + 1)
            made.update(pl.concat([late, hours(60 + number, 61 + number)]), now=log.NOW)
        made.update(hours(63, 65), now=log.NOW)
        row = log.results(made).filter(pl.col("window") == "2024-01-03 02:00", pl.col("column") == "x")
    assert (row["rows"].to_list(), row["revision"].to_list()) == ([106], [4])


def test_the_amended_window_is_not_evidence_twice(home: pathlib.Path) -> None:
    """Late rows are an update of their own, after which evidence is another; that of before stands."""
    late = hours(50, 51, seed=3)
    evidence = {}
    for name, rows in (("late", late), ("none", late.clear())):
        with log.monitor(home, monitor=name) as made:
            made.update(pl.concat([hours(0, 60), rows, hours(60, 64)]), now=log.NOW)
            table = log.results(made).filter(pl.col("column") == "x")
            evidence[name] = dict(zip(table["window"], table["evidence_fast"], strict=True))
    at, after = "2024-01-03 02:00", "2024-01-03 11:00"
    before = [window for window in evidence["none"] if at != window < after]
    assert [evidence["late"][window] for window in before] == [evidence["none"][window] for window in before]
    assert evidence["late"][after] != evidence["none"][after]


def test_a_late_row_of_another_type_stops_nothing(home: pathlib.Path) -> None:
    late = hours(50, 51, rows=2).with_columns(x=pl.lit("text"))
    with log.monitor(home) as made:
        made.update(hours(0, 60), now=log.NOW)
        made.update(late, now=log.NOW)
        made.update(hours(60, 63), now=log.NOW)
        assert log.rows_by_window(log.results(made))["2024-01-03 13:00"] == 100


# References.


def series_of(home: pathlib.Path, rows: pl.DataFrame, **settings: Any) -> dict[str, Any]:
    with log.monitor(home, **settings) as made:
        made.update(rows, now=log.NOW)
        (series,) = [row for row in made.series() if row["column"] == "x"]
        found: dict[str, Any] = series | {"statuses": log.results(made).filter(column="x")["status"].to_list()}
    return found


def test_the_first_rows_are_the_reference(home: pathlib.Path) -> None:
    found = series_of(home, hours(0, 60), reference="first 50 hours")
    assert (found["reference_rows"], found["reference_windows"]) == (5000, 50)
    assert found["statuses"] == ["learning"] * 50 + ["watching"] * 9
    assert (found["promises"], found["status"]) == (True, "watching")


def test_a_trailing_reference_follows(home: pathlib.Path) -> None:
    rows = pl.concat([hours(0, 60), hours(60, 120, shift=0.5)])
    with log.monitor(home, reference="trailing 40 hours") as made:
        made.update(rows, now=log.NOW)
        table = log.results(made).filter(column="x")
    verdicts = dict(zip(table["window"], table["verdict"], strict=True))
    # What it follows is the new normal.
    assert [verdicts[window] for window in ("2024-01-03 14:00", "2024-01-05 20:00")] == ["drift", "undecided"]
    assert table["status"].to_list()[38:42] == ["learning"] * 2 + ["watching"] * 2


def test_an_alarm_is_not_over_because_a_trailing_reference_has_a_part_of_the_change(home: pathlib.Path) -> None:
    # Three tenths of the rows are another value from hour 80 on, for good.
    changed = hours(80, 170).with_columns(x=pl.when(pl.int_range(pl.len()) % 10 < 3).then(-5.0).otherwise("x"))
    with log.monitor(home, reference="trailing 40 hours") as made:
        made.update(pl.concat([hours(0, 80), changed]), now=log.NOW)
        events = log.alarms(made).filter(column="x")
    assert events["happened"].to_list() == ["opened", "closed"]
    opened, closed = ((time - log.BEGIN).total_seconds() / 3600 for time in events["window_start"])
    assert 80 <= opened < 90
    assert 120 <= closed <= 130
    assert events["what"][-1] == "it did not go back: all of the trailing reference is like it now"


def test_the_same_weekday_is_compared_with_itself(home: pathlib.Path) -> None:
    # On Sundays all is otherwise.
    days = [hours(24 * day, 24 * day + 24, rows=5, shift=5.0 if day % 7 == 6 else 0.0) for day in range(70)]
    settings = {"window": "1 day", "false_alarms": "1 per year"}
    with log.monitor(home, reference="same weekday, 6 weeks", **settings) as made:
        made.update(pl.concat(days), now=log.NOW)
        assert made.alarm_list() == []
        table = log.results(made).filter(column="x")
        assert (table["effect"].drop_nulls() < 0.3).all()
    with log.monitor(home, monitor="all", reference="first 6 weeks", **settings) as made:
        made.update(pl.concat(days), now=log.NOW)
        table = log.results(made).filter(column="x")
        assert (table["effect"].drop_nulls() > 0.8).sum() == 3


def test_a_column_that_is_gone_is_told_once_and_not_of_every_segment(home: pathlib.Path) -> None:
    parts = [hours(0, 60), hours(60, 62).drop("x"), hours(62, 70)]
    with log.monitor(home, columns={"time": "ts", "segments": ["c"]}) as made:
        for part in parts:
            made.update(part, now=log.NOW)
        found = [(alarm.column, alarm.segment, alarm.what, alarm.is_open) for alarm in made.alarm_list()]
        table = log.results(made).filter(column="x", segment="")
    assert found == [("x", "", "the column is gone", False)]
    statuses = dict(zip(table["window"], table["status"], strict=True))
    assert [statuses[f"2024-01-03 {hour}:00"] for hour in (11, 12, 13, 14)] == ["watching", "gone", "gone", "watching"]
    assert table.filter(status="gone")["missing"].to_list() == [100, 100]


def test_a_row_ahead_of_the_clock_makes_no_other_late(home: pathlib.Path) -> None:
    ahead = hours(69, 70).head(1)
    with log.monitor(home) as made:
        made.update(hours(0, 60), now=log.hour(60))
        made.update(ahead, now=log.hour(60))
        for number in range(60, 70):
            made.update(hours(number, number + 1), now=log.hour(number + 1))
        made.advance(log.hour(71))
        assert status_of(made.config).sources[0].counts["late"] == 0
        table = log.rows_by_window(log.results(made))
    assert list(table.values()) == [100] * 69 + [101]


def test_files_with_times_have_windows(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for part in range(2):
        log.write(tmp_path / "before" / f"{part}.parquet", hours(-50 + part * 25, -25 + part * 25))
    found = series_of(home, hours(0, 5), reference=[str(tmp_path / "before" / f"{part}.parquet") for part in (0, 1)])
    assert (found["reference_rows"], found["reference_windows"]) == (5000, 50)
    assert found["statuses"] == ["watching"] * 4


@pytest.mark.parametrize("form", ["a file without times", "a saved profile"])
def test_a_reference_without_windows_is_calibrated(home: pathlib.Path, tmp_path: pathlib.Path, form: str) -> None:
    rows = hours(-100, 0).drop("ts")
    if form == "a saved profile":
        path = tmp_path / "train.profile.parquet"
        dl.profile(rows).save(path)
    else:
        path = log.write(tmp_path / "train.parquet", rows)
    found = series_of(home, hours(0, 40), reference=str(path))
    assert (found["reference_rows"], found["reference_windows"]) == (10_000, 0)
    # Thirty windows show how they vary, and until then nothing is promised.
    assert found["statuses"] == ["calibrating"] * 29 + ["watching"] * 10
    assert found["promises"]


@pytest.mark.parametrize("way", ["handed over", "an archive"])
@pytest.mark.parametrize("lacks", [["id"], ["ts"], ["id", "ts", "v"]], ids="+".join)
def test_a_reference_needs_no_id_no_version_and_no_time(
    home: pathlib.Path, tmp_path: pathlib.Path, lacks: list[str], way: str
) -> None:
    def rows(first: int, end: int) -> pl.DataFrame:
        return hours(first, end).with_columns(id=pl.int_range(pl.len()).cast(pl.String), v=pl.lit("1"))

    columns = {"time": "ts", "id": "id", "version": "v"}
    reference = log.write(tmp_path / "train.parquet", rows(-50, 0).drop(lacks))
    data = tmp_path / "data"
    # That of the first is in a later file only.
    log.write(data / "0.parquet", rows(0, 20).drop("v"))
    log.write(data / "1.parquet", rows(20, 40))
    settings: dict[str, Any] = {"reference": str(reference), "columns": columns}
    if way == "an archive":
        settings["data"] = str(data)
    with log.monitor(home, **settings) as made:
        if way == "an archive":
            summary = made.read(now=log.NOW)
            assert (summary.files, summary.unreadable) == (2, {})
        else:
            made.update(rows(0, 40), now=log.NOW)
        # Neither is watched by its values.
        assert {row["column"]: row["reference_rows"] for row in made.series()} == {"x": 5000, "c": 5000}
        assert len(log.rows_by_window(log.results(made))) == 39
        assert made.alarm_list() == []
    if "id" not in lacks:
        return
    # The rows must have what names them all the same.
    for path in data.iterdir():
        log.write(path, hours(0, 40))
    with log.monitor(tmp_path / "other", **settings) as made:
        begin = made.read if way == "an archive" else partial(made.update, hours(0, 40))
        with pytest.raises(dl.errors.InputError, match=r'columns.(id|version) is "(id|v)", and the rows have no such'):
            begin(now=log.NOW)


def test_a_reference_is_read_once(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = log.write(tmp_path / "train.parquet", hours(-50, 0))
    with log.monitor(home, reference=str(path)) as made:
        made.update(hours(0, 10), now=log.NOW)
    path.unlink()
    with log.monitor(home, reference=str(path)) as made:
        made.update(hours(10, 20), now=log.NOW)
        assert set(log.results(made)["status"]) == {"watching"}


def test_the_first_quarter_needs_an_archive(home: pathlib.Path) -> None:
    with log.monitor(home, reference="first quarter") as made:
        for call in (lambda: made.update(hours(0, 1)), lambda: made.advance(log.NOW)):
            with pytest.raises(dl.errors.ConfigError, match="reference is first quarter, which only an archive has"):
                call()
        with pytest.raises(dl.errors.ConfigError, match="data is empty: rows are handed over by update"):
            made.read()
        assert made.series() == []
    with log.monitor(home) as made, pytest.raises(TypeError, match="batch is a path: name it as data"):
        made.update("logs")


def test_rows_of_an_archive_and_rows_handed_over(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    log.write(tmp_path / "data" / "a.parquet", hours(0, 60))
    with log.monitor(home, data=str(tmp_path / "data")) as made:
        made.read(now=log.NOW)
        made.update(hours(60, 70), now=log.NOW)
        # The rows since the last commit are not forgotten with the file that cannot be read.
        made.update(hours(70, 71).head(5), now=log.NOW)
        (tmp_path / "data" / "b.csv").write_text("ts,x,c\nnever,1,A\n")
        assert len(made.read(now=log.NOW).unreadable) == 1
        (tmp_path / "data" / "c.csv").write_text("ts,x,c\n2024-01-03T22:30:00Z,1,A\n")
        made.read(now=log.NOW)
        made.advance(log.hour(72))
        assert log.rows_by_window(log.results(made))["2024-01-03 22:00"] == 6


def test_values_that_look_like_names_are_segments_of_their_own(home: pathlib.Path) -> None:
    """A value `__other__`, and values that read like a combination."""
    values = ["__other__", "(missing)", "A", "A, d=1", None, "B"]
    rows = hours(0, 60).with_columns(k=pl.Series(values * 1000), d=pl.lit("1"))
    columns = {"time": "ts", "segments": ["k", ["k", "d"]]}
    with log.monitor(home, columns=columns, segment_limit=11) as made:
        made.update(rows, now=log.NOW)
    with log.monitor(home, columns=columns, segment_limit=11) as made:
        made.update(hours(60, 62).with_columns(k=pl.lit("__other__"), d=pl.lit("1")), now=log.NOW)
        rows = log.results(made).filter(column="x").group_by("segment").agg(pl.col("rows").sum())
    found = dict(rows.iter_rows())
    ours = {"k=(missing)": 1000, 'k="__other__"': 1100, 'k="(missing)"': 1000, 'k="A, d=1"': 1000, "k=A, d=1": 1000}
    assert {name: found[name] for name in ours} == ours
    # One combination has no place left.
    assert found["k=__other__, d=__other__"] == 1000
    assert sum(found[name] for name in found if ", d=" in name and not name.endswith('d=1"')) == found[""] == 6100


def office(first: int, last: int, rows: int = 40) -> pl.DataFrame:
    """Rows by day, and none at night."""
    return hours(first, last, rows=rows).filter(pl.col("ts").dt.hour().is_between(8, 17))


def test_nights_of_a_given_reference_are_of_it(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = log.write(tmp_path / "train.parquet", office(0, 24 * 20))
    with log.monitor(home, reference=str(path)) as made:
        made.update(office(24 * 20, 24 * 24), now=log.NOW)
        assert made.alarm_list() == []


def test_half_a_window_at_the_beginning_says_little_of_the_volume(home: pathlib.Path) -> None:
    rows = hours(0, 24 * 30, rows=4).filter(pl.col("ts") >= log.hour(23.9) - timedelta(minutes=10))
    few = rows.filter((pl.col("ts") < log.hour(24 * 25)) | (pl.col("ts").dt.hour() < 6))
    with log.monitor(home, window="1 day", reference="first 20 days") as made:
        made.update(few, now=log.NOW)
        assert [alarm.what for alarm in made.alarm_list()] == ["24 rows; the reference has 96 a window"]


def test_half_windows_at_the_ends_of_a_given_reference(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    train = hours(0, 50).filter(pl.col("ts").is_between(log.hour(0.9), log.hour(49.1)))
    path = log.write(tmp_path / "train.parquet", train)
    with log.monitor(home, reference=str(path)) as made:
        made.update(pl.concat([hours(50, 60), hours(60, 62).gather_every(3)]), now=log.NOW)
        made.advance(log.hour(63))
        assert {alarm.what for alarm in made.alarm_list()} == {"34 rows; the reference has 100 a window"}


# Calendars.


@pytest.mark.parametrize(
    ("zone", "first_day", "hours_of_week", "label"),
    [
        ("Europe/Berlin", datetime(2024, 3, 25), 167, "2024-W13"),
        ("Europe/Berlin", datetime(2024, 10, 21), 169, "2024-W43"),
        ("America/Sao_Paulo", datetime(2018, 10, 29), 167, "2018-W44"),
    ],
)
def test_weeks_of_a_zone_that_changes_its_clocks(
    home: pathlib.Path, zone: str, first_day: datetime, hours_of_week: int, label: str
) -> None:
    start = first_day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = [start + timedelta(hours=hour) + timedelta(minutes=30) for hour in range(-48, hours_of_week + 24 * 9)]
    rows = pl.DataFrame({"ts": times, "x": np.arange(len(times), dtype=float)})
    settings = {"window": "1 week", "timezone": zone, "reference": "first 4 weeks", "lateness": "1 hour"}
    with log.monitor(home, **settings) as made:
        made.update(pl.concat([rows] * 4).sort("ts"), now=datetime(2025, 1, 1, tzinfo=UTC))
        made.update(rows.clear(), now=log.NOW)
        made.advance(start + timedelta(days=8))
        table = log.results(made)
    whole = table.filter(window=label)
    assert whole["rows"].to_list() == [4 * hours_of_week]
    assert whole["window_start"].to_list() == [start]
    assert whole["window_end"].to_list() == [start + timedelta(hours=hours_of_week)]


def test_days_of_a_zone(home: pathlib.Path) -> None:
    """A day of 23 hours, and the rows of its neighbours in their own."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2024, 3, 30, tzinfo=zone).astimezone(UTC)
    rows = pl.DataFrame({"ts": [start + timedelta(minutes=10 * i) for i in range(6 * 24 * 5)], "x": 1.0})
    settings = {"window": "1 day", "timezone": "Europe/Berlin", "reference": "first 30 days"}
    with log.monitor(home, **settings) as made:
        made.update(rows, now=log.NOW)
        made.update(pl.concat([rows] * 6).with_columns(pl.col("ts") + pl.duration(days=6)), now=log.NOW)
        found = log.rows_by_window(log.results(made))
    assert [found[f"2024-03-{day}"] for day in (30, 31)] + [found["2024-04-01"]] == [144, 138, 144]


# What goes wrong.


def test_a_batch_that_cannot_be_read_is_told(home: pathlib.Path) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 45), now=log.NOW)
        for batch, said in (
            ({"x": [1.0]}, 'no column "ts", which is the time; columns are "x"'),
            ({"ts": ["soon"], "x": [1.0]}, 'column "ts", which is the time, is text that is no time: it takes'),
            ({"ts": [1.5], "x": [1.0]}, 'column "ts", which is the time, is float64: it takes timestamps'),
        ):
            with pytest.raises(dl.errors.InputError) as caught:
                made.update(batch, now=log.NOW)
            assert str(caught.value).startswith(said)
        with pytest.raises(TypeError, match="cannot profile int"):
            made.update(7)
        made.update(hours(45, 60), now=log.NOW)
        assert set(log.rows_by_window(log.results(made)).values()) == {100}
        assert len(log.rows_by_window(log.results(made))) == 59


SEGMENTED: dict[str, Any] = {"columns": {"time": "ts", "segments": ["c"]}, "segment_limit": 5}


def broken_stream(batches: int) -> pa.RecordBatchReader:
    """Rows whose source fails after some batches."""
    table = hours(60, 61, rows=50_000).to_arrow()

    def read() -> Any:
        for _ in range(batches):
            yield from table.to_batches()
        raise ValueError("the source is gone")

    return pa.RecordBatchReader.from_batches(table.schema, read())


BAD: dict[str, Any] = {
    "a batch without the column of segments": lambda: hours(60, 62).drop("c"),
    "the second of two": lambda: [hours(60, 62), hours(62, 63).drop("c")],
    "times that are none, in the second": lambda: [hours(60, 62), hours(62, 63).with_columns(ts=pl.lit("soon"))],
    "a source that fails": lambda: broken_stream(2),
    "a source that fails after many rows": lambda: broken_stream(7),
}


@pytest.mark.parametrize("bad", BAD)
def test_of_a_batch_that_fails_nothing_counts(home: pathlib.Path, bad: str) -> None:
    with log.monitor(home, **SEGMENTED) as made:
        made.update(hours(0, 60), now=log.NOW)
        made.update(hours(60, 61).head(30), now=log.NOW)
        with pytest.raises((dl.errors.DriftlineError, ValueError, TypeError)):
            made.update(BAD[bad](), now=log.NOW)
        # Handed over again, mended.
        made.update(hours(60, 61).tail(70), now=log.NOW)
        made.update(hours(61, 65), now=log.NOW)
        assert set(log.rows_by_window(log.results(made)).values()) == {100}
        assert made._core.counts["rows"] == 6500


def test_what_failed_is_not_committed_on_the_way_out(home: pathlib.Path) -> None:
    def run() -> None:
        with log.monitor(home, **SEGMENTED) as made:
            made.update(hours(0, 60), now=log.NOW)
            made.update(hours(60, 61).drop("c"), now=log.NOW)

    with pytest.raises(dl.errors.InputError, match='no column "c", which tells the segments'):
        run()
    with log.monitor(home, **SEGMENTED) as made:
        assert made._core.counts["rows"] == 6000


def test_rows_are_kept_from_a_commit_on(home: pathlib.Path) -> None:
    made = log.monitor(home)
    made.update(hours(0, 60), now=log.NOW)
    made.update(hours(60, 61).head(30), now=log.NOW)
    made.commit()
    made.update(hours(60, 61).tail(70), now=log.NOW)
    # The process is killed.
    made._writer.close()
    with log.monitor(home) as made:
        assert made._core.counts["rows"] == 6030
        made.update(hours(60, 61).tail(70), now=log.NOW)
        made.update(hours(61, 63), now=log.NOW)
        assert set(log.rows_by_window(log.results(made)).values()) == {100}
    with pytest.raises(ValueError, match="the monitor is closed"):
        made.commit()


def test_rows_survive_a_store_that_cannot_be_read(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 60), now=log.NOW)
        made.update(hours(60, 61).head(30), now=log.NOW)
        with monkeypatch.context() as patch:

            def bad(*_: object, **__: object) -> None:
                raise dl.errors.StorageError("x: I/O error")

            patch.setattr(made._store, "profiles", bad)
            with pytest.raises(dl.errors.StorageError, match="I/O error"):
                made.update(pl.concat([hours(50, 51, rows=7), hours(60, 61).tail(70), hours(61, 63)]), now=log.NOW)
        made.update(hours(63, 65), now=log.NOW)
        rows = log.rows_by_window(log.results(made))
    assert rows.pop("2024-01-03 02:00") == 107
    assert set(rows.values()) == {100}


NAMED: dict[str, tuple[dict[str, Any], str]] = {
    "a feature": (
        {"columns": {"time": "ts", "features": ["x", "cc"]}},
        'columns.features[1] is "cc", and the rows have no such column: did you mean "c"?',
    ),
    "the prediction": (
        {"columns": {"time": "ts", "prediction": "y_perd"}},
        'columns.prediction is "y_perd", and the rows have no such column: columns are "c", "ts", "x"',
    ),
    "a check": (
        {"checks": {"X1": {"min": 0}}},
        'checks.X1 is "X1", and the rows have no such column: did you mean "x"?',
    ),
}


@pytest.mark.parametrize("what", NAMED)
@pytest.mark.parametrize("way", ["handed over", "an archive", "beside a given reference"])
def test_a_column_that_is_named_and_not_there_is_told(
    home: pathlib.Path, tmp_path: pathlib.Path, what: str, way: str
) -> None:
    settings, said = NAMED[what]
    if way == "an archive":
        for part in range(2):
            log.write(tmp_path / "data" / f"{part}.parquet", hours(part * 30, part * 30 + 30))
        settings = {**settings, "data": str(tmp_path / "data")}
    if way == "beside a given reference":
        settings = {**settings, "reference": str(log.write(tmp_path / "train.parquet", hours(-40, 0)))}
    with log.monitor(home, **settings) as made:
        begin = made.read if way == "an archive" else partial(made.update, hours(0, 60))
        with pytest.raises(dl.errors.InputError) as caught:
            begin(now=log.NOW)
        assert said in str(caught.value)
    # With the name put right, it begins.
    right = {"columns": {"time": "ts", "features": ["x", "c"]}}
    with log.monitor(home, **{key: settings[key] for key in ("data", "reference") if key in settings}, **right) as made:
        made.update(hours(0, 60), now=log.NOW)


def test_a_column_may_be_in_some_files_only(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for part in range(2):
        rows = hours(part * 30, part * 30 + 30)
        log.write(tmp_path / "data" / f"{part}.parquet", rows if part else rows.drop("c"))
    columns = {"time": "ts", "features": ["x", "c"]}
    assert log.read(home, tmp_path / "data", columns=columns).files == 2


def test_what_the_disk_refused_comes_with_the_next_rows(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [hours(0, 60), hours(60, 70, shift=0.3), hours(70, 80, shift=0.3), hours(80, 90)]
    with log.monitor(home, monitor="whole") as whole:
        for part in parts:
            whole.update(part, now=log.NOW)
        expected = log.results(whole), log.alarms(whole)
    with log.monitor(home) as made:
        made.update(parts[0], now=log.NOW)
        with monkeypatch.context() as patch:

            def full(name: str, data: bytes) -> None:
                raise dl.errors.StorageError(f"{name}: No space left on device")

            patch.setattr(made._writer._files, "write", full)
            for part in parts[1:3]:
                with pytest.raises(dl.errors.StorageError, match="No space left"):
                    made.update(part, now=log.NOW)
            assert len(log.rows_by_window(log.results(made))) == 59
        made.update(parts[3], now=log.NOW)
        log.same([log.results(made), log.alarms(made)], expected, without=["monitor"])


def test_a_commit_that_failed_after_it_was_written_counts_once(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 50), now=log.NOW)
        files = made._writer._files
        write = files.write

        def fails_afterwards(name: str, data: bytes) -> None:
            write(name, data)
            if name.endswith("checkpoint"):
                raise dl.errors.StorageError("the folder cannot be synced")

        with monkeypatch.context() as patch:
            patch.setattr(files, "write", fails_afterwards)
            with pytest.raises(dl.errors.StorageError, match="cannot be synced"):
                made.update(hours(50, 60), now=log.NOW)
        made.update(hours(60, 70), now=log.NOW)
        rows = log.rows_by_window(log.results(made))
    assert (len(rows), set(rows.values())) == (69, {100})


def test_a_damaged_checkpoint_is_told_and_the_source_is_free(home: pathlib.Path) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 50), now=log.NOW)
    (checkpoint,) = home.glob("store/*/*/checkpoint")
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[:-7])
    for _ in range(2):
        with pytest.raises(dl.errors.InputError, match="checkpoint: is damaged"):
            log.monitor(home)
    checkpoint.write_bytes(content)
    with log.monitor(home):
        pass


@pytest.mark.parametrize(
    ("version", "todo"), [(VERSION + 1, "update driftline"), (VERSION - 1, "name the monitor anew, so that it reads")]
)
def test_a_checkpoint_of_another_version_is_refused_and_left_alone(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch, version: int, todo: str
) -> None:
    with monkeypatch.context() as other:
        other.setattr("driftline._monitor.state.VERSION", version)
        with log.monitor(home) as made:
            made.update(hours(0, 50), now=log.NOW)
    (checkpoint,) = home.glob("store/*/*/checkpoint")
    content = checkpoint.read_bytes()
    with pytest.raises(dl.errors.InputError, match=f"of version {version}, this driftline reads {VERSION}: {todo}"):
        log.monitor(home)
    assert checkpoint.read_bytes() == content


def test_without_polars_tables_are_arrow(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with log.monitor(home) as made:
        made.update(hours(0, 50), now=log.NOW)
        monkeypatch.setitem(sys.modules, "polars", None)
        table = pa.table(made.results())
        assert table.num_rows == 2 * 49
        assert pa.table(made.alarms()).num_rows == 0


def test_psi_is_of_the_values_that_come(home: pathlib.Path) -> None:
    """As the index of a bare threshold it is told beside the alarms, and must be what others would compute."""
    rng = np.random.default_rng(8)

    def of(first: int, last: int) -> pl.DataFrame:
        rows = hours(first, last).select("ts")
        return rows.with_columns(pl.Series("flag", rng.random(rows.height) < 0.4))

    reference, later = of(0, 40), of(40, 44)
    with log.monitor(home) as made:
        made.update(pl.concat([reference, later]), now=log.NOW)
        made.advance(log.hour(50))
        told = log.results(made).filter(pl.col("window_start") >= log.hour(40))

    def counts(rows: pl.DataFrame) -> list[int]:
        return [rows.filter(~pl.col("flag")).height, rows["flag"].sum()]

    for row in told.filter(pl.col("rows") > 0).iter_rows(named=True):
        window = later.filter(pl.col("ts").is_between(row["window_start"], row["window_end"], closed="left"))
        assert row["psi"] == pytest.approx(dl.stats.psi(counts(reference), counts(window)).value, rel=1e-9)


def test_a_check_of_a_column_that_is_not_watched_holds_on_over_a_commit(tmp_path: pathlib.Path) -> None:
    asked = {
        "columns": {"time": "ts", "features": ["x"]},
        "checks": {"c": {"unique": True}},
        "reference": "first 5 hours",
    }
    with log.monitor(tmp_path, **asked) as made:
        for number in range(12):
            made.update(log.hours(number, number + 1), now=log.NOW)
            made.commit()
        made.advance(log.hour(14))
        (alarm,) = [alarm for alarm in made.alarm_list() if alarm.column == "c"]
        assert alarm.is_open


def test_a_child_process_goes_on_with_a_monitor(tmp_path: pathlib.Path) -> None:
    """It has none of the threads of its parent, which would be waited for."""
    script = f"""
import os, sys
sys.path.insert(0, {str(pathlib.Path(log.__file__).parent)!r})
import monitored as log
rows = log.hours(0, 40, rows=4000).to_arrow()
made = log.monitor({str(tmp_path)!r}, reference="first 5 hours", threads=3)
made.update(rows.slice(0, 80_000), now=log.NOW)
child = os.fork()
if child == 0:
    try:
        made._core.update(rows.slice(80_000), 2_000_000_000_000_000)
    except BaseException:
        os._exit(1)
    os._exit(0)
_, status = os.waitpid(child, 0)
made.update(rows.slice(80_000), now=log.NOW)
made.close()
sys.exit(status)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
