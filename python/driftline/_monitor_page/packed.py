"""Histories as few characters: rounded, in planes of bytes, deflated, in base64.

The script knows the layout. A header in JSON stands first, ended by a zero byte; then, for each measure, the low bytes
of all series after each other, and the high bytes. High bytes hardly change, so deflate takes them for nothing.
"""

import json
import math
import sys
import zlib
from array import array
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any, Final

from driftline._monitor_page.history import DRIFT, Series

__all__ = ["Binned", "binned", "packed"]

ABSENT: Final = 0xFFFF
"""What stands for no number."""

SHARES: Final = 1_000
"""Shares are kept to the 0.1 % that pages show."""

FINE_SHARES: Final = 20_000
"""Where the tolerance is so small that this is no part of it."""

SMALL: Final = 0.01
"""Such a tolerance."""

EVIDENCE: Final = 10
"""Evidence is kept to a tenth of a power of ten."""

LOWEST: Final = 1_000
"""What is added to evidence so that it is positive: below 10^-100 it is nothing."""

Values = Sequence[float]
Binned = tuple[Values, Values, Values, Values, Values, bytes]
"""Effect, bound, missing share, evidence of both detectors and flags, a bin each."""


def binned(series: Series, width: int) -> Binned:
    """A series in bins of so many windows, each the window in which most moved, with the most of the rest.

    What is worst is kept, so no binning hides it.
    """
    if width == 1:
        same = (series.effect, series.bound, series.missing, series.fast, series.strict)
        return (*same, bytes(series.flags))
    parts = [range(i, min(i + width, len(series.flags))) for i in range(0, len(series.flags), width)]
    # NaN is less than all.
    worst = [max(part, key=lambda i: _least(series.effect[i])) for part in parts]
    rest = [
        [_most(values[i] for i in part) for part in parts] for values in (series.missing, series.fast, series.strict)
    ]
    flags = bytes(_flags(series.flags, part, one) for part, one in zip(parts, worst, strict=True))
    return [series.effect[i] for i in worst], [series.bound[i] for i in worst], rest[0], rest[1], rest[2], flags


def packed(header: dict[str, Any], series: Sequence[Binned], *, tolerance: float) -> str:
    """Base64 of the deflated header and measures."""
    shares = FINE_SHARES if tolerance < SMALL else SHARES
    header = {**header, "shares": shares, "evidence": EVIDENCE, "lowest": LOWEST}
    effect, bound, missing = ([_wholes(one[i], shares, 0) for one in series] for i in range(3))
    # What is between effect and bound depends on little but the rows.
    gap = [
        [b - a if a != ABSENT else ABSENT for a, b in zip(*pair, strict=True)]
        for pair in zip(effect, bound, strict=True)
    ]
    evidence = [[_wholes(one[i], EVIDENCE, LOWEST) for one in series] for i in (3, 4)]
    parts = [json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), b"\0"]
    low, high = (0, 1) if sys.byteorder == "little" else (1, 0)
    for measure in (effect, gap, missing, *evidence):
        both = array("H", [whole for one in measure for whole in one]).tobytes()
        parts += [both[low::2], both[high::2]]
    parts += [one[5] for one in series]
    return b64encode(zlib.compress(b"".join(parts), 9)).decode()


def _wholes(values: Values, scale: int, least: int) -> list[int]:
    # A number is equal to itself, NaN is not.
    return [min(max(round(value * scale) + least, 0), ABSENT - 1) if value == value else ABSENT for value in values]


def _least(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def _most(values: Iterable[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _flags(flags: bytearray, part: range, worst: int) -> int:
    """Status of the worst window, or of any where that has none, and what is true of any."""
    either = 0
    for i in part:
        either |= flags[i] & ~(DRIFT - 1)
    status = flags[worst] & (DRIFT - 1)
    return either | (status or max(flags[i] & (DRIFT - 1) for i in part))
