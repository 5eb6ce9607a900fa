"""A profile of data that are as logs are: a file may be torn, a column may have changed its type between two files."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftline import _core
from driftline._column import ColumnProfile
from driftline._profile import Profile
from driftline._progress import watched
from driftline.errors import InputError

__all__ = ["Readable", "read"]


@dataclass(frozen=True, slots=True)
class Readable:
    """What of the data one profile can hold."""

    profile: Profile
    inputs: tuple[_core.Input, ...]
    """The files that can be read."""
    unreadable: dict[str, str]
    """The others, and why."""
    retyped: dict[str, tuple[str, ...]]
    """Columns that are of several kinds in these files, with their types: they are no part of the profile."""


def read(inputs: Sequence[_core.Input]) -> Readable:
    """Profiles all files at once, and where that fails, one after another.

    Raises:
        InputError: None of the files can be read.
        StorageError: The disk or the network fails.
    """
    try:
        return Readable(_profile(inputs), tuple(inputs), {}, {})
    except InputError as error:
        if len(inputs) < 2:
            raise
        first = error
    profiles: list[Profile] = []
    readable: list[_core.Input] = []
    unreadable: dict[str, str] = {}
    for item in inputs:
        try:
            profiles.append(_profile([item]))
            readable.append(item)
        except InputError as error:
            unreadable[item.name] = str(error)
    if not readable:
        raise first
    types: dict[str, dict[str, str]] = {}
    for made in profiles:
        for column in made.values():
            if column.kind != "null":
                types.setdefault(column.name, {}).setdefault(_measure(column), column.type)
    retyped = {name: tuple(of.values()) for name, of in types.items() if len(of) > 1}
    columns = [name for name in dict.fromkeys(name for made in profiles for name in made) if name not in retyped]
    return Readable(_profile(readable, columns if retyped else None), tuple(readable), unreadable, retyped)


def _profile(inputs: Sequence[_core.Input], columns: Sequence[str] | None = None) -> Profile:
    options = _core.Options(columns=columns, may_lack_columns=columns is not None)
    with watched(None) as progress:
        return Profile(_core.profile_inputs(list(inputs), options, progress=progress))


def _measure(column: ColumnProfile) -> str:
    """What columns share whose profiles merge: their kind, and times their unit, whatever their zone."""
    return column.type.partition(",")[0].rstrip("]") if column.kind == "time" else column.kind
