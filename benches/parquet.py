"""Zstd Parquet on all cores: profiles beside decoding alone, and beside ClickHouse's own profile."""

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import clickhouse
import data
import harness

DECODERS = ("pyarrow", "polars", "DuckDB", "ClickHouse")


def run(bench: harness.Bench) -> None:
    import driftline as dl

    files = data.archive(bench.data, bench.size(full=12_000_000, quick=50_000))
    click = clickhouse.ClickHouse()
    table = _table_of(files)
    contenders: dict[str, Callable[[], object]] = {
        "driftline": partial(dl.profile, files, progress=False),
        "ClickHouse's profile": partial(click.run, f"SELECT {_profile_of(files[0])} FROM {table}"),
        "pyarrow": partial(_pyarrow, files),
        "polars": partial(_polars, files),
        "DuckDB": _duckdb(files),
        "ClickHouse": partial(click.run, f"SELECT * FROM {table}"),
    }
    times = bench.in_turn(contenders)
    fastest = min(DECODERS, key=lambda name: statistics.median(times[name]))
    name = "Parquet, 20 columns"
    bench.multiple(
        name, _named(times, f"fastest decode: {fastest}", fastest), f"fastest decode: {fastest}", at_most=1.8
    )
    bench.faster(name, times, "ClickHouse's profile", at_least=1.3)
    for decoder in DECODERS:
        if decoder != fastest:
            bench.multiple(name, _named(times, f"decode: {decoder}", decoder), f"decode: {decoder}")


def _named(times: harness.Times, name: str, decoder: str) -> harness.Times:
    return {"driftline": times["driftline"], name: times[decoder]}


def _table_of(files: list[Path]) -> str:
    """The same files for ClickHouse: the folder may hold more, so a glob names each."""
    names = ",".join(file.stem for file in files)
    pattern = f"{{{names}}}.parquet" if len(files) > 1 else files[0].name
    return clickhouse.files(files[0].with_name(pattern))


def _profile_of(file: Path) -> str:
    """ClickHouse's statement for every column, by its type."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def parts(field: pa.Field) -> str:
        if pa.types.is_string(field.type):
            return clickhouse.CATEGORY.format(c=field.name)
        if pa.types.is_boolean(field.type):
            return clickhouse.FLAG.format(c=field.name)
        # Its moments take numbers alone: times are counted as what they are stored as.
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        column = field.name if is_number else f"toUnixTimestamp64Micro({field.name})"
        if pa.types.is_date(field.type):
            column = f"toInt32({field.name})"
        return clickhouse.NUMBER.format(c=column)

    return ", ".join(parts(field) for field in pq.read_schema(file))


def _pyarrow(files: list[Path]) -> None:
    import pyarrow.dataset as ds

    for batch in ds.dataset(files).scanner().to_batches():
        del batch


def _polars(files: list[Path]) -> None:
    import polars as pl

    # File by file, so that memory for all rows at once is not part of the time.
    for file in files:
        pl.read_parquet(file)


def _duckdb(files: list[Path]) -> Callable[[], object]:
    import duckdb

    connection = duckdb.connect(config={"preserve_insertion_order": False})

    def work() -> None:
        for file in files:
            connection.read_parquet(str(file)).to_arrow_table()

    return work


if __name__ == "__main__":
    harness.main(run, threads=None, description=__doc__)
