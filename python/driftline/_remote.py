"""Objects in stores: S3, GCS, Azure and HTTP, through obstore."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from driftline import _core
from driftline.errors import InputError, StorageError

__all__ = ["expand", "input_of", "is_missing", "open_store", "read_bytes", "told", "write_bytes"]

SCHEMES = frozenset(["s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl", "http", "https"])

WILD = re.compile(r"[*?\[]")

MISSING = frozenset(["FileNotFoundError", "NotFoundError"])

DENIED = "permission denied by the store: check the credentials in the environment"

REFUSED = re.compile(r"status code: 40[13]\b")

NO_BUCKET = re.compile(r"<Code>(NoSuchBucket|ContainerNotFound)</Code>|The specified bucket does not exist")
"""What S3, Azure and GCS say; where there is no bucket there is no object either, and the errors are the same."""


def expand(url: str) -> list[_core.Input]:
    """The objects behind a URL: one object, what a glob matches, or everything below a prefix, by name."""
    store, key = open_store(url)
    root = url[: len(url) - len(key)] if key else url.rstrip("/") + "/"
    wild = WILD.search(key)
    if wild is None and key and not key.endswith("/"):
        size = _size(store, url, key)
        if size is not None:
            return [input_of(store, url, unquote(key), size)]
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
    return [input_of(store, root + name, name, size) for name, size in found]


def read_bytes(url: str) -> bytes:
    """The whole object."""
    store, key = open_store(url)
    try:
        return bytes(store.get(unquote(key)).bytes())
    except Exception as error:
        raise told(url, error) from error


def write_bytes(url: str, data: bytes) -> None:
    """Writes the whole object: all of it or nothing, as stores do."""
    store, key = open_store(url)
    if not key or key.endswith("/"):
        raise ValueError(f"{url}: names no object")
    try:
        store.put(unquote(key), data)
    except Exception as error:
        raise told(url, error) from error


def open_store(url: str, **options: Any) -> tuple[Any, str]:
    """The store of a URL, and the key in it, as the URL writes it; options are obstore's."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        known = ", ".join(sorted(SCHEMES))
        raise InputError(f"{url}: {parts.scheme}:// is not known; known are {known}")
    if not parts.netloc:
        raise InputError(f"{url}: names no bucket: write for example {parts.scheme}://bucket/folder")
    try:
        from obstore.store import HTTPStore, from_url
    except ImportError:
        raise InputError(f"{url}: object stores need: pip install 'driftline[cloud]'") from None
    base = f"{parts.scheme}://{parts.netloc}"
    try:
        if parts.scheme in ("http", "https"):
            plain = {"allow_http": parts.scheme == "http"}
            return HTTPStore.from_url(base, client_options=plain), url[len(base) :].lstrip("/")
        return from_url(base, **options), url[len(base) :].lstrip("/")
    except Exception as error:
        # Nothing was asked of the store yet, so it is what the environment or the URL says.
        raise InputError(f"{url}: {_first_line(error)}") from error


def input_of(store: Any, url: str, key: str, size: int, *, e_tag: str | None = None) -> _core.Input:
    """An object for the engine to read, piece by piece; with a tag, only as long as it is the same."""
    same = {} if e_tag is None else {"if_match": e_tag}

    def read(offset: int, length: int) -> Any:
        if length == 0:
            return b""
        try:
            return store.get(key, options={"range": (offset, offset + length), **same}).bytes()
        except Exception as error:
            if type(error).__name__ == "PreconditionError":
                raise StorageError(f"{url}: was replaced while it was read: read again") from error
            raise told(url, error) from error

    return _core.remote_input(url, size, read)


def _size(store: Any, url: str, key: str) -> int | None:
    """The object's size; `None` where there is no such object."""
    try:
        return int(store.head(unquote(key))["size"])
    except Exception as error:
        if is_missing(error):
            return None
        raise told(url, error) from error


def _list(store: Any, url: str, prefix: str) -> list[tuple[str, int]]:
    try:
        pages = store.list(prefix or None)
        return [(meta["path"], meta["size"]) for page in pages for meta in page]
    except Exception as error:
        raise told(url, error) from error


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


def is_missing(error: Exception) -> bool:
    """Whether it says that there is no such object, in a bucket that is there."""
    return type(error).__name__ in MISSING and NO_BUCKET.search(str(error)) is None


def _first_line(error: Exception) -> str:
    """What an error says; the rest are traces of requests."""
    return str(error).strip().partition("\n")[0].rstrip(".")


def told(url: str, error: Exception) -> Exception:
    """A store's error in our words."""
    if isinstance(error, InputError | StorageError):
        return error
    first = _first_line(error)
    if NO_BUCKET.search(str(error)):
        return InputError(f"{url}: there is no such bucket: make it first, or name another")
    if type(error).__name__ in MISSING:
        return InputError(f"{url}: no such object")
    match type(error).__name__:
        case "PermissionDeniedError" | "UnauthenticatedError":
            return InputError(f"{url}: {DENIED}")
        case "GenericError" if REFUSED.search(first):
            # Listing tells it only in words.
            return InputError(f"{url}: {DENIED}")
        case "InvalidPathError" | "UnknownConfigurationKeyError" | "ValueError":
            return InputError(f"{url}: {first}")
        case _:
            return StorageError(f"{url}: {first}")
