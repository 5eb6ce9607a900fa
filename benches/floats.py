"""Float64 in memory, one thread: full profiles beside one statement, one sort, one sketch and a bare sum."""

from collections.abc import Callable
from functools import partial

import clickhouse
import data
import harness
import numpy as np

CACHED_VALUES = 1 << 15
"""Doubles of the bare sum: 256 KB stay in the second level cache, and a call's cost is spread over them."""

DATASKETCHES_K = 200
"""The default of DataSketches; a profile of driftline keeps eight times as much."""


def run(bench: harness.Bench) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    import driftline as dl

    rows = bench.size(full=10_000_000, quick=50_000)
    click = clickhouse.ClickHouse(threads=1)
    cached_sum = _cached_sum(rows)
    for shape, values in data.floats(rows):
        table = pa.table({"x": values})
        file = bench.data / "floats.parquet"
        pq.write_table(table, file)
        click.load("floats", {"x": "Nullable(Float64)" if values.null_count else "Float64"}, file)
        file.unlink()
        contenders: dict[str, Callable[[], object]] = {
            "driftline": partial(dl.profile, table, threads=1, progress=False),
            "ClickHouse": partial(click.run, f"SELECT {clickhouse.NUMBER.format(c='x')} FROM bench.floats"),
            "in-cache sum": cached_sum,
        }
        if shape == "normal":
            reservoir = f"SELECT {clickhouse.MOMENTS}, {clickhouse.RESERVOIR} FROM bench.floats".format(c="x")
            contenders |= {
                "ClickHouse, reservoir": partial(click.run, reservoir),
                "polars, one sort": _polars(table),
                "DuckDB": _duckdb(table),
                "DataSketches KLL": _datasketches(values.to_numpy(writable=True, zero_copy_only=False)),
            }
        times = bench.in_turn(contenders)
        bench.faster(f"float64, {shape}", times, "ClickHouse", values=rows, at_least=2.5)
        at_most = 25 if shape == "normal" else None
        bench.multiple(f"float64, {shape}", times, "in-cache sum", values=rows, at_most=at_most)
        for rival in list(contenders)[3:]:
            at_least = 4 if rival == "DataSketches KLL" else None
            bench.faster(f"float64, {shape}", times, rival, values=rows, at_least=at_least)


def _cached_sum(rows: int) -> Callable[[], object]:
    """The physical limit: as many values as the others read, summed out of the cache."""
    cached = np.random.default_rng(0).random(CACHED_VALUES)
    times, rest = divmod(rows, CACHED_VALUES)

    def work() -> None:
        for _ in range(times):
            np.add.reduce(cached)
        np.add.reduce(cached[:rest])

    return work


def _polars(table: object) -> Callable[[], object]:
    import polars as pl

    column = pl.DataFrame(table)["x"]

    def work() -> None:
        x = column.sort()
        x.count(), x.min(), x.max(), x.mean(), x.var(), x.skew(), x.kurtosis(), x.n_unique()
        for q in clickhouse.QUANTILES:
            x.quantile(q)

    return work


def _duckdb(table: object) -> Callable[[], object]:
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.register("arrow", table)
    connection.execute("CREATE TABLE floats AS SELECT * FROM arrow")
    statement = (
        "SELECT count(x), min(x), max(x), avg(x), var_pop(x), skewness(x), kurtosis(x), "
        f"approx_quantile(x, {list(clickhouse.QUANTILES)}), approx_count_distinct(x) FROM floats"
    )
    return lambda: connection.execute(statement).fetchall()


def _datasketches(values: np.ndarray) -> Callable[[], object]:
    from datasketches import kll_doubles_sketch

    # It takes writable arrays alone, which is why the values were copied beforehand.
    return lambda: kll_doubles_sketch(DATASKETCHES_K).update(values)


if __name__ == "__main__":
    harness.main(run, threads=1, description=__doc__)
