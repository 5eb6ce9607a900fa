"""Who owns a source in a folder: a lock of the system, which it frees however the process ends."""

import json
import os
import sys
from io import FileIO

from driftline._store.files import Folder, told
from driftline._store.lease import in_use, who
from driftline._store.names import LEASE, base_of
from driftline.errors import StorageError

__all__ = ["Lock"]

LOCKED_BYTE = 1 << 30
"""Where Windows locks: what is locked there cannot be read, and the text at the beginning must be."""


class Lock:
    """A source is ours until `release`."""

    def __init__(self, files: Folder, monitor: str, writer: str) -> None:
        base = base_of(monitor, writer)
        files.make_folder(base)
        self.path = files.path(f"{base}/{LEASE}")
        try:
            self._file: FileIO | None = FileIO(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
        except OSError as error:
            raise told(self.path, error) from error
        try:
            _lock(self._file.fileno())
        except (BlockingIOError, PermissionError):
            text = self._file.read(4096) or b""
            self.release()
            raise in_use(self.path, monitor, writer, text) from None
        except OSError as error:
            self.release()
            raise StorageError(
                f"{self.path}: cannot be locked ({error.strerror}): name a home on another disk"
            ) from error
        self._tell()

    def _tell(self) -> None:
        """Writes who we are, for the message that another process gets."""
        if self._file is None:
            return
        text = json.dumps(who()).encode()
        try:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(text)
        except OSError:
            # The lock holds without it; a full disk is told by what matters.
            return

    def check(self) -> None:
        """Nothing: the system keeps the lock as long as the process lives."""

    def release(self) -> None:
        """Gives the source up."""
        if self._file is not None:
            # Closing frees the lock, and leaves that of a process which is about to open the same file alone.
            self._file.close()
            self._file = None


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
