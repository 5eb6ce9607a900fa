"""driftline watches models in production.

`profile` summarises any data in one pass, `compare` says what changed, `merge` adds profiles up, and a `Monitor`
watches a log over time. Everything that speaks Arrow, NumPy arrays, and paths of Parquet, CSV and JSON lines are data.
"""

from typing import TYPE_CHECKING

from driftline import _polars, errors, sketches, stats
from driftline._compare import compare
from driftline._comparison import Comparison
from driftline._core import build_info
from driftline._profile import Profile, merge, profile

if TYPE_CHECKING:
    from driftline._monitor import Monitor

__all__ = [
    "Comparison",
    "Monitor",
    "Profile",
    "build_info",
    "compare",
    "errors",
    "merge",
    "profile",
    "sketches",
    "stats",
]

__version__: str = build_info()["version"]

_polars.register()


def __getattr__(name: str) -> object:
    # Configurations are read by pydantic, which takes longer to import than all the rest.
    if name == "Monitor":
        from driftline._monitor import Monitor

        return Monitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
