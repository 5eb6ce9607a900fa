"""How a bucket of an object store does what a store needs of files.

An object is put as a whole or not at all, and whoever reads or lists after that sees it: S3, GCS and Azure promise it.
There are no folders to make, and nothing has to be synced.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from driftline import _core, _remote
from driftline._store.files import Data, Version
from driftline.errors import InputError, StorageError

__all__ = ["Bucket"]

RETRY: Final = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=15),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}
"""A request ends well within the time that a lease has left when it begins, or a deletion might come too late."""

NOTHING_IS_LOST: Final = "run again; nothing is lost"


class Bucket:
    """A prefix in a bucket."""

    is_locked = False

    def __init__(self, root: str) -> None:
        if urlsplit(root).scheme in ("http", "https"):
            raise InputError(f"{root}: nothing can be kept over HTTP: name a folder, or a bucket such as s3://bucket")
        self._store, key = _remote.open_store(root, retry_config=RETRY)
        self._prefix = unquote(key)
        # As the object is called, which is what other readers ask for.
        self.root = root.removesuffix(key) + self._prefix

    def path(self, name: str) -> str:
        """What messages call an object."""
        return f"{self.root}/{name}" if name else self.root

    def listed(self, below: str = "") -> dict[str, int]:
        """Names and sizes of all objects below a name."""
        prefix = self._key(below)
        try:
            found = [(meta["path"], meta["size"]) for page in self._store.list(prefix) for meta in page]
        except Exception as error:
            raise _remote.told(self.path(below), error) from error
        return {key[len(self._prefix) + 1 :]: size for key, size in found}

    def read(self, name: str, *, most_bytes: int = -1) -> bytes | None:
        """An object, or its first bytes; `None` where it is not there."""
        try:
            got = self._store.get(self._key(name), options={"range": (0, most_bytes)} if most_bytes > 0 else None)
            return bytes(got.bytes())
        except Exception as error:
            if "416" in str(error).partition("\n")[0] and most_bytes > 0:
                # An empty object has no first bytes.
                return self.read(name)
            self._unless_missing(name, error)
            return None

    def write(self, name: str, data: Data) -> None:
        """Puts an object, all of it or nothing."""
        self._put(name, data, "overwrite")

    def add(self, name: str, data: Data) -> None:
        """Puts an object that is not there: one that is comes from a process which has lost its lease since.

        Raises:
            StorageError: It is there, or the network fails.
        """
        try:
            self._put(name, data, "create")
        except FileExistsError:
            raise StorageError(f"{self.path(name)}: another process has begun to write it: {NOTHING_IS_LOST}") from None

    def version(self, name: str) -> Version | None:
        """Which content an object has now; `None` where it is not there."""
        try:
            return _version(self._store.head(self._key(name)))
        except Exception as error:
            self._unless_missing(name, error)
            return None

    def replace(self, name: str, data: Data, seen: Version | None) -> Version | None:
        """Puts an object in place of the version that was seen, or where none was.

        Raises:
            FileExistsError: Another version is there.
            StorageError: The network fails.
        """
        return self._put(name, data, "create" if seen is None else seen)

    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects; those that are gone already do not matter."""
        for name in names:
            try:
                self._store.delete(self._key(name))
            except Exception as error:
                self._unless_missing(name, error)

    def inputs(self, names: Iterable[str]) -> list[_core.Input]:
        """Objects for the engine to read."""
        return [self._input(name) for name in names]

    def _input(self, name: str) -> _core.Input:
        key = self._key(name)
        try:
            meta = self._store.head(key)
        except Exception as error:
            raise _remote.told(self.path(name), error) from error
        return _remote.input_of(self._store, self.path(name), key, meta["size"], e_tag=meta["e_tag"])

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}".strip("/")

    def _put(self, name: str, data: Data, mode: Any) -> Version:
        try:
            return _version(self._store.put(self._key(name), bytes(data), mode=mode))
        except Exception as error:
            match type(error).__name__:
                case "AlreadyExistsError" | "PreconditionError":
                    raise FileExistsError(self.path(name)) from None
                case "NotImplementedError" | "NotSupportedError":
                    raise InputError(
                        f"{self.path(name)}: this store cannot put an object on condition that it is new or unchanged, "
                        "which keeps two processes apart: name another home"
                    ) from error
            told = _remote.told(self.path(name), error)
            if isinstance(told, StorageError):
                told = StorageError(f"{told}: {NOTHING_IS_LOST}")
            raise told from error

    def _unless_missing(self, name: str, error: Exception) -> None:
        """Raises an error in our words, unless it is that there is no such object in the bucket."""
        if not _remote.is_missing(error):
            raise _remote.told(self.path(name), error) from error


def _version(meta: Any) -> Version:
    return {key: meta[key] for key in ("e_tag", "version") if meta[key] is not None}
