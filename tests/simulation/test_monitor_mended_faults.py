"""What monitors got wrong once, on data whose truth is known."""

import datetime as dt
import pathlib

import numpy as np
import polars as pl
import pytest

from tests.simulation.real_data import Study, Told, watch

TENTH = "0.1 per year"


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "home"


def days(x: np.ndarray, **how: str) -> Study:
    """A row of `x` for each day from 1970 on."""
    time = np.repeat(np.arange(len(x)), x.shape[1]).astype("datetime64[D]").astype("datetime64[us]")
    return Study(pl.DataFrame({"t": time, "x": x.ravel()}), "t", how)


def test_bursts_that_were_always_there_are_no_change(home: pathlib.Path) -> None:
    """On one day in 25, 40 of 100 rows have one value, drawn anew. The law of a day never changes."""
    rng = np.random.default_rng(0)
    x = rng.random((1000, 100))
    for day in np.flatnonzero(rng.random(len(x)) < 1 / 25):
        x[day, :40] = rng.random()
    told = watch(days(x, reference="first 200 days", false_alarms=TENTH), home)
    assert told.series["x"]["promises"]
    assert len(told.alarms) <= 2


def test_windows_that_are_all_alike_remember_nothing(home: pathlib.Path) -> None:
    x = np.tile(np.array([str(i // 7) for i in range(48)]), (120, 1))
    (x_series,) = watch(days(x, reference="first 60 days"), home).series.values()
    assert x_series["promises"]
    assert abs(x_series["memory"]) <= 1


def test_weeks_of_a_seasonal_reference_that_remember_are_seen_to(home: pathlib.Path) -> None:
    """Each week remembers .8 of the one before; a plain reference of the same weeks promises nothing."""
    rng = np.random.default_rng(0)
    level, share = rng.normal(), []
    for _ in range(100):
        level = 0.8 * level + 0.6 * rng.normal()
        share.append(np.clip(0.5 + 0.06 * level, 0, 1))
    x = (rng.random((100, 300)) < np.array(share)[:, None]).astype(float)
    study = days(x, window="1 week")
    time = pl.Series(np.datetime64("2020-01-06") + 7 * np.repeat(np.arange(100), 300)).cast(pl.Datetime("us"))
    study = study._replace(rows=study.rows.with_columns(t=time))
    plain = watch(study, home, reference="first 52 weeks").series["x"]
    seasonal = watch(study, home, reference="same month, 1 year").series["x"]
    assert not plain["promises"]
    assert not seasonal["promises"] or seasonal["deff"] * (1 + seasonal["memory"]) > 5


def seasons(plus: float, since: dt.date, home: pathlib.Path) -> Told:
    """A share of .2 from October to March and .7 from April to September, and so much more from a day on, for good."""
    rng = np.random.default_rng(0)
    dates = pl.date_range(dt.date(2020, 1, 1), dt.date(2023, 12, 31), eager=True)
    share = [(0.7 if 4 <= date.month <= 9 else 0.2) + plus * (date >= since) for date in dates]
    x = (rng.random((len(dates), 200)) < np.array(share)[:, None]).astype(float)
    rows = pl.DataFrame({"t": np.repeat(dates.cast(pl.Datetime("us")).to_numpy(), 200), "x": x.ravel()})
    return watch(Study(rows, "t", {"reference": "same month, 2 years"}), home)


def test_a_change_that_stays_stays_an_alarm_in_every_season(home: pathlib.Path) -> None:
    (alarm,) = seasons(0.12, dt.date(2022, 5, 15), home).alarms
    assert alarm.is_open
    assert alarm.reopened == 0


def test_a_change_across_two_seasons_is_told_as_large_as_it_is(home: pathlib.Path) -> None:
    """A share that gained 6 points is said to have gained 33 at least."""
    alarm = seasons(0.06, dt.date(2022, 9, 24), home).alarms[0]
    assert alarm.change_at_least <= 0.06 <= alarm.change_at_most


def test_a_reference_of_few_rows_is_watched_when_its_time_is_over(home: pathlib.Path) -> None:
    x = np.random.default_rng(0).random((730, 1))
    assert watch(days(x, reference="first 365 days"), home).series


def test_a_reason_for_no_promise_is_possible(home: pathlib.Path) -> None:
    """A column that is constant for weeks remembers all; no tolerance of 100 % can be configured."""
    x = np.repeat(np.arange(400) // 28 % 4, 20).reshape(400, 20).astype(float)
    promise = watch(days(x, reference="first 200 days"), home).series["x"]["promise"]
    assert float(promise.split("remembers ")[1].split()[0]) <= 1
    assert promise.endswith("no tolerance covers how they vary")


def test_the_set_that_moved_is_named_and_not_one_that_wobbles(home: pathlib.Path) -> None:
    """Levels wobble from day to day as they always did; from day 160 on, 6 % of the values are missing."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(260, 500)) + 0.4 * rng.normal(size=(260, 1))
    x[160:][rng.random((100, 500)) < 0.06] = np.nan
    study = days(x, reference="first 150 days")
    told = watch(study._replace(rows=study.rows.with_columns(pl.col("x").fill_nan(None))), home)
    assert told.alarms[0].what == "missing"


def test_the_day_before_the_first_row_lacks_no_rows(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    study = days(np.random.default_rng(0).random((120, 50)))
    reference = tmp_path / "reference.parquet"
    study.rows[: 60 * 50].write_parquet(reference)
    assert watch(study._replace(rows=study.rows[60 * 50 :]), home, reference=str(reference)).rules == []


def test_a_bin_is_told_by_the_values_in_it(home: pathlib.Path) -> None:
    """8.9 is frequent, and so has a bin of its own; the bin above it holds 9.9 alone."""
    rng = np.random.default_rng(0)
    x = rng.choice([7.8, 8.9, 9.9, 10.1, 11.1, 12.5], p=[0.3, 0.2, 0.01, 0.2, 0.2, 0.09], size=(120, 100))
    x[60:, :20] = 9.9
    (alarm,) = watch(days(x, reference="first 60 days"), home).alarms
    assert alarm.reference_share == pytest.approx((x[:60] == 9.9).mean())
    assert "8.9 to" not in alarm.what
