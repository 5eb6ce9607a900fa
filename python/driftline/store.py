"""The store of a home: facts of monitors, to read from Python and by SQL.

Monitors write it. `Store` reads it as one table each of profiles, results and alarms; `views` is SQL for DuckDB; other
tools read the Parquet files by the contract that the documentation states.
"""

from driftline._store import Facts, Finding, Store, WindowProfile, Writer, views

__all__ = ["Facts", "Finding", "Store", "WindowProfile", "Writer", "views"]
