"""References in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline._config.reference import (
    Files,
    First,
    FirstQuarter,
    Reference,
    Same,
    Trailing,
    impossible,
    parse_reference,
)
from driftline._config.units import Every

SPANS = st.builds(Every, st.integers(1, 1000), st.sampled_from(["second", "hour", "day", "week", "month", "year"]))
YEARS = st.builds(Every, st.integers(1, 1000), st.just("year"))
REFERENCES = st.one_of(
    st.just(FirstQuarter()),
    st.builds(First, SPANS),
    st.builds(Trailing, SPANS),
    st.builds(Same, st.sampled_from(["hour", "weekday", "month"]), YEARS),
)


@given(REFERENCES)
def test_a_reference_reads_what_it_writes(reference: Reference) -> None:
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("first 8 weeks", First(Every(8, "week"))),
        ("trailing 1 month", Trailing(Every(1, "month"))),
        ("same weekday, 8 weeks", Same("weekday", Every(8, "week"))),
        ("same hour,2 days", Same("hour", Every(2, "day"))),
        ("same month, 2 years", Same("month", Every(2, "year"))),
        ("train.parquet", None),
        ("logs/2024 01/*.parquet", None),
        ("train.profile.parquet", None),
        ("./churn@4", None),
        ("backup@2024/train.parquet", None),
        ("train@2.parquet", None),
        ("s3://bucket/train", None),
        ("train", None),
    ],
)
def test_words_and_paths(text: str, reference: Reference | None) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("churn@production", "versions of models come with the registry, which is not there yet"),
        ("churn@4", "of a path write ./churn@4"),
        ("first 8", "such as 15 minutes or 1 day; the whole is first 8 weeks"),
        ("first", "the whole is first 8 weeks"),
        ("trailing 8w", "write 8 weeks; the whole is trailing 8 weeks"),
        ("first 0 weeks", "it holds no rows: write first 8 weeks"),
        ("last 8 weeks", "write first 8 weeks, trailing 8 weeks, same weekday, 8 weeks (or hour, month), a path"),
        ("same weekday", "write same hour, same weekday or same month with a span: same weekday, 8 weeks"),
        ("same day, 8 weeks", "write same hour, same weekday or same month with a span"),
        ("same weekday, 3 days", "a weekday comes round once a week: the span must be at least 1 week"),
        ("same month, 8 weeks", "a month comes round once a year: the span must be at least 1 year"),
        ("same hour, 12 hours", "an hour comes round once a day: the span must be at least 1 day"),
    ],
)
def test_references_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_reference(text)


@pytest.mark.parametrize(
    ("reference", "window", "reason"),
    [
        ("same hour, 8 weeks", "1 hour", None),
        ("same hour, 8 weeks", "15 minutes", None),
        ("same hour, 8 weeks", "2 hours", "a window of 2 hours holds more than one hour: take windows of 1 hour"),
        ("same weekday, 8 weeks", "24 hours", None),
        ("same weekday, 8 weeks", "1 week", "a window of 1 week holds more than one weekday: take windows of 1 day"),
        ("same month, 2 years", "1 month", None),
        ("same month, 2 years", "1 year", "a window of 1 year holds more than one month: take windows of 1 month"),
        ("first 1 hour", "1 day", "it is shorter than one window, which is 1 day"),
        ("trailing 1 day", "1 day", None),
        ("first quarter", "1 year", None),
    ],
)
def test_references_that_do_not_fit_the_window(reference: str, window: str, reason: str | None) -> None:
    read = parse_reference(reference)
    assert read is not None
    told = impossible(read, Every.parse(window))
    assert told is None if reason is None else told is not None and told.startswith(reason)


def test_files_fit_every_window() -> None:
    assert impossible(Files(("train.parquet",)), Every(1, "second")) is None
