"""Shares as people write them, `2%` or `0.02`: the one reader of files, options and arguments."""

import re
from contextlib import suppress
from typing import Final, SupportsFloat

__all__ = ["NUMBER", "SHARE_PATTERN", "read_share"]

NUMBER: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
SHARE_PATTERN: Final = rf"({NUMBER}) *(%?)"


def read_share(value: object) -> float:
    """Reads `2%`, `0.02`, or a number; whoever asks says which shares are in range.

    Raises:
        ValueError: It is no share, and why is for whoever asks to say.
    """
    if isinstance(value, str):
        matched = re.fullmatch(SHARE_PATTERN, value)
        if matched is not None:
            return float(matched[1]) / (100 if matched[2] else 1)
    # True is a number to `float`, and a mistake here.
    elif isinstance(value, SupportsFloat) and not isinstance(value, bool):
        with suppress(TypeError, ValueError, OverflowError):
            return float(value)
    raise ValueError("no share")
