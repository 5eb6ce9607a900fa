"""The one file that says up to which commit a source's files count, and holds the monitor's state.

Two lines and the state: `driftline-checkpoint` with the checksum of the second line; JSON; bytes that are the monitor's
business. By the first checksum, which all versions have in this place, damage is told from a newer version.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple, SupportsBytes

from driftline import _core
from driftline._store.files import Files
from driftline._store.names import CHECKPOINT, TABLES, VERSION, Part
from driftline.errors import InputError

__all__ = ["Head", "encode", "read_head", "read_state"]

MAGIC = b"driftline-checkpoint"

HEAD_BYTES = 1 << 16
"""Enough for the two lines of most; the state behind them can be large."""


class Head(NamedTuple):
    """What a checkpoint says of itself."""

    monitor: str
    writer: str
    commit: int
    parts: dict[str, list[Part]]
    size_bytes: int
    blake3: str
    mark: str
    """Of the process that wrote it, where a lease can run out; empty where a lock keeps others away."""

    @property
    def owner(self) -> tuple[str, str]:
        """Whose it is."""
        return self.monitor, self.writer


def encode(
    monitor: str, writer: str, commit: int, parts: Mapping[str, list[Part]], state: SupportsBytes, *, mark: str = ""
) -> _core.Encoded:
    """The bytes of a checkpoint."""
    encoded = state if isinstance(state, _core.Encoded) else _core.Encoded(bytes(state))
    told = {
        "version": VERSION,
        "monitor": monitor,
        "writer": writer,
        "commit": commit,
        "parts": parts,
        "size_bytes": len(encoded),
        "blake3": encoded.blake3(),
        **({"mark": mark} if mark else {}),
    }
    line = json.dumps(told, separators=(",", ":")).encode()
    return encoded.after(b"%s %s\n%s\n" % (MAGIC, sha256(line).hexdigest().encode(), line))


def read_head(files: Files, base: str) -> Head | None:
    """What a checkpoint says of itself, without its state; `None` where there is none.

    Raises:
        InputError: It is damaged, or of a newer version.
    """
    name = f"{base}/{CHECKPOINT}"
    data = files.read(name, most_bytes=HEAD_BYTES)
    if data is not None and len(data) == HEAD_BYTES and data.count(b"\n") < 2:
        data = files.read(name)
    return None if data is None else _decoded(files.path(name), data)[0]


def read_state(files: Files, base: str) -> tuple[Head, bytes] | None:
    """A whole checkpoint, checked; `None` where there is none.

    Raises:
        InputError: It is damaged, or of a newer version.
    """
    name = f"{base}/{CHECKPOINT}"
    data = files.read(name)
    if data is None:
        return None
    head, start = _decoded(files.path(name), data)
    state = data[start:]
    if len(state) != head.size_bytes:
        raise _damaged(files.path(name), f"its state has {len(state)} bytes of {head.size_bytes}")
    if _core.Encoded(state).blake3() != head.blake3:
        raise _damaged(files.path(name), "the checksum of its state is another")
    return head, state


def _decoded(path: str, data: bytes) -> tuple[Head, int]:
    first, _, rest = data.partition(b"\n")
    line, end, _ = rest.partition(b"\n")
    if first != b"%s %s" % (MAGIC, sha256(line).hexdigest().encode()) or not end:
        raise _damaged(path, "the checksum of its head is another")
    try:
        told = json.loads(line)
        version = told["version"]
        if version > VERSION:
            raise InputError(
                f"{path}: is a checkpoint of version {version}, this driftline reads up to {VERSION}: update driftline"
            )
        if "blake3" not in told:
            todo = "name the monitor anew, so that it reads its data again"
            raise InputError(f"{path}: is a checkpoint of an earlier driftline: {todo}")
        parts = {table: [Part(*part) for part in told["parts"][table]] for table in TABLES}
        head = Head(
            told["monitor"],
            told["writer"],
            told["commit"],
            parts,
            told["size_bytes"],
            told["blake3"],
            told.get("mark", ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _damaged(path, "its head is not what a checkpoint says") from None
    return head, len(first) + len(line) + 2


def _damaged(path: str, why: str) -> InputError:
    return InputError(
        f"{path}: is damaged: {why}; restore the source's folder from a backup, or move it away to begin anew"
    )
