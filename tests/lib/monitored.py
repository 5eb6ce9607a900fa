"""Logs that tests monitor, and what monitors said of them."""

import os
import pathlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

import driftline as dl

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday."""
NOW = datetime(2025, 1, 1, tzinfo=UTC)
"""What the clock says where a test does not say another thing."""

SETTINGS: dict[str, Any] = {
    "monitor": "m",
    "columns": {"time": "ts"},
    "window": "1 hour",
    "lateness": "15 minutes",
    "reference": "first 40 hours",
    "false_alarms": "1 per month",
}

IDENTITY = ["monitor", "writer", "segment", "column", "window_start"]


def hour(number: float) -> datetime:
    return BEGIN + timedelta(hours=number)


def hours(first: int, last: int, *, rows: int = 40, seed: int = 0, shift: float = 0.0) -> pl.DataFrame:
    """Rows of some hours, which are the same however many hours are asked for."""

    def of(number: int) -> pl.DataFrame:
        rng = np.random.default_rng([seed, number + 1000])
        times = [hour(number) + timedelta(hours=1) * i / rows for i in range(rows)]
        return pl.DataFrame(
            {"ts": times, "x": rng.random(rows) + shift, "c": rng.choice(["A", "B", "C", "D"], rows)},
            schema={"ts": pl.Datetime("us", "UTC"), "x": pl.Float64, "c": pl.String},
        )

    return pl.concat(map(of, range(first, last)))


def write(path: pathlib.Path, frame: pl.DataFrame, *, modified_s: int | None = None) -> pathlib.Path:
    """Writes a file as its name says; `modified_s` tells a file from an earlier one of that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match path.suffix:
        case ".parquet":
            frame.write_parquet(path)
        case ".csv":
            frame.write_csv(path)
        case ".jsonl":
            frame.with_columns(pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")).write_ndjson(path)
    if modified_s is not None:
        os.utime(path, (modified_s, modified_s))
    return path


def monitor(home: pathlib.Path | str, **settings: Any) -> dl.Monitor:
    """A monitor by `SETTINGS`, which other ones stand before."""
    writer = settings.pop("writer", "main")
    return dl.Monitor(home=home, writer=writer, **{"data": [], **SETTINGS, **settings})


def read(home: pathlib.Path | str, data: object, **settings: Any) -> Any:
    """One run over an archive; what it found."""
    with monitor(home, data=str(data) if isinstance(data, pathlib.Path) else data, **settings) as made:
        return made.read(now=NOW)


def results(made: dl.Monitor) -> pl.DataFrame:
    frame: pl.DataFrame = made.results().sort(IDENTITY)
    return frame


def alarms(made: dl.Monitor) -> pl.DataFrame:
    frame: pl.DataFrame = made.alarms().sort("alarm", "event")
    return frame


def said(home: pathlib.Path | str, **settings: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Results and alarms of a home."""
    with monitor(home, **settings) as made:
        return results(made), alarms(made)


def same(ours: Iterable[pl.DataFrame], theirs: Iterable[pl.DataFrame], *, without: Iterable[str] = ()) -> None:
    """Fails where anything differs, columns `without` aside."""
    for one, other in zip(ours, theirs, strict=True):
        assert_frame_equal(one.drop(without, strict=False), other.drop(without, strict=False), check_exact=True)


def rows_by_window(frame: pl.DataFrame, column: str = "x", segment: str = "") -> dict[str, int]:
    """Rows of each window, by its label."""
    of = frame.filter(pl.col("column") == column, pl.col("segment") == segment)
    return dict(zip(of["window"], of["rows"], strict=True))


def edited(frame: pl.DataFrame, change: Callable[[pl.Expr], pl.Expr], column: str = "x") -> pl.DataFrame:
    """The same with one column changed."""
    return frame.with_columns(change(pl.col(column)))
