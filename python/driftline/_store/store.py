"""The facts of a home: read by anybody, at any time."""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from driftline import _core
from driftline._sources import is_url
from driftline._store import facts as rows
from driftline._store import views
from driftline._store.checkpoint import Head, read_head, read_state
from driftline._store.facts import Facts, WindowProfile, microseconds
from driftline._store.files import Files, Folder
from driftline._store.names import (
    CHECKPOINT,
    Part,
    base_of,
    check_monitor,
    counting,
    folder_of,
    known_of,
    names_of,
    parts_of,
)
from driftline._store.verify import RESTORE, UNTIL_THEN, Finding, finding_of, verify
from driftline._store.writer import Writer, check_layout, refuse_lost_checkpoint
from driftline.errors import InputError, StorageError

__all__ = ["Store"]

T = TypeVar("T")

TRIES = 20
"""How often a reader begins again because a writer compacted what it was about to read."""


class Store:
    """The facts of all monitors of a home, in its folder `store`; the home is a folder, or a URL such as `s3://bucket/home`.

    Reading needs no lock and disturbs no writer. A reader sees whole commits.

    Args:
        home: The folder, or its URL.
        skip_damaged: Whether files that are damaged are left out of what is read, and told by `skipped`; without it
            they are an `InputError`.
    """

    def __init__(self, home: str | os.PathLike[str], *, skip_damaged: bool = False) -> None:
        path = os.fspath(home)
        if not isinstance(path, str):
            raise TypeError(f"home is {home!r}: it takes a str or a Path")
        if not path:
            raise ValueError("home is empty: name a folder")
        self._files = _files_of(path)
        self._skips = skip_damaged
        self._skipped: dict[str, Finding] = {}
        """By the names of the files."""
        self.path = self._files.root

    def __repr__(self) -> str:
        return f"Store({self.path!r})"

    def writer(self, monitor: str, writer: str, *, threads: int | None = None) -> Writer:
        """Takes a source for this process, so that its facts can be written.

        Args:
            monitor: Name of the monitor: letters, digits, `_`, `-` and `.`.
            writer: Name of the source of the rows, such as a path; any text.
            threads: How many encode what is written; all cores by default.

        Raises:
            InputError: The folder cannot be used, or its checkpoint is damaged or of a newer version.
            StorageError: Another process has the source, or the disk or the network fails.
        """
        return Writer(self._files, monitor, writer, threads or 0)

    @property
    def skipped(self) -> list[Finding]:
        """What was left out so far because it is damaged, where that was asked for."""
        return sorted(self._skipped.values())

    def monitors(self) -> list[str]:
        """Names of the monitors that have committed anything."""
        return sorted({monitor for monitor, _ in self.sources()})

    def sources(self, monitor: str | None = None) -> list[tuple[str, str]]:
        """Monitor and writer of each source that has committed anything."""
        listed = self._listed(monitor)
        heads = (self._or_skipped(base, read_head) for base in _bases(listed) if f"{base}/{CHECKPOINT}" in listed)
        return sorted(head.owner for head in heads if head is not None and head.commit)

    def checkpoint(self, monitor: str, writer: str) -> tuple[int, bytes]:
        """The number of the last commit of a source and the state it came with; `(0, b"")` before the first.

        Raises:
            InputError: The checkpoint is damaged, or of a newer version.
        """
        check_layout(self._files)
        base = base_of(monitor, writer)
        read = self._or_skipped(base, read_state)
        return (0, b"") if read is None else (read[0].commit, read[1])

    def results(
        self,
        monitor: str | None = None,
        *,
        writer: str | None = None,
        column: str | Sequence[str] | None = None,
        segment: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        select: Sequence[str] | None = None,
    ) -> Facts:
        """What windows said of series: a row a series and window.

        Args:
            monitor: One monitor; all by default.
            writer: One source; all by default.
            column: One monitored column, or several.
            segment: One segment, or several; `""` is the whole.
            since: Windows that begin at this time or later.
            until: Windows that begin before this time.
            select: Columns of the table to read beside the identity.

        Raises:
            InputError: A file is damaged, or of a newer version.
            StorageError: The disk or the network fails.
        """
        return self._read("results", monitor, writer, column, segment, since, until, select)

    def profiles(
        self,
        monitor: str | None = None,
        *,
        writer: str | None = None,
        column: str | Sequence[str] | None = None,
        segment: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        select: Sequence[str] | None = None,
    ) -> Facts:
        """Profiles of windows: a row a column, segment, window and writer. Takes what `results` takes."""
        return self._read("profiles", monitor, writer, column, segment, since, until, select)

    def alarms(
        self,
        monitor: str | None = None,
        *,
        writer: str | None = None,
        column: str | Sequence[str] | None = None,
        segment: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        select: Sequence[str] | None = None,
    ) -> Facts:
        """What happened to alarms: a row an event. Takes what `results` takes."""
        return self._read("alarms", monitor, writer, column, segment, since, until, select)

    def amended(self, monitor: str, *, since: datetime, until: datetime) -> Facts:
        """Identities of results that were told anew, of windows that begin between two times."""
        return self._read("results", monitor, None, None, None, since, until, (), revision=2)

    def window_profiles(
        self,
        monitor: str | None = None,
        *,
        segment: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[WindowProfile]:
        """Profiles of windows, those of all writers merged.

        Raises:
            InputError: A file is damaged, or profiles of two writers do not fit together.
            StorageError: The disk or the network fails.
        """
        return rows.window_profiles(self.profiles(monitor, segment=segment, since=since, until=until))

    def expire(self, before: datetime) -> int:
        """Drops rows of windows that ended by a time, of all sources; tells how many. See `Writer.expire`.

        Raises:
            StorageError: Another process has a source, which is told after the others are done.
        """
        dropped = 0
        in_use: StorageError | None = None
        microseconds("before", before)
        for monitor, source in self.sources():
            try:
                writer = self.writer(monitor, source)
            except StorageError as error:
                in_use = error
                continue
            with writer:
                dropped += writer.expire(before)
        if in_use is not None:
            raise in_use
        return dropped

    def verify(self) -> list[Finding]:
        """Reads everything, and explains what is damaged; an empty list says that nothing is.

        Raises:
            InputError: The folder cannot be read.
            StorageError: The disk or the network fails.
        """
        return verify(self._files)

    def views(self) -> str:
        """SQL for DuckDB that makes views `driftline_profiles`, `driftline_results` and `driftline_alarms`.

        A table without files yet is an empty view, so make views anew after the first rows.
        """
        check_layout(self._files)
        return views.of_files(self.path, self._files.listed())

    def _read(
        self,
        table: str,
        monitor: str | None,
        writer: str | None,
        column: str | Sequence[str] | None,
        segment: str | Sequence[str] | None,
        since: datetime | None,
        until: datetime | None,
        select: Sequence[str] | None,
        *,
        revision: int | None = None,
    ) -> Facts:
        columns, segments = _names("column", column), _names("segment", segment)
        first = None if since is None else microseconds("since", since)
        last = None if until is None else microseconds("until", until)
        chosen = None if select is None else _names("select", select)

        def read(names: list[str]) -> Facts:
            inputs = self._files.inputs(names)
            return Facts(
                _core.read_facts(
                    inputs,
                    table,
                    columns=columns,
                    segments=segments,
                    since=first,
                    until=last,
                    revision=revision,
                    select=chosen,
                )
            )

        return self._undisturbed(lambda: self._names(table, monitor, writer), read)

    def _undisturbed(self, names: Callable[[], list[str]], read: Callable[[list[str]], T]) -> T:
        """Reads files, and begins again where a writer put others in their place, or without a damaged one."""
        found, tries = names(), 0
        while True:
            try:
                return read(found)
            except InputError as error:
                now = names()
                if now != found:
                    tries += 1
                    if tries > TRIES:
                        raise
                elif self._is_skipped(found, error):
                    now = names()
                else:
                    raise InputError(
                        f"{error}; driftline status --verify, or Store.verify, tells what is damaged and what to do"
                    ) from None
                found = now

    def _is_skipped(self, names: list[str], error: InputError) -> bool:
        """Leaves out the file that an error names, where that was asked for."""
        name = next((name for name in names if str(error).startswith(f"{self._files.path(name)}:")), None)
        if name is None or not self._skips:
            return False
        self._skipped[name] = finding_of(self._files, name, error, RESTORE)
        return True

    def _or_skipped(self, base: str, read: Callable[[Files, str], T | None]) -> T | None:
        """What the checkpoint of a source says; `None` where there is none, or it is left out."""
        try:
            return read(self._files, base)
        except InputError as error:
            if not self._skips:
                raise
            name = f"{base}/{CHECKPOINT}"
            self._skipped[name] = finding_of(self._files, name, error, UNTIL_THEN)
            return None

    def _names(self, table: str, monitor: str | None, writer: str | None) -> list[str]:
        """The files of a table that count, in the order of sources and commits."""
        listed = self._listed(monitor)
        wanted = None if writer is None else folder_of(writer)
        names = []
        for base in _bases(listed):
            if wanted is None or base.partition("/")[2] == wanted:
                # The checkpoint is read after the files are listed: it knows of all that were compacted.
                parts = parts_of(listed, base)
                head = self._or_skipped(base, partial(_sound_head, parts))
                if head is None and f"{base}/{CHECKPOINT}" in self._skipped:
                    # It is not known which of its files count.
                    continue
                commit = 0 if head is None else head.commit
                known = known_of(parts[table], [] if head is None else head.parts[table])
                # Those that a damaged one was merged from may still be there.
                known = [part for part in known if f"{base}/{table}/{part.name}" not in self._skipped]
                counted = [part for part in counting(known) if part.last <= commit]
                names += names_of(base, {table: counted})
        return names

    def _listed(self, monitor: str | None) -> dict[str, int]:
        """Names of files, as they were at one moment.

        While a folder is listed, a file may come where the listing has passed and those that it replaces go where it
        has not. Then a second listing is another one.
        """
        check_layout(self._files)
        below = "" if monitor is None else check_monitor(monitor)
        listed = self._files.listed(below)
        while (again := self._files.listed(below)).keys() != listed.keys():
            listed = again
        return again


def _files_of(home: str) -> Files:
    if is_url(home):
        from driftline._store.bucket import Bucket

        return Bucket(f"{home.rstrip('/')}/store")
    return Folder(os.path.join(os.path.expanduser(home), "store"))  # noqa: PTH111, PTH118


def _sound_head(parts: dict[str, list[Part]], files: Files, base: str) -> Head | None:
    """What the checkpoint of a source says of itself, which is no older than the files beside it."""
    head = read_head(files, base)
    refuse_lost_checkpoint(files.path(f"{base}/{CHECKPOINT}"), 0 if head is None else head.commit, parts)
    return head


def _bases(listed: Iterable[str]) -> list[str]:
    """Folders of sources."""
    deep = (name.split("/") for name in listed)
    return sorted({"/".join(parts[:2]) for parts in deep if len(parts) > 2})


def _names(option: str, names: str | Sequence[str] | None) -> list[str] | None:
    if names is None:
        return None
    listed = [names] if isinstance(names, str) else list(names)
    wrong = next((name for name in listed if not isinstance(name, str)), None)
    if wrong is not None:
        raise TypeError(f"{option} has {wrong!r}: it takes names")
    return listed
