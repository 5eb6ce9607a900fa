"""An archive read file by file: what is new, changed, moved, delivered again, gone or broken."""

import os
import pathlib
from datetime import timedelta
from typing import Any

import monitored as log
import polars as pl
import pytest

import driftline as dl
from driftline.cli._monitor import summary_lines
from driftline.errors import StorageError
from driftline.store import Store

PART_H = 10
"""Hours in a file."""


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "home"


@pytest.fixture
def data(tmp_path: pathlib.Path) -> pathlib.Path:
    """Ten files of ten hours, of which the last four are to come."""
    for part in range(6):
        log.write(tmp_path / "data" / f"{part:02}.parquet", hours_of(part))
    return tmp_path / "data"


def hours_of(part: int, **of: Any) -> pl.DataFrame:
    return log.hours(part * PART_H, (part + 1) * PART_H, **of)


def again(data: pathlib.Path, home: pathlib.Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What a reading of the data from scratch says."""
    scratch = home.with_name("scratch")
    log.read(scratch, data)
    return log.said(scratch)


def test_only_new_files_are_read(data: pathlib.Path, home: pathlib.Path) -> None:
    first = log.read(home, data)
    assert (first.files, first.rows) == (6, 6 * PART_H * 40)
    none = log.read(home, data)
    assert (none.files, none.rows) == (0, 0)
    log.write(data / "06.parquet", hours_of(6, shift=0.3))
    second = log.read(home, data)
    assert (second.files, second.rows, second.changed, second.amended) == (1, PART_H * 40, [], [])
    log.same(log.said(home), again(data, home))
    assert not log.said(home)[1].is_empty()


def test_a_file_that_is_delivered_again_is_not_read_again(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    before = log.said(home)
    copy = data / "copy of 03.parquet"
    copy.write_bytes((data / "03.parquet").read_bytes())
    found = log.read(home, data)
    assert found.again == {str(copy): str(data / "03.parquet")}
    assert (found.files, found.rows, found.gone) == (0, 0, [])
    log.same(log.said(home), before)
    # Two at once, of which neither was read before.
    for name in ("06.parquet", "06 again.parquet"):
        log.write(data / name, hours_of(6))
    found = log.read(home, data)
    assert (found.files, found.rows) == (1, PART_H * 40)
    assert set(log.rows_by_window(log.said(home)[0]).values()) == {40}


def test_files_that_differ_only_far_from_their_end_are_two(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    """Days of equal length, without statistics in the footer and with a constant last column."""
    for day in range(3):
        frame = log.hours(day * 24, (day + 1) * 24, rows=500).with_columns(
            v=pl.Series(range(12_000), dtype=pl.Float64) * 0
        )
        path = tmp_path / "data" / f"{day}.parquet"
        path.parent.mkdir(exist_ok=True)
        frame.write_parquet(path, compression="uncompressed", statistics=False, row_group_size=1 << 20)
    found = log.read(home, tmp_path / "data")
    assert (found.files, found.again) == (3, {})


def test_a_change_that_leaves_size_and_footer_alone_is_seen(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    path = tmp_path / "data" / "a.parquet"
    path.parent.mkdir()
    frame = log.hours(0, 60, rows=400).drop("c").with_columns(v=pl.lit(0.5))
    frame.write_parquet(path, compression="uncompressed", statistics=False)
    size = path.stat().st_size
    log.read(home, path)
    # Two hours change places.
    x = frame["x"].to_list()
    x[400:800], x[800:1200] = x[800:1200], x[400:800]
    frame.with_columns(x=pl.Series(x)).write_parquet(path, compression="uncompressed", statistics=False)
    os.utime(path, (1, 1))
    assert path.stat().st_size == size
    assert log.read(home, path).changed == [str(path)]


def test_a_touched_file_is_as_it_was(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    before = log.said(home)
    os.utime(data / "02.parquet", (1, 1))
    found = log.read(home, data)
    assert (found.files, found.changed, found.amended, found.again) == (0, [], [], {})
    log.same(log.said(home), before)


def test_a_file_with_another_name_is_the_same_file(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    before = log.said(home)
    (data / "03.parquet").rename(data / "three.parquet")
    found = log.read(home, data)
    assert found.moved == {str(data / "three.parquet"): str(data / "03.parquet")}
    assert (found.files, found.gone, found.again) == (0, [], {})
    log.same(log.said(home), before)
    found = log.read(home, data)
    assert (found.moved, found.gone, found.again) == ({}, [], {})
    # Under its new name, a change of it is one.
    log.write(data / "three.parquet", hours_of(3).gather_every(2), modified_s=1)
    found = log.read(home, data)
    assert (found.files, found.changed) == (0, [str(data / "three.parquet")])
    assert log.rows_by_window(log.said(home)[0]) == log.rows_by_window(again(data, home)[0])


def test_a_changed_file_amends_closed_windows_and_replaces_open_ones(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    # Hours 50 to 58 are closed, 59 is open.
    log.write(data / "05.parquet", hours_of(5).gather_every(2), modified_s=1)
    found = log.read(home, data)
    assert found.changed == [str(data / "05.parquet")]
    assert found.amended == [f"2024-01-03 {hour:02}:00" for hour in range(2, 11)]
    table = log.said(home)[0]
    late = table["window_start"] >= log.hour(50)
    assert set(table.filter(late)["revision"]) == {2}
    assert set(table.filter(~late)["revision"]) == {1}
    log.write(data / "06.parquet", hours_of(6))
    log.read(home, data)
    ours, theirs = log.said(home), again(data, home)
    # Detectors are not fed again: their evidence, and what it decides, is that of the rows as they came.
    log.same(ours[:1], theirs[:1], without=["revision", "evidence_fast", "evidence_strict"])
    assert ours[0].filter(pl.col("window") == "2024-01-03 11:00")["revision"].to_list() == [1, 1]


def test_a_changed_file_of_the_reference_amends_its_windows(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    log.write(data / "01.parquet", hours_of(1, seed=9).gather_every(3), modified_s=1)
    found = log.read(home, data)
    assert len(found.amended) == PART_H
    assert log.rows_by_window(log.said(home)[0]) == log.rows_by_window(again(data, home)[0])


def test_windows_that_a_changed_file_leaves_have_no_rows_any_more(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    both = [log.hours(hour, hour + 1) for hour in range(30, 40)]
    log.write(data / "03.parquet", pl.concat(both[2:]), modified_s=1)
    log.read(home, data)
    left = log.rows_by_window(log.said(home)[0])
    assert [left["2024-01-02 06:00"], left["2024-01-02 07:00"], left["2024-01-02 08:00"]] == [0, 0, 40]
    # What comes late is added to nothing, and what is put back is there once.
    log.write(data / "late.parquet", both[0].head(7))
    log.write(data / "06.parquet", hours_of(6))
    found = log.read(home, data)
    assert found.amended == ["2024-01-02 06:00"]
    log.read(home, data)
    assert log.rows_by_window(log.said(home)[0])["2024-01-02 06:00"] == 7
    log.write(data / "03.parquet", pl.concat(both[1:]), modified_s=2)
    log.read(home, data)
    left = log.rows_by_window(log.said(home)[0])
    assert [left["2024-01-02 06:00"], left["2024-01-02 07:00"], left["2024-01-02 08:00"]] == [7, 40, 40]
    table = log.said(home)[0]
    assert table.filter(pl.col("window") == "2024-01-02 06:00")["revision"].to_list() == [3, 3]


def test_alarms_of_changed_data_stand_and_say_so(data: pathlib.Path, home: pathlib.Path) -> None:
    for part in range(6, 10):
        log.write(data / f"{part:02}.parquet", hours_of(part, shift=0.4 if part == 7 else 0.0))
    log.read(home, data)
    with log.monitor(home) as made:
        before, events = made.alarm_list(), log.alarms(made)
    assert before
    assert not any(alarm.data_changed for alarm in before)
    log.write(data / "07.parquet", hours_of(7), modified_s=1)
    log.read(home, data)
    with log.monitor(home) as made:
        after = made.alarm_list()
        log.same([log.alarms(made)], [events])
    changed = [alarm.id for alarm in after if alarm.data_changed]
    assert changed == [alarm.id for alarm in before if alarm.since_us >= log.hour(70).timestamp() * 1e6]


def test_what_a_file_held_stands_when_it_is_gone(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    before = log.said(home)
    content = (data / "02.parquet").read_bytes()
    (data / "02.parquet").unlink()
    assert log.read(home, data).gone == [str(data / "02.parquet")]
    # It is gone once.
    assert log.read(home, data).gone == []
    log.same(log.said(home), before)
    (data / "02.parquet").write_bytes(content)
    found = log.read(home, data)
    assert (found.files, found.changed, found.gone) == (0, [], [])
    (data / "02.parquet").unlink()
    assert log.read(home, data).gone == [str(data / "02.parquet")]


def test_windows_counted_anew_name_the_file_that_they_lack(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    data = tmp_path / "data"
    frame = log.hours(0, 60)
    for name, part in (("even", frame.gather_every(2)), ("odd", frame.gather_every(2, 1))):
        log.write(data / f"{name}.parquet", part)
    # Both hold rows of all hours, so that the second comes late altogether; with the third it is counted.
    log.write(data / "then.parquet", log.hours(60, 62))
    log.read(home, data)
    assert set(log.rows_by_window(log.said(home)[0]).values()) == {40}
    (data / "odd.parquet").unlink()
    log.write(data / "even.parquet", frame.gather_every(4), modified_s=1)
    found = log.read(home, data)
    assert (found.gone, found.without) == ([str(data / "odd.parquet")], [str(data / "odd.parquet")])
    rows = log.rows_by_window(log.said(home)[0])
    assert set(list(rows.values())[:60]) == {10}


def broken(frame: pl.DataFrame, path: pathlib.Path) -> pathlib.Path:
    """A file whose times can be read, and whose numbers cannot."""
    log.write(path, frame)
    content = bytearray(path.read_bytes())
    import pyarrow.parquet as pq

    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    start = column.dictionary_page_offset or column.data_page_offset
    content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("where", [0, 2, 5, 6], ids=["first", "reference", "middle", "last"])
@pytest.mark.parametrize("how", ["truncated", "broken in its middle"])
def test_good_files_are_read_beside_a_bad_one(data: pathlib.Path, home: pathlib.Path, where: int, how: str) -> None:
    log.write(data / "06.parquet", hours_of(6, shift=0.4))
    bad = data / f"{where:02}.parquet"
    if how == "truncated":
        bad.write_bytes(bad.read_bytes()[:-100])
    else:
        broken(hours_of(where), bad)
    found = log.read(home, data)
    assert list(found.unreadable) == [str(bad)]
    assert found.unreadable[str(bad)].startswith(f"{bad}: ")
    assert (found.files, found.rows) == (6, 6 * PART_H * 40)
    bad.rename(data.with_name("bad.parquet"))
    log.same(log.said(home), again(data, home))
    # It is tried again, and read when it is whole.
    data.with_name("bad.parquet").rename(bad)
    assert list(log.read(home, data).unreadable) == [str(bad)]
    log.write(bad, hours_of(where, shift=0.4 if where == 6 else 0.0), modified_s=1)
    log.write(data / "07.parquet", hours_of(7))
    found = log.read(home, data)
    assert (found.files, found.rows, found.unreadable) == (2, 2 * PART_H * 40, {})
    rows = log.rows_by_window(log.said(home)[0])
    assert set(rows.values()) == {40}
    assert len(rows) == 79


def test_damage_that_is_found_while_another_file_is_read_is_told_of_its_own(
    data: pathlib.Path, home: pathlib.Path
) -> None:
    """Rows of other columns let those before them be counted first."""
    bad = broken(hours_of(6), data / "06.parquet")
    log.write(data / "07.parquet", hours_of(7).with_columns(new=1.0))
    found = log.read(home, data)
    assert list(found.unreadable) == [str(bad)]
    assert found.unreadable[str(bad)].startswith(f'{bad}: column "x": ')
    assert log.rows_by_window(log.said(home)[0])["2024-01-03 22:00"] == 40


def test_a_changed_file_that_is_broken_leaves_its_windows_as_they_were(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    before = log.said(home)
    # Hours 30 to 49 of file 3, which shares ten with file 4.
    broken(log.hours(30, 50), data / "03.parquet")
    os.utime(data / "03.parquet", (1, 1))
    log.write(data / "06.parquet", hours_of(6))
    found = log.read(home, data)
    assert list(found.unreadable) == [str(data / "03.parquet")]
    assert (found.files, found.changed, found.amended) == (1, [], [])
    log.same([log.said(home)[0].filter(pl.col("window_start") < log.hour(59))], before[:1])
    # A neighbour's windows cannot be counted anew without it.
    log.write(data / "04.parquet", log.hours(39, 50).gather_every(2), modified_s=1)
    found = log.read(home, data)
    assert set(found.unreadable) == {str(data / "03.parquet"), str(data / "04.parquet")}
    assert "has windows in common with" in found.unreadable[str(data / "04.parquet")]
    log.write(data / "03.parquet", hours_of(3), modified_s=2)
    found = log.read(home, data)
    assert (found.unreadable, found.changed) == ({}, [str(data / "04.parquet")])
    assert log.rows_by_window(log.said(home)[0]) == log.rows_by_window(again(data, home)[0])


def test_a_change_beside_a_broken_file_amends_once(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    log.write(data / "02.parquet", hours_of(2, seed=5), modified_s=1)
    broken(hours_of(6), data / "06.parquet")
    found = log.read(home, data)
    assert (len(found.amended), list(found.unreadable)) == (PART_H, [str(data / "06.parquet")])
    table = log.said(home)[0].filter(pl.col("window") == "2024-01-01 20:00")
    assert table["revision"].to_list() == [2, 2]


def test_no_file_can_be_read(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    for name in ("a.parquet", "b.csv"):
        (tmp_path / name).write_text(f"{name}\n1\n")
    with pytest.raises(dl.errors.InputError) as caught:
        log.read(home, [str(tmp_path / "a.parquet"), str(tmp_path / "b.csv")])
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        str(tmp_path / "a.parquet"),
        str(tmp_path / "b.csv"),
    ]
    broken(log.hours(0, 60), tmp_path / "c.parquet")
    with pytest.raises(dl.errors.InputError, match=r"c\.parquet: "):
        log.read(home, tmp_path / "c.parquet")


def test_files_are_read_in_the_order_of_their_times(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    whole = tmp_path / "whole.parquet"
    log.write(whole, log.hours(0, 80))
    for name, part in zip("hcafbgde", range(8), strict=True):
        log.write(tmp_path / "data" / f"{name}.parquet", hours_of(part))
    log.read(home, tmp_path / "data")
    log.same(log.said(home), again(whole, home))
    assert set(log.rows_by_window(log.said(home)[0]).values()) == {40}


def test_the_first_quarter_of_an_archive_is_the_reference(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data, reference="first quarter")
    with log.monitor(home, reference="first quarter") as made:
        assert [series["reference_windows"] for series in made.series()] == [14, 14]
        status = log.results(made).filter(pl.col("column") == "x")["status"].to_list()
    assert status == ["learning"] * 14 + ["calibrating"] * 15 + ["watching"] * 30
    # It is the quarter that was there when it began.
    log.write(data / "06.parquet", hours_of(6))
    log.read(home, data, reference="first quarter")
    with log.monitor(home, reference="first quarter") as made:
        assert [series["reference_windows"] for series in made.series()] == [14, 14]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_text_says_what_parquet_says(
    data: pathlib.Path, home: pathlib.Path, tmp_path: pathlib.Path, ending: str
) -> None:
    for part in range(6):
        log.write(tmp_path / "text" / f"{part}.{ending}", hours_of(part))
    log.read(home, tmp_path / "text")
    log.same(log.said(home), again(data, home))


def test_hive_partitions_are_columns_and_segments(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    data = tmp_path / "data"
    for part in range(6):
        for country, every in (("FR", 2), ("NO", 4)):
            rows = hours_of(part).gather_every(every).with_columns(pl.col("ts") + pl.duration(microseconds=every))
            log.write(data / f"country={country}" / f"part={part}" / "a.parquet", rows)
    columns = {"time": "ts", "segments": ["country"], "ignore": ["part"]}
    log.read(home, data, columns=columns)
    table = log.said(home, columns=columns)[0]
    assert set(table["segment"]) == {"", "country=FR", "country=NO"}
    assert set(table["column"]) == {"x", "c", "country"}
    for segment, rows in (("", 30), ("country=FR", 20), ("country=NO", 10)):
        assert set(log.rows_by_window(table, segment=segment).values()) == {rows}


def test_results_in_the_folder_of_the_data_are_no_data(data: pathlib.Path) -> None:
    log.read(data / ".driftline", data)
    assert log.read(data / ".driftline", data).files == 0
    with log.monitor(data / ".driftline") as made:
        assert len(log.results(made)) == 2 * 59


def test_live_data_let_time_go_on(data: pathlib.Path, home: pathlib.Path) -> None:
    def run(now_h: float) -> list[str]:
        with log.monitor(home, data=str(data)) as made:
            made.read(now=log.hour(now_h))
            return list(log.rows_by_window(log.results(made)))[-1:]

    assert run(60.1) == ["2024-01-03 10:00"]
    assert run(60.3) == ["2024-01-03 11:00"]
    # Once rows came as fast as the clock goes, their absence is news.
    run(63.5)
    with log.monitor(home) as made:
        assert [alarm.what.partition(";")[0] for alarm in made.alarm_list()] == ["no rows"]
    # In an old archive it is none.
    old = home.with_name("old")
    log.read(old, data)
    assert list(log.rows_by_window(log.said(old)[0]))[-1:] == ["2024-01-03 10:00"]


def test_a_run_that_is_interrupted_goes_on(
    data: pathlib.Path, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A commit after each file; the third is not written.
    monkeypatch.setattr("driftline._monitor.archive.COMMIT_S", -1.0)
    with log.monitor(home, data=str(data)) as made:
        commit, commits = made._writer.commit, iter(range(99))

        def stopped(*arguments: Any, **tables: Any) -> None:
            if next(commits) == 2:
                raise KeyboardInterrupt
            commit(*arguments, **tables)

        monkeypatch.setattr(made._writer, "commit", stopped)
        with pytest.raises(KeyboardInterrupt):
            made.read(now=log.NOW)
        # The same object goes on, and counts nothing twice.
        assert made.read(now=log.NOW).files == 4
        ours = log.results(made), log.alarms(made)
    log.same(ours, again(data, home))


@pytest.mark.parametrize("fails", [1, 4, 9])
def test_a_disk_that_fails_while_rows_are_read_on(
    data: pathlib.Path, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    """A commit that is written beside them fails: it is told, and nothing is lost or counted twice."""
    monkeypatch.setattr("driftline._monitor.archive.COMMIT_S", -1.0)
    with log.monitor(home, data=str(data), threads=2) as made:
        files, writes = made._writer._files, iter(range(99))
        write = files.write

        def full(name: str, content: bytes) -> None:
            if next(writes) == fails:
                raise StorageError("the disk is full")
            write(name, content)

        with monkeypatch.context() as patch:
            patch.setattr(files, "write", full)
            with pytest.raises(StorageError, match="the disk is full"):
                made.read(now=log.NOW)
        assert made._writing is None
        assert made.read(now=log.NOW).files > 0
        ours = log.results(made), log.alarms(made)
    log.same(ours, again(data, home))


def test_equal_files_of_two_partitions_are_two(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    for country in ("FR", "NO"):
        log.write(tmp_path / "data" / f"country={country}" / "a.parquet", hours_of(0))
    found = log.read(home, tmp_path / "data")
    assert (found.files, found.again) == (2, {})


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_file_that_grows_is_read_on(tmp_path: pathlib.Path, home: pathlib.Path, ending: str) -> None:
    """Lines that come to its end are new rows; a file that is written anew goes on all the same."""
    path = tmp_path / f"log.{ending}"
    frame = pl.concat([log.hours(0, 120), log.hours(120, 180, shift=0.4)])
    for run, until in enumerate((60, 119, 120, 180)):
        log.write(path, frame.head(until * 40 - 7 * (run % 2)), modified_s=run)
        found = log.read(home, path)
        is_lines = ending != "parquet"
        assert (found.grown, found.changed) == (
            [str(path)] if run and is_lines else [],
            [str(path)] if run and not is_lines else [],
        )
        assert log.said(home)[0]["window_start"].max() == log.hour(until - 2)
    ours, theirs = log.said(home), again(path, home)
    if is_lines:
        log.same(ours, theirs)
    # Windows that had closed were counted anew; what came after them was watched all the same.
    assert set(log.rows_by_window(ours[0]).values()) == {40}
    assert (ours[0]["revision"].max() == 1) == is_lines
    assert set(ours[1]["column"]) == {"x"}


def test_a_line_that_was_half_written_is_a_change(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    path = log.write(tmp_path / "log.csv", log.hours(0, 60))
    content = path.read_text()
    path.write_text(content[:-1])
    log.read(home, path)
    path.write_text(content[:-1] + "BC\n" + content.splitlines()[-1] + "\n")
    found = log.read(home, path)
    assert (found.grown, found.changed, found.amended) == ([], [str(path)], [f"{window}" for window in found.amended])
    assert len(found.amended) == 59


def test_late_rows_of_a_window_that_is_counted_anew_count_once(data: pathlib.Path, home: pathlib.Path) -> None:
    # At the end of its file an hour comes that another one holds too.
    log.write(data / "05.parquet", pl.concat([hours_of(5), log.hours(41, 42, seed=9)]))
    log.read(home, data)
    late = log.hours(52, 53, rows=6, seed=3)
    log.write(data / "late.parquet", late)
    log.read(home, data)
    log.write(data / "05.parquet", pl.concat([hours_of(5, seed=4), log.hours(41, 42, seed=9)]), modified_s=1)
    assert log.read(home, data).changed == [str(data / "05.parquet")]
    log.write(data / "06.parquet", hours_of(6))
    log.read(home, data)
    rows = log.rows_by_window(log.said(home)[0])
    assert rows == log.rows_by_window(again(data, home)[0])
    assert (rows["2024-01-02 17:00"], rows["2024-01-03 04:00"]) == (80, 46)


class Stopped(BaseException):
    """Stands for a kill."""


@pytest.fixture
def stopped(home: pathlib.Path, data: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run that ends in the middle of a file: how many of its rows were read."""
    monkeypatch.setattr("driftline._monitor.archive.MOST_RESULTS", 6)

    def stop() -> dict[str, int]:
        # With more threads the next rows are read while a commit is written.
        made = log.monitor(home, data=str(data), threads=1)
        commit = made._writer.commit

        def once(*arguments: Any, **tables: Any) -> None:
            commit(*arguments, **tables)
            if made._state.begun:
                raise Stopped

        made._writer.commit = once
        with pytest.raises(Stopped):
            made.read(now=log.NOW)
        begun = {pathlib.Path(name).name: begun.rows for name, begun in made._state.begun.items()}
        made._writer.close()
        return begun

    return stop


def big(data: pathlib.Path) -> pathlib.Path:
    """A file of several batches."""
    return log.write(data / "big.parquet", log.hours(60, 100, rows=1000))


def test_a_file_that_was_begun_is_known_by_another_name(data: pathlib.Path, home: pathlib.Path, stopped: Any) -> None:
    log.read(home, data)
    path = big(data)
    assert 0 < stopped()["big.parquet"] < 40_000
    path.rename(data / "big.1.parquet")
    found = log.read(home, data)
    assert found.moved == {str(data / "big.1.parquet"): str(path)}
    log.same(log.said(home), again(data, home))


def test_a_change_beside_a_file_that_was_begun(data: pathlib.Path, home: pathlib.Path, stopped: Any) -> None:
    log.write(data / "side.parquet", log.hours(40, 70, rows=10, seed=5))
    log.read(home, data)
    big(data)
    stopped()
    log.write(data / "side.parquet", log.hours(40, 70, rows=10, seed=6), modified_s=1)
    assert log.read(home, data).changed == [str(data / "side.parquet")]
    rows = log.rows_by_window(log.said(home)[0])
    assert rows == log.rows_by_window(again(data, home)[0])
    assert (rows["2024-01-03 13:00"], rows["2024-01-04 13:00"]) == (1010, 1000)


@pytest.mark.parametrize("where", ["before", "after", "at its end"])
def test_a_file_that_changes_while_it_is_begun(
    data: pathlib.Path, home: pathlib.Path, stopped: Any, where: str
) -> None:
    log.read(home, data)
    path = big(data)
    stopped()
    frame = log.hours(60, 100, rows=1000)
    cut = {"before": (0, 500), "after": (38_000, 500), "at its end": (40_000, 0)}[where]
    more = log.hours(100, 104, rows=1000) if where == "at its end" else frame.clear()
    log.write(path, pl.concat([frame.head(cut[0]), frame.slice(sum(cut)), more]), modified_s=1)
    log.read(home, data)
    assert log.rows_by_window(log.said(home)[0]) == log.rows_by_window(again(data, home)[0])


def test_a_file_that_was_begun_and_is_gone_is_told(data: pathlib.Path, home: pathlib.Path, stopped: Any) -> None:
    log.read(home, data)
    path = big(data)
    begun = stopped()["big.parquet"]
    content = path.read_bytes()
    path.unlink()
    found = log.read(home, data)
    assert (found.gone, found.partly) == ([str(path)], {str(path): (begun, 40_000)})
    assert sum(log.rows_by_window(log.said(home)[0]).values()) <= 60 * 40 + begun
    path.write_bytes(content)
    log.read(home, data)
    log.same(log.said(home), again(data, home))


def test_rows_that_were_handed_over_are_not_lost_to_a_change(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    with log.monitor(home) as made:
        made.update(log.hours(58, 62, rows=10, seed=2), now=log.NOW)
    before = log.said(home)
    log.write(data / "05.parquet", hours_of(5).gather_every(2), modified_s=1)
    log.write(data / "02.parquet", hours_of(2).gather_every(2), modified_s=1)
    found = log.read(home, data)
    assert (found.changed, list(found.unreadable)) == ([str(data / "02.parquet")], [str(data / "05.parquet")])
    assert found.unreadable[str(data / "05.parquet")].endswith(
        "05.parquet: changed, and rows of its windows were handed over by update(), which cannot be counted anew: "
        "what was counted stands; put the file back, or name the monitor anew"
    )
    after = log.said(home)[0].filter(pl.col("window_start") >= log.hour(30))
    log.same([after], [before[0].filter(pl.col("window_start") >= log.hour(30))])
    log.write(data / "05.parquet", hours_of(5), modified_s=2)
    assert log.read(home, data).unreadable == {}


def test_results_older_than_the_retention_go(data: pathlib.Path, home: pathlib.Path) -> None:
    kept = {"retention": "50 hours"}
    assert log.read(home, data, **kept).rows == 6 * PART_H * 40
    # The newest row is of the sixtieth hour.
    windows = list(log.rows_by_window(log.said(home, **kept)[0]))
    assert windows[0] == "2024-01-01 09:00"
    for part in range(6, 10):
        log.write(data / f"{part:02}.parquet", hours_of(part, shift=0.9 if part == 6 else 0.0))
    log.read(home, data, **kept)
    results, alarms = log.said(home, **kept)
    assert next(iter(log.rows_by_window(results))) == "2024-01-03 01:00"
    scratch = home.with_name("scratch")
    log.read(scratch, data)
    # What is left is what it was, and detectors know all that came before.
    whole = log.said(scratch)
    log.same((results, alarms), (whole[0].filter(pl.col("window_start") >= log.hour(49)), whole[1]))
    assert Store(home).verify() == []


def test_an_open_alarm_outlives_the_retention(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    frames = [log.hours(0, 45), log.hours(45, 50, shift=0.9), log.hours(50, 110), log.hours(110, 200, shift=0.9)]
    for number, frame in enumerate(frames):
        log.write(tmp_path / "data" / f"{number}.parquet", frame)
    told = {}
    for kept in ("1 year", "20 hours"):
        log.read(home / kept, tmp_path / "data", retention=kept)
        with log.monitor(home / kept, retention=kept) as made:
            told[kept] = {(alarm.id, alarm.is_open) for alarm in made.alarm_list()}
            first = made.results()["window_start"].min()
    assert first >= log.hour(175)
    # The first one, which closed, is gone; the other began before the oldest result.
    assert told == {"1 year": {("A1", False), ("A2", True)}, "20 hours": {("A2", True)}}


def test_a_file_without_a_byte_is_to_come(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    new = data / "06.parquet"
    new.touch()
    found = log.read(home, data)
    assert (found.files, found.rows, found.unreadable) == (0, 0, {})
    log.write(new, hours_of(6), modified_s=1)
    assert log.read(home, data).rows == PART_H * 40


def test_rows_without_a_time_are_told_in_the_run_that_read_them(data: pathlib.Path, home: pathlib.Path) -> None:
    log.read(home, data)
    odd = [None, log.NOW + timedelta(days=3), log.NOW + timedelta(days=4)]
    ts = pl.Series("ts", odd, dtype=hours_of(6).schema["ts"])
    log.write(data / "06.parquet", pl.concat([hours_of(6), hours_of(6).head(3).with_columns(ts)]))
    found = log.read(home, data)
    assert (found.rows, found.without_time, found.absurd) == (PART_H * 40 + 3, 1, 2)
    told = list(summary_lines(found))
    assert "1 new row without a time: counted, and in no window" in told
    assert "2 new rows from before 1970 or more than a day ahead of the clock: counted, and in no window" in told
    assert log.read(home, data).absurd == 0


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_lines_before_one_that_is_half_written_are_read(
    tmp_path: pathlib.Path, home: pathlib.Path, ending: str
) -> None:
    path = log.write(tmp_path / "data" / f"log.{ending}", log.hours(0, 60))
    whole = path.read_bytes()
    more = log.write(tmp_path / f"more.{ending}", log.hours(60, 62)).read_bytes()
    lines = more.splitlines(keepends=True)[1 if ending == "csv" else 0 :]
    assert log.read(home, path).rows == 60 * 40
    half = lines[10][: len(lines[10]) // 3]
    path.write_bytes(whole + b"".join(lines[:10]) + half)
    found = log.read(home, path)
    assert (found.rows, found.torn, found.unreadable) == (10, [str(path)], {})
    # Nothing came since.
    again_found = log.read(home, path)
    assert (again_found.rows, again_found.unreadable) == (0, {})
    path.write_bytes(whole + b"".join(lines))
    found = log.read(home, path)
    assert (found.rows, found.torn, found.changed) == (len(lines) - 10, [], [])
    scratch = home.with_name("scratch")
    log.read(scratch, path)
    log.same(log.said(home), log.said(scratch), without=["revision"])
