"""Lengths of time, rates and shares as people write them."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline._config.units import Every, Rate, parse_share

LONGEST = {"second": 31_556_952_000, "minute": 525_949_200, "hour": 8_765_820, "day": 365_242, "week": 52_177}
UNITS = st.sampled_from([*LONGEST, "month", "year"])
LENGTHS = UNITS.flatmap(lambda unit: st.builds(Every, st.integers(0, LONGEST.get(unit, 1000)), st.just(unit)))
RATES = st.builds(Rate, st.floats(0, exclude_min=True, allow_infinity=False), UNITS)


@given(LENGTHS)
def test_a_length_reads_what_it_writes(length: Every) -> None:
    assert Every.parse(str(length)) == length


@given(RATES)
def test_a_rate_reads_what_it_writes(rate: Rate) -> None:
    assert Rate.parse(str(rate)) == rate


@given(st.text(max_size=30) | st.from_regex(r"[0-9.]{0,3} ?[a-z]{0,7}"))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for parse in (Every.parse, Rate.parse, parse_share):
        try:
            parse(text)
        except ValueError as error:
            assert str(error).isprintable()


@given(st.integers(0, 10**9))
def test_a_duration_keeps_its_seconds(seconds: int) -> None:
    assert Every.of(timedelta(seconds=seconds)).fixed_s == seconds


@pytest.mark.parametrize(
    ("text", "length", "fixed_s", "mean_s"),
    [
        ("1 day", Every(1, "day"), None, 86_400),
        ("24 hours", Every(24, "hour"), 86_400, 86_400),
        ("15 minutes", Every(15, "minute"), 900, 900),
        ("1 second", Every(1, "second"), 1, 1),
        ("2 weeks", Every(2, "week"), None, 1_209_600),
        ("1 month", Every(1, "month"), None, 2_629_746),
        ("1  years", Every(1, "year"), None, 31_556_952),
    ],
)
def test_lengths(text: str, length: Every, fixed_s: int | None, mean_s: int) -> None:
    assert Every.parse(text) == length
    assert (length.fixed_s, length.mean_s) == (fixed_s, mean_s)


def test_a_day_of_the_calendar_is_no_24_hours() -> None:
    assert Every.parse("1 day") != Every.parse("24 hours")
    assert Every.of(timedelta(days=1)) == Every.parse("24 hours")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("24h", "write 24 hours"),
        ("1h", "write 1 hour"),
        ("day", "write 1 day"),
        ("1 Day", "write 1 day"),
        ("3 dyas", "write 3 days"),
        ("5m", "write 5 minutes or 5 months"),
        ("500 ms", "the shortest unit is the second"),
        ("1.5 hours", "the count is a whole number: write it in a smaller unit"),
        ("-1 hour", "a length of time is not negative"),
        ("1 fortnight", "units are second, minute, hour, day, week, month, year"),
        ("1001 years", "the longest is 1000 years"),
        ("9999999999999 hours", "write a count and a unit, such as 15 minutes or 1 day"),
        ("1:30", "write a count and a unit, such as 15 minutes or 1 day"),
        ("", "write a count and a unit, such as 15 minutes or 1 day"),
    ],
)
def test_lengths_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        Every.parse(text)


def test_a_duration_below_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="the shortest unit is the second"):
        Every.of(timedelta(milliseconds=1500))
    with pytest.raises(ValueError, match="a length of time is not negative"):
        Every.of(timedelta(seconds=-1))


def test_rates() -> None:
    assert Rate.parse("1 per year").per_year == 1
    assert Rate.parse("3 per month").per_year == pytest.approx(36)
    assert Rate.parse("0.5 per week").expected(14 * 86_400) == pytest.approx(1)
    assert str(Rate.parse("1.0 per day")) == "1 per day"


@pytest.mark.parametrize("text", ["1", "one per year", "1/year", "1 per fortnight", "-1 per year", "nan per year"])
def test_rates_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="write a count and a unit of time, such as 1 per year"):
        Rate.parse(text)


@pytest.mark.parametrize("text", ["0 per year", "1e-400 per year", "1e400 per year"])
def test_rates_that_cannot_be_kept(text: str) -> None:
    with pytest.raises(ValueError, match="it must be above 0"):
        Rate.parse(text)


@pytest.mark.parametrize(
    ("value", "share"),
    [("2%", 0.02), ("2 %", 0.02), ("0.1%", 0.001), ("0.02", 0.02), ("0%", 0), (0, 0), (0.5, 0.5), ("1e-3", 0.001)],
)
def test_shares(value: object, share: float) -> None:
    assert parse_share(value) == share


@given(st.floats(0, 0.9999))
def test_percents(share: float) -> None:
    assert parse_share(share) == parse_share(repr(share)) == share
    assert parse_share(f"{100 * share!r}%") == pytest.approx(share, rel=1e-15, abs=1e-300)


@pytest.mark.parametrize("value", ["much", "2", "100%", "-1%", 1, 2.0, -0.1, float("nan"), True, None, [0.1], "1_0%"])
def test_shares_that_cannot_be(value: object) -> None:
    with pytest.raises(ValueError, match="write a share of the rows, 0 to below 1, such as 2% or 0.02"):
        parse_share(value)
