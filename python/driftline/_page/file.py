"""Pages as files."""

import os
import pathlib
from typing import Final

from driftline import _core, _sources
from driftline.errors import InputError

__all__ = ["check_place", "write_page"]

BEGIN: Final = b"<!doctype html>"
"""What a page begins with, so that nothing else is overwritten by one."""


def check_place(path: str | os.PathLike[str]) -> str:
    """The name of the file, if a page can be there: nothing else than a page is replaced.

    Raises:
        ValueError: The path names no file, or something else than a page is there.
        InputError: It cannot be told what is there.
    """
    name = os.fspath(path)
    if not name:
        raise ValueError("the report has no name: give one, such as report.html")
    if name == "-":
        raise ValueError("a report is written to a file, not to standard output: name one, such as report.html")
    if _sources.is_url(name):
        raise ValueError(f"{name}: is a URL: a report is written to a file")
    there = pathlib.Path(name)
    try:
        if there.is_dir():
            raise ValueError(f"{name}: is a folder: name a file in it")
        if there.exists() and not (there.is_file() and _is_page(there)):
            raise ValueError(f"{name}: is there and is no page: remove it or choose another name")
    except OSError as error:
        raise InputError(f"{name}: {(error.strerror or type(error).__name__).lower()}") from None
    return name


def write_page(name: str, page: str) -> None:
    """Writes a page, as a whole or not at all.

    Raises:
        InputError: There is no such folder, or it is not writable.
        StorageError: The disk is full or fails.
    """
    _core.write_file(name, page.encode())


def _is_page(path: pathlib.Path) -> bool:
    """Whether a file is a page, or empty as one made for a page to come."""
    with path.open("rb") as file:
        begin = file.read(len(BEGIN)).lower()
    return begin in (b"", BEGIN)
