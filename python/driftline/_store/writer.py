"""The one process that writes the facts of a source."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from secrets import token_hex
from types import TracebackType
from typing import Any, Final, Self, SupportsBytes

from driftline import _core
from driftline._store import checkpoint as checkpoints
from driftline._store.compact import merged, runs
from driftline._store.facts import microseconds
from driftline._store.files import Files, Version, is_half
from driftline._store.lease import Lease, take
from driftline._store.names import (
    CHECKPOINT,
    LAYOUT,
    TABLES,
    VERSION,
    Part,
    base_of,
    counting,
    known_of,
    names_of,
    parts_of,
)
from driftline.errors import DriftlineError, InputError, StorageError

__all__ = ["Writer", "check_layout", "refuse_lost_checkpoint"]


NO_PARTS: Final[Mapping[str, list[Part]]] = {table: [] for table in TABLES}


class Writer:
    """Writes the facts of a source, commit by commit; made by `Store.writer`, and a context manager.

    A commit is there as a whole or not at all, also when the process is killed in it.
    """

    def __init__(self, files: Files, monitor: str, writer: str, threads: int = 0) -> None:
        self.monitor = monitor
        self.writer = writer
        self.trouble: str | None = None
        """Why files could not be compacted or old facts could not go, where that is so; facts are not in danger."""
        self._files = files
        self._threads = threads
        self._base = base_of(monitor, writer)
        check_layout(files)
        self._token = token_hex(8)
        self._marks = 0
        self._mark = ""
        self._seen: Version | None = None
        self._known: Mapping[str, list[Part]] = NO_PARTS
        self._lease: Lease | None = take(files, monitor, writer)
        try:
            if files.read(LAYOUT) is None:
                files.write(LAYOUT, json.dumps({"version": VERSION}).encode() + b"\n")
            self._commit = self._recovered()
            # What a process that was killed had not come to.
            self._attempt(self.compact)
        except BaseException:
            self.close()
            raise
        self._sure = True

    @property
    def last_commit(self) -> int:
        """The number of the last commit, 0 before the first."""
        return self._commit

    def checkpoint(self) -> tuple[int, bytes]:
        """The number of the last commit and the state it came with; `(0, b"")` before the first.

        Raises:
            InputError: The checkpoint is damaged, or of a newer version.
        """
        self._check_owned()
        read = checkpoints.read_state(self._files, self._base)
        return (0, b"") if read is None else (read[0].commit, read[1])

    def commit(
        self,
        number: int,
        *,
        profiles: Any = None,
        results: Any = None,
        alarms: Any = None,
        checkpoint: SupportsBytes,
    ) -> None:
        """Adds rows and replaces the state, both or neither.

        Args:
            number: One more than the last.
            profiles: Rows of the table: anything with `__arrow_c_stream__` or `__arrow_c_array__`. Columns `monitor`
                and `writer` are added where they are missing.
            results: As `profiles`.
            alarms: As `profiles`.
            checkpoint: The state from which a new process goes on.

        Raises:
            ValueError: Another number is next.
            InputError: A row lacks its identity, or has that of another source or of another row.
            StorageError: The disk or the network fails, and the commit can be tried again; or another process has taken
                the source.
        """
        self._check_owned()
        if not self._sure:
            self._commit = self._recovered()
            self._sure = True
            if number == self._commit and self.checkpoint() == (number, bytes(checkpoint)):
                return
        if number != self._commit + 1:
            raise ValueError(f"number is {number}: the next commit is {self._commit + 1}")
        data = {}
        for table, rows in zip(TABLES, (profiles, results, alarms), strict=True):
            encoded = None if rows is None else self._encoded(table, rows)
            if encoded is not None:
                data[table] = encoded
        part = Part(number, number, 0)
        # Whatever happens from here on: what is on the disk says whether the commit is there.
        self._sure = False
        for table, encoded in data.items():
            self._files.add(f"{self._base}/{table}/{part.name}", encoded)
        known = {table: [*parts, part] if table in data else parts for table, parts in self._known.items()}
        parts = self._parts(known)
        for table in data:
            if part not in parts[table]:
                path = self._files.path(f"{self._base}/{table}/{part.name}")
                raise StorageError(f"{path}: was written, and is not listed: run again; nothing is lost")
        self._write_checkpoint(number, parts, checkpoint)
        self._commit = number
        self._sure = True
        self._attempt(self.compact)

    def compact(self) -> None:
        """Makes many files few; `commit` does this by itself.

        Raises:
            InputError: A file is damaged.
            StorageError: The disk or the network fails, or another process has taken the source.
        """
        self._check_owned()
        for table in TABLES:
            while planned := runs(self._sized(table)):
                for run in planned:
                    self._merge(table, run)

    def expire(self, before: datetime) -> int:
        """Drops rows of windows that ended by a time; tells how many.

        A row's window ends at its `window_end`, where the table has one, else it is judged by `window_start`. An alarm
        goes as a whole, after the last that happened to it, and not while it is open.

        Raises:
            InputError: A file is damaged.
            StorageError: The disk or the network fails, or another process has taken the source.
        """
        self._check_owned()
        time = microseconds("before", before)
        # What a file covers would be read again, were that file to go first.
        self._commit = self._recovered()
        parts = self._parts(self._known)
        dropped = 0
        gone: dict[str, list[Part]] = {table: [] for table in TABLES}
        anew: dict[str, _core.Encoded] = {}
        for table in TABLES:
            inputs = self._files.inputs(names_of(self._base, {table: parts[table]}))
            for part, (rows, kept, data) in zip(parts[table], _core.expire_facts(inputs, table, time), strict=True):
                dropped += rows
                if not kept:
                    gone[table].append(part)
                elif data is not None:
                    anew[f"{self._base}/{table}/{part.name}"] = data
        if any(gone.values()):
            # First it is said that they go, or they would be missed.
            left = {table: [part for part in parts[table] if part not in gone[table]] for table in TABLES}
            self._write_checkpoint(self._commit, left, self.checkpoint()[1])
            self._files.delete(names_of(self._base, gone))
        for name, data in anew.items():
            self._files.write(name, data)
        return dropped

    def let_go(self, before: datetime) -> None:
        """`expire` of a writer that has more to do: where it fails, `trouble` says why, and nothing is lost by it."""
        self._attempt(lambda: self.expire(before))

    def close(self) -> None:
        """Gives the source up for others."""
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_owned(self) -> None:
        if self._lease is None:
            raise ValueError("the writer is closed: open another")
        self._lease.check()

    def _encoded(self, table: str, rows: Any) -> _core.Encoded | None:
        try:
            return _core.facts_to_parquet(rows, table, monitor=self.monitor, writer=self.writer, threads=self._threads)
        except InputError as error:
            raise InputError(f"{table}: {error}") from None

    def _recovered(self) -> int:
        """The last commit; what was begun after it, and what is there twice, is deleted."""
        name = f"{self._base}/{CHECKPOINT}"
        # In this order: what is read is that version, or it cannot be replaced.
        self._seen = self._files.version(name)
        read = checkpoints.read_state(self._files, self._base)
        listed = self._files.listed(self._base)
        parts = parts_of(listed, self._base)
        path = self._files.path(name)
        commit = 0 if read is None else read[0].commit
        if read is not None and read[0].owner != (self.monitor, self.writer):
            there = f"source {read[0].writer!r} of monitor {read[0].monitor!r}"
            raise InputError(f"{path}: is of {there}, which has the same folder here: give one another name")
        refuse_lost_checkpoint(path, commit, parts)
        if not self._files.is_locked:
            self._put_mark(read)
        self._known = NO_PARTS if read is None else read[0].parts
        counted = {
            table: counting(part for part in known_of(found, self._known[table]) if part.first <= commit)
            for table, found in parts.items()
        }
        others = {table: [part for part in found if part not in counted[table]] for table, found in parts.items()}
        halves = [name for name in listed if is_half(name)]
        self._check_owned()
        self._files.delete([*names_of(self._base, others), *halves])
        return commit

    def _put_mark(self, read: tuple[checkpoints.Head, bytes] | None) -> None:
        """Marks the checkpoint as ours, so that no commit which another process began before can come after it.

        Who had the source before replaces the checkpoint that it has seen, which from now on is not there. The mark is
        another one each time: of equal contents a store may say that they are the same version.
        """
        commit, parts, mark, state = (
            (0, NO_PARTS, "", b"") if read is None else (read[0].commit, read[0].parts, read[0].mark, read[1])
        )
        if self._marks and not mark.startswith(self._token):
            raise self._was_taken()
        self._marks += 1
        self._mark = f"{self._token}.{self._marks}"
        self._write_checkpoint(commit, parts, state)

    def _parts(self, known: Mapping[str, list[Part]]) -> dict[str, list[Part]]:
        parts = parts_of(self._files.listed(self._base), self._base)
        return {table: counting(known_of(found, known[table])) for table, found in parts.items()}

    def _sized(self, table: str) -> Iterable[tuple[Part, int]]:
        listed = self._files.listed(f"{self._base}/{table}")
        parts = counting(known_of(parts_of(listed, self._base)[table], self._known[table]))
        return [(part, listed[f"{self._base}/{table}/{part.name}"]) for part in parts]

    def _attempt(self, tidy: Callable[[], object]) -> None:
        try:
            tidy()
            self.trouble = None
        except DriftlineError as error:
            # Nothing is lost by it. Files are only more than they need be, which the next commit tries to mend.
            self.trouble = str(error)

    def _merge(self, table: str, run: list[Part]) -> None:
        names = names_of(self._base, {table: run})
        data = _core.merge_facts(self._files.inputs(names), table, threads=self._threads)
        self._files.add(f"{self._base}/{table}/{merged(run).name}", data)
        self._files.delete(names)

    def _write_checkpoint(self, commit: int, parts: Mapping[str, list[Part]], state: SupportsBytes) -> None:
        name = f"{self._base}/{CHECKPOINT}"
        data = checkpoints.encode(self.monitor, self.writer, commit, parts, state, mark=self._mark)
        self._check_owned()
        try:
            self._seen = self._files.replace(name, data, self._seen)
        except FileExistsError:
            raise self._was_taken() from None
        self._known = parts

    def _was_taken(self) -> StorageError:
        path = self._files.path(f"{self._base}/{CHECKPOINT}")
        return StorageError(f"{path}: was written by another process meanwhile: run again; nothing is lost")


def check_layout(files: Files) -> None:
    """Refuses a store that a newer driftline wrote.

    Raises:
        InputError: It is newer, or does not say its version.
    """
    data = files.read(LAYOUT)
    if data is None:
        return
    path = files.path(LAYOUT)
    try:
        version = int(json.loads(data)["version"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f'{path}: is damaged: it must be {{"version": {VERSION}}}') from None
    if version > VERSION:
        raise InputError(
            f"{path}: is a store of version {version}, this driftline reads up to {VERSION}: update driftline"
        )


def refuse_lost_checkpoint(path: str, commit: int, parts: dict[str, list[Part]]) -> None:
    """Refuses a checkpoint that is older than the files beside it: they would be lost if it were believed."""
    last = max((part.last for found in parts.values() for part in found), default=0)
    across = any(part.first <= commit < part.last for found in parts.values() for part in found)
    if across or last > commit + 1:
        told = f"is of commit {commit}" if commit else "is missing"
        raise InputError(
            f"{path}: {told}, but files of commits up to {last} are there; restore the source's folder as a whole "
            "from a backup, or move it away to begin anew"
        )
