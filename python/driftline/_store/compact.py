"""Which files become one, so that few are left: sixteen of a level become one of the next.

So each row is written about once a level, and a table of n commits has at most sixteen files a level, of which there
are log n to base 16, beside those that are large enough to stay.
"""

from collections.abc import Iterable
from itertools import groupby

from driftline._store.names import Part

__all__ = ["merged", "runs"]

FAN = 16

FULL_BYTES = 32 << 20
"""A file so large stays as it is."""

MERGED_BYTES = 64 << 20
"""Files that become one have at most this many bytes together: they pass through memory."""


def runs(parts: Iterable[tuple[Part, int]]) -> list[list[Part]]:
    """Neighbours to merge, given all parts of a table that count, in order, with their sizes.

    Only neighbours: what a part covers is in it.
    """
    found = []
    for (_, full), group in groupby(parts, key=lambda sized: (sized[0].level, sized[1] >= FULL_BYTES)):
        run = list(group)
        if not full and len(run) >= FAN:
            found += _pieces(run)
    return found


def _pieces(run: list[tuple[Part, int]]) -> list[list[Part]]:
    pieces: list[list[Part]] = [[]]
    size = 0
    for part, part_bytes in run:
        if pieces[-1] and size + part_bytes > MERGED_BYTES:
            pieces.append([])
            size = 0
        pieces[-1].append(part)
        size += part_bytes
    return [piece for piece in pieces if len(piece) > 1]


def merged(run: list[Part]) -> Part:
    """The part that a run becomes."""
    return Part(run[0].first, run[-1].last, max(part.level for part in run) + 1)
