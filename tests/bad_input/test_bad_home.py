"""A home with damaged files: what can still be read is told, and which files they are."""

import json
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import monitored as log
import pytest

from driftline._monitor.status import Status, status_of
from driftline._monitor_page import looked_at, page_of
from driftline.cli._monitor import status_as_json, tell_status
from driftline.store import Store
from tests.pages import words

PARTS = [(0, 60, 0.0), (60, 70, 0.4), (70, 80, 0.4)]


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    """A file of results for each part, and an alarm of x that is open."""
    with log.monitor(tmp_path / "home") as made:
        for first, end, shift in PARTS:
            made.update(log.hours(first, end, rows=100, shift=shift), now=log.NOW)
        assert [(alarm.id, alarm.is_open) for alarm in made.alarm_list()] == [("A1", True)]
    return tmp_path / "home"


def status(home: pathlib.Path) -> Status:
    with log.monitor(home) as made:
        config = made.config
    return status_of(config)


def part(home: pathlib.Path, table: str, number: int) -> pathlib.Path:
    return sorted(home.glob(f"store/m/main/{table}/*.parquet"))[number]


def cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def scratched(path: pathlib.Path) -> None:
    """Damage that shows when rows are read."""
    data = bytearray(path.read_bytes())
    data[4:2000] = bytes(len(data[4:2000]))
    path.write_bytes(data)


def test_results_that_are_damaged_hide_no_others(home: pathlib.Path) -> None:
    bad = part(home, "results", 0)
    cut(bad)
    found = status(home)
    assert [finding.file for finding in found.damaged] == [str(bad)]
    told = list(tell_status(found))
    assert told[0].startswith(f"damaged: {bad}: is not a readable Parquet file")
    assert told[0].endswith("; restore it from a backup, or delete it: its rows are then missing, and nothing else")
    assert told[1] == "what these files hold is missing below; driftline status --verify reads the whole store"
    assert any(line.startswith("A1 OPEN") for line in told)
    assert any(line.startswith("   in 2024-01-04 06:00: ") for line in told)
    assert status_as_json(found)["damaged"][0]["file"] == str(bad)
    page = words(page_of(found.config, now=log.NOW))
    assert f"Damaged: {bad}" in page
    assert "1 alarm open, 0 closed; 1 series quiet" in page
    bad.unlink()
    assert status(home).damaged == []


def test_what_is_damaged_where_only_a_page_reads_it_is_told_there(home: pathlib.Path) -> None:
    bad = part(home, "results", 0)
    scratched(bad)
    config = status(home).config
    found, history = looked_at(config)
    assert [finding.file for finding in found.damaged] == [str(bad)]
    assert history.rows[-2:] == [100, 100]
    assert f"Damaged: {bad}" in words(page_of(config))


def test_of_an_alarm_that_cannot_be_read_it_is_told_that_it_is_open(home: pathlib.Path) -> None:
    cut(part(home, "alarms", 0))
    told = list(tell_status(status(home)))
    assert told[0].startswith(f"damaged: {part(home, 'alarms', 0)}: ")
    assert "A1 of x is open, and what it says cannot be read" in told
    assert told[-1] == "1 alarm open, 0 closed; 1 series quiet"


def test_the_end_of_an_alarm_whose_beginning_is_lost(home: pathlib.Path) -> None:
    with log.monitor(home) as made:
        made.update(log.hours(80, 140, rows=100), now=log.NOW)
        assert not made.alarm_list()[0].is_open
    cut(part(home, "alarms", 0))
    (alarm,) = status(home).alarms
    assert (alarm.id, alarm.is_open, alarm.what) == ("A1", False, "back to the reference")


def test_another_source_is_told_where_a_checkpoint_is_damaged(home: pathlib.Path) -> None:
    with log.monitor(home, writer="other") as made:
        made.update(log.hours(0, 60, rows=100), now=log.NOW)
        config = made.config
    path = home / "store/m/main/checkpoint"
    whole = path.read_bytes()
    for damaged, why in (
        (whole[:30], "is damaged: the checksum of its head"),
        (whole[:-1] + b"x", "is damaged: the checksum of its state"),
        (None, "is missing, but files of commits up to "),
    ):
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)
        found = status_of(config)
        assert [source.writer for source in found.sources] == ["other"]
        assert next(tell_status(found)).startswith(f"damaged: {path}: {why}")


def test_a_store_skips_what_it_is_asked_to(home: pathlib.Path) -> None:
    whole = Store(home).results().to_dicts()
    first, second = part(home, "results", 0), part(home, "results", 1)
    cut(first)
    second.write_bytes(b"")
    store = Store(home, skip_damaged=True)
    assert store.skipped == []
    left = store.results().to_dicts()
    assert len(left) == 20
    assert all(row in whole for row in left)
    assert [finding.file for finding in store.skipped] == [str(first), str(second)]
    assert [finding._replace(todo="") for finding in store.skipped] == [
        finding._replace(todo="") for finding in store.verify()
    ]


COMMANDS: list[tuple[list[str], Callable[[str], Any]]] = [
    (["status"], lambda told: told.splitlines()[-1]),
    (["status", "--html", "page.html"], lambda told: told.splitlines()[-1]),
    (["monitor"], lambda told: told.splitlines()[-1]),
    (["status", "--json"], lambda told: json.loads(told)["damaged"][0]["file"].rpartition("/")[2]),
]


@pytest.mark.parametrize(("command", "of"), COMMANDS, ids=[" ".join(command) for command, _ in COMMANDS])
def test_commands_tell_what_is_left_and_say_no(tmp_path: pathlib.Path, command: list[str], of: Any) -> None:
    log.write(tmp_path / "log" / "1.parquet", log.hours(0, 60, rows=100))
    config = "monitor: m\ndata: log\ncolumns: {time: ts}\nwindow: 1 hour\nreference: first 40 hours\n"
    (tmp_path / "driftline.yaml").write_text(config)

    def run(*arguments: str, code: int) -> str:
        called = [sys.executable, "-c", "from driftline.cli import main; main()", *arguments]
        done = subprocess.run(called, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return done.stdout

    run("monitor", code=0)
    bad = part(tmp_path / ".driftline", "results", 0)
    cut(bad)
    assert of(run(*command, code=1)) in (bad.name, "0 alarms open, 0 closed; 2 series quiet")
