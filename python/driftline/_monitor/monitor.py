"""Monitors from Python."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from driftline import _core, _sources
from driftline._config import Config, Files, FirstQuarter, config_of, read_config
from driftline._monitor.alarms import Alarm, alarms_in, tell_latest
from driftline._monitor.archive import ReadSummary, core_with_reference, read_archive
from driftline._monitor.core import core_of
from driftline._monitor.state import State, shaping
from driftline._monitor.writing import Writing
from driftline._profile import _threads
from driftline._store import Store, Writer
from driftline._store.facts import Facts, microseconds, moment
from driftline.errors import ConfigError, InputError

__all__ = ["Monitor"]

STEPS: Final = 10
"""Results go in so many steps within the time for which they are kept."""

_Stored = tuple[_core.Profile, int]
"""Of a segment in a window: its profile, and the revision of that."""


class Monitor:
    """Watches a log over time: windows, series, alarms that keep their promise.

    What it knows lies in its home and survives the process: made again with the same configuration, it goes on where it
    ended. One process at a time may watch a source; `close` lets go of it, and so does a `with` block.

    Args:
        config: The path of a `driftline.yaml` (or TOML); without it, the keys of that file as arguments.
        writer: What the rows come from, where several processes watch parts of one log: a host, a shard.
        home: The folder of results, or its URL, before what the file and `DRIFTLINE_HOME` say.
        threads: How many to use; all cores by default.
        arguments: Keys of `driftline.yaml`: `data`, `columns`, `window`, `reference` and so on.

    Raises:
        ConfigError: The configuration is wrong, or another one than the monitor began with.
        InputError: The home is damaged.
        StorageError: The disk or the network fails, or another process watches this source.

    Example:
        >>> monitor = Monitor(data=[], columns={"time": "ts"}, monitor="example", reference="first 30 days")
        >>> monitor.update({"ts": ["2026-11-03T14:00:00Z"], "amount": [9.5]})
        >>> monitor.close()
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | Config | None = None,
        /,
        *,
        writer: str = "main",
        home: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        **arguments: Any,
    ) -> None:
        if config is not None and arguments:
            raise TypeError(f"{min(arguments)} stands beside a configuration: write it there, or give no file")
        if isinstance(config, Config):
            self.config = config
        elif config is not None:
            self.config = read_config(config, home=home)
        else:
            self.config = config_of({**arguments, "home": home})
        self.writer = writer
        self._threads = _threads(threads)
        self._windows = _core.Windows((self.config.window.count, self.config.window.unit), self.config.timezone)
        self._store = Store(self.config.home)
        self._writer: Writer | None = self._store.writer(self.config.monitor, writer, threads=self._threads)
        self._core: _core.Monitor | None = None
        self._state = State(shaping(self.config))
        self._commits = 0
        self._pending: dict[str, Any] | None = None
        """What comes with the next commit, where the disk failed with it or is still at it."""
        self._writing: Writing | None = None
        """The same while it is being written."""
        self._is_unsaved = False
        """Whether rows were handed over, or time went on, since the last commit."""
        self._is_lost = False
        """Whether what came of some rows is lost, so that only the disk is right."""
        try:
            self._go_on()
        except BaseException:
            self.close()
            raise

    def _go_on(self) -> None:
        """Goes on from the last checkpoint, where there is one."""
        self._commits, data = self._open_writer().checkpoint()
        if not self._commits:
            return
        self._state, core = State.of(self.config, data)
        self._core = core_of(self.config, self.writer, until_us=self._state.until_us, state=core, threads=self._threads)

    def _go_back(self) -> None:
        """Forgets what came since the last checkpoint."""
        self._is_lost = True
        # Whether it was written, the disk tells.
        self._written()
        self._core, self._state, self._commits = None, State(shaping(self.config)), 0
        self._pending, self._is_unsaved = None, False
        self._go_on()
        self._is_lost = False

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise ValueError("the monitor is closed: make a new one, which goes on where this one ended")
        return self._writer

    def _ready(self) -> _core.Monitor:
        """The engine's monitor, for rows that are handed over."""
        self._open_writer()
        if self._is_lost:
            self._go_back()
        if self._core is None:
            if isinstance(self.config.reference, FirstQuarter):
                raise ConfigError(
                    "reference is first quarter, which only an archive has: where rows are handed over, say how long, "
                    "such as first 8 weeks"
                )
            if isinstance(self.config.reference, Files):
                self._core = core_with_reference(self)
            else:
                self._core = core_of(self.config, self.writer, threads=self._threads)
        return self._core

    def update(self, batch: object, *, now: datetime | None = None) -> None:
        """Adds rows: any frame, Arrow table, dict of arrays, or an iterable of these; no paths, which `read` is for.

        Rows are on disk once a window closes with them or after them, and with `commit` and `close`: a process that is
        killed before has to hand them over again. Where this raises `InputError`, none of the rows are added.

        Args:
            batch: The rows, with the column of times.
            now: What the clock says, by default the system's; rows from more than a day later have no time.

        Raises:
            InputError: There is no column of times, or a column cannot be read. Nothing is added then.
            StorageError: The disk fails. The rows are taken, and what came of them is written with what comes next.
        """
        core = self._ready()
        if _sources.is_path(batch):
            raise TypeError("batch is a path: name it as data in the configuration and call read()")
        now_us, state = _now_us(now), self._state
        was_unsaved, span_us = self._is_unsaved, state.handed_over_us
        before: bytes | None = None
        self._is_unsaved = True
        try:
            items = _sources.produce(batch)
            following = next(items, None)
            while following is not None:
                item, following = following, next(items, None)
                if following is not None and before is None:
                    before = bytes(core.checkpoint())
                state.handed_over_us = _both(state.handed_over_us, core.update(item, now_us))
        except BaseException:
            state.handed_over_us, self._is_unsaved = span_us, was_unsaved
            if before is not None:
                self._core = core_of(
                    self.config, self.writer, until_us=state.until_us, state=before, threads=self._threads
                )
            elif core.is_broken:
                self._is_lost = True
            raise
        self._commit()

    def advance(self, to_time: datetime) -> None:
        """Lets time go on: windows close that ended before it, `lateness` included, whether rows came or not.

        Args:
            to_time: A time with a zone.

        Raises:
            TypeError: It is no `datetime`.
            ValueError: It has no zone.
            StorageError: The disk fails. What came of it is written with what comes next.
        """
        # First of all, so that a wrong one changes nothing, and is told whatever else is wrong.
        to_us = microseconds("to_time", to_time)
        core = self._ready()
        self._is_unsaved = True
        try:
            core.advance(to_us)
        except BaseException:
            self._is_lost = core.is_broken
            raise
        self._commit()

    def read(
        self, *, now: datetime | None = None, progress: bool | Callable[[int], object] | None = None
    ) -> ReadSummary:
        """Reads the files of `data` that are new since it was called last, and sees which changed.

        Args:
            now: What the clock says, by default the system's.
            progress: As of `driftline.profile`.

        Raises:
            InputError: A file cannot be read; what was read before it is kept.
            StorageError: The disk or the network fails.
        """
        from driftline._progress import watched

        self._open_writer()
        if not self.config.data:
            raise ConfigError("data is empty: rows are handed over by update()")
        if self._is_lost:
            self._go_back()
        if self._is_unsaved or self._pending is not None:
            # What was handed over is kept, whatever becomes of the files.
            self._commit(even_if_nothing_is_new=True)
        with watched(progress) as callback:
            try:
                return read_archive(self, _now_us(now), callback)
            except BaseException:
                # Of the file that was being read some rows are counted.
                self._go_back()
                raise

    def commit(self) -> None:
        """Writes all that was handed over: it is not lost from now on, whatever becomes of the process.

        Raises:
            StorageError: The disk fails. Nothing is lost: call it again.
        """
        self._open_writer()
        if self._is_lost:
            self._go_back()
        self._commit(even_if_nothing_is_new=True)

    def results(self) -> Any:
        """A row for each column of each segment of each window: a frame of polars, or Arrow where that is missing."""
        return _frame(self._store.results(monitor=self.config.monitor))

    def alarms(self) -> Any:
        """A row for each event of an alarm, likewise, as it was when it happened; `alarm_list` puts them together."""
        return _frame(self._store.alarms(monitor=self.config.monitor))

    def alarm_list(self) -> list[Alarm]:
        """Alarms as they stand, in the order of their numbers; open ones with what the latest window says."""
        alarms = alarms_in(self._store, self.config.monitor)
        # How far other sources have come is not known here.
        is_alone = self._core is not None and all(alarm.writer == self.writer for alarm in alarms)
        newest_us = self._core.newest_us if self._core is not None and is_alone else None
        tell_latest(self._store, self.config, alarms, None if newest_us is None else moment(newest_us))
        return alarms

    def series(self) -> list[dict[str, Any]]:
        """Where each series stands: its reference, what is promised of it, the smallest change that can be found."""
        return [] if self._core is None else self._core.standings().to_dicts()

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Writes a page to look at: one file that needs no network. An older page is replaced, no other file.

        Raises:
            ValueError: The path names no file, or something else than a page is there.
            InputError: There is no such folder, or it is not writable; or the home cannot be read. Files of it that are
                damaged are told on the page.
            StorageError: The disk is full or fails.
        """
        from driftline._monitor_page import page_of
        from driftline._page.file import check_place, write_page

        name = check_place(path)
        write_page(name, page_of(self.config))

    def close(self) -> None:
        """Keeps what it knows, and lets go of the source."""
        if self._writer is not None:
            try:
                if self._is_unsaved or self._pending is not None:
                    self._commit(even_if_nothing_is_new=True)
            finally:
                self._written()
                self._writer.close()
                self._writer = None

    def __enter__(self) -> "Monitor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _commit(
        self,
        amended: list[str] | None = None,
        *,
        even_if_nothing_is_new: bool = False,
        in_background: bool = False,
    ) -> None:
        """Writes what came of the rows so far, and the state after it: at once, or while the next rows are read."""
        core = self._core
        if core is None or self._is_lost:
            return
        self._settle()
        # Before anything is taken, so that nothing is lost where the store cannot be read.
        spans = list(_spans(core.late_windows()))
        stored = self._stored(spans)
        # From when it is taken until it is written, what came of the rows is here alone.
        self._is_lost = True
        profiles, results, alarms, late = core.take()
        tables = [(profiles, results)]
        # Segment by segment and window by window, what came late is added to what is stored, or about to be.
        together: dict[int, dict[str, _core.Profile]] = {}
        for window, segment, profile in late:
            of_window = together.setdefault(window, {})
            of_window[segment] = _added(of_window[segment], profile) if segment in of_window else profile
        stored |= self._about_to_be(spans, profiles)
        for window, of_window in together.items():
            for segment, profile in of_window.items():
                before, revision = stored.get((window, segment), (_core.Profile.empty(), 0))
                whole = _added(before, profile)
                tables.append(core.assess(window, segment, whole, revision + 1))
            if amended is not None and "" in of_window:
                amended.append(self._windows.label(window))
        self._write(tables, alarms, even_if_nothing_is_new, in_background=in_background)

    def _amend(
        self, closed: Iterable[tuple[int, str, _core.Profile]], windows: Iterable[tuple[int, int]], amended: list[str]
    ) -> None:
        """Writes windows that were counted anew, by their spans."""
        core = self._ready()
        anew = {(window, segment): profile for window, segment, profile in closed}
        stored = self._stored(windows)
        tables = []
        for window, segment in sorted(anew.keys() | stored.keys()):
            profile = anew.get((window, segment), _core.Profile.empty())
            _, revision = stored.get((window, segment), (profile, 0))
            tables.append(core.assess(window, segment, profile, revision + 1))
            if segment == "":
                amended.append(self._windows.label(window))
        self._write(tables, None, even_if_nothing_is_new=False)

    def _write(
        self, tables: list[Any], alarms: Any, even_if_nothing_is_new: bool, *, in_background: bool = False
    ) -> None:
        core = self._ready_to_write()
        profiles = _core.Table.concat([profiles for profiles, _ in tables])
        results = _core.Table.concat([results for _, results in tables])
        is_new = profiles.num_rows or results.num_rows or (alarms is not None and alarms.num_rows)
        if is_new or even_if_nothing_is_new:
            checkpoint = self._state.encode(core.checkpoint())
            self._pending = {"profiles": profiles, "results": results, "alarms": alarms, "checkpoint": checkpoint}
            self._is_unsaved = False
        self._is_lost = False
        if in_background and self._threads != 1 and self._pending is not None:
            self._writing = Writing(self._open_writer(), self._commits + 1, self._pending)
        else:
            self._settle()

    def _ready_to_write(self) -> _core.Monitor:
        self._open_writer()
        if self._core is None:
            raise ValueError("nothing was counted yet")
        return self._core

    def _settle(self) -> None:
        """Writes what waits for that. Where the disk fails it waits on, and comes before all else."""
        if self._writing is not None:
            error = self._written()
            if error is not None:
                raise error
        elif self._pending is not None:
            self._open_writer().commit(self._commits + 1, **self._pending)
        else:
            return
        self._commits += 1
        self._pending = None
        self._let_go()

    def _let_go(self) -> None:
        """Lets results go that are older than the configuration keeps."""
        newest_us, kept = None if self._core is None else self._core.newest_us, self.config.retention
        if newest_us is None or kept is None:
            return
        kept_us, state = kept.mean_s * 1_000_000, self._state
        until_us = newest_us - kept_us
        # Not one by one: each time, files are written anew.
        if state.expired_us is None or until_us - state.expired_us >= kept_us // STEPS:
            self._open_writer().let_go(moment(until_us))
            state.expired_us = until_us

    def _written(self) -> BaseException | None:
        """Waits for what is being written; what went wrong with it."""
        if self._writing is None:
            return None
        error = self._writing.wait()
        # Not before: where waiting is interrupted, somebody else has to wait.
        self._writing = None
        return error

    def _stored(self, windows: Iterable[tuple[int, int]]) -> dict[tuple[int, str], _Stored]:
        """What this writer stored of spans of windows, by segment."""
        stored: dict[tuple[int, str], _Stored] = {}
        spans = [tuple(map(self._windows.start_us, span)) for span in windows]
        for begin, end in spans:
            monitor, since, until = self.config.monitor, moment(begin), moment(end)
            stored |= self._revised(self._store.profiles(monitor, writer=self.writer, since=since, until=until))
            results = self._store.results(monitor, writer=self.writer, since=since, until=until, select=["revision"])
            for row in results.to_dicts():
                key = (self._windows.number(row["window_start"]), row["segment"])
                if row["revision"] > stored.get(key, (None, 0))[1]:
                    # A window that lost all its rows has results, and no profile of its revision.
                    stored[key] = (_core.Profile.empty(), row["revision"])
        return stored

    def _about_to_be(self, windows: Iterable[tuple[int, int]], closed: _core.Table) -> dict[tuple[int, str], _Stored]:
        """The same of windows that have closed and are not stored yet."""
        stored: dict[tuple[int, str], _Stored] = {}
        spans = [tuple(map(self._windows.start_us, span)) for span in windows]
        names = {"monitor": self.config.monitor, "writer": self.writer}
        threads = self._threads
        encoded = _core.facts_to_parquet(closed, "profiles", **names, threads=threads) if spans else None
        if encoded is not None:
            data = bytes(encoded)
            source = _core.remote_input("closed.parquet", len(data), lambda start, size: data[start : start + size])
            for begin, end in spans:
                stored |= self._revised(Facts(_core.read_facts([source], "profiles", since=begin, until=end)))
        return stored

    def _revised(self, facts: Facts) -> dict[tuple[int, str], _Stored]:
        revisions = {(row["window_start"], row["segment"]): row["revision"] for row in facts.to_dicts()}
        found = {}
        for _, segment, start_us, profile in facts._core.window_profiles():
            found[self._windows.number(start_us), segment] = (profile, revisions[start_us, segment])
        return found


def _added(before: _core.Profile, late: _core.Profile) -> _core.Profile:
    """A window with what came late to it; rows that do not fit, whose columns have other types, are left out."""
    try:
        return before.merge(late)
    except InputError:
        return before


def _both(span: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    """From the first to the last of both."""
    if span is None or other is None:
        return span or other
    return min(span[0], other[0]), max(span[1], other[1])


def _spans(windows: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Neighbours together: from a window to before another."""
    numbers = sorted(windows)
    for _, group in groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
        together = [number for _, number in group]
        yield together[0], together[-1] + 1


def _now_us(now: datetime | None) -> int:
    return time.time_ns() // 1000 if now is None else microseconds("now", now)


def _frame(facts: Facts) -> Any:
    try:
        return facts.to_polars()
    except ImportError:
        return facts
