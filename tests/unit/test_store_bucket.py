"""What is different where the home is in a bucket: leases run out, networks fail, and others may not be let in."""

import json
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import monitored as log
import polars as pl
import pytest
import requests
from moto.server import ThreadedMotoServer
from s3_bucket import make_bucket, settings_of

import driftline as dl
from driftline import _core
from driftline._store import compact, timed_lease
from driftline._store.names import base_of
from driftline.store import Store, Writer, views

DRIFTLINE = [sys.executable, "-c", "import sys; from driftline.cli import main; sys.argv[0] = 'driftline'; main()"]

BASE = base_of("churn", "logs")


@pytest.fixture
def home(s3: str) -> str:
    return f"{s3}/home"


def results(*rows: tuple[int, int, float]) -> pl.DataFrame:
    """Rows of hour, revision and effect."""
    return pl.DataFrame(
        [
            {"segment": "", "column": "x", "window_start": log.hour(hour), "revision": revision, "effect": effect}
            for hour, revision, effect in rows
        ]
    )


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Lets a process that asks for the time believe that it is later."""
    clock = timed_lease.clock
    monkeypatch.setattr(timed_lease, "clock", lambda: clock() + timedelta(seconds=seconds))


def stop_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no time pass, and no thread renew a lease."""
    now = timed_lease.clock()
    monkeypatch.setattr(timed_lease, "clock", lambda: now)
    monkeypatch.setattr(timed_lease, "_keep", lambda *_: None)


def effects(home: str) -> list[float]:
    return Store(home).results().to_polars()["effect"].to_list()


def test_the_one_that_has_a_source_is_named_with_the_time_it_has_left(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(home)
    stop_time(monkeypatch)
    first = store.writer("churn", "logs")
    pass_time(monkeypatch, 40.5)
    told = (
        rf"^{home}/store/churn/logs/lease: source 'logs' of monitor 'churn' is in use by process \d+ on .+ since .+: "
        r"wait until that has ended, or stop it; if it was killed, the source is free in 20 s$"
    )
    with pytest.raises(dl.errors.StorageError, match=told):
        store.writer("churn", "logs")
    # It goes on in time, and has a minute again.
    first.commit(1, results=results((0, 1, 0.1)), checkpoint=b"")
    pass_time(monkeypatch, 59)
    with pytest.raises(dl.errors.StorageError, match="is free in 1 s"):
        store.writer("churn", "logs")
    first.close()
    # Given up, it is free at once.
    store.writer("churn", "logs").close()


def test_a_lease_is_renewed_by_itself(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_lease, "RENEWED_S", 0.01)
    store = Store(home)
    with store.writer("churn", "logs"):
        first = store._files.read(f"{BASE}/lease")
        assert any(store._files.read(f"{BASE}/lease") != first for _ in range(10_000))
    assert json.loads(store._files.read(f"{BASE}/lease") or b"")["until"] is None


def test_a_writer_that_is_forgotten_lets_its_lease_run_out(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_lease, "RENEWED_S", 0.01)
    writer: Writer | None = Store(home).writer("churn", "logs")
    assert writer is not None
    lease: Any = writer._lease
    ended = lease._ended
    del writer, lease
    assert ended.wait(60)


def take_over(home: str, monkeypatch: pytest.MonkeyPatch) -> Writer:
    with monkeypatch.context() as patch:
        pass_time(patch, 61)
        return Store(home).writer("churn", "logs")


def test_who_lost_its_lease_commits_no_more(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Store(home).writer("churn", "logs")
    first.commit(1, results=results((0, 1, 0.1)), checkpoint=b"1")
    second = take_over(home, monkeypatch)
    second.commit(2, results=results((1, 1, 0.2)), checkpoint=b"2")
    pass_time(monkeypatch, 20)
    for _ in range(2):
        with pytest.raises(dl.errors.StorageError, match=r"lease: source 'logs' .* was taken by process .*run again"):
            first.commit(2, results=results((1, 1, 0.9)), checkpoint=b"other")
    first.close()
    # Its leaving frees nothing that is another's.
    with pytest.raises(dl.errors.StorageError, match="is in use"):
        Store(home).writer("churn", "logs")
    second.commit(3, results=results((2, 1, 0.3)), checkpoint=b"3")
    second.close()
    assert effects(home) == [0.1, 0.2, 0.3]
    assert Store(home).verify() == []


def test_who_lost_its_lease_and_does_not_know_frees_nothing(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Store(home).writer("churn", "logs")
    with take_over(home, monkeypatch) as second:
        first.close()
        with pytest.raises(dl.errors.StorageError, match="is in use"):
            Store(home).writer("churn", "logs")
        second.commit(1, results=results((0, 1, 0.1)), checkpoint=b"")


@pytest.mark.parametrize("after", ["add", "replace"])
@pytest.mark.parametrize("commits_first", [True, False])
def test_a_commit_that_wakes_up_after_its_lease_is_refused(
    home: str, monkeypatch: pytest.MonkeyPatch, after: str, commits_first: bool
) -> None:
    """It has looked at its lease, and is stopped just before it writes its rows, or just before its checkpoint."""
    stop_time(monkeypatch)
    first = Store(home).writer("churn", "logs")
    if commits_first:
        first.commit(1, results=results((0, 1, 0.1)), checkpoint=b"1")
    n = first.last_commit + 1
    kind: Any = type(first._files)
    operation = getattr(kind, after)
    stops, others = ["once"], list[Writer]()

    def stopped(self: Any, name: str, *arguments: Any) -> Any:
        if stops and not name.endswith("lease"):
            stops.clear()
            others.append(take_over(home, monkeypatch))
            others[0].commit(n, results=results((1, 1, 0.2)), checkpoint=b"theirs")
        return operation(self, name, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(kind, after, stopped)
        with pytest.raises(dl.errors.StorageError, match="another process .*; nothing is lost"):
            first.commit(n, results=results((1, 1, 0.9)), checkpoint=b"ours")
    with pytest.raises(dl.errors.StorageError, match="another process|was taken by"):
        first.commit(n, results=results((1, 1, 0.9)), checkpoint=b"ours")
    (second,) = others
    second.commit(n + 1, results=results((2, 1, 0.3)), checkpoint=b"")
    second.close()
    first.close()
    assert effects(home) == [0.1] * commits_first + [0.2, 0.3]
    assert Store(home).verify() == []


LATE = f"{BASE}/results/L0-0000000002-0000000002.parquet"


def test_rows_that_arrive_late_are_deleted_and_the_commit_repeated(home: str) -> None:
    """A request of a process that was killed may still be under way when the next one has begun."""
    with Store(home).writer("churn", "logs") as writer:
        writer.commit(1, results=results((0, 1, 0.1)), checkpoint=b"1")
        writer._files.write(LATE, b"rows of another")
        with pytest.raises(dl.errors.StorageError, match="another process has begun to write it: run again"):
            writer.commit(2, results=results((1, 1, 0.2)), checkpoint=b"2")
        writer.commit(2, results=results((1, 1, 0.2)), checkpoint=b"2")
    assert effects(home) == [0.1, 0.2]
    assert Store(home).verify() == []


@pytest.mark.parametrize("before_the_commit", [True, False])
def test_rows_that_arrive_late_beside_a_commit_are_none_of_it(
    home: str, monkeypatch: pytest.MonkeyPatch, before_the_commit: bool
) -> None:
    """The commit of that number has no rows in the table, so nothing keeps the file away."""
    other = f"{home}/other"
    with Store(other).writer("churn", "logs") as writer:
        writer.commit(1, checkpoint=b"")
        writer.commit(2, results=results((1, 1, 0.9)), checkpoint=b"")
    late = Store(other)._files.read(LATE)
    assert late is not None
    monkeypatch.setattr(compact, "FAN", 3)
    store = Store(home)
    with store.writer("churn", "logs") as writer:
        writer.commit(1, results=results((0, 1, 0.1)), checkpoint=b"1")
        if before_the_commit:
            writer._files.write(LATE, late)
        writer.commit(2, checkpoint=b"2")
        writer._files.write(LATE, late)
        assert (effects(home), store.verify()) == ([0.1], [])
        # Nor does compaction take it in.
        for n in range(3, 9):
            writer.commit(n, results=results((n, 1, n / 10)), checkpoint=b"")
        assert (len(effects(home)), 0.9 in effects(home), store.verify()) == (7, False, [])
        writer._files.write(LATE, late)
    assert len(effects(home)) == 7
    store.writer("churn", "logs").close()
    assert writer._files.read(LATE) is None


def test_a_source_that_was_only_opened_has_committed_nothing(home: str) -> None:
    store = Store(home)
    store.writer("churn", "logs").close()
    assert (store.sources(), store.monitors(), store.verify()) == ([], [], [])
    assert store.checkpoint("churn", "logs") == (0, b"")


OWNING = """
import sys
from driftline.store import Store
with Store(sys.argv[1]).writer("churn", "logs") as writer:
    print("owned", flush=True)
    sys.stdin.read()
"""


def test_the_command_exits_with_3_where_another_process_has_the_source(home: str, tmp_path: pathlib.Path) -> None:
    log.write(tmp_path / "data" / "0.parquet", log.hours(0, 60))
    config = tmp_path / "driftline.yaml"
    config.write_text(f"monitor: churn\ndata: {tmp_path}/data\ncolumns: {{time: ts}}\nwindow: 1 hour\nhome: {home}\n")
    command = [*DRIFTLINE, "monitor", "--config", str(config), "--writer", "logs"]
    with subprocess.Popen([sys.executable, "-c", OWNING, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"owned\n"
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        first.communicate(b"")
    assert second.returncode == 3, second.stderr
    assert f"is in use by process {first.pid} on " in second.stderr
    assert "the source is free in" in second.stderr
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """A home on a server of its own, and what ends and starts that."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, value in settings_of(endpoint).items():
        monkeypatch.setenv(name, value)
    servers = [server]

    def start() -> None:
        # What the first has kept is of this process.
        servers.append(ThreadedMotoServer(ip_address=host, port=port, verbose=False))
        servers[-1].start()

    yield f"{make_bucket(endpoint)}/home", lambda: servers.pop().stop(), start
    for left in servers:
        left.stop()


@pytest.mark.parametrize("written", ["results", "alarms", "checkpoint"])
def test_a_server_that_fails_in_the_midst_of_a_commit(
    failing: tuple[str, Callable[[], None], Callable[[], None]], monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    home, stop, start = failing
    store = Store(home)
    writer = store.writer("churn", "logs")
    writer.commit(1, results=results((0, 1, 0.1)), checkpoint=b"1")
    kind: Any = type(writer._files)
    put = kind._put
    stopped = []

    def fails(self: Any, name: str, data: bytes, mode: Any) -> Any:
        if not stopped and f"/{written}" in name:
            stopped.append(name)
            stop()
        return put(self, name, data, mode)

    rows = {"results": results((1, 1, 0.2)), "alarms": results((1, 1, 0.0)).with_columns(alarm=pl.lit("a"), event=1)}
    with monkeypatch.context() as patch:
        patch.setattr(kind, "_put", fails)
        with pytest.raises(dl.errors.StorageError, match=rf"{home}/store/churn/logs/{written}.*run again; nothing is"):
            writer.commit(2, **rows, checkpoint=b"2")
    with pytest.raises(dl.errors.StorageError, match=f"{home}/store"):
        store.results()
    start()
    assert effects(home) == [0.1]
    writer.commit(2, **rows, checkpoint=b"2")
    writer.commit(3, results=results((2, 1, 0.3)), checkpoint=b"3")
    writer.close()
    assert (effects(home), store.alarms().rows, store.verify()) == ([0.1, 0.2, 0.3], 1, [])


def test_a_bucket_that_is_not_there(s3: str) -> None:
    store = Store("s3://no-such-bucket/home")
    told = "s3://no-such-bucket/home/store.*: there is no such bucket: make it first, or name another"
    for does in (store.results, store.sources, store.verify, store.views, lambda: store.writer("churn", "logs")):
        with pytest.raises(dl.errors.InputError, match=told):
            does()


def test_a_store_without_conditional_puts(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONDITIONAL_PUT", "disabled")
    told = f"^{home}/store/churn/logs/lease: this store cannot put an object on condition that it is new or unchanged"
    with pytest.raises(dl.errors.InputError, match=told):
        Store(home).writer("churn", "logs")


def test_an_object_that_is_replaced_while_it_is_read(home: str) -> None:
    files = Store(home)._files
    with Store(home).writer("churn", "logs") as writer:
        for n in (1, 2):
            writer.commit(n, results=results((n, 1, n / 10)), checkpoint=b"")
    one, other = (f"{BASE}/results/L0-{n:010}-{n:010}.parquet" for n in (1, 2))
    opened = files.inputs([one])
    data = files.read(other)
    assert data is not None
    files.write(one, data)
    # Not a mixture of both, nor damage.
    with pytest.raises(dl.errors.StorageError, match=f"{home}/store/{one}: was replaced while it was read: read again"):
        _core.read_facts(opened, "results")


def test_a_store_that_does_not_list_what_was_put(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(home).writer("churn", "logs") as writer:
        with monkeypatch.context() as patch:
            patch.setattr(type(writer._files), "listed", lambda *_: {})
            with pytest.raises(dl.errors.StorageError, match="0001.parquet: was written, and is not listed: run again"):
                writer.commit(1, results=results((0, 1, 0.1)), checkpoint=b"")
        writer.commit(1, results=results((0, 1, 0.1)), checkpoint=b"")
    assert effects(home) == [0.1]


def test_a_bucket_that_lets_nobody_in(s3: str, s3_server: str) -> None:
    home = f"{s3}/home"
    store = Store(home)
    store.writer("churn", "logs").close()
    requests.post(f"{s3_server}/moto-api/reset-auth", data="0", timeout=60)
    try:
        for does in (store.results, store.sources, store.verify, lambda: store.writer("churn", "logs")):
            with pytest.raises(
                dl.errors.InputError, match=f"{home}/store.*: permission denied by the store: check the"
            ):
                does()
    finally:
        requests.post(f"{s3_server}/moto-api/reset-auth", data="inf", timeout=60)
    store.writer("churn", "logs").close()


def test_without_the_extra() -> None:
    code = "import sys; sys.modules['obstore'] = None; from driftline.store import Store; Store('s3://a/home')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    told = "InputError: s3://a/home/store: object stores need: pip install 'driftline[cloud]'"
    assert done.stderr.splitlines()[-1].endswith(told)


def test_a_monitor_says_the_same_in_a_bucket_as_in_a_folder(home: str, tmp_path: pathlib.Path) -> None:
    data = tmp_path / "data"
    log.write(data / "0.parquet", log.hours(0, 60))
    folder = tmp_path / "home"
    for kind in (folder, home):
        log.read(kind, data)
    log.write(data / "1.parquet", log.hours(60, 80, shift=0.3))
    for kind in (folder, home):
        summary = log.read(kind, data)
        assert (summary.files, summary.rows) == (1, 20 * 40)
    expected = log.said(folder)
    assert not expected[1].is_empty()
    log.same(log.said(home), expected)
    assert Store(home).verify() == []


def test_polars_and_the_views_read_a_bucket(home: str, s3_server: str, tmp_path: pathlib.Path) -> None:
    with Store(home).writer("churn", "logs") as writer:
        writer.commit(1, results=results((0, 1, 0.1), (0, 2, 0.2)), checkpoint=b"")
    scanned = pl.scan_parquet(
        f"{home}/store/*/*/results/L*.parquet",
        hive_partitioning=False,
        storage_options={"aws_endpoint_url": s3_server, "aws_allow_http": "true"},
    )
    assert scanned.collect()["effect"].to_list() == [0.1, 0.2]
    sql = views(home)
    assert views(home.replace("/home", "/%68ome")) == sql
    assert f"read_parquet('{home}/store/*/*/results/L*.parquet'" in sql
    # DuckDB reads buckets by an extension that must be downloaded; of the SQL the address is all that differs.
    files = Store(home)._files
    for name in files.listed():
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files.read(name) or b"")
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.execute(sql.replace(home, str(tmp_path)))
        assert connection.sql("SELECT effect FROM driftline_results").fetchall() == [(0.2,)]
