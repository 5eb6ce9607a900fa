"""Objects in stores: S3, GCS, Azure and HTTP, through obstore."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from driftline import _core
from driftline.errors import InputError, StorageError

__all__ = ["expand", "read_bytes", "write_bytes"]

SCHEMES = frozenset(["s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl", "http", "https"])

WILD = re.compile(r"[*?\[]")


def expand(url: str) -> list[_core.Input]:
    """The objects behind a URL: one object, what a glob matches, or everything below a prefix, by name."""
    store, key = _open(url)
    root = url[: len(url) - len(key)] if key else url.rstrip("/") + "/"
    wild = WILD.search(key)
    if wild is None and key and not key.endswith("/"):
        size = _size(store, url, key)
        if size is not None:
            return [_input(store, url, unquote(key), size)]
    if urlsplit(url).scheme in ("http", "https"):
        raise InputError(f"{url}: no such object; over HTTP there are no folders and no globs: name each file")
    if wild is None:
        prefix, pattern, told = key.rstrip("/"), None, "no object, and none below it"
    else:
        prefix = key[: wild.start()].rpartition("/")[0]
        pattern, told = _pattern(key), "matches no object"
    found = sorted(
        (name, size)
        for name, size in _list(store, url, prefix)
        if _core.format_of(name) and (pattern.fullmatch(name) if pattern else _visible(name[len(prefix) :]))
    )
    if not found:
        raise InputError(f"{url}: {told} in Parquet, CSV or JSON lines")
    return [_input(store, root + name, name, size) for name, size in found]


def read_bytes(url: str) -> bytes:
    """The whole object."""
    store, key = _open(url)
    try:
        return bytes(store.get(unquote(key)).bytes())
    except Exception as error:
        raise _told(url, error) from error


def write_bytes(url: str, data: bytes) -> None:
    """Writes the whole object: all of it or nothing, as stores do."""
    store, key = _open(url)
    if not key or key.endswith("/"):
        raise ValueError(f"{url}: names no object")
    try:
        store.put(unquote(key), data)
    except Exception as error:
        raise _told(url, error) from error


def _open(url: str) -> tuple[Any, str]:
    """The store of a URL, and the key in it."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        known = ", ".join(sorted(SCHEMES))
        raise InputError(f"{url}: {parts.scheme}:// is not known; known are {known}")
    try:
        from obstore.store import HTTPStore, from_url
    except ImportError:
        raise InputError(f"{url}: reading from object stores needs: pip install 'driftline[cloud]'") from None
    base = f"{parts.scheme}://{parts.netloc}"
    try:
        if parts.scheme in ("http", "https"):
            plain = {"allow_http": parts.scheme == "http"}
            return HTTPStore.from_url(base, client_options=plain), url[len(base) :].lstrip("/")
        return from_url(base), url[len(base) :].lstrip("/")
    except Exception as error:
        raise _told(url, error) from error


def _input(store: Any, url: str, key: str, size: int) -> _core.Input:
    def read(offset: int, length: int) -> Any:
        if length == 0:
            return b""
        try:
            piece = store.get_range(key, start=offset, length=length)
        except Exception as error:
            raise _told(url, error) from error
        return piece

    return _core.remote_input(url, size, read)


def _size(store: Any, url: str, key: str) -> int | None:
    """The object's size; `None` where there is no such object."""
    try:
        return int(store.head(unquote(key))["size"])
    except FileNotFoundError:
        return None
    except Exception as error:
        if type(error).__name__ == "NotFoundError":
            return None
        raise _told(url, error) from error


def _list(store: Any, url: str, prefix: str) -> list[tuple[str, int]]:
    try:
        pages = store.list(prefix or None)
        return [(meta["path"], meta["size"]) for page in pages for meta in page]
    except Exception as error:
        raise _told(url, error) from error


def _visible(below: str) -> bool:
    """Writers keep unfinished and bookkeeping files under names that begin with a dot or an underscore."""
    return not any(part[0] in "._" and "=" not in part for part in below.split("/") if part)


def _pattern(glob: str) -> re.Pattern[str]:
    """A glob over keys: `*` and `?` stay within a folder, `**` does not."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

    def regex(piece: str) -> str:
        if piece in meaning:
            return meaning[piece]
        if piece.startswith("[") and piece.endswith("]"):
            negated = piece[1] == "!"
            inner = piece[2 if negated else 1 : -1].replace("\\", "\\\\").replace("[", "\\[")
            return f"[{'^' if negated else ''}{inner}]"
        return re.escape(piece)

    try:
        return re.compile("".join(map(regex, pieces)))
    except re.error as error:
        raise ValueError(f"{glob}: not a pattern: {error}") from None


def _told(url: str, error: Exception) -> Exception:
    """A store's error in our words."""
    if isinstance(error, InputError | StorageError):
        return error
    # The rest of these messages are traces of requests.
    first = str(error).strip().partition("\n")[0].rstrip(".")
    match type(error).__name__:
        case "NotFoundError" | "FileNotFoundError":
            return InputError(f"{url}: no such object")
        case "PermissionDeniedError" | "UnauthenticatedError":
            return InputError(f"{url}: permission denied by the store: check the credentials in the environment")
        case "InvalidPathError" | "UnknownConfigurationKeyError" | "ValueError":
            return InputError(f"{url}: {first}")
        case _:
            return StorageError(f"{url}: {first}")
