"""Which files a store has, and what their names say.

`<monitor>/<writer>/<table>/L<level>-<first commit>-<last commit>.parquet`, beside the writer's `checkpoint` and
`lease`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

__all__ = [
    "CHECKPOINT",
    "LAYOUT",
    "LEASE",
    "TABLES",
    "VERSION",
    "Part",
    "base_of",
    "counting",
    "folder_of",
    "known_of",
    "parts_of",
]

TABLES = ("profiles", "results", "alarms")

VERSION = 1
"""Of the layout. A reader refuses a newer one."""

LAYOUT = "layout.json"
CHECKPOINT = "checkpoint"
LEASE = "lease"

MONITOR = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
PART = re.compile(r"L(\d+)-(\d+)-(\d+)\.parquet")

LONGEST_FOLDER = 120
"""Characters of a writer's folder. File systems allow 255 bytes, and some whole paths of 260 characters."""

KEPT_OF_LONG = 80
"""Characters that a longer one begins with, for people; a hash follows."""


class Part(NamedTuple):
    """A file of a table: the commits whose rows are in it."""

    first: int
    last: int
    level: int

    @property
    def name(self) -> str:
        """The file's name, in which numbers sort as text."""
        return f"L{self.level}-{self.first:010}-{self.last:010}.parquet"

    def covers(self, other: "Part") -> bool:
        """Whether all rows of another part are in this one."""
        return self != other and self.first <= other.first and other.last <= self.last and self.level >= other.level


def check_monitor(monitor: str) -> str:
    """The name, if it can be that of a monitor."""
    if not isinstance(monitor, str) or not MONITOR.fullmatch(monitor):
        raise ValueError(f"monitor is {monitor!r}: its name is letters, digits, _ - and . (not the first), at most 100")
    return monitor


def folder_of(writer: str) -> str:
    """A writer's folder: its name, percent-encoded, and cut short with a hash where it is long."""
    from urllib.parse import quote

    if not isinstance(writer, str) or not writer:
        raise ValueError(f"writer is {writer!r}: it takes the name of the source, not empty")
    try:
        encoded = quote(writer, safe="").replace("~", "%7E")
    except UnicodeEncodeError:
        raise ValueError(f"writer is {writer!a}: the name is not UTF-8") from None
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) <= LONGEST_FOLDER:
        return encoded
    from hashlib import sha256

    # No other name has a tilde in its folder.
    return f"{encoded[:KEPT_OF_LONG]}~{sha256(writer.encode()).hexdigest()[:32]}"


def base_of(monitor: str, writer: str) -> str:
    """The folder of a source."""
    return f"{check_monitor(monitor)}/{folder_of(writer)}"


def part_of(name: str) -> Part | None:
    """The part that a file's name tells; `None` of other names."""
    match = PART.fullmatch(name)
    if match is None:
        return None
    level, first, last = map(int, match.groups())
    part = Part(first, last, level)
    return part if part.name == name and 1 <= first <= last else None


def parts_of(listed: Iterable[str], base: str) -> dict[str, list[Part]]:
    """Parts of each table of a source, in the order of their commits."""
    parts: dict[str, list[Part]] = {table: [] for table in TABLES}
    for name in listed:
        if not name.startswith(f"{base}/"):
            continue
        table, _, last = name[len(base) + 1 :].partition("/")
        part = part_of(last)
        if table in parts and part is not None:
            parts[table].append(part)
    return {table: sorted(found) for table, found in parts.items()}


def counting(parts: Iterable[Part]) -> list[Part]:
    """Parts that no larger one covers, in order: what is read."""
    kept: list[Part] = []
    for part in sorted(parts, key=lambda part: (part.first, -part.last, -part.level)):
        # Those before it begin no later, so the one that reaches furthest decides.
        if not any(other.covers(part) for other in kept[-1:]):
            kept.append(part)
    return kept


def known_of(parts: Iterable[Part], known: Sequence[Part]) -> list[Part]:
    """Parts whose rows were committed, given those that the checkpoint tells, which may have been merged since.

    Others come from a process which wrote them after it had lost its lease.
    """
    return [part for part in parts if any(part == one or part.covers(one) or one.covers(part) for one in known)]


def names_of(base: str, parts: Mapping[str, Iterable[Part]]) -> list[str]:
    """The files of parts."""
    return [f"{base}/{table}/{part.name}" for table, found in parts.items() for part in found]
