"""Reading an archive: what is new since the last run, and what changed."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from driftline import _core, _sources
from driftline._config import Files, FirstQuarter
from driftline._monitor.core import core_of
from driftline._monitor.files import Found, look, seen
from driftline._monitor.state import Begun, FileSeen
from driftline._monitor.torn import without_torn_line
from driftline._profile import profile_there
from driftline._sources import is_url
from driftline.errors import InputError

if TYPE_CHECKING:
    from driftline._monitor.monitor import Monitor

__all__ = ["ReadSummary", "read_archive"]

DAY_US: Final = 86_400_000_000

COMMIT_S: Final = 5.0
"""What a crash may cost: so many seconds of reading."""

MOST_RESULTS: Final = 25_000
"""Results that wait to be written, some 5 KB each with their profiles, while as many are being written."""

MOST_HELD: Final = 50_000
"""Profiles of columns, some 10 KB each, that windows may take while they wait for rows of files that lie out of order:
where they take more, the earliest close, and rows for them come late."""

NEVER_US: Final = -(1 << 63)
"""Before all instants."""

COUNTED: Final = ("rows", "late", "without_time", "absurd")
"""What the engine counts, and a run tells."""

LIVE_WINDOWS: Final = 2
"""Rows that are no older than so many windows come as fast as the clock goes."""


@dataclass(slots=True)
class ReadSummary:
    """What a run found."""

    files: int = 0
    """New files."""
    rows: int = 0
    """New rows."""
    late: int = 0
    """Of these, rows that came after their window had closed."""
    without_time: int = 0
    """Of these, rows without a time that can be read."""
    absurd: int = 0
    """Of these, rows with a time before 1970 or more than a day ahead of the clock."""
    seconds: float = 0.0
    grown: list[str] = field(default_factory=list)
    """Files that have more lines at their end: only these were read."""
    changed: list[str] = field(default_factory=list)
    """Files that are not what they were: their windows were counted anew."""
    amended: list[str] = field(default_factory=list)
    """Windows that had closed and have other rows now."""
    again: dict[str, str] = field(default_factory=dict)
    """Files that hold what another one held, with the name of that; they were not read."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Files that could not be read, and why; they are tried again in the next run."""
    torn: list[str] = field(default_factory=list)
    """Files that end in the midst of a line, which is read once it is whole."""
    moved: dict[str, str] = field(default_factory=dict)
    """Files that have another name now, with that under which they were read."""
    gone: list[str] = field(default_factory=list)
    """Files that were there in the last run; what they held stands."""
    partly: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of these, files of which only so many rows of so many had been read."""
    without: list[str] = field(default_factory=list)
    """Files that are gone, whose rows are missing in windows that were counted anew for a changed file."""


class _Looked(NamedTuple):
    """A file whose times were read."""

    file: FileSeen
    times: _core.Times


def read_archive(monitor: "Monitor", now_us: int, progress: Callable[[int], object] | None) -> ReadSummary:
    """Reads what is new, in the order of its times."""
    begin = time.perf_counter()
    known = monitor._state.known()
    found = look(monitor.config.data, known, monitor._threads)
    summary = ReadSummary(again=found.again, moved=found.moved, gone=found.gone, unreadable=found.unreadable)
    begun = {found.renamed(name) for name in monitor._state.begun}
    for name in found.gone:
        if name in monitor._state.begun:
            summary.partly[name] = (monitor._state.begun[name].rows, known[name].rows)
    looked: dict[str, _Looked] = {}
    for name in dict.fromkeys([*found.new, *found.grown, *found.changed, *sorted(begun & found.inputs.keys())]):
        is_empty = name in found.looks and not found.looks[name].size_bytes and not is_url(name)
        if name in summary.unreadable or is_empty:
            # One without a byte has only just been made: it is looked at again in the next run.
            continue
        try:
            times = _times(monitor, found, name, now_us, summary)
        except InputError as error:
            summary.unreadable[name] = str(error)
            continue
        now = found.looks[name] if name in found.looks else known[name]
        looked[name] = _Looked(seen(now, times), times)
    counts = dict.fromkeys(COUNTED, 0) if monitor._core is None else monitor._core.counts
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
    summary.amended = list(dict.fromkeys(summary.amended))
    summary.changed = [name for name in found.changed if name in looked]
    summary.grown = [name for name in found.grown if name in looked]
    summary.files = sum(name in looked for name in found.new)
    if monitor._core is not None:
        for name in COUNTED:
            setattr(summary, name, monitor._core.counts[name] - counts[name])
    summary.seconds = time.perf_counter() - begin
    return summary


def _times(monitor: "Monitor", found: Found, name: str, now_us: int, summary: ReadSummary) -> _core.Times:
    """The times of a file; of one whose last line cannot be read and has no end, those of all before it."""
    column, latest_us = monitor.config.columns.time, now_us + DAY_US
    try:
        return _core.Times(found.inputs[name], column, latest_us)
    except InputError:
        cut = without_torn_line(found.inputs[name])
        if cut is None:
            raise
        begin, size_bytes = cut
        times = _core.Times(begin, column, latest_us)
    found.cut(name, begin, size_bytes)
    summary.torn.append(name)
    return times


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
    looked: dict[str, _Looked],
    summary: ReadSummary,
    now_us: int,
    progress: Callable[[int], object] | None,
) -> None:
    if monitor._core is None:
        monitor._core = _first_core(monitor, found, looked)
    core, state = monitor._core, monitor._state
    found.renew(state)
    _count_anew(monitor, found, looked, summary)
    unread = _unread(monitor, found, looked)
    files = _core.Files(
        [(found.inputs[name], looked[name].times, begun.rows, begun.since_us) for name, begun in unread.items()],
        MOST_HELD,
    )
    told, is_over = 0, False
    while not is_over:
        try:
            is_over = core.read(
                files,
                now_us,
                most_results=MOST_RESULTS,
                most_s=max(COMMIT_S, 0.0),
                progress=_from(told, progress),
            )
        except InputError as error:
            raise _UnreadableError.of(error, unread) from None
        done = dict(zip(unread, files.progress(), strict=True))
        told = sum(rows - unread[name].rows for name, (rows, _) in done.items())
        for name, (rows, is_read) in done.items():
            if is_read:
                state.begun.pop(name, None)
                state.files[name] = unread[name].file
            elif rows > unread[name].rows:
                state.begun[name] = replace(unread[name], rows=rows)
                if unread[name].since_us is None:
                    state.files.pop(name, None)
        if not is_over:
            monitor._commit(summary.amended, even_if_nothing_is_new=True, in_background=True)
    # Rows of changed files that were counted anew let time go on too.
    core.saw(max((file.last_us for file in state.files.values() if file.last_us is not None), default=0))
    _pass_time(monitor, now_us)
    monitor._commit(summary.amended, even_if_nothing_is_new=True)


def _unread(monitor: "Monitor", found: Found, looked: dict[str, _Looked]) -> dict[str, Begun]:
    """What is to be read of which files: the order tells which comes first where times are equal."""
    state = monitor._state
    unread = {}
    for name in looked:
        begun, file = state.begun.get(name), looked[name].file
        if begun is not None:
            unread[name] = replace(begun, file=file)
        elif name in found.grown and state.files[name].content != file.content:
            unread[name] = Begun(file, state.files[name].rows)
        elif name in found.new and name not in state.files:
            unread[name] = Begun(file, 0)
    return dict(sorted(unread.items()))


def _from(before: int, progress: Callable[[int], object] | None) -> Callable[[int], object] | None:
    """Tells rows on top of those before."""
    return None if progress is None else lambda rows: progress(before + rows)


def _first_core(monitor: "Monitor", found: Found, looked: dict[str, _Looked]) -> _core.Monitor:
    """A monitor that has seen nothing yet but its reference, or the bins of it."""
    config, state = monitor.config, monitor._state
    if isinstance(config.reference, Files):
        return core_with_reference(monitor)
    spans = [(file.first_us, file.last_us) for file, _ in looked.values()]
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
    early = [name for name, (file, _) in looked.items() if file.first_us is not None and file.first_us < until_us]
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
    try:
        core.bin_reference(_sources.open_inputs(source) or [])
    except InputError as error:
        raise InputError(f"the reference: {error}") from None
    for item in _sources.open_inputs(source) or []:
        core.learn_from(item)
    core.end_learning()
    return core


def _count_anew(monitor: "Monitor", found: Found, looked: dict[str, _Looked], summary: ReadSummary) -> None:
    """Counts the windows of changed files anew, from all files that hold rows of them.

    What such a file holds of later windows than any row so far is read as rows that are new.
    """
    core, state = monitor._core, monitor._state
    known = state.known()
    changed = [name for name in _changed(monitor, found, looked) if known[name].content != looked[name].file.content]
    if not changed or core is None:
        return
    newest_us = core.newest_us
    last = monitor._windows.number(newest_us) + 1 if newest_us is not None else 0
    windows: list[tuple[int, int]] = []

    def shares(file: FileSeen) -> bool:
        first, end = _windows(monitor, file)
        return any(first < until and since < end for since, until in windows)

    touched: list[tuple[int, int]] = []
    for changing in changed:
        spans = [_windows(monitor, file) for file in (known[changing], looked[changing].file)]
        windows = _joined((first, min(end, last)) for first, end in spans)
        touched += windows
        for name, file in known.items():
            if name in summary.unreadable and shares(file):
                # What this one held would be lost, and cannot be read again.
                why = InputError(f"{changing}: has windows in common with {name}, which cannot be read")
                raise _UnreadableError(changing, why)
        if state.handed_over_us is not None and shares(FileSeen(0, 0, "", *state.handed_over_us, 0)):
            why = InputError(
                f"{changing}: changed, and rows of its windows were handed over by update(), which cannot be counted "
                "anew: what was counted stands; put the file back, or name the monitor anew"
            )
            raise _UnreadableError(changing, why)
    windows = _joined(touched)
    without = [name for name, file in known.items() if name not in found.inputs and shares(file)]
    # What came late to these windows must not be added to them once more.
    core.feed_late()
    monitor._commit(summary.amended)
    since_us = monitor._windows.start_us(last)
    for name in changed:
        file = looked[name].file
        state.files[name] = file
        state.begun.pop(name, None)
        if file.last_us is not None and file.last_us >= since_us:
            state.begun[name] = Begun(file, 0, since_us)
    there = []
    for name, file in state.known().items():
        if name in found.inputs and shares(file):
            begun = None if name in changed else state.begun.get(name)
            rows = file.rows if begun is None else begun.rows
            before_us = NEVER_US if begun is None or begun.since_us is None else begun.since_us
            there.append((found.inputs[name], rows, before_us))
    try:
        closed = core.recount(windows, there)
    except InputError as error:
        raise _UnreadableError.of(error, changed) from None
    monitor._amend(closed, windows, summary.amended)
    summary.without = without


def _changed(monitor: "Monitor", found: Found, looked: dict[str, _Looked]) -> list[str]:
    """Files that are not what they were, those aside that only go on."""
    # Where a file is counted by times and by rows, more lines are a change like any other.
    grown = [name for name in found.grown if name in monitor._state.files and name in monitor._state.begun]
    return [name for name in found.changed + grown if name in looked]


def _windows(monitor: "Monitor", file: FileSeen) -> tuple[int, int]:
    """From the window of the first row of a file to before the one after its last."""
    if file.first_us is None or file.last_us is None:
        return 0, 0
    return monitor._windows.number(file.first_us), monitor._windows.number(file.last_us) + 1


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same windows in spans that do not touch, in order."""
    joined: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif first < end:
            joined.append((first, end))
    return joined


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
