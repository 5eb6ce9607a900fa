"""How long a window lasts: long enough for rows, short enough for windows."""

from dataclasses import dataclass
from typing import Final

from driftline._format import count, counted

__all__ = ["WINDOWS", "WindowChoice", "choose_window"]

WINDOWS: Final[dict[str, int]] = {"1 hour": 3600, "1 day": 86_400, "1 week": 604_800, "1 month": 2_629_746}
"""Windows that people think in, with their seconds."""

ENOUGH_WINDOWS: Final = 30
"""Fewer windows of the reference do not show how windows vary."""

ENOUGH_ROWS: Final = 100
"""Rows with which a window says something of its own: a share of a half is known to within ten points."""

LEAST_FILLED: Final = 0.5
"""Of the windows at least so many must be able to hold a row: times that are whole days fill no hours."""


@dataclass(frozen=True, slots=True)
class WindowChoice:
    """How long a window lasts, and what was weighed."""

    window: str
    windows: int
    """Windows of the reference, the first quarter of the span."""
    rows: float
    """Rows of one of them."""
    why: str


def choose_window(span_s: float, rows: int, *, early_share: float = 0.25, times: float | None = None) -> WindowChoice:
    """Weighs windows against rows.

    A day comes first, as it holds its own cycle: hours of the day differ where nothing is wrong. Where days have too
    few rows, a longer window is taken; where there are too few days, hours. Where no window has enough of both,
    enough windows count for more, as without them nothing can be promised.

    Args:
        span_s: Seconds from the first row to the last.
        rows: All rows.
        early_share: The share of them in the first quarter of the span.
        times: How many different times there are.
    """
    # The reference begins within its first window.
    windows = {name: max(1, int(span_s / 4 / seconds)) for name, seconds in WINDOWS.items()}
    each = {name: early_share * rows / n for name, n in windows.items()}
    # Times that are whole days fill no hours; a day without any row is no reason against days.
    fillable = {name: LEAST_FILLED * min(span_s / seconds, rows) for name, seconds in WINDOWS.items()}
    filled = [name for name in WINDOWS if times is None or times >= fillable[name]] or ["1 day"]
    many = [name for name in filled if windows[name] >= ENOUGH_WINDOWS]
    both = [name for name in many if each[name] >= ENOUGH_ROWS]
    longer = [name for name in both if WINDOWS[name] > WINDOWS["1 day"]]
    if "1 day" in both:
        name, why = "1 day", "enough of both, and a day holds its own cycle"
    elif longer:
        name, why = longer[0], "days would have few rows"
    elif both:
        name, why = both[0], f"there are too few days for {ENOUGH_WINDOWS} of them"
    elif many:
        name = many[-1]
        why = f"few rows, but {ENOUGH_WINDOWS} windows count for more than {ENOUGH_ROWS} rows in each"
    else:
        name, why = filled[0], f"too few; the span is too short for {ENOUGH_WINDOWS} of any length"
    about = f"the first quarter has about {count(windows[name])} with about {counted(round(each[name]), 'row')} each"
    return WindowChoice(name, windows[name], each[name], f"{about}: {why}")
