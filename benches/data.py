"""Data with fixed seeds. What is on disk already is not made again."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

ARCHIVE_FILE_ROWS = 2_000_000
ROW_GROUP_ROWS = 250_000


def floats(rows: int) -> "Iterator[tuple[str, pa.Array]]":
    """Float64 of every shape, by name."""
    import pyarrow as pa

    def rng() -> np.random.Generator:
        return np.random.default_rng(20_260)

    normal = rng().normal(100, 15, rows)
    yield "normal", pa.array(normal)
    yield "lognormal", pa.array(rng().lognormal(0, 1.5, rows))
    yield "uniform", pa.array(rng().random(rows))
    yield "Pareto", pa.array(1 + rng().pareto(1.2, rows))
    yield "few-valued", pa.array(rng().integers(0, 20, rows).astype(float))
    yield "sorted", pa.array(np.sort(normal))
    yield "5 % nulls", pa.array(normal, mask=rng().random(rows) < 0.05)
    yield "constant", pa.array(np.full(rows, 42.0))


def categories(rows: int, values: int) -> "pa.Array":
    """Strings such as `segment-42`, evenly drawn of so many values."""
    return _strings(rows, [f"segment-{i}" for i in range(values)], seed=1)


def ids(rows: int, values: int) -> "pa.Array":
    """Strings of 16 hexadecimal digits, evenly drawn of so many values."""
    drawn = np.random.default_rng(2).integers(0, 1 << 63, values)
    return _strings(rows, [f"{i:016x}" for i in drawn], seed=3)


def _strings(rows: int, values: list[str], seed: int) -> "pa.Array":
    import pyarrow as pa

    codes = np.random.default_rng(seed).integers(0, len(values), rows, dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values))


def numbers(rows: int, columns: int, batch_rows: int, seed: int) -> "Iterator[pa.RecordBatch]":
    """Batches of float64 columns, four shapes in turn; the same rows first whatever number is asked for."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    shapes = (rng.standard_normal, rng.random, rng.standard_exponential, lambda n: np.round(rng.standard_normal(n), 1))
    names = [f"x{i}" for i in range(columns)]
    for start in range(0, rows, batch_rows):
        height = min(batch_rows, rows - start)
        yield pa.record_batch([pa.array(shapes[i % 4](height)) for i in range(columns)], names=names)


def days(folder: Path, rows: int, count: int) -> list[Path]:
    """Zstd Parquet files of the log, one a day."""
    import pyarrow.parquet as pq

    folder = folder / f"days-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{day:04}.parquet" for day in range(count)]
    for day, file in enumerate(files):
        if not file.exists():
            part = file.with_suffix(".part")
            pq.write_table(log(rows, seed=day), part, compression="zstd", row_group_size=ROW_GROUP_ROWS)
            part.rename(file)
    return files


def hours(folder: Path, columns: int, days: int, hour_rows: int) -> list[Path]:
    """Zstd Parquet files, one a day, of so many columns and about so many rows an hour, in which nothing happens.

    Of ten columns eight hold numbers of four shapes, one whole numbers and one categories.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = folder / f"hours-{columns}-{hour_rows}"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{day:04}.parquet" for day in range(days)]
    rows = 24 * hour_rows
    for day, file in enumerate(files):
        if file.exists():
            continue
        rng = np.random.default_rng([day, columns])
        times = np.sort(rng.integers(0, 86_400_000_000, rows)) + day * 86_400_000_000
        table = {"time": pa.array(times, pa.timestamp("us", "UTC"))}
        for i in range(columns):
            table[f"x{i}"] = _hourly(i % 10, rng, rows)
        part = file.with_suffix(".part")
        pq.write_table(pa.table(table), part, compression="zstd", row_group_size=ROW_GROUP_ROWS)
        part.rename(file)
    return files


def _hourly(kind: int, rng: np.random.Generator, rows: int) -> "pa.Array":
    import pyarrow as pa

    match kind:
        case 0 | 4:
            return pa.array(rng.standard_normal(rows))
        case 1 | 5:
            return pa.array(rng.random(rows))
        case 2 | 6:
            return pa.array(rng.standard_exponential(rows))
        case 3 | 7:
            return pa.array(np.round(rng.standard_normal(rows), 1))
        case 8:
            return pa.array(rng.poisson(20, rows))
        case _:
            return pa.array([f"category-{i}" for i in range(20)]).take(pa.array(rng.integers(0, 20, rows)))


def log(rows: int, seed: int) -> "pa.Table":
    """A prediction log: 20 columns of the types such logs have."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)

    def pick(values: list[str], skew: float) -> "pa.Array":
        codes = (len(values) * rng.random(rows) ** skew).astype(np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values)).cast(pa.string())

    seconds = np.sort(rng.integers(0, 86_400_000_000, rows)) + seed * 86_400_000_000
    score = rng.beta(2, 5, rows)
    users = rng.integers(0, 1_000_000, rows)
    return pa.table(
        {
            "time": pa.array(seconds, pa.timestamp("us", "UTC")),
            "request": pa.array(rng.integers(0, 1 << 63, rows)),
            "user": pa.array(users),
            "session": pick([f"{i:016x}" for i in rng.integers(0, 1 << 63, 200_000)], 1),
            "model": pick(["v1", "v2", "v3"], 2),
            "country": pick([f"country-{i}" for i in range(60)], 3),
            "city": pick([f"city-{i}" for i in range(1000)], 2),
            "device": pick(["phone", "tablet", "desktop", "tv", "watch"], 2),
            "url": pick([f"/shop/department-{i % 20}/item-{i}" for i in range(20_000)], 3),
            "new_user": pa.array(rng.random(rows) < 0.1),
            "age": pa.array(rng.integers(18, 90, rows).astype(np.int16), mask=rng.random(rows) < 0.05),
            "visits": pa.array(rng.poisson(3, rows).astype(np.int32)),
            "amount": pa.array(np.round(rng.lognormal(3, 1, rows), 2)),
            "income": pa.array(rng.lognormal(10, 0.5, rows), mask=rng.random(rows) < 0.05),
            "temperature": pa.array(np.round(rng.normal(15, 8, rows), 1).astype(np.float32)),
            "feature_a": pa.array(rng.normal(size=rows)),
            "feature_b": pa.array(rng.random(rows)),
            "score": pa.array(score),
            "prediction": pa.array((score > 0.5).astype(np.int8)),
            "signed_up": pa.array(rng.integers(0, 3000, rows).astype(np.int32), pa.date32()),
        }
    )


def archive(folder: Path, rows: int, min_bytes: int = 0) -> list[Path]:
    """Zstd Parquet files of the log, the same files first whatever is asked for.

    At least so many rows and bytes: an archive that is bounded by bytes begins with the one bounded by rows.
    """
    import pyarrow.parquet as pq

    file_rows = min(rows, ARCHIVE_FILE_ROWS)
    folder = folder / f"log-{file_rows}"
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    while len(files) * file_rows < rows or sum(file.stat().st_size for file in files) < min_bytes:
        file = folder / f"{len(files):04}.parquet"
        if not file.exists():
            # Renamed when it is whole: a run that was stopped leaves no half file behind.
            part = file.with_suffix(".part")
            pq.write_table(log(file_rows, seed=len(files)), part, compression="zstd", row_group_size=ROW_GROUP_ROWS)
            part.rename(file)
        files.append(file)
    return files
