"""Reading an archive: what is new since the last run, and what changed."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from driftline import _core, _sources
from driftline._config import Files, FirstQuarter
from driftline._monitor.core import core_of
from driftline._monitor.files import Found, look, seen
from driftline._monitor.state import FileSeen
from driftline._profile import profile_there
from driftline.errors import InputError

if TYPE_CHECKING:
    from driftline._monitor.monitor import Monitor

__all__ = ["ReadSummary", "read_archive"]

DAY_US: Final = 86_400_000_000

COMMIT_S: Final = 5.0
"""What a crash may cost: so many seconds of reading."""

MOST_RESULTS: Final = 20_000
"""Results that wait to be written, some 4 KB each with their profiles."""

LIVE_WINDOWS: Final = 2
"""Rows that are no older than so many windows come as fast as the clock goes."""


@dataclass(slots=True)
class ReadSummary:
    """What a run found."""

    files: int = 0
    """New files."""
    rows: int = 0
    """Rows of new files."""
    seconds: float = 0.0
    changed: list[str] = field(default_factory=list)
    """Files that are not what they were: their windows were counted anew."""
    amended: list[str] = field(default_factory=list)
    """Windows that had closed and have other rows now."""
    again: dict[str, str] = field(default_factory=dict)
    """Files that hold what another one held, with the name of that; they were not read."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Files that could not be read, and why; they are tried again in the next run."""
    moved: dict[str, str] = field(default_factory=dict)
    """Files that have another name now, with that under which they were read."""
    gone: list[str] = field(default_factory=list)
    """Files that were there in the last run; what they held stands."""
    without: list[str] = field(default_factory=list)
    """Files that are gone, whose rows are missing in windows that were counted anew for a changed file."""


def read_archive(monitor: "Monitor", now_us: int, progress: Callable[[int], object] | None) -> ReadSummary:
    """Reads what is new, in the order of its times."""
    begin = time.perf_counter()
    found = look(monitor.config.data, monitor._state.files)
    summary = ReadSummary(again=found.again, moved=found.moved, gone=found.gone, unreadable=found.unreadable)
    looked: dict[str, FileSeen] = {}
    for name in found.new + found.changed:
        try:
            looked[name] = seen(found.inputs[name], found.looks[name], monitor.config.columns.time, now_us + DAY_US)
        except InputError as error:
            summary.unreadable[name] = str(error)
    while True:
        if not looked and summary.unreadable and monitor._core is None:
            raise InputError("\n".join(summary.unreadable.values()))
        try:
            _read(monitor, found, looked, summary, now_us, progress)
            break
        except _UnreadableError as unreadable:
            # Of its rows some are counted already: back to before it, and on without it.
            summary.unreadable[unreadable.name] = str(unreadable.error)
            looked.pop(unreadable.name)
            monitor._go_back()
    summary.changed = [name for name in found.changed if name in looked]
    summary.files = sum(name in looked for name in found.new)
    summary.rows = sum(looked[name].rows for name in found.new if name in looked)
    summary.seconds = time.perf_counter() - begin
    return summary


class _UnreadableError(Exception):
    """A file turned out to be unreadable in its middle."""

    def __init__(self, name: str, error: InputError) -> None:
        super().__init__(name)
        self.name, self.error = name, error

    @classmethod
    def of(cls, error: InputError, names: Iterable[str]) -> "_UnreadableError | InputError":
        """The one of some files that an error names; the error itself where it names none."""
        named = next((name for name in names if str(error).startswith(f"{name}:")), None)
        return error if named is None else cls(named, error)


def _read(
    monitor: "Monitor",
    found: Found,
    looked: dict[str, FileSeen],
    summary: ReadSummary,
    now_us: int,
    progress: Callable[[int], object] | None,
) -> None:
    if monitor._core is None:
        monitor._core = _first_core(monitor, found, looked)
    core, state = monitor._core, monitor._state
    found.renew(state.files)
    _count_anew(monitor, found, looked, summary)
    told, committed = 0, time.monotonic()
    # Files without any time come last; their rows are counted, and belong nowhere.
    new = sorted(
        (name for name in found.new if name in looked and name not in state.files),
        key=lambda name: (looked[name].first_us is None, looked[name].first_us, name),
    )
    for name in new:
        begun, content = state.begun.pop(name, (0, looked[name].content))
        if content != looked[name].content:
            raise InputError(
                f"{name}: the file changed while it was being read, after {begun} rows: put the old one back, or give "
                "the monitor another name to begin anew"
            )
        try:
            rows = _core.FileRows(found.inputs[name], begun)
            while not core.read(rows, now_us, most_results=MOST_RESULTS, progress=_from(told + rows.done, progress)):
                state.begun[name] = (rows.done, content)
                monitor._commit(summary.amended)
                committed = time.monotonic()
        except InputError as error:
            raise _UnreadableError(name, error) from None
        state.begun.pop(name, None)
        state.files[name] = looked[name]
        told += rows.done
        if time.monotonic() - committed > COMMIT_S:
            monitor._commit(summary.amended)
            committed = time.monotonic()
    _pass_time(monitor, now_us)
    monitor._commit(summary.amended)


def _from(before: int, progress: Callable[[int], object] | None) -> Callable[[int], object] | None:
    """Tells rows on top of those before."""
    return None if progress is None else lambda rows: progress(before + rows)


def _first_core(monitor: "Monitor", found: Found, looked: dict[str, FileSeen]) -> _core.Monitor:
    """A monitor that has seen nothing yet but its reference, or the bins of it."""
    config, state = monitor.config, monitor._state
    if isinstance(config.reference, Files):
        return core_with_reference(monitor)
    spans = [(file.first_us, file.last_us) for file in looked.values()]
    first = min((first for first, _ in spans if first is not None), default=None)
    last = max((last for _, last in spans if last is not None), default=None)
    if first is None or last is None:
        raise InputError(f"column {config.columns.time!r}, which is the time, has no value in any file")
    if isinstance(config.reference, FirstQuarter):
        state.until_us = first + (last - first) // 4
        until_us = state.until_us
    else:
        until_us = first + config.reference.span.mean_s * 1_000_000
    core = core_of(config, monitor.writer, until_us=state.until_us, threads=monitor._threads)
    early = [name for name, file in looked.items() if file.first_us is not None and file.first_us < until_us]
    try:
        core.bin_before([found.inputs[name] for name in early], until_us)
    except InputError as error:
        raise _UnreadableError.of(error, early) from None
    return core


def core_with_reference(monitor: "Monitor") -> _core.Monitor:
    """A monitor that knows the reference that its configuration names."""
    config = monitor.config
    paths = config.reference.paths if isinstance(config.reference, Files) else ()
    source = paths[0] if len(paths) == 1 else list(paths)
    saved = profile_there(source)
    if saved is not None:
        core = core_of(config, monitor.writer, bins=saved._core, threads=monitor._threads)
        core.learn_profile(saved._core)
        return core
    core = core_of(config, monitor.writer, threads=monitor._threads)
    core.bin_reference(_sources.open_inputs(source) or [])
    for item in _sources.open_inputs(source) or []:
        core.learn_from(item)
    core.end_learning()
    return core


def _count_anew(monitor: "Monitor", found: Found, looked: dict[str, FileSeen], summary: ReadSummary) -> None:
    """Counts the windows of changed files anew, from all files that hold rows of them."""
    core, state = monitor._core, monitor._state
    changed = [name for name in found.changed if name in looked and state.files[name] != looked[name]]
    if not changed or core is None:
        return
    windows: set[int] = set()
    for name in changed:
        for file in (state.files[name], looked[name]):
            windows.update(_windows(monitor, file))

    def shares(file: FileSeen) -> bool:
        return not windows.isdisjoint(_windows(monitor, file))

    for name in summary.unreadable:
        if name in state.files and shares(state.files[name]):
            # What this one held would be lost, and cannot be read again.
            why = InputError(f"{changed[0]}: has windows in common with {name}, which cannot be read")
            raise _UnreadableError(changed[0], why)
    without = [name for name, file in state.files.items() if name not in found.inputs and shares(file)]
    state.files.update({name: looked[name] for name in changed})
    there = [name for name, file in state.files.items() if name in found.inputs and shares(file)]
    try:
        closed = core.recount(windows, [found.inputs[name] for name in there])
    except InputError as error:
        raise _UnreadableError.of(error, changed) from None
    monitor._amend(closed, windows, summary.amended)
    summary.without = without


def _windows(monitor: "Monitor", file: FileSeen) -> range:
    """Windows between the first and the last row of a file."""
    if file.first_us is None or file.last_us is None:
        return range(0)
    return range(monitor._windows.number(file.first_us), monitor._windows.number(file.last_us) + 1)


def _pass_time(monitor: "Monitor", now_us: int) -> None:
    """Lets time go on up to now where rows come about as fast as it does: else the end of the data is no news."""
    core = monitor._core
    newest = None if core is None else core.newest_us
    if core is None or newest is None:
        return
    if now_us - newest <= LIVE_WINDOWS * monitor.config.window.mean_s * 1_000_000:
        monitor._state.is_live = True
    if monitor._state.is_live:
        core.advance(now_us)
