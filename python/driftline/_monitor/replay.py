"""The past as it would have been seen: an archive watched from its beginning, without a home."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from driftline._config import Config
from driftline._monitor.monitor import Monitor
from driftline._monitor.status import Status, status_of
from driftline._store import Store

__all__ = ["Replay", "replay"]

PSI_MOVED: Final = 0.1
"""Where many monitors begin to call a change one."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What would have been said."""

    status: Status
    """Alarms, and how things stand at the end."""
    events: list[dict[str, Any]]
    """What happened to alarms, in the order in which it would have been told."""
    series_windows: int
    """Windows of series that were watched."""
    bare: int
    """How many of these have a population stability index above 0.1."""
    bare_windows: int
    """Windows in which any series has."""
    windows: int
    """Windows that were watched."""


def replay(
    config: Config, *, now: datetime | None = None, progress: bool | Callable[[int], object] | None = None
) -> Replay:
    """Watches all data of a configuration anew, whatever its home holds, and forgets what it knew.

    Raises:
        InputError: A file cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="driftline-replay-") as folder:
        alone = config.model_copy(update={"home": str(Path(folder, "home"))})
        with Monitor(alone) as monitor:
            monitor.read(now=now, progress=progress)
        store = Store(alone.home)
        status = status_of(alone)
        events = sorted(
            store.alarms(alone.monitor).to_dicts(),
            key=lambda event: (event["window_start"], int(event["alarm"][1:]), event["event"]),
        )
        watched = [row for row in store.results(alone.monitor).to_dicts() if row["psi"] is not None]
    bare = [row for row in watched if row["psi"] > PSI_MOVED]
    return Replay(
        status=Status(config, status.sources, status.alarms),
        events=events,
        series_windows=len(watched),
        bare=len(bare),
        bare_windows=len({row["window_start"] for row in bare}),
        windows=len({row["window_start"] for row in watched}),
    )
