"""The few operations on files that a store needs, and how a folder does them."""

import errno
import os
import pathlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from driftline import _core
from driftline.errors import DriftlineError, InputError, StorageError

__all__ = ["Data", "Files", "Folder", "Version", "is_half", "told"]

ENDING_OF_HALVES = ".part"


def is_half(name: str) -> bool:
    """Whether this is a file that was not written to its end."""
    last = name.rpartition("/")[2]
    return last.startswith(".") and last.endswith(ENDING_OF_HALVES)


Data = bytes | _core.Encoded
"""What a file is to hold."""

Version = dict[str, str]
"""By what a store tells one content of an object from all others."""


class Files(Protocol):
    """A folder or a bucket; names are relative to it, with `/` between their parts."""

    root: str
    is_locked: bool
    """Whether who owns a source is sure of it until the end, by a lock of the system.

    Who has only a lease, which can run out, replaces a checkpoint on condition that it is the one that was seen last.
    """

    def path(self, name: str) -> str:
        """What messages call a file."""

    def listed(self, below: str = "") -> dict[str, int]:
        """Names and sizes of all files at or below a name; none where nothing is.

        What was there all the while is listed, whatever others write and delete meanwhile.
        """

    def read(self, name: str, *, most_bytes: int = -1) -> bytes | None:
        """A file, or its first bytes; `None` where it is not there."""

    def write(self, name: str, data: Data) -> None:
        """Writes a file, all of it or nothing, so that it stays."""

    def add(self, name: str, data: Data) -> None:
        """Writes a file that nobody but the owner of a source writes, and that is not there yet."""

    def version(self, name: str) -> Version | None:
        """Which content a file has now; `None` where it is not there, and where a lock makes it needless to know."""

    def replace(self, name: str, data: Data, seen: Version | None) -> Version | None:
        """Writes a file in place of the version that was seen, and tells the new one."""

    def delete(self, names: Iterable[str]) -> None:
        """Deletes files; those that are gone already do not matter."""

    def inputs(self, names: Iterable[str]) -> list[_core.Input]:
        """Files for the engine to read."""


class Folder:
    """A folder on a disk."""

    is_locked = True

    def __init__(self, root: str) -> None:
        self.root = root

    def path(self, name: str) -> str:
        """What messages call a file."""
        return str(pathlib.Path(self.root, *name.split("/"))) if name else self.root

    def listed(self, below: str = "") -> dict[str, int]:
        """Names and sizes of all files at or below a name."""
        found: dict[str, int] = {}
        folders = [below]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.path(folder)) as entries:
                    for entry in entries:
                        name = f"{folder}/{entry.name}" if folder else entry.name
                        if entry.is_dir():
                            folders.append(name)
                        else:
                            with suppress(FileNotFoundError):
                                found[name] = entry.stat().st_size
            except FileNotFoundError:
                continue
            except OSError as error:
                raise told(self.path(folder), error) from error
        return found

    def read(self, name: str, *, most_bytes: int = -1) -> bytes | None:
        """A file, or its first bytes; `None` where it is not there."""
        try:
            with pathlib.Path(self.path(name)).open("rb") as file:
                return file.read(most_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise told(self.path(name), error) from error

    def write(self, name: str, data: Data) -> None:
        """Writes a file, all of it or nothing, so that it is there after a loss of power too."""
        path = pathlib.Path(self.path(name))
        self.make_folder(name.rpartition("/")[0])
        try:
            _core.write_file(str(path), data)
        except DriftlineError as error:
            advice = "make room" if isinstance(error, StorageError) else "the home must be a folder that may be written"
            raise type(error)(f"{error}: {advice}, and run again; nothing is lost") from error
        self._sync(path.parent)

    def add(self, name: str, data: Data) -> None:
        """Writes a file; the lock sees to it that nobody else does."""
        self.write(name, data)

    def version(self, name: str) -> None:
        """Nothing: the lock sees to it that a file is the one that was seen."""

    def replace(self, name: str, data: Data, seen: Version | None) -> None:
        """Writes a file in place of another."""
        self.write(name, data)

    def make_folder(self, name: str) -> None:
        """Makes a folder with all above it."""
        path = pathlib.Path(self.path(name))
        new = []
        while not path.is_dir():
            new.append(path)
            if path.parent == path:
                break
            path = path.parent
        for folder in reversed(new):
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise told(str(folder), error) from error
            self._sync(folder.parent)

    def delete(self, names: Iterable[str]) -> None:
        """Deletes files; those that are gone already do not matter."""
        for name in names:
            try:
                pathlib.Path(self.path(name)).unlink(missing_ok=True)
            except OSError as error:
                raise told(self.path(name), error) from error

    def inputs(self, names: Iterable[str]) -> list[_core.Input]:
        """Files for the engine to read."""
        return _core.expand_paths([self.path(name) for name in names])

    def _sync(self, folder: pathlib.Path) -> None:
        """Makes a folder's names as durable as its files. Windows has no such call."""
        if os.name == "nt":
            return
        try:
            opened = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
        except OSError as error:
            # Some network file systems cannot do this, and need not.
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
                raise told(str(folder), error) from error


def told(path: str, error: OSError) -> DriftlineError:
    """The system's error in our words."""
    match error.errno:
        case errno.ENOTDIR | errno.EEXIST:
            return InputError(f"{path}: a file is where a folder must be: name another home, or move the file away")
        case errno.EACCES | errno.EPERM:
            return InputError(f"{path}: permission denied: the home must be a folder that may be read and written")
        case errno.ENAMETOOLONG:
            return InputError(f"{path}: the name is too long for this disk: name a home with a shorter path")
        case errno.ENOSPC | errno.EDQUOT:
            return StorageError(f"{path}: {error.strerror}: make room, and run again; nothing is lost")
        case _:
            return StorageError(f"{path}: {error.strerror or error}")
