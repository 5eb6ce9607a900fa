"""`frame.driftline` on the frames of polars, whichever of the two libraries is imported first.

polars has no way to announce an extension, and importing it here would cost every other user its
import time. So where it is not imported yet, one finder waits for that, once, and goes away.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["register"]


class Frames:
    """What driftline does with a frame."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def profile(self, **options: Any) -> Any:
        """Profiles the frame; takes the options of `driftline.profile`."""
        from driftline._profile import profile

        return profile(self._frame, **options)

    def compare(self, reference: object, **options: Any) -> Any:
        """Says what changed from a reference to this frame; takes the options of `driftline.compare`."""
        from driftline._compare import compare

        return compare(reference, self._frame, **options)


def register() -> None:
    """Gives frames their namespace, now or as soon as polars is imported."""
    polars = sys.modules.get("polars")
    if polars is not None and hasattr(polars, "api"):
        _extend(polars)
    elif not any(isinstance(finder, _WaitForPolars) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WaitForPolars())


def _extend(polars: Any) -> None:
    for frame in (polars.DataFrame, polars.LazyFrame):
        if not hasattr(frame, "driftline"):
            named = {
                polars.DataFrame: polars.api.register_dataframe_namespace,
                polars.LazyFrame: polars.api.register_lazyframe_namespace,
            }
            named[frame]("driftline")(Frames)


class _WaitForPolars:
    """Finds polars as the other finders do, and extends it once it has run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "polars":
            return None
        sys.meta_path.remove(self)
        found = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is None or spec.loader is None:
            # It may be installed later in the same process.
            sys.meta_path.insert(0, self)
            return None
        execute: Callable[[ModuleType], None] = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _extend(module)

        # A loader that takes no attributes leaves frames without the namespace, and works.
        with suppress(AttributeError):
            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
