"""How long a window is taken to be."""

import pytest

from driftline._init.window import choose_window

DAY_S = 86_400
YEAR_S = 365 * DAY_S


@pytest.mark.parametrize(
    ("span_s", "rows", "window"),
    [
        (YEAR_S, 1_000_000, "1 day"),
        (YEAR_S, 10**9, "1 day"),  # hours would hold enough too, but no cycle
        (3 * YEAR_S, 50_000, "1 week"),
        (20 * YEAR_S, 30_000, "1 month"),
        (20 * DAY_S, 10**6, "1 hour"),
        (YEAR_S, 8_000, "1 day"),  # of 30 weeks there are too few
        (DAY_S // 4, 5_000, "1 hour"),
    ],
)
def test_rows_against_windows(span_s: float, rows: int, window: str) -> None:
    assert choose_window(span_s, rows).window == window


def test_times_that_are_whole_days_fill_no_hours() -> None:
    assert choose_window(60 * DAY_S, 10**6, times=60 * DAY_S).window == "1 hour"
    made = choose_window(60 * DAY_S, 10**6, times=60)
    assert made.window == "1 day"
    assert made.windows == 15
    assert "too short" in made.why
    # Weekends without rows are no reason against days.
    assert choose_window(YEAR_S, 10**6, times=250).window == "1 day"


def test_a_log_that_grew_has_few_rows_at_its_begin() -> None:
    assert choose_window(3 * YEAR_S, 200_000).window == "1 day"
    assert choose_window(3 * YEAR_S, 200_000, early_share=0.05).window == "1 week"
