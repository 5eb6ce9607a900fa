"""Published data in the order of their times, and what a monitor says of them."""

import pathlib
from typing import Any, NamedTuple

import numpy as np
import polars as pl

import driftline as dl
from driftline._monitor.alarms import Alarm


class Study(NamedTuple):
    """Rows in order, and how they are watched."""

    rows: pl.DataFrame
    time: str
    how: dict[str, Any]

    def shuffled(self, seed: int) -> "Study":
        """All columns but the time, in another order: rows stay whole, and nothing changes over time."""
        order = np.random.default_rng(seed).permutation(len(self.rows))
        return self._replace(rows=self.rows.select(self.time).hstack(self.rows.drop(self.time)[order]))

    def with_days_traded(self, seed: int) -> "Study":
        """Whole days in another order: rows of a day stay together, and no day remembers the one before."""
        day = self.rows[self.time].dt.truncate("1d")
        days = day.unique().sort()
        to = pl.DataFrame({"day": days, "to": days[np.random.default_rng(seed).permutation(len(days))]})
        rows = self.rows.with_columns(day=day).join(to, on="day", how="left", maintain_order="left")
        moved = rows.with_columns((pl.col(self.time) - pl.col("day") + pl.col("to")).alias(self.time))
        return self._replace(rows=moved.drop("day", "to").sort(self.time, maintain_order=True))


class Told(NamedTuple):
    """What a monitor says of all rows."""

    alarms: list[Alarm]
    rules: list[Alarm]
    """Alarms outside of the budget."""
    series: dict[str, dict[str, Any]]
    windows: int
    """Windows that were watched."""

    def of(self, column: str) -> list[Alarm]:
        return [alarm for alarm in self.alarms if alarm.column == column]

    @property
    def columns(self) -> set[str]:
        return {alarm.column for alarm in self.alarms}


def watch(study: Study, home: pathlib.Path, **how: Any) -> Told:
    """Watches the rows with a monitor of its own."""
    how = {**study.how, **how}
    columns = {"time": study.time, **how.pop("columns", {})}
    number = len(list(home.iterdir())) if home.is_dir() else 0
    with dl.Monitor(data=[], columns=columns, monitor="m", home=home / str(number), **how) as monitor:
        monitor.update(study.rows)
        alarms = monitor.alarm_list()
        results = monitor.results()
        return Told(
            alarms=[alarm for alarm in alarms if alarm.detector != "rule"],
            rules=[alarm for alarm in alarms if alarm.detector == "rule"],
            series={row["column"]: row for row in monitor.series()},
            windows=0 if results.is_empty() else results.filter(status="watching")["window"].n_unique(),
        )


def hotel(data: pathlib.Path) -> Study:
    """Bookings day by day; the rows that the publisher calls the reference are the first half."""
    reference = pl.read_parquet(data / "hotel_reference.parquet").drop("is_canceled")
    production = pl.read_parquet(data / "hotel_production.parquet", columns=reference.columns)
    how = {"reference": "first 153 days", "columns": {"ignore": ["customer_id"]}}
    return Study(pl.concat([reference, production]), "timestamp", how)


def bikes(data: pathlib.Path) -> Study:
    """Rentals of each hour of two years; what depends on the calendar alone is left out."""
    rows = pl.read_parquet(data / "bike_sharing_hour.parquet")
    hour = (pl.col("dteday") + pl.duration(hours=pl.col("hr"))).alias("hour")
    columns = ["weathersit", "temp", "atemp", "hum", "windspeed", "casual", "registered", "cnt"]
    return Study(rows.select(hour, *columns), "hour", {"reference": "same month, 1 year"})


def electricity(data: pathlib.Path) -> Study:
    """Half hours, of which the first 236 days are a quarter."""
    return Study(pl.read_parquet(data / "electricity.parquet"), "time", {"reference": "first 236 days"})


def weather(data: pathlib.Path) -> Study:
    """Days without dates: as if they followed each other from 1970 on; 363 of them hold a whole year."""
    rows = pl.read_parquet(data / "weather.parquet")
    day = pl.Series("day", np.arange(len(rows)).astype("datetime64[D]").astype("datetime64[us]"))
    how = {"window": "363 days", "reference": f"first {25 * 363} days"}
    return Study(rows.with_columns(day), "day", how)
