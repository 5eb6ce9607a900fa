"""A writer that is killed at any instant, and started again, leaves what one leaves that was never disturbed."""

import os
import pathlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest

import driftline as dl
from driftline.store import Store, Writer

COMMITS = 260

WRITING = f"""
import sys
from datetime import UTC, datetime, timedelta
import polars as pl
from driftline.store import Store
START, HOUR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1)

def rows(n):
    # The window of this commit, and an older one that late rows amend.
    hours = [(n, 1)] + ([(n // 2, 2)] if n % 2 == 0 else [])
    return pl.DataFrame([
        {{"segment": s, "column": c, "window_start": START + h * HOUR, "revision": r, "effect": h + r / 10}}
        for h, r in hours for c in "xyz" for s in ("", "FR")
    ])

with Store(sys.argv[1]).writer("churn", "logs") as writer:
    n, state = writer.checkpoint()
    assert state == (b"state %d" % n) * 1000 if n else state == b""
    print("ready", flush=True)
    while n < {COMMITS}:
        n += 1
        alarms = rows(n).with_columns(alarm=pl.lit("a") + pl.col("column"), event=pl.lit(n)) if n % 7 == 0 else None
        results = rows(n)
        writer.commit(n, profiles=results, results=results, alarms=alarms, checkpoint=(b"state %d" % n) * 1000)
"""

TABLES = ("profiles", "results", "alarms")


def facts(store: Store) -> list[Any]:
    return [getattr(store, table)().to_polars() for table in TABLES]


def files(home: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


def test_killed_thirty_times_and_nothing_is_lost_or_doubled(tmp_path: pathlib.Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([sys.executable, "-c", WRITING, str(whole)], check=True, stdout=subprocess.DEVNULL)
    chance = random.Random(6)
    store = Store(killed)
    commits_seen = []
    for _ in range(30):
        with subprocess.Popen([sys.executable, "-c", WRITING, str(killed)], stdout=subprocess.PIPE) as writing:
            assert writing.stdout is not None
            assert writing.stdout.readline() == b"ready\n"
            time.sleep(chance.random() * 0.12)
            writing.kill()
        # Six rows a window, each with the revision that this commit knows.
        seen = store.results().to_polars()
        last, rest = divmod(seen.height, 6)
        assert rest == 0
        assert (seen["revision"] == 2).sum() == 6 * (last // 2)
        commits_seen.append(last)
        assert [str(f) for f in store.verify() if "write that was stopped" not in f.wrong] == []
    assert commits_seen == sorted(commits_seen)
    subprocess.run([sys.executable, "-c", WRITING, str(killed)], check=True, stdout=subprocess.DEVNULL)
    for expected, found in zip(facts(Store(whole)), facts(store), strict=True):
        assert found.equals(expected)
    assert files(killed) == files(whole)
    assert store.verify() == []


def test_a_reader_sees_whole_commits_while_files_are_written_and_compacted(tmp_path: pathlib.Path) -> None:
    store = Store(tmp_path)
    heights = []
    with subprocess.Popen([sys.executable, "-c", WRITING, str(tmp_path)], stdout=subprocess.DEVNULL) as writing:
        while writing.poll() is None:
            heights.append(store.results(select=[]).rows)
    assert writing.returncode == 0
    heights.append(store.results().rows)
    assert heights == sorted(heights)
    assert all(height % 6 == 0 for height in heights)
    assert (heights[0], heights[-1]) == (0, 6 * COMMITS)
    assert len(set(heights)) > 10


@contextmanager
def mounted(folder: pathlib.Path, options: str) -> Iterator[pathlib.Path]:
    """A small disk, where this may be made."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True)
    if made.returncode:
        pytest.skip("disks cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def some(n: int) -> pl.DataFrame:
    rows = pl.DataFrame({"segment": "", "column": "x", "revision": 1, "noise": [os.urandom(20_000).hex()]})
    return rows.with_columns(window_start=pl.lit(n * 3_600_000_000).cast(pl.Datetime("us", "UTC")))


def fill(writer: Writer) -> None:
    for n in range(1, 100):
        writer.commit(n, results=some(n), checkpoint=b"%d" % n)


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_a_full_disk_loses_nothing(tmp_path: pathlib.Path) -> None:
    with mounted(tmp_path / "disk", "size=1m") as home:
        store = Store(home)
        with store.writer("churn", "logs") as writer:
            with pytest.raises(dl.errors.StorageError, match=r"disk/store/churn/logs/.*No space left.*make room"):
                fill(writer)
            last = writer.last_commit
            assert last > 5
            assert store.results().rows == last
            assert store.verify() == []
            # Room again, and the same commit goes through.
            subprocess.run(["mount", "-o", "remount,size=4m", home], check=True)
            writer.commit(last + 1, results=some(last + 1), checkpoint=b"again")
        assert store.results().rows == last + 1
        assert store.verify() == []
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
        assert store.results().rows == last + 1
        with pytest.raises(dl.errors.StorageError, match=r"lease: Read-only file system"):
            store.writer("churn", "logs")


FULL = """
import resource, signal, sys
import polars as pl
import driftline as dl
from driftline.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rows = pl.DataFrame({"segment": "", "column": "x", "revision": 1}).with_columns(
    window_start=pl.lit(0).cast(pl.Datetime("us", "UTC"))
)
with Store(sys.argv[1]).writer("churn", "logs") as writer:
    n = writer.last_commit
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
    try:
        writer.commit(n + 1, results=rows, checkpoint=bytes(10_000))
    except dl.errors.StorageError as error:
        print(error)
"""


def test_no_room_for_the_checkpoint(tmp_path: pathlib.Path) -> None:
    store = Store(tmp_path)
    with store.writer("churn", "logs") as writer:
        writer.commit(1, results=some(1), checkpoint=b"one")
    out = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], check=True, capture_output=True, text=True).stdout
    assert "churn/logs/checkpoint: File too large" in out
    assert "nothing is lost" in out
    assert (store.results().rows, store.verify()) == (1, [])
    with store.writer("churn", "logs") as writer:
        assert writer.checkpoint() == (1, b"one")
