"""Monitors of published data: quiet while nothing changes, and right about what did.

What the pages of the documentation say of these data is checked here against the rows themselves.
"""

import pathlib

import polars as pl
import pytest

from tests.simulation import real_data
from tests.simulation.real_data import Study, Told, watch

HALVES = {"hotel": "first 153 days", "bikes": "first 365 days", "electricity": "first 472 days", "weather": None}
"""The first half as the reference; of the weather it is anyway."""

DEAD_HOUR = "2012-10-29"
"""Hurricane Sandy: one hour of rentals."""


@pytest.fixture(scope="module")
def data(shared: pathlib.Path) -> pathlib.Path:
    return shared / "data"


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "home"


def half(name: str, data: pathlib.Path) -> Study:
    study = getattr(real_data, name)(data)
    reference = HALVES[name]
    return study if reference is None else study._replace(how={**study.how, "reference": reference})


@pytest.mark.parametrize(("name", "seeds"), [("hotel", 2), ("bikes", 1), ("electricity", 1), ("weather", 5)])
def test_shuffled_rows_raise_no_alarm(name: str, seeds: int, data: pathlib.Path, home: pathlib.Path) -> None:
    study = half(name, data)
    told = [watch(study.shuffled(seed), home) for seed in range(seeds)]
    assert [of.columns for of in told] == [set()] * seeds
    # Rules about the number of rows are outside of the budget: times were not shuffled, and lack rows where they do.
    odd = {"hotel": ["2017-01-01"], "bikes": [DEAD_HOUR]}.get(name, [])
    assert [[rule.opened for rule in of.rules] for of in told] == [odd] * seeds
    assert all(row["promises"] for of in told for row in of.series.values())


def test_days_that_trade_places_raise_no_more_alarms_than_accepted(data: pathlib.Path, home: pathlib.Path) -> None:
    """Groups of travellers come on one day; in another order of the days nothing changes that was not so before."""
    told = [watch(real_data.hotel(data).with_days_traded(seed), home) for seed in range(1)]
    promised = [alarm for of in told for alarm in of.alarms if of.series[alarm.column]["promises"]]
    accepted = sum(of.windows for of in told) / 365
    assert len(promised) <= accepted + 3 * accepted**0.5


def test_bookings_changed(data: pathlib.Path, home: pathlib.Path) -> None:
    """Lead times, prices and the share of predicted cancellations in winter are not those of summer."""
    study = real_data.hotel(data)
    told = watch(study, home)
    assert {"lead_time", "adr", "y_pred", "hotel"} <= told.columns
    assert not told.columns & {"babies", "parking_spaces", "customer_type", "stays_in_week_nights"}
    before, after = (study.rows.filter(pl.col("timestamp") < SPLIT), study.rows.filter(pl.col("timestamp") >= SPLIT))
    assert before["lead_time"].median() == 87
    assert after["lead_time"].median() == 27
    assert before["y_pred"].mean() == pytest.approx(0.174, abs=0.001)
    assert after["y_pred"].mean() == pytest.approx(0.240, abs=0.001)
    assert_true_of(study, told, "timestamp")


SPLIT = pl.datetime(2016, 10, 1)


def assert_true_of(study: Study, told: Told, time: str) -> None:
    """Rows and shares of alarms about numbers up to or above a value are those of the data."""
    for alarm in told.alarms:
        way, _, edge = alarm.what.partition(" ")
        if way not in ("up", "above") or alarm.share is None:
            continue
        ends = pl.from_epoch(pl.Series([alarm.since_us, alarm.opened_us]), time_unit="us")
        day = study.rows[time].dt.truncate("1d")
        rows = study.rows.filter((day >= ends[0]) & (day <= ends[1]))
        value = float(edge.removeprefix("to "))
        above = (rows[alarm.column] > value).mean()
        assert len(rows) == alarm.rows
        assert alarm.share == pytest.approx(above if way == "above" else 1 - above, abs=0.01)


def test_rentals_grew_and_the_weather_did_not(data: pathlib.Path, home: pathlib.Path) -> None:
    told = watch(real_data.bikes(data), home)
    assert told.columns == {"cnt", "registered"}
    (registered,), (cnt,) = told.of("registered"), told.of("cnt")
    assert (registered.what, registered.since, registered.opened) == ("above 152", "2012-01-04", "2012-03-08")
    assert (cnt.what, cnt.since, cnt.opened) == ("above 308", "2012-02-26", "2012-03-22")
    assert registered.change_at_least > 0.15
    assert [rule.opened for rule in told.rules] == [DEAD_HOUR]
    # What a year tells of a month: temperatures would have to move by half of the rows.
    assert told.series["temp"]["smallest_change"] > 0.4
    assert told.series["cnt"]["smallest_change"] < 0.25
    rows = real_data.bikes(data).rows.with_columns(year=pl.col("hour").dt.year(), month=pl.col("hour").dt.month())
    by_month = rows.group_by("month").agg(
        growth=pl.col("cnt").filter(year=2012).mean() / pl.col("cnt").filter(year=2011).mean()
    )
    assert by_month["growth"].min() > 1.35
    cold = rows.filter(pl.col("month") == 1, pl.col("temp") <= 0.24).group_by("year").agg(pl.col("cnt").mean())
    assert cold.sort("year")["cnt"].to_list() == pytest.approx([51.8, 100.4], abs=0.1)


def test_columns_that_were_constant_are_not(data: pathlib.Path, home: pathlib.Path) -> None:
    study = real_data.electricity(data)
    told = watch(study, home)
    # Of two of them all rows lie on one side of what the reference had, of the price on both.
    joined = {"vicprice": "fast", "vicdemand": "breakage", "transfer": "breakage"}
    for column, detector in joined.items():
        first, *later = told.of(column)
        assert (first.since, first.opened, first.detector) == ("1997-05-05", "1997-05-05", detector)
        assert (first.rows, first.is_open, later) == (48, True, [])
        assert first.promise == "if rows stay independent of each other, as in 236 windows of the reference"
        values = study.rows[column]
        assert (values[:17424].n_unique(), values[17424] == values[0]) == (1, False)
    assert str(study.rows["time"][17424]) == "1997-05-05 00:00:00"
    assert not told.of("class")
    assert told.series["class"]["promises"]
    # Prices and demand follow the season, which a reference of eight months does not know, and remember: no promise.
    assert not any(told.series[column]["promises"] for column in ("nswprice", "nswdemand"))


def test_what_the_weather_station_measures_changed(data: pathlib.Path, home: pathlib.Path) -> None:
    study = real_data.weather(data)
    told = watch(study, home)
    assert told.of("visibility")[0].since == told.of("max_sustained_wind_speed")[0].since == "1994-11-06"
    assert {"visibility", "max_sustained_wind_speed"} <= told.columns
    (far,) = told.of("visibility")
    assert (far.what, far.rows) == ("above 14.9", 363)
    shares = [(study.rows["visibility"][i : i + 363] > 14.9).mean() for i in range(0, len(study.rows), 363)]
    assert max(shares[:22]) < 0.01
    assert min(shares[22:35]) > 0.4
    assert far.share == pytest.approx(shares[25])
    # The cycle of the year is in each window: the mean temperature hardly moves between them.
    means = [study.rows["temperature"][i : i + 363].mean() for i in range(0, 50 * 363, 363)]
    assert 47 < min(means) < max(means) < 55
