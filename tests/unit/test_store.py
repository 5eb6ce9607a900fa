"""The store: commits are whole, reading is idempotent, files are few, one process owns a source."""

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import driftline as dl
from driftline._store import checkpoint, compact
from driftline._store.files import Files, Version
from driftline._store.names import Part, base_of, counting, folder_of
from driftline.store import Store, views

Home = pathlib.Path | str

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["folder", "bucket"])
def home(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Home:
    """A home of either kind."""
    return tmp_path if request.param == "folder" else f"{request.getfixturevalue('s3')}/a home"


def results(*rows: tuple[int, int, float], column: str = "x", segment: str = "") -> pa.Table:
    """Rows of hour, revision and effect."""
    starts = [START + hour * HOUR for hour, _, _ in rows]
    return pa.table(
        {
            "segment": pa.array([segment] * len(rows), pa.string()),
            "column": pa.array([column] * len(rows), pa.string()),
            "window_start": pa.array(starts, pa.timestamp("us", "UTC")),
            "window_end": pa.array([start + HOUR for start in starts], pa.timestamp("us", "UTC")),
            "revision": pa.array([revision for _, revision, _ in rows], pa.int64()),
            "effect": pa.array([effect for _, _, effect in rows], pa.float64()),
        }
    )


def alarms(*rows: tuple[str, int, int]) -> pa.Table:
    """Rows of alarm, event and hour."""
    return (
        results(*((hour, 1, 0.0) for _, _, hour in rows))
        .append_column("alarm", pa.array([alarm for alarm, _, _ in rows]))
        .append_column("event", pa.array([event for _, event, _ in rows], pa.int64()))
    )


def hours(facts: Any) -> list[tuple[int, int, float]]:
    frame = pl.DataFrame(facts)
    starts = [(start - START) // HOUR for start in frame["window_start"]]
    return list(zip(starts, frame["revision"], frame["effect"], strict=True))


def data_files(home: Home, table: str = "results") -> list[str]:
    listed = (name.split("/") for name in Store(home)._files.listed())
    return sorted(parts[-1] for parts in listed if parts[-2:-1] == [table])


def fill(home: Home, commits: Sequence[pa.Table], writer: str = "logs") -> None:
    with Store(home).writer("churn", writer) as w:
        for rows in commits:
            w.commit(w.last_commit + 1, results=rows, checkpoint=b"state %d" % (w.last_commit + 1))


def test_files_of_either_kind(home: Home) -> None:
    files = Store(home)._files
    assert (files.listed(), files.read("m/none"), files.read("m/none", most_bytes=2)) == ({}, None, None)
    for name, data in {"m/a%2Fb~/x": b"abc", "m/a": b"", "mm/a": b"d"}.items():
        files.write(name, data)
    files.write("mm/a", b"de")
    assert files.listed() == {"m/a%2Fb~/x": 3, "m/a": 0, "mm/a": 2}
    assert files.listed("m") == {"m/a%2Fb~/x": 3, "m/a": 0}
    assert [files.read("m/a%2Fb~/x", most_bytes=most) for most in (2, 3, 4, -1)] == [b"ab", b"abc", b"abc", b"abc"]
    assert files.read("m/a", most_bytes=9) == b""
    files.delete(["m/a", "m/none"])
    assert files.listed() == {"m/a%2Fb~/x": 3, "mm/a": 2}
    assert files.path("mm/a") == f"{Store(home).path}/mm/a"


def test_a_commit_is_read_back(home: Home) -> None:
    store = Store(home)
    assert (store.monitors(), store.results().rows, store.verify()) == ([], 0, [])
    with store.writer("churn", "logs") as w:
        assert (w.checkpoint(), w.last_commit) == ((0, b""), 0)
        w.commit(1, results=results((0, 1, 0.5)), alarms=alarms(("a", 1, 0)), checkpoint=b"one")
        w.commit(2, results=results(), checkpoint=b"two")
        assert w.checkpoint() == (2, b"two")
    assert hours(store.results()) == [(0, 1, 0.5)]
    assert store.alarms().columns[:8] == [
        "monitor", "writer", "segment", "column", "alarm", "event", "window_start", "revision"
    ]  # fmt: skip
    assert store.sources() == [("churn", "logs")]
    # An empty table writes no file.
    assert data_files(home) == ["L0-0000000001-0000000001.parquet"]
    assert data_files(home, "profiles") == []
    assert store.verify() == []
    with store.writer("churn", "logs") as w:
        assert w.checkpoint() == (2, b"two")


def test_of_revisions_the_highest_counts_whatever_the_order(home: Home) -> None:
    fill(home, [results((0, 2, 0.2), (1, 1, 0.1)), results((0, 1, 0.1)), results((1, 1, 0.1), (0, 3, 0.3))])
    assert sorted(hours(Store(home).results())) == [(0, 3, 0.3), (1, 1, 0.1)]


def test_filters(home: Home) -> None:
    store = Store(home)
    for monitor, writer in (("churn", "a"), ("churn", "b"), ("fraud", "a")):
        with store.writer(monitor, writer) as w:
            rows = [
                results((hour, 1, hour / 10), column=c, segment=s) for c in "xy" for s in ("", "FR") for hour in (0, 1)
            ]
            w.commit(1, results=pa.concat_tables(rows), checkpoint=b"")
    assert store.results().rows == 24
    assert store.results("churn").rows == 16
    assert store.results("churn", writer="b").rows == 8
    assert store.results("churn", writer="c").rows == 0
    assert store.results(column="x", segment="").rows == 6
    assert store.results(column=["x", "y"], segment=["FR", "DE"]).rows == 12
    assert store.results(since=START + HOUR).rows == store.results(until=START + HOUR).rows == 12
    assert store.results(since=START + HOUR, until=START + HOUR).rows == 0
    assert store.results(select=["effect"]).columns[-1] == "effect"
    assert "effect" not in store.results(select=[]).columns
    with pytest.raises(ValueError, match='select has "efect": columns are monitor, .*, effect'):
        store.results(select=["efect"])
    with pytest.raises(ValueError, match="since is 2026-01-01 00:00:00, without a zone"):
        store.results(since=datetime(2026, 1, 1))
    with pytest.raises(TypeError, match="until is '2026': it takes a datetime"):
        store.results(until="2026")  # type: ignore[arg-type]


def test_columns_that_come_later_are_null_before(home: Home) -> None:
    later = results((1, 1, 0.1)).append_column("note", pa.array(["new"], pa.large_string()))
    fill(home, [results((0, 1, 0.0)), later, results((2, 1, 0.2))])
    assert Store(home).results().to_polars()["note"].to_list() == [None, "new", None]


def test_types_of_other_libraries(home: Home) -> None:
    rows = pl.DataFrame(
        {"segment": ["", ""], "column": ["x", "y"], "window_start": [START] * 2, "revision": [1, 1]},
        schema_overrides={
            "revision": pl.Int16,
            "column": pl.Categorical,
            "window_start": pl.Datetime("ns", "Asia/Tokyo"),
        },
    )
    fill(home, [rows, results((1, 1, 0.1))])
    schema = Store(home).results().to_arrow().schema
    assert [str(schema.field(name).type) for name in ("column", "window_start", "revision")] == [
        "string", "timestamp[us, tz=UTC]", "int64"
    ]  # fmt: skip
    assert Store(home).results().to_polars()["window_start"][0] == START


def test_writers_stay_apart_and_their_profiles_merge(home: Home) -> None:
    store = Store(home)
    for writer, values in (("a", [1.0, 2.0]), ("b", [3.0])):
        profile = dl.profile({"x": values, "s": ["u"] * len(values)}).to_polars()
        rows = profile.with_columns(segment=pl.lit(""), window_start=pl.lit(START), revision=pl.lit(1))
        with store.writer("churn", writer) as w:
            w.commit(1, profiles=rows, results=results((0, 1, 0.1)), checkpoint=b"")
    assert store.results().rows == 2
    (window,) = store.window_profiles("churn")
    assert (window.monitor, window.segment, window.window_start) == ("churn", "", START)
    assert (window.profile.rows, window.profile["x"].max, window.profile["s"].count) == (3, 3.0, 3)
    assert store.window_profiles(since=START + HOUR) == []


def test_files_stay_few_and_say_the_same(tmp_path: pathlib.Path) -> None:
    store = Store(tmp_path)
    with store.writer("churn", "logs") as w:
        for n in range(1, 301):
            w.commit(n, results=results((n, 1, n / 10), (n // 2, 2, -(n // 2))), checkpoint=b"s")
            assert len(data_files(tmp_path)) <= 32
            assert w.trouble is None
    assert "L2-0000000001-0000000256.parquet" in data_files(tmp_path)
    expected = {n: (n, 1, n / 10) for n in range(1, 301)} | {n: (n, 2, -n) for n in range(151)}
    assert sorted(hours(store.results())) == sorted(expected.values())
    assert store.verify() == []


def test_the_order_of_rows_does_not_depend_on_compaction(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = [results((n, 1, 0.0), (n // 2, 2, 1.0)) for n in range(20)]
    one, other = f"{home}/a", f"{home}/b"
    fill(one, commits)
    monkeypatch.setattr(compact, "FAN", 3)
    fill(other, commits)
    assert len(data_files(one)) != len(data_files(other))
    assert hours(Store(one).results()) == hours(Store(other).results())


def test_large_files_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    small = [(Part(n, n, 0), 10) for n in range(1, 17)]
    assert compact.runs(small) == [[part for part, _ in small]]
    full = [(Part(n, n, 0), compact.FULL_BYTES) for n in range(1, 40)]
    assert compact.runs(full) == []
    assert compact.runs([*small[:8], (Part(9, 9, 0), compact.FULL_BYTES), *small[9:]]) == []
    monkeypatch.setattr(compact, "MERGED_BYTES", 55)
    assert [len(run) for run in compact.runs(small)] == [5, 5, 5]


def test_a_commit_that_was_not_finished_is_not_seen_and_goes(home: Home) -> None:
    store = Store(home)
    fill(home, [results((0, 1, 0.0)), results((1, 1, 0.1))])
    files, base = store._files, base_of("churn", "logs")
    before = files.read(f"{base}/checkpoint")
    assert before is not None
    fill(home, [results((2, 1, 0.2))])
    files.write(f"{base}/checkpoint", before)
    files.write(f"{base}/results/.L0-0000000004-0000000004.parquet.1.1.part", b"PAR1")
    assert hours(store.results()) == [(0, 1, 0.0), (1, 1, 0.1)]
    assert [finding.wrong for finding in store.verify()] == [
        "is the rest of a write that was stopped, unless a run is writing it now"
    ]
    with store.writer("churn", "logs") as w:
        assert w.last_commit == 2
        assert len(data_files(home)) == 2
        w.commit(3, results=results((2, 1, 0.25)), checkpoint=b"")
    assert hours(store.results())[-1] == (2, 1, 0.25)
    assert store.verify() == []


def test_commits_are_numbered(home: Home) -> None:
    with Store(home).writer("churn", "logs") as w:
        with pytest.raises(ValueError, match="number is 2: the next commit is 1"):
            w.commit(2, checkpoint=b"")
        w.commit(1, checkpoint=b"")
        with pytest.raises(ValueError, match="number is 1: the next commit is 2"):
            w.commit(1, checkpoint=b"")
    with pytest.raises(ValueError, match="the writer is closed"):
        w.commit(2, checkpoint=b"")


def test_a_failed_commit_can_be_tried_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(home)
    kind: Any = type(store._files)
    replace = kind.replace
    with store.writer("churn", "logs") as w:
        w.commit(1, results=results((0, 1, 0.0)), checkpoint=b"1")

        def fails_before(self: Files, name: str, data: bytes, seen: Version | None) -> Version | None:
            if name.endswith("checkpoint"):
                raise dl.errors.StorageError("no room")
            return replace(self, name, data, seen)

        monkeypatch.setattr(kind, "replace", fails_before)
        with pytest.raises(dl.errors.StorageError, match="no room"):
            w.commit(2, results=results((1, 1, 0.1)), alarms=alarms(("a", 1, 1)), checkpoint=b"state 2")
        assert store.results().rows == 1

        def fails_after(self: Files, name: str, data: bytes, seen: Version | None) -> Version | None:
            now = replace(self, name, data, seen)
            if name.endswith("checkpoint") and bytes(data).endswith(b"state 2"):
                raise dl.errors.StorageError("no answer")
            return now

        monkeypatch.setattr(kind, "replace", fails_after)
        # Other rows than the first time: what was begun does not stay.
        with pytest.raises(dl.errors.StorageError, match="no answer"):
            w.commit(2, results=results((1, 1, 0.2)), checkpoint=b"state 2")
        monkeypatch.setattr(kind, "replace", replace)
        w.commit(2, results=results((1, 1, 0.2)), checkpoint=b"state 2")
        assert (w.checkpoint(), store.alarms().rows) == ((2, b"state 2"), 0)
        w.commit(3, results=results((2, 1, 0.3)), checkpoint=b"3")
    assert [effect for _, _, effect in hours(store.results())] == [0.0, 0.2, 0.3]
    assert store.verify() == []


def test_expire_drops_windows_that_ended(home: Home) -> None:
    store = Store(home)
    with store.writer("churn", "logs") as w:
        for n in range(1, 20):
            events = alarms(("old", n, n)) if n < 5 else alarms(("long", n, n))
            w.commit(n, results=results((n, 1, 0.0)), alarms=events, checkpoint=b"s%d" % n)
        # Window 9 ends at hour 10; the alarm that goes on stays as a whole.
        assert w.expire(START + 10 * HOUR) == 9 + 4
        assert w.expire(START + 10 * HOUR) == 0
        assert w.checkpoint() == (19, b"s19")
        assert [hour for hour, _, _ in hours(store.results())] == list(range(10, 20))
        assert set(store.alarms().to_polars()["alarm"]) == {"long"}
        assert store.alarms().rows == 15
        with pytest.raises(dl.errors.StorageError, match="is in use by process"):
            store.expire(START + 18 * HOUR)
    assert store.verify() == []
    assert store.expire(START + 18 * HOUR) == 8
    assert store.expire(START + 100 * HOUR) == 2 + 15
    assert (data_files(home), store.verify(), store.results().rows) == ([], [], 0)
    fill(home, [results((50, 1, 0.5))])
    assert hours(store.results()) == [(50, 1, 0.5)]


def test_expire_without_an_end_goes_by_the_start(home: Home) -> None:
    fill(home, [results((0, 1, 0.0), (1, 1, 0.1)).drop_columns("window_end")])
    assert Store(home).expire(START + HOUR) == 1
    assert Store(home).results().to_polars()["window_start"].to_list() == [START + HOUR]


OWNING = """
import sys
from driftline.store import Store
from driftline.errors import StorageError
try:
    w = Store(sys.argv[1]).writer("churn", "logs")
except StorageError as error:
    print(error)
    sys.exit(3)
print("owned", flush=True)
sys.stdin.read()
"""


def test_one_process_owns_a_source_until_it_is_killed(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-c", OWNING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"owned\n"
        second = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert second.returncode == 3
        assert f"source 'logs' of monitor 'churn' is in use by process {first.pid} on " in second.stdout
        # Another source, and reading, are free.
        with Store(tmp_path).writer("churn", "other") as w:
            w.commit(1, results=results((0, 1, 0.0)), checkpoint=b"")
        assert Store(tmp_path).results().rows == 1
        first.kill()
    with Store(tmp_path).writer("churn", "logs") as w, pytest.raises(dl.errors.StorageError, match=str(os.getpid())):
        Store(tmp_path).writer("churn", w.writer)


NAMES = ["logs", "s3://bucket/a b/*.parquet", "../..", ".", "..", "~", "a%2Fb", "a/b", "ü" * 300, "x" * 121, "x" * 122,
         "CON", "a\nb", "=", "\0"]  # fmt: skip


def test_any_name_of_a_writer_is_one_folder(home: Home) -> None:
    folders = [folder_of(name) for name in NAMES]
    assert len(set(folders)) == len(NAMES)
    assert all(len(folder) <= 120 and not set(folder) & set('/\\:*?"<>|=') and folder[0] != "." for folder in folders)
    store = Store(home)
    for name in NAMES:
        with store.writer("m", name) as w:
            w.commit(1, results=results((0, 1, 0.0)), checkpoint=b"")
    assert store.sources() == sorted(("m", name) for name in NAMES)
    assert sorted(store.results().to_polars()["writer"]) == sorted(NAMES)
    assert [store.results(writer=name).rows for name in NAMES] == [1] * len(NAMES)
    assert store.verify() == []


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a b", "ü", "a" * 101, 7])
def test_names_that_no_monitor_has(tmp_path: pathlib.Path, name: Any) -> None:
    with pytest.raises(ValueError, match="its name is letters, digits"):
        Store(tmp_path).writer(name, "logs")
    with pytest.raises(ValueError, match="its name is letters, digits"):
        Store(tmp_path).results(name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "\ud800", 7])
def test_names_that_no_writer_has(tmp_path: pathlib.Path, name: Any) -> None:
    with pytest.raises(ValueError, match="writer is "):
        Store(tmp_path).writer("m", name)


def test_parts_that_a_larger_one_covers_do_not_count() -> None:
    parts = [Part(1, 1, 0), Part(1, 16, 1), Part(16, 16, 0), Part(17, 17, 0), Part(5, 5, 0)]
    assert counting(parts) == [Part(1, 16, 1), Part(17, 17, 0)]
    assert counting([]) == []


def test_checkpoints_of_any_size(home: Home) -> None:
    files = Store(home)._files
    parts = {"profiles": [], "results": [Part(n, n, 0) for n in range(1, 5000)], "alarms": [Part(3, 9, 2)]}
    for state in (b"", b"\n", os.urandom(200_000)):
        files.write("m/w/checkpoint", checkpoint.encode("m", "w", 7, parts, state))
        read = checkpoint.read_state(files, "m/w")
        assert read is not None
        assert read == (checkpoint.read_head(files, "m/w"), state)
        assert (read[0].commit, read[0].parts) == (7, parts)
    assert checkpoint.read_head(files, "m/x") is None


def test_views_of_homes_with_any_name(tmp_path: pathlib.Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    home = tmp_path / "it's [a] home=1\n?"
    with duckdb.connect() as connection:
        connection.execute(views(home))
        assert connection.sql("SELECT * FROM driftline_alarms").columns[-2:] == ["alarm", "event"]
        fill(home, [results((0, 1, 0.0), (0, 2, 0.2)), results((0, 1, 0.0))])
        connection.execute(views(home))
        assert connection.sql("SELECT revision, effect FROM driftline_results").fetchall() == [(2, 0.2)]
        assert "1" not in connection.sql("SELECT * FROM driftline_results").columns


def test_the_store_needs_no_library(tmp_path: pathlib.Path) -> None:
    code = f"""
import sys
from driftline import _core
from driftline.store import Store
rows = _core.Batch.from_columns([("segment", [""], "object"), ("column", ["x"], "object"), ("revision", [1], "object")])
with Store({str(tmp_path)!r}).writer("m", "w") as w:
    w.commit(1, checkpoint=b"")
Store({str(tmp_path)!r}).results()
print(sorted({{"pyarrow", "polars", "numpy", "pandas", "pydantic", "duckdb"}} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_the_layout_says_its_version(tmp_path: pathlib.Path) -> None:
    fill(tmp_path, [results((0, 1, 0.0))])
    assert json.loads((tmp_path / "store" / "layout.json").read_text()) == {"version": 1}
