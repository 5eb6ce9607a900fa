"""Which files of an archive are new, changed, moved, delivered again or gone."""

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from driftline import _core, _sources
from driftline._monitor.state import FileSeen, State
from driftline.errors import InputError, StorageError

__all__ = ["Found", "look", "seen"]


class _Look(NamedTuple):
    """What tells one content from another, without decoding it."""

    size_bytes: int
    modified_ns: int
    content: str


@dataclass(slots=True)
class Found:
    """The files behind the paths of a configuration."""

    inputs: dict[str, _core.Input]
    """All of them, by name."""
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    """Files that begin with all that they held."""
    again: dict[str, str] = field(default_factory=dict)
    """Files with the content of one that was read, with the name of that."""
    moved: dict[str, str] = field(default_factory=dict)
    """Files that were read under another name, which is gone, with that name."""
    gone: list[str] = field(default_factory=list)
    """Files that were there in the last run."""
    unreadable: dict[str, str] = field(default_factory=dict)
    looks: dict[str, _Look] = field(default_factory=dict)
    """Files whose content was looked at."""
    back: list[str] = field(default_factory=list)
    """Files that were gone, and are there again as they were."""

    def renamed(self, name: str) -> str:
        """What a file that was read is called now."""
        return next((now for now, before in self.moved.items() if before == name), name)

    def cut(self, name: str, begin: _core.Input, size_bytes: int) -> None:
        """Takes a file for no more than its first bytes: what comes after them has yet to come."""
        modified_ns = self.looks[name].modified_ns if name in self.looks else 0
        self.inputs[name] = begin
        self.looks[name] = _Look(size_bytes, modified_ns, _content(name, size_bytes))

    def renew(self, state: State) -> None:
        """Tells what is known of files by what was found; doing it twice changes nothing."""
        for name, before in self.moved.items():
            if before in state.files:
                state.files[name] = state.files.pop(before)
            if before in state.begun:
                state.begun[name] = state.begun.pop(before)
        for name, file in state.known().items():
            now = file
            if name in self.gone:
                now = replace(now, is_gone=True)
            elif name in self.back or name in self.moved:
                now = replace(now, is_gone=False)
            look = self.looks.get(name)
            if look is not None and look.content == now.content:
                now = replace(now, size_bytes=look.size_bytes, modified_ns=look.modified_ns, is_gone=False)
            if name in state.files:
                state.files[name] = now
            if name in state.begun:
                state.begun[name] = replace(state.begun[name], file=now)


def look(paths: tuple[str, ...], known: dict[str, FileSeen], threads: int = 1) -> Found:
    """Looks at the files, with so many threads, all cores where 0.

    Raises:
        InputError: There is none.
        StorageError: The disk fails.
    """
    inputs = _sources.open_inputs(list(paths))
    if not inputs:
        raise InputError("data names no file: name files, folders or globs of the log")
    found = Found({item.name: item for item in inputs})
    stats = {}
    for name in found.inputs:
        before = known.get(name)
        try:
            size, modified = _stat(name)
            if before is not None and (before.size_bytes, before.modified_ns) == (size, modified):
                if before.is_gone:
                    found.back.append(name)
                continue
            stats[name] = (size, modified)
        except InputError as error:
            found.unreadable[name] = str(error)
    for (name, (size, modified)), content in zip(stats.items(), _contents(stats, threads), strict=True):
        if isinstance(content, InputError):
            found.unreadable[name] = str(content)
        else:
            found.looks[name] = _Look(size, modified, content)
    found.changed = [name for name, now in found.looks.items() if name in known and known[name].content != now.content]
    found.grown = [name for name in found.changed if _begins_with(name, known[name])]
    # What a changed file held before was not delivered again by another one: it is where the rows are now.
    contents = {seen.content: name for name, seen in known.items() if name not in found.changed}
    found.changed = [name for name in found.changed if name not in found.grown]
    for name, now in found.looks.items():
        if name in known:
            continue
        first = contents.get(now.content)
        if first is None:
            found.new.append(name)
            contents[now.content] = name
        elif first in found.inputs:
            found.again[name] = first
        else:
            found.moved[name] = first
            contents[now.content] = name
    left = set(found.moved.values())
    found.gone = [name for name, seen in known.items() if not (name in found.inputs or name in left or seen.is_gone)]
    return found


def seen(now: _Look | FileSeen, times: _core.Times) -> FileSeen:
    """What is to be known of a file."""
    first, last = times.span if times.span is not None else (None, None)
    return FileSeen(now.size_bytes, now.modified_ns, now.content, first, last, times.rows)


def _stat(name: str) -> tuple[int, int]:
    if _sources.is_url(name):
        return 0, 0
    try:
        stat = Path(name).stat()
    except OSError as error:
        raise _told(name, error) from error
    return stat.st_size, stat.st_mtime_ns


def _contents(names: Iterable[str], threads: int) -> Iterator[str | InputError]:
    """The contents of files in their order, or what is wrong with one."""

    def content(name: str) -> str | InputError:
        try:
            return _content(name)
        except InputError as error:
            return error

    # Hashing leaves Python to others.
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        yield from pool.map(content, names)


def _content(name: str, most_bytes: int = sys.maxsize) -> str:
    """A hash of the whole, since Parquet files of other rows can have equal sizes and footers; and its partitions."""
    if _sources.is_url(name):
        return name
    partitions = [folder for folder in Path(name).parts[:-1] if "=" in folder]
    try:
        return "/".join([_core.file_digest(name, most_bytes), *partitions])
    except OSError as error:
        raise _told(name, error) from error


def _begins_with(name: str, before: FileSeen) -> bool:
    """Whether a file of lines begins with what it held, which ended with a whole line."""
    if _sources.is_url(name) or not before.size_bytes:
        return False
    try:
        with Path(name).open("rb") as file:
            file.seek(before.size_bytes - 1)
            if file.read(1) != b"\n" or name.endswith(".parquet"):
                return False
        return _core.file_digest(name, before.size_bytes) == before.content.partition("/")[0]
    except OSError as error:
        raise _told(name, error) from error


def _told(name: str, error: OSError) -> InputError | StorageError:
    """What is wrong with this one file, or with the disk."""
    kind = InputError if error.errno in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR) else StorageError
    return kind(f"{name}: {os.strerror(error.errno) if error.errno else error}")
