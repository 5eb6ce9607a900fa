"""ClickHouse inside the process, and the statements that stand beside a profile."""

from pathlib import Path
from typing import Any

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

MOMENTS = "count({c}), min({c}), max({c}), avg({c}), varPop({c}), skewPop({c}), kurtPop({c})"
SKETCHES = f"quantilesDD(0.01, {', '.join(map(str, QUANTILES))})({{c}}), uniqHLL12({{c}})"
RESERVOIR = SKETCHES.replace("quantilesDD(0.01, ", "quantiles(")
NUMBER = f"{MOMENTS}, {SKETCHES}"
CATEGORY = "count({c}), uniqHLL12({c}), topK(10)({c}), min(length({c})), max(length({c})), avg(length({c}))"
FLAG = "count({c}), sum({c})"


class ClickHouse:
    """A session with tables in memory; results are dropped by ClickHouse itself."""

    def __init__(self, threads: int | None = None) -> None:
        from chdb.session import Session

        self._session: Any = Session()
        self._settings = f" SETTINGS max_threads = {threads}" if threads else ""
        self._session.query("CREATE DATABASE bench ENGINE = Atomic")

    def load(self, table: str, columns: dict[str, str], parquet: Path) -> None:
        """Makes a table in memory of a Parquet file; `columns` are the types of ClickHouse."""
        types = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self._session.query(f"CREATE OR REPLACE TABLE bench.{table} ({types}) ENGINE = Memory")
        self._session.query(f"INSERT INTO bench.{table} SELECT {', '.join(columns)} FROM {files(parquet)}")

    def run(self, statement: str) -> None:
        """Runs a statement to its end."""
        self._session.query(f"{statement} FORMAT Null{self._settings}")


def files(parquet: Path) -> str:
    """The table function that reads a Parquet file or a glob of them."""
    return f"file('{parquet.resolve()}', Parquet)"
