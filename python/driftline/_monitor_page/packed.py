"""Histories as few characters: rounded, in planes of bytes, deflated, in base64.

The script knows the layout. A header in JSON stands first, ended by a zero byte; then, for each measure, the low bytes
of all series after each other, and the high bytes. High bytes hardly change, so deflate takes them for nothing.
"""

import json
import math
import zlib
from array import array
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from driftline._monitor_page.history import DRIFT, Series

__all__ = ["Binned", "binned", "packed"]

ABSENT: Final = 0xFFFF
"""What stands for no number."""

SHARES: Final = 10_000
"""Shares are kept to 0.01 %: pages show 0.1 %."""

EVIDENCE: Final = 10
"""Evidence is kept to a tenth of a power of ten."""

LOWEST: Final = 1_000
"""What is added to evidence so that it is positive: below 10^-100 it is nothing."""

Binned = tuple[list[float], list[float], list[float], list[float], list[float], bytes]
"""Effect, bound, missing share, evidence of both detectors and flags, a bin each."""


def binned(series: Series, width: int) -> Binned:
    """A series in bins of so many windows, each the window in which most moved, with the most of the rest.

    What is worst is kept, so no binning hides it.
    """
    parts = [range(i, min(i + width, len(series.flags))) for i in range(0, len(series.flags), width)]
    # NaN is less than all.
    worst = [max(part, key=lambda i: _least(series.effect[i])) for part in parts]
    rest = [
        [_most(values[i] for i in part) for part in parts] for values in (series.missing, series.fast, series.strict)
    ]
    flags = bytes(_flags(series.flags, part, one) for part, one in zip(parts, worst, strict=True))
    return [series.effect[i] for i in worst], [series.bound[i] for i in worst], rest[0], rest[1], rest[2], flags


def packed(header: dict[str, Any], series: Sequence[Binned]) -> str:
    """Base64 of the deflated header and measures."""
    share, evidence = _wholes(SHARES, 0), _wholes(EVIDENCE, LOWEST)
    measures: list[Iterable[int]] = [
        (whole for one in series for whole in map(share, one[0])),
        # What is between effect and bound depends on little but the rows.
        (whole for one in series for whole in map(share, (b - a for a, b in zip(one[0], one[1], strict=True)))),
        (whole for one in series for whole in map(share, one[2])),
        (whole for one in series for whole in map(evidence, one[3])),
        (whole for one in series for whole in map(evidence, one[4])),
    ]
    parts = [json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), b"\0"]
    for measure in measures:
        both = array("H", measure).tobytes()
        low, high = (0, 1) if array("H", [1]).tobytes()[0] else (1, 0)
        parts += [both[low::2], both[high::2]]
    parts += [one[5] for one in series]
    return b64encode(zlib.compress(b"".join(parts), 9)).decode()


def _wholes(scale: int, least: int) -> Callable[[float], int]:
    def whole(value: float) -> int:
        if math.isnan(value):
            return ABSENT
        return round(min(max(value * scale + least, 0.0), ABSENT - 1.0))

    return whole


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
