"""What a store is given, and what happens to its files: a clear error that names the file, or a finding."""

import os
import pathlib
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import driftline as dl
from driftline._store import checkpoint
from driftline._store.files import Folder
from driftline.store import Finding, Store, views

START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(*hours: int, **other: Any) -> pa.Table:
    columns = {
        "segment": pa.array([""] * len(hours)),
        "column": pa.array(["x"] * len(hours)),
        "window_start": pa.array([START + timedelta(hours=hour) for hour in hours], pa.timestamp("us", "UTC")),
        "revision": pa.array([1] * len(hours)),
        "effect": pa.array([hour / 10 for hour in hours]),
    }
    return pa.table({name: array for name, array in (columns | other).items() if array is not None})


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    with Store(tmp_path).writer("churn", "logs") as w:
        for n in range(1, 4):
            w.commit(n, results=rows(n), checkpoint=b"state")
    return tmp_path


def part(home: pathlib.Path, commit: int) -> pathlib.Path:
    return home / "store/churn/logs/results" / f"L0-{commit:010}-{commit:010}.parquet"


def told(home: pathlib.Path, findings: list[Finding]) -> list[str]:
    assert all(finding.todo for finding in findings)
    return [f"{finding.file.removeprefix(f'{home}/store/')}: {finding.wrong}" for finding in findings]


WRONG = [
    (rows(0, segment=None), 'has no column "segment"'),
    (rows(0, revision=None), 'has no column "revision"'),
    (rows(0, revision=pa.array([0])), "row 0 has revision 0: they count from 1"),
    (rows(0, revision=pa.array(["1"])), 'column "revision" is Utf8, not Int64'),
    (rows(0, column=pa.array([1])), 'column "column" is Int64, not Utf8'),
    (rows(0, 1, column=pa.array(["x", None])), 'column "column" is null in row 1: every row has an identity'),
    (rows(0, window_start=pa.array([START])), None),
    (
        rows(0, window_start=pa.array([datetime(2026, 1, 1)])),
        'column "window_start" has times without a zone: times of a store are in UTC',
    ),
    (rows(0, window_start=pa.array(["2026"])), 'column "window_start" is Utf8, not Timestamp'),
    (rows(0, monitor=pa.array(["fraud"])), 'row 0 is of monitor "fraud", not of "churn"'),
    (rows(0, writer=pa.array(["other"])), 'row 0 is of writer "other", not of "logs"'),
    (
        rows(5, 5),
        'row 1 is the second of segment "", column "x", window_start 2026-01-01T05:00:00Z, revision 1',
    ),
]


@pytest.mark.parametrize(("table", "message"), WRONG)
def test_rows_without_an_identity(tmp_path: pathlib.Path, table: pa.Table, message: str | None) -> None:
    store = Store(tmp_path)
    with store.writer("churn", "logs") as w:
        if message is None:
            w.commit(1, results=table, checkpoint=b"")
            return
        with pytest.raises(dl.errors.InputError) as caught:
            w.commit(1, results=table, checkpoint=b"")
        assert str(caught.value).startswith(f"results: {message}")
        # Nothing was written, and the writer goes on.
        assert not (tmp_path / "store/churn/logs/checkpoint").exists()
        w.commit(1, results=rows(0), checkpoint=b"")
    assert (store.results().rows, store.verify()) == (1, [])


def test_alarms_need_their_names(tmp_path: pathlib.Path) -> None:
    with Store(tmp_path).writer("churn", "logs") as w:
        with pytest.raises(dl.errors.InputError, match='alarms: has no column "alarm"'):
            w.commit(1, alarms=rows(0), checkpoint=b"")
        with pytest.raises(TypeError, match="builtins.int is not Arrow data|int is not Arrow data"):
            w.commit(1, alarms=7, checkpoint=b"")


def test_a_damaged_file_is_named(home: pathlib.Path) -> None:
    store = Store(home)
    whole = part(home, 2).read_bytes()
    for data in (b"", b"PAR1", whole[:-20], whole[: len(whole) // 2], b"x" * 500):
        part(home, 2).write_bytes(data)
        with pytest.raises(dl.errors.InputError, match=rf"^{part(home, 2)}: .*Store.verify, tells"):
            store.results()
        (finding,) = store.verify()
        assert finding.file == str(part(home, 2))
        assert "restore it from a backup, or delete it" in str(finding)
    part(home, 2).unlink()
    assert store.results().rows == 2
    assert told(home, store.verify()) == [
        "churn/logs/results/L0-0000000002-0000000002.parquet: is missing, with the results of commit 2"
    ]
    # Whoever goes on without it has seen that.
    with store.writer("churn", "logs") as w:
        w.commit(w.last_commit + 1, checkpoint=b"s")
    assert store.verify() == []


@given(st.data())
def test_any_damaged_byte_of_a_file_is_an_error_and_nothing_else(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        with Store(folder).writer("churn", "logs") as w:
            w.commit(1, results=rows(0, 1, 2), checkpoint=b"")
        path = part(pathlib.Path(folder), 1)
        whole = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(whole)
        try:
            Store(folder).results()
        except dl.errors.InputError as error:
            assert str(error).startswith(str(path))
        Store(folder).verify()


def test_damage_to_a_compacted_file_stops_no_commit(home: pathlib.Path) -> None:
    store = Store(home)
    part(home, 2).write_bytes(b"PAR1")
    with store.writer("churn", "logs") as w:
        for n in range(4, 30):
            w.commit(n, results=rows(n), checkpoint=b"")
        assert w.trouble is not None
        assert w.trouble.startswith(str(part(home, 2)))
    (finding,) = store.verify()
    assert finding.file == str(part(home, 2))


@given(st.data())
def test_any_damage_to_a_checkpoint_is_told(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        files = Folder(folder)
        parts: dict[str, list[Any]] = {"profiles": [], "results": [], "alarms": []}
        whole = bytes(checkpoint.encode("m", "w", 3, parts, b"some state"))
        damaged = bytearray(whole)
        position = data.draw(st.integers(0, len(whole) - 1))
        damaged[position] ^= data.draw(st.integers(1, 255))
        cut = data.draw(st.integers(0, len(whole) - 1))
        for wrong in (bytes(damaged), whole[:cut], whole + b"x", b""):
            files.write("m/w/checkpoint", wrong)
            with pytest.raises(dl.errors.InputError, match=r"m/w/checkpoint: is damaged: .*; restore"):
                checkpoint.read_state(files, "m/w")


def test_a_damaged_checkpoint(home: pathlib.Path) -> None:
    store = Store(home)
    path = home / "store/churn/logs/checkpoint"
    path.write_bytes(path.read_bytes()[:30])
    for read in (store.results, store.sources, lambda: store.writer("churn", "logs")):
        with pytest.raises(dl.errors.InputError, match=rf"{path}: is damaged"):
            read()
    assert told(home, store.verify()) == [
        "churn/logs/checkpoint: is damaged: the checksum of its head is another; restore the source's folder from a "
        "backup, or move it away to begin anew"
    ]
    # The lease is free again.
    shutil.rmtree(home / "store/churn/logs")
    store.writer("churn", "logs").close()


def test_a_checkpoint_that_is_gone_or_old_takes_no_file_with_it(home: pathlib.Path) -> None:
    store = Store(home)
    path = home / "store/churn/logs/checkpoint"
    path.unlink()
    for read in (store.results, lambda: store.writer("churn", "logs")):
        with pytest.raises(dl.errors.InputError, match=r"checkpoint: is missing, but files of commits up to 3"):
            read()
    assert told(home, store.verify()) == ["churn/logs/checkpoint: is missing, but files of commits up to 3 are there"]
    old = checkpoint.encode("churn", "logs", 1, {"profiles": [], "results": [], "alarms": []}, b"")
    path.write_bytes(bytes(old))
    with pytest.raises(dl.errors.InputError, match=r"checkpoint: is of commit 1, but files of commits up to 3"):
        store.writer("churn", "logs")
    assert len(list(path.parent.glob("results/*"))) == 3


def test_newer_versions_are_refused(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(home)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "VERSION", 2)
        with store.writer("churn", "logs") as w:
            w.commit(4, checkpoint=b"")
    newer = "checkpoint: is a checkpoint of version 2, this driftline reads up to 1: update driftline"
    for read in (store.results, lambda: store.writer("churn", "logs")):
        with pytest.raises(dl.errors.InputError, match=newer):
            read()
    (home / "store/layout.json").write_text('{"version": 2}')
    newer = "layout.json: is a store of version 2, this driftline reads up to 1: update driftline"
    for read in (store.results, store.views, lambda: store.writer("churn", "logs")):
        with pytest.raises(dl.errors.InputError, match=newer):
            read()
    assert [str(finding) for finding in store.verify()] == [
        f"{home}/store/layout.json: is a store of version 2, this driftline reads up to 1: update driftline; "
        "nothing else was looked at"
    ]
    (home / "store/layout.json").write_text("{}")
    with pytest.raises(dl.errors.InputError, match=r"layout.json: is damaged"):
        store.results()


def test_verify_explains(home: pathlib.Path) -> None:
    store = Store(home)
    with store.writer("fraud", "logs") as w:
        w.commit(1, results=rows(1), checkpoint=b"")
    results = home / "store/churn/logs/results"
    shutil.copy(home / "store/fraud/logs/results" / part(home, 1).name, part(home, 2))
    parquet.write_table(pa.table({"x": [1]}), part(home, 3))
    changed = parquet.read_table(part(home, 1)).set_column(6, "effect", pa.array([9.5]))
    parquet.write_table(changed, results / "L0-0000000004-0000000004.parquet")
    (results / "notes.txt").write_text("")
    (home / "store/mine").mkdir()
    (home / "store/mine/file").write_text("")
    (home / "store/layout.json").unlink()
    assert told(home, store.verify()) == [
        "churn/logs/results/L0-0000000002-0000000002.parquet: has rows of source 'logs' of monitor 'fraud', whose "
        "folder this is not",
        'churn/logs/results/L0-0000000003-0000000003.parquet: has no column "monitor", which every row of a store has',
        "churn/logs/results/L0-0000000004-0000000004.parquet: disagrees with L0-0000000001-0000000001.parquet about "
        'effect of a row of equal identity and revision, the first of segment "", column "x", window_start '
        "2026-01-01T01:00:00Z, revision 1",
        "churn/logs/results/notes.txt: is no part of a store",
        "layout.json: is missing: it says the store's version",
        "mine/file: is no part of a store",
    ]
    shutil.move(home / "store/fraud/logs", home / "store/fraud/other")
    assert "fraud/other/checkpoint: is of source 'logs' of monitor 'fraud', whose folder this is not" in told(
        home, store.verify()
    )


def test_columns_that_do_not_go_together(home: pathlib.Path) -> None:
    store = Store(home)
    with store.writer("churn", "logs") as w:
        w.commit(4, results=rows(4, effect=pa.array(["much"])), checkpoint=b"")
    with pytest.raises(dl.errors.InputError, match='4.parquet: column "effect" is Utf8, in files before it Float64'):
        store.results()
    assert any('column "effect" is Utf8' in finding for finding in told(home, store.verify()))


def test_homes_that_are_none(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for home in (file, file / "deeper"):
        with pytest.raises(dl.errors.InputError, match=r"file.*: a file is where a folder must be"):
            Store(home).writer("churn", "logs")
        with pytest.raises(dl.errors.InputError, match=r"file.*: a file is where a folder must be"):
            Store(home).results()
    (tmp_path / "store").write_text("")
    with pytest.raises(dl.errors.InputError, match=r"store.*: a file is where a folder must be"):
        Store(tmp_path).writer("churn", "logs")
    with pytest.raises(dl.errors.InputError, match="https://host/home/store: nothing can be kept over HTTP"):
        views("https://host/home")
    with pytest.raises(dl.errors.InputError, match=r"ftp://host/home/store: ftp:// is not known; known are .* s3"):
        Store("ftp://host/home")
    with pytest.raises(dl.errors.InputError, match="s3:///home/store: names no bucket: write for example s3://b"):
        Store("s3:///home")
    with pytest.raises(ValueError, match="home is empty"):
        Store("")
    with pytest.raises(TypeError, match="home is b'x'"):
        Store(b"x")  # type: ignore[arg-type]


READING = """
import os, sys, tempfile
from driftline.store import Store
with tempfile.TemporaryDirectory() as other:
    # All modules are loaded before the interpreter's folder is perhaps out of reach.
    with Store(other).writer("m", "w") as w:
        w.commit(1, checkpoint=b"")
    Store(other).results(), Store(other).verify()
os.setuid(65534)
store = Store(sys.argv[1])
print(store.results().rows, store.verify())
try:
    store.writer("churn", "logs")
except Exception as error:
    print(type(error).__name__, error)
try:
    store.writer("new", "logs")
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user")
def test_a_folder_that_may_only_be_read() -> None:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="/var/tmp/" if pathlib.Path("/var/tmp").is_dir() else None) as folder:
        home = pathlib.Path(folder)
        home.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        with Store(home).writer("churn", "logs") as w:
            w.commit(1, results=rows(1), checkpoint=b"")
        done = subprocess.run([sys.executable, "-c", READING, folder], capture_output=True, text=True)
        assert done.stdout.splitlines() == [
            "1 []",
            f"InputError {home}/store/churn/logs/lease: permission denied: the home must be a folder that "
            "may be read and written",
            f"InputError {home}/store/new: permission denied: the home must be a folder that may be read and written",
        ], done.stderr
