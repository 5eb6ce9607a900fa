"""driftline watches models in production.

`profile` summarises any data in one pass, `compare` says what changed, `merge` adds profiles up. Everything that speaks
Arrow, NumPy arrays, and paths of Parquet, CSV and JSON lines are data.
"""

from driftline import _polars, errors, sketches, stats
from driftline._compare import compare
from driftline._comparison import Comparison
from driftline._core import build_info
from driftline._profile import Profile, merge, profile

__all__ = ["Comparison", "Profile", "build_info", "compare", "errors", "merge", "profile", "sketches", "stats"]

__version__: str = build_info()["version"]

_polars.register()
