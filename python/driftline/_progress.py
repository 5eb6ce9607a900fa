"""A progress bar that appears only when the work takes long enough to wonder."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["watched"]

PATIENCE_S = 0.5
"""Work that ends sooner than this needs no bar, and a flash of one irritates."""


@contextmanager
def watched(progress: bool | Callable[[int], object] | None) -> Iterator[Callable[[int], object] | None]:
    """Gives the function to call with the rows done, or `None` where nobody watches."""
    if progress is not None and not isinstance(progress, bool):
        if not callable(progress):
            raise TypeError(f"progress is of type {type(progress).__name__}: give True, False or a function")
        yield progress
        return
    if progress is False or (progress is None and not _on_terminal()):
        yield None
        return
    bar = _Bar()
    try:
        yield bar.show
    finally:
        bar.stop()


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


class _Bar:
    """Rows done, rows per second and time, on stderr."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._live: Any = None
        self._task: Any = None

    def show(self, rows: int) -> None:
        elapsed = time.monotonic() - self._started
        if self._live is None:
            if elapsed < PATIENCE_S:
                return
            self._begin()
        self._live.update(self._task, completed=rows, speed=f"{rows / elapsed:,.0f} rows/s")

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._live = Progress(
            TextColumn("{task.completed:,.0f} rows"),
            BarColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._live.start()
        self._task = self._live.add_task("", total=None, speed="")

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()
