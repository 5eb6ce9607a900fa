"""The shipped SQL views, with the store's folder filled in."""

import os
import re
from collections.abc import Iterable
from importlib.resources import files

from driftline._store.names import TABLES

__all__ = ["of_files", "views"]

IDENTITY = {
    "monitor": "VARCHAR",
    "writer": "VARCHAR",
    "segment": "VARCHAR",
    "column": "VARCHAR",
    "window_start": "TIMESTAMPTZ",
    "revision": "BIGINT",
}
OF_ALARMS = {"alarm": "VARCHAR", "event": "BIGINT"}


def views(home: str | os.PathLike[str]) -> str:
    """SQL for DuckDB that makes views of the facts in a home; see `Store.views`."""
    from driftline._store.store import Store

    return Store(home).views()


def of_files(store: str, listed: Iterable[str]) -> str:
    """The views of a store with these files; DuckDB refuses to make one of no file."""
    text = files("driftline._store").joinpath("views.sql").read_text(encoding="utf-8")
    there = {name.split("/")[2] for name in listed if name.endswith(".parquet") and name.count("/") == 3}
    head, *statements = re.split(r"\n\n(?=CREATE)", text)
    made = [statement if table in there else _empty(table) for table, statement in zip(TABLES, statements, strict=True)]
    # A glob has these characters in brackets, a string of SQL has quotes twice.
    folder = re.sub(r"([*?\[])", r"[\1]", store.replace(os.sep, "/")).replace("'", "''")
    return "\n\n".join([head, *made]).rstrip("\n").replace("{store}", folder) + "\n"


def _empty(table: str) -> str:
    columns = IDENTITY | (OF_ALARMS if table == "alarms" else {})
    listed = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns.items())
    return f"CREATE OR REPLACE VIEW driftline_{table} AS\nSELECT {listed} WHERE false;\n"
