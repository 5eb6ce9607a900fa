"""Any commits, rewrites, revisions and compactions of a store read as a dict would say, in Python and in DuckDB."""

import os
import pathlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline import _remote
from driftline._store import compact, timed_lease
from driftline.errors import StorageError
from driftline.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Thousands of commits, each of which waits for a disk otherwise.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
TABLES = ("profiles", "results", "alarms")

Home = pathlib.Path | str

Row = tuple[str, str, int, int]
"""Segment, column, hour or event, revision."""

row = st.tuples(st.sampled_from(["", "FR"]), st.sampled_from("xy"), st.integers(0, 4), st.integers(1, 4))
commit = st.tuples(
    st.sampled_from(["a", "b/c"]), st.lists(st.lists(row, unique=True, max_size=6), min_size=3, max_size=3)
)
time = st.integers(0, 6)


def value(writer: str, one: Row) -> int:
    """A writer says one thing of an identity and revision."""
    return sum((i + 7) * ord(c) for i, c in enumerate(f"{writer}{one}"))


def table_of(name: str, writer: str, rows: Sequence[Row]) -> pa.Table:
    columns: dict[str, Any] = {
        "segment": pa.array([segment for segment, _, _, _ in rows], pa.string()),
        "column": pa.array([column for _, column, _, _ in rows], pa.string()),
        "window_start": pa.array([START + hour * HOUR for _, _, hour, _ in rows], pa.timestamp("us", "UTC")),
        "revision": pa.array([revision for *_, revision in rows], pa.int64()),
        "value": pa.array([value(writer, one) for one in rows], pa.int64()),
    }
    if name == "alarms":
        columns["alarm"] = pa.array([f"{segment}-{column}" for segment, column, _, _ in rows], pa.string())
        columns["event"] = pa.array([hour for _, _, hour, _ in rows], pa.int64())
    return pa.table(columns)


def oracle(commits: Sequence[Any], table: int) -> list[tuple[Any, ...]]:
    kept: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for writer, tables in commits:
        for one in tables[table]:
            *identity, revision = one
            key = (writer, *identity)
            kept[key] = max(kept.get(key, ()), (revision, value(writer, one)))
    return sorted((*key, *rest) for key, rest in kept.items())


def rows_of(facts: pa.Table) -> list[tuple[Any, ...]]:
    names = ["writer", "segment", "column", "window_start", "revision", "value"]
    rows = zip(*(facts[name].to_pylist() for name in names), strict=True)
    return sorted((*r[:3], (r[3] - START) // HOUR, *r[4:]) for r in rows)


def write(home: pathlib.Path, commits: Sequence[Any]) -> None:
    store = Store(home)
    for writer, tables in commits:
        with store.writer("m", writer) as w:
            data = {name: table_of(name, writer, rows) for name, rows in zip(TABLES, tables, strict=True)}
            w.commit(w.last_commit + 1, **data, checkpoint=b"")


def files_of(home: pathlib.Path) -> dict[pathlib.Path, bytes]:
    return {path: path.read_bytes() for path in home.rglob("*.parquet")}


@given(st.lists(commit, max_size=12), st.randoms(use_true_random=False), st.booleans())
def test_reading_is_what_a_dict_says(commits: list[Any], chance: Any, half_done: bool) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "FAN", chance.choice([2, 3, 16]))
        home = pathlib.Path(folder)
        ever: dict[pathlib.Path, bytes] = {}
        for one in commits:
            write(home, [one])
            ever |= files_of(home)
        if half_done:
            # Parts that were merged and not deleted yet.
            for path, data in ever.items():
                if not path.exists() and chance.random() < 0.5:
                    path.write_bytes(data)
        store = Store(home)
        assert store.verify() == []
        with duckdb.connect() as connection:
            connection.execute(f"SET TimeZone = 'UTC'; {store.views()}")
            for i, name in enumerate(TABLES):
                expected = oracle(commits, i)
                found = getattr(store, name)()
                assert found.rows == len(expected)
                if expected:
                    assert rows_of(found.to_arrow()) == expected
                    assert rows_of(connection.sql(f"FROM driftline_{name}").to_arrow_table()) == expected
                else:
                    assert connection.sql(f"FROM driftline_{name}").fetchall() == []
        # A writer that opens again takes away what is there twice, and changes nothing.
        for writer in {writer for writer, _ in commits}:
            store.writer("m", writer).close()
        assert all(getattr(store, name)().rows == len(oracle(commits, i)) for i, name in enumerate(TABLES))


@given(st.lists(commit, max_size=8), time, time, st.sampled_from(["x", "y", None]), st.sampled_from(["", "FR", None]))
def test_filters_are_what_a_dict_says(
    commits: list[Any], first: int, last: int, column: str | None, segment: str | None
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        write(pathlib.Path(folder), commits)
        found = Store(folder).results(
            "m", column=column, segment=segment, since=START + first * HOUR, until=START + last * HOUR
        )
        expected = [
            one
            for one in oracle(commits, 1)
            if first <= one[3] < last and one[1] in (segment, one[1] if segment is None else None)
            if one[2] in (column, one[2] if column is None else None)
        ]
        assert found.rows == len(expected)
        if expected:
            assert rows_of(found.to_arrow()) == expected


@given(st.lists(commit, max_size=8), time, st.integers(2, 4))
def test_expiry_is_what_a_dict_says(commits: list[Any], before: int, fan: int) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "FAN", fan)
        write(pathlib.Path(folder), commits)
        store = Store(folder)
        store.expire(START + before * HOUR)
        for i in (0, 1):
            left = [one for one in oracle(commits, i) if one[3] >= before]
            found = getattr(store, TABLES[i])()
            assert found.rows == len(left)
            if left:
                assert rows_of(found.to_arrow()) == left
        alive = {one[:3] for one in oracle(commits, 2) if one[3] >= before}
        assert store.alarms().rows == sum(one[:3] in alive for one in oracle(commits, 2))
        assert store.verify() == []


class Stopped(BaseException):
    """As if the process had ended here."""


def stop() -> None:
    raise Stopped


def run_until(home: Home, operations: float, then: Callable[[], object] = stop) -> int:
    """Commits, compacts and expires; stops before one of the operations on files, or after half a deletion."""
    done = 0
    kind: Any = type(Store(home)._files)
    delete = kind.delete

    def step() -> None:
        nonlocal done
        done += 1
        if done == operations + 1:
            then()

    def counted(operation: Any) -> Any:
        def instead(self: Any, name: str, *arguments: Any) -> Any:
            # A lease that is left is another test's.
            if not name.endswith("/lease"):
                step()
            return operation(self, name, *arguments)

        return instead

    def one_by_one(self: Any, names: Iterable[str]) -> None:
        for name in [*names]:
            step()
            delete(self, [name])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "FAN", 3)
        for name in WRITING[kind.__name__]:
            patch.setattr(kind, name, counted(getattr(kind, name)))
        patch.setattr(kind, "delete", one_by_one)
        with Store(home).writer("m", "a") as w:
            for n in range(w.last_commit + 1, 15):
                rows = [("", "x", n, 1), ("", "x", n // 2, 2)]
                data = {table: table_of(table, "a", rows[: 1 + n % 2]) for table in TABLES if n % 3}
                w.commit(n, **data, checkpoint=b"%d" % n)
                if n % 6 == 0:
                    w.expire(START + n // 2 * HOUR)
            # One that was stopped is begun again.
            w.expire(START + 6 * HOUR)
    return done


# In a folder all go through one.
WRITING = {"Folder": ["write"], "Bucket": ["write", "add", "replace"]}


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket that costs no requests."""
    from obstore.store import MemoryStore

    memory = MemoryStore()
    monkeypatch.setattr(_remote, "open_store", lambda url, **_: (memory, url.removeprefix("s3://bucket/")))
    return "s3://bucket"


@pytest.fixture(params=["folder", "bucket"])
def homes(request: pytest.FixtureRequest) -> Iterator[Home]:
    """A place for many homes, of either kind."""
    if request.param == "bucket":
        yield request.getfixturevalue("in_memory")
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield pathlib.Path(folder)


def test_stopped_at_any_operation_on_files(homes: Home) -> None:
    whole = f"{homes}/whole"
    operations = run_until(whole, float("inf"))
    expected = [getattr(Store(whole), table)().to_arrow().to_pylist() for table in TABLES]
    assert operations > 60
    assert all(expected)
    for stop in range(operations):
        home = f"{homes}/{stop}"
        with pytest.raises(Stopped):
            run_until(home, stop)
        assert Store(home).verify() == []
        Store(home).results()
        run_until(home, float("inf"))
        assert [getattr(Store(home), table)().to_arrow().to_pylist() for table in TABLES] == expected
        assert Store(home).verify() == []


def test_who_lost_its_lease_at_any_operation_changes_nothing(in_memory: str) -> None:
    """It is stopped, another process takes the source and does all that is to be done, and then it goes on."""

    def takes_over(home: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            clock = timed_lease.clock
            patch.setattr(timed_lease, "clock", lambda: clock() + timedelta(seconds=61))
            run_until(home, float("inf"))

    whole = f"{in_memory}/whole"
    operations = run_until(whole, float("inf"))
    expected = [getattr(Store(whole), table)().to_arrow().to_pylist() for table in TABLES]
    refused = 0
    for stop in range(operations):
        home = f"{in_memory}/{stop}"
        try:
            run_until(home, stop, then=partial(takes_over, home))
        except StorageError:
            refused += 1
        assert Store(home).verify() == [], stop
        found = [getattr(Store(home), table)().to_arrow().to_pylist() for table in TABLES]
        assert found == expected, stop
    # Where all that was left was to delete what nobody needs, there is nothing to refuse.
    assert refused > operations * 0.8
