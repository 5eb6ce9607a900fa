"""Which files of an archive are new, changed, moved, delivered again or gone."""

import errno
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from driftline import _core, _sources
from driftline._monitor.state import FileSeen
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

    def renew(self, known: dict[str, FileSeen]) -> None:
        """Tells what is known of files by what was found; doing it twice changes nothing."""
        for name, before in self.moved.items():
            if before in known:
                known[name] = replace(known.pop(before), is_gone=False)
        for name in self.back:
            known[name] = replace(known[name], is_gone=False)
        for name in self.gone:
            known[name] = replace(known[name], is_gone=True)
        for name, (size, modified, content) in self.looks.items():
            if name in known and known[name].content == content:
                known[name] = replace(known[name], size_bytes=size, modified_ns=modified, is_gone=False)


def look(paths: tuple[str, ...], known: dict[str, FileSeen]) -> Found:
    """Looks at the files.

    Raises:
        InputError: There is none.
        StorageError: The disk fails.
    """
    inputs = _sources.open_inputs(list(paths))
    if not inputs:
        raise InputError("data names no file: name files, folders or globs of the log")
    found = Found({item.name: item for item in inputs})
    for name in found.inputs:
        before = known.get(name)
        try:
            size, modified = _stat(name)
            if before is not None and (before.size_bytes, before.modified_ns) == (size, modified):
                if before.is_gone:
                    found.back.append(name)
                continue
            found.looks[name] = _Look(size, modified, _content(name))
        except InputError as error:
            found.unreadable[name] = str(error)
    found.changed = [name for name, now in found.looks.items() if name in known and known[name].content != now.content]
    # What a changed file held before was not delivered again by another one: it is where the rows are now.
    contents = {seen.content: name for name, seen in known.items() if name not in found.changed}
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


def seen(item: _core.Input, now: _Look, time: str, latest_us: int) -> FileSeen:
    """What is to be known of a file; of its rows only the times are read.

    Raises:
        InputError: It cannot be read, or has no such column of times.
    """
    span, rows = _core.time_range(item, time, latest_us)
    first, last = span if span is not None else (None, None)
    return FileSeen(now.size_bytes, now.modified_ns, now.content, first, last, rows)


def _stat(name: str) -> tuple[int, int]:
    if _sources.is_url(name):
        return 0, 0
    try:
        stat = Path(name).stat()
    except OSError as error:
        raise _told(name, error) from error
    return stat.st_size, stat.st_mtime_ns


def _content(name: str) -> str:
    """A hash of the whole, since Parquet files of other rows can have equal sizes and footers; and its partitions."""
    if _sources.is_url(name):
        return name
    partitions = [folder for folder in Path(name).parts[:-1] if "=" in folder]
    try:
        with Path(name).open("rb") as file:
            return "/".join([hashlib.file_digest(file, "sha256").hexdigest(), *partitions])
    except OSError as error:
        raise _told(name, error) from error


def _told(name: str, error: OSError) -> InputError | StorageError:
    """What is wrong with this one file, or with the disk."""
    kind = InputError if error.errno in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR) else StorageError
    return kind(f"{name}: {error.strerror}")
