"""A text file whose writer is in the midst of a line."""

import os
import pathlib

from driftline import _core
from driftline._sources import is_url

__all__ = ["without_torn_line"]

BLOCK: int = 1 << 16
"""Bytes that are looked through at once, from the end."""


def without_torn_line(item: _core.Input) -> tuple[_core.Input, int] | None:
    """The file up to its last line that ends, with its bytes.

    `None` where all lines end, none does, or it is no plain text.
    """
    name = item.name
    if is_url(name) or _core.format_of(name) == "parquet" or name.endswith((".gz", ".zst")):
        return None
    path = pathlib.Path(name)
    with path.open("rb") as file:
        end = size = file.seek(0, os.SEEK_END)
        found = -1
        while end and found < 0:
            begin = max(0, end - BLOCK)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            end = begin
    whole = end + found + 1
    if found < 0 or whole == size:
        return None

    def read(offset: int, length: int) -> bytes:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    return _core.remote_input(name, whole, read), whole
