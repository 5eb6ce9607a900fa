"""The store: what monitors found, as immutable Parquet files in a folder of the home.

`store` reads and `writer` writes, one process at a time by its `lease`, which is a `lock` of the system or a
`timed_lease`. `names` says which files there are, `checkpoint` up to which commit they count, `compact` keeps them few,
and `verify` looks for damage. `files` is the only module that touches the disk, beside `lock`, and `bucket` the only
one that asks an object store. Rows become Parquet, and files become one table, in the engine.
"""

from driftline._store.facts import Facts, WindowProfile
from driftline._store.store import Store
from driftline._store.verify import Finding
from driftline._store.views import views
from driftline._store.writer import Writer

__all__ = ["Facts", "Finding", "Store", "WindowProfile", "Writer", "views"]
