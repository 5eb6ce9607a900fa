"""How a monitor stands, read from its home without disturbing whoever writes there."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from driftline import _core
from driftline._config import Config
from driftline._monitor.alarms import Alarm, alarms_in, tell_latest
from driftline._monitor.core import core_of
from driftline._monitor.state import State
from driftline._store import Finding, Store
from driftline._store.facts import moment

__all__ = ["Source", "Status", "status_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """One source of rows."""

    writer: str
    series: list[dict[str, Any]]
    """Where each series stands."""
    newest: datetime | None
    """The latest time of any row, in the zone of the windows."""
    open_windows: list[tuple[str, int]]
    """Windows that have not closed yet, with their rows so far."""
    learning: bool
    learning_until: datetime | None
    """Until when the reference is learnt, where that is known."""
    counts: dict[str, int]
    """Rows by what became of them."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a monitor stands."""

    config: Config
    sources: list[Source]
    alarms: list[Alarm]
    damaged: list[Finding] = field(default_factory=list)
    """Files of the home that cannot be read: what they hold is missing in all else."""

    @property
    def open(self) -> list[Alarm]:
        """Alarms that are open."""
        return [alarm for alarm in self.alarms if alarm.is_open]

    @property
    def closed(self) -> list[Alarm]:
        """Alarms that are not."""
        return [alarm for alarm in self.alarms if not alarm.is_open]

    @property
    def unread(self) -> list[dict[str, Any]]:
        """Series with an open alarm of which nothing can be read, as its file is damaged."""
        known = {alarm.id for alarm in self.alarms}
        return [row for row in self.series if row["alarm"] is not None and row["alarm"] not in known]

    @property
    def series(self) -> list[dict[str, Any]]:
        """The series of all sources."""
        return [series for source in self.sources for series in source.series]

    @property
    def without_promise(self) -> list[dict[str, Any]]:
        """Watched series of which nothing is promised."""
        return [series for series in self.series if series["status"] in WATCHED and not series["promises"]]

    @property
    def smallest_change(self) -> tuple[float, float] | None:
        """The smallest change that can be found, in the best and in the worst series."""
        found = [series["smallest_change"] for series in self.series if series["smallest_change"] is not None]
        return (min(found), max(found)) if found else None


WATCHED = ("watching", "calibrating")

FAR = datetime.max.replace(tzinfo=UTC)
"""When no window begins."""


def status_of(config: Config) -> Status:
    """How the monitor of a configuration stands.

    Raises:
        ConfigError: The monitor began with another configuration.
        InputError: The home cannot be read; files of it that are damaged are told by the status.
    """
    store = Store(config.home, skip_damaged=True)
    found = (_source(config, store, writer) for _, writer in store.sources(config.monitor))
    sources = [source for source in found if source is not None]
    alarms = alarms_in(store, config.monitor)
    newest = [source.newest for source in sources if source.newest is not None]
    tell_latest(store, config, alarms, max(newest, default=None))
    # No rows: what is asked is whether the files can be read, of which no alarm asked.
    store.results(config.monitor, since=FAR, select=[])
    return Status(config, sources, alarms, store.skipped)


def _source(config: Config, store: Store, writer: str) -> Source | None:
    """How a source stands; `None` where its checkpoint is damaged."""
    commit, data = store.checkpoint(config.monitor, writer)
    if not commit:
        return None
    state, core_bytes = State.of(config, data)
    core = core_of(config, writer, until_us=state.until_us, state=core_bytes)
    newest, (learning, until) = core.newest_us, core.learning
    # As windows are named.
    zone = ZoneInfo(config.timezone)
    windows = _core.Windows((config.window.count, config.window.unit), config.timezone)
    return Source(
        writer=writer,
        series=core.standings().to_dicts(),
        newest=None if newest is None else moment(newest).astimezone(zone),
        open_windows=[(windows.label(number), rows) for number, rows in core.open_windows()],
        learning=learning,
        learning_until=None if until is None else moment(until).astimezone(zone),
        counts=core.counts,
    )
