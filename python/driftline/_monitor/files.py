"""Which files of an archive are new, changed, delivered again or gone."""

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from driftline import _core, _sources
from driftline._monitor.state import FileSeen
from driftline.errors import InputError, StorageError

__all__ = ["Found", "look", "seen"]

ENDS: Final = 1 << 16
"""Of a Parquet file so many bytes at its end hold the footer, which knows where everything lies and how large it is."""


@dataclass(slots=True)
class Found:
    """The files behind the paths of a configuration."""

    inputs: dict[str, _core.Input]
    """All of them, by name."""
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    again: dict[str, str] = field(default_factory=dict)
    """Files with the content of one that was read, with the name of that."""
    gone: list[str] = field(default_factory=list)
    known: dict[str, FileSeen] = field(default_factory=dict)
    """Files that were read, with what is known of them now."""


def look(paths: tuple[str, ...], known: dict[str, FileSeen]) -> Found:
    """Looks at the files.

    Raises:
        InputError: There is none, or one cannot be read.
        StorageError: The disk fails.
    """
    inputs = _sources.open_inputs(list(paths))
    if not inputs:
        raise InputError("data names no file: name files, folders or globs of the log")
    found = Found({item.name: item for item in inputs}, known=dict(known))
    contents = {seen.content: name for name, seen in known.items()}
    for name in found.inputs:
        before = known.get(name)
        size, modified = _stat(name)
        if before is not None and (before.size_bytes, before.modified_ns) == (size, modified):
            continue
        content = _content(name)
        if before is not None and before.content == content:
            found.known[name] = replace(before, size_bytes=size, modified_ns=modified)
        elif before is not None:
            found.changed.append(name)
        elif content in contents:
            found.again[name] = contents[content]
        else:
            found.new.append(name)
            contents[content] = name
    found.gone = [name for name in known if name not in found.inputs]
    return found


def seen(item: _core.Input, time: str, latest_us: int) -> FileSeen:
    """What is to be known of a file; of its rows only the times are read.

    Raises:
        InputError: It cannot be read, or has no such column of times.
    """
    size, modified = _stat(item.name)
    span, rows = _core.time_range(item, time, latest_us)
    first, last = span if span is not None else (None, None)
    return FileSeen(size, modified, _content(item.name), first, last, rows)


def _stat(name: str) -> tuple[int, int]:
    if _sources.is_url(name):
        return 0, 0
    try:
        stat = Path(name).stat()
    except OSError as error:
        raise StorageError(f"{name}: {error.strerror}") from error
    return stat.st_size, stat.st_mtime_ns


def _content(name: str) -> str:
    """A hash of the whole of a text file, and of the end of a Parquet file, whose footer tells it from others."""
    if _sources.is_url(name):
        return name
    digest = hashlib.sha256()
    try:
        with Path(name).open("rb") as file:
            if _core.format_of(name) == "parquet":
                size = file.seek(0, os.SEEK_END)
                digest.update(str(size).encode())
                file.seek(max(size - ENDS, 0))
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise StorageError(f"{name}: {error.strerror}") from error
    return digest.hexdigest()
