"""One process at a time owns a source."""

import json
import os
from datetime import UTC, datetime
from typing import Any, Protocol

from driftline._store.files import Files, Folder
from driftline.errors import StorageError

__all__ = ["Lease", "holder", "in_use", "take", "who"]


class Lease(Protocol):
    """A source is ours until `release`."""

    def check(self) -> None:
        """Makes sure of it.

        Raises:
            StorageError: Another process has the source, or the network fails.
        """

    def release(self) -> None:
        """Gives the source up."""


def take(files: Files, monitor: str, writer: str) -> Lease:
    """Takes a source for this process.

    Raises:
        InputError: The home cannot be used.
        StorageError: Another process has the source, or the disk or the network fails.
    """
    if isinstance(files, Folder):
        from driftline._store.lock import Lock

        return Lock(files, monitor, writer)
    from driftline._store.timed_lease import TimedLease

    return TimedLease(files, monitor, writer)


def who() -> dict[str, Any]:
    """Who we are, for the message that another process gets."""
    import socket

    return {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def in_use(path: str, monitor: str, writer: str, text: bytes, advice: str = "") -> StorageError:
    """The error that says who has a source."""
    return StorageError(
        f"{path}: source {writer!r} of monitor {monitor!r} is in use by {holder(text)}: "
        f"wait until that has ended, or stop it{advice}"
    )


def holder(text: bytes) -> str:
    """Who a lease says has the source."""
    try:
        told = json.loads(text)
        return f"process {told['pid']} on {told['host']} since {told['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
