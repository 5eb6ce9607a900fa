"""The same logs, window by window, through driftline's monitor and four other ways to detect drift.

False alarms where nothing changes, rows to detection where something does, and published data as they are. Every tool
judges by its own defaults, and all compare with the same reference. What is not installed is left out, and said to be.
"""

import argparse
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import rivals
import rivals_over_time as tools
from rivals import Table, markdown
from rivals_over_time import Log
from scipy.special import ndtr, ndtri
from side_by_side import CHANGES, KINDS

# Published data are read as the tests of the simulations do, whose folder lies beside this one.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "simulation"))

from simulations.laws import LAWS, Change

ROOT = Path(__file__).resolve().parents[1]

SEED = 20_263

NAMES = (
    "normal",
    "lognormal, sigma 2",
    "Poisson, mean 3",
    "3 % ones",
    "30 values, uniform",
    "300 values, uniform",
    "30 values, Zipf",
    "300 values, Zipf",
)
COLUMNS = [law for law in LAWS if law.name in NAMES]

REFERENCE = 60
"""Days of the reference of made-up logs: two months."""

DAYS = 182
"""Days that are watched where nothing changes."""

BEFORE, AFTER = 20, 40
"""Days that are watched before a change, and after it."""

SPREAD = 0.05
"""How far a day lies to one side, in standard deviations of its rows: at 1,000 rows a day, shares near a half vary 2.6
times more than those of independent rows."""

MEMORY = 0.3
"""How much of that a day has from the day before, where days remember."""

WEATHER_DAYS = 363
"""A window of the weather is a year, and 363 days are a whole number of each of its cycles."""

BEGINS = {"hotel": "2016-10-01", "bikes": "2012-01-01", "electricity": "1997-08-22", "weather": None}
"""Where the second half begins; of the weather it is the 26th of 50 years."""

TITLES = {"hotel": "hotel bookings", "bikes": "bike rentals", "electricity": "electricity", "weather": "weather"}


@dataclass(frozen=True)
class Made:
    """A log that is made up: the same laws in every window, until some rows move.

    Attributes:
        alone: Whether driftline alone is asked: its alarms are so rare that it takes more logs to count them, and the
            others take up to twenty times as long.
    """

    rows: int
    days: int
    spread: float = 0.0
    memory: float = 0.0
    change: int | None = None
    share: float = 0.0
    run: int = 0
    alone: bool = False

    @property
    def kinds(self) -> list[str]:
        return [KINDS[law.name] for law in COLUMNS]

    def log(self) -> Log:
        what = [] if self.change is None else [self.change, int(1000 * self.share)]
        rng = np.random.default_rng([SEED, self.rows, self.days, self.run, int(1000 * self.spread), *what])
        days = REFERENCE + self.days
        # In the past: rows of the future have no time.
        day = np.datetime64("2020-01-01") + np.arange(days)
        rows = pd.DataFrame({law.name: self._column(rng, law, days) for law in COLUMNS})
        return Log(rows, np.repeat(day, self.rows), day[REFERENCE])

    def _column(self, rng: np.random.Generator, law: object, days: int) -> pd.Series:
        if self.change is not None:
            how, _ = CHANGES[self.change][KINDS[law.name]]
            before = law.draw(rng, self.rows * (days - AFTER)).to_pandas()
            after = law.draw(rng, self.rows * AFTER, Change(how, self.share)).to_pandas()
            return pd.concat([before, after], ignore_index=True)
        if not self.spread:
            return law.draw(rng, self.rows * days).to_pandas()
        side = rng.normal(size=days)
        for i in range(1, days):
            side[i] = self.memory * side[i - 1] + np.sqrt(1 - self.memory**2) * side[i]
        # The rows of all days together follow the law.
        within = np.sqrt(1 - self.spread**2) * ndtri(rng.random((days, self.rows)))
        return law.at(ndtr(within + self.spread * side[:, None]).ravel()).to_pandas()


@dataclass(frozen=True)
class Published:
    """Published data: shuffled in time, or as they are."""

    name: str
    folder: Path
    shuffled: bool
    run: int = 0
    alone: bool = False

    @property
    def kinds(self) -> list[str] | None:
        return None

    def log(self) -> Log:
        # It needs polars, which what is made up does not.
        import real_data

        study = getattr(real_data, self.name)(self.folder)
        if self.shuffled:
            study = study.shuffled(SEED + self.run)
        time = study.rows[study.time].to_numpy().astype("datetime64[D]")
        rows = study.rows.drop(study.time, "customer_id", strict=False).to_pandas()
        texts = dict.fromkeys(rows.select_dtypes("object"), "category")
        begin = BEGINS[self.name]
        if begin is None:
            # A window of these is a day to driftline, which is told how many false alarms are accepted a year of days.
            year = (time - time[0]).astype(int) // WEATHER_DAYS
            # Nine days are left over.
            rows, year = rows[year < 50], year[year < 50]
            time = np.datetime64("1970-01-01") + year
            begin = time[0] + 25
        return Log(rows.astype(texts), time, np.datetime64(begin), self.name == "bikes" and not self.shuffled)


Task = Made | Published

Answers = dict[Task, dict[str, np.ndarray]]
"""Of each log by line: windows times columns, whether each was called drifted."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a few small windows: shows that everything runs")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there too")
    given = options.parse_args()

    present = rivals.present(tools.TOOLS)
    plan = Plan.quick() if given.quick else Plan.full()
    # One process loads the tools sooner than several do.
    answers = {task: _watch(task, quick=True) for task in plan.tasks} if given.quick else _ask(plan.tasks)
    text = "\n\n".join(_report(plan, answers, present)) + "\n"
    print(text, end="")
    if given.markdown:
        given.markdown.write_text(text)
    return 0


@dataclass(frozen=True)
class Plan:
    """The logs of each table, by the heading of their column."""

    unchanged: Mapping[str, Sequence[Made]]
    shuffled: Mapping[str, Sequence[Published]]
    changed: Mapping[int, Mapping[tuple[int, float], Sequence[Made]]]
    """By the rows of a window; by change and share."""
    as_they_are: Mapping[str, Sequence[Published]]

    @classmethod
    def full(cls) -> "Plan":
        unchanged = {
            "200 rows": _runs(Made(200, DAYS), alone=5),
            "1,000 rows": _runs(Made(1_000, DAYS), alone=5),
            "10,000 rows": _runs(Made(10_000, 40), alone=5),
            "1,000 rows, days vary": _runs(Made(1_000, DAYS, SPREAD), alone=5),
            "1,000 rows, days remember": _runs(Made(1_000, DAYS, SPREAD, MEMORY), alone=5),
        }
        shares = [(change, share) for share in (0.05, 0.1) for change in range(len(CHANGES))]
        changed = {500: {how: _runs(Made(500, BEFORE + AFTER, 0, 0, *how), 4) for how in shares}}
        folder = _published()
        published = [
            {title: [Published(name, folder, shuffled)] for name, title in TITLES.items() if folder}
            for shuffled in (True, False)
        ]
        return cls(unchanged, published[0], changed, published[1])

    @classmethod
    def quick(cls) -> "Plan":
        folder = _published()
        weather, bikes = (
            {TITLES[name]: [Published(name, folder, name == "weather")]} if folder else {}
            for name in ("weather", "bikes")
        )
        changed = Made(50, BEFORE + AFTER, 0, 0, 0, 0.1)
        return cls({"50 rows": [Made(50, 3, SPREAD, MEMORY)]}, weather, {50: {(0, 0.1): [changed]}}, bikes)

    @property
    def tasks(self) -> list[Task]:
        tables = [self.unchanged, self.shuffled, *self.changed.values(), self.as_they_are]
        return [task for table in tables for tasks in table.values() for task in tasks]


def _runs(made: Made, runs: int = 1, alone: int = 0) -> list[Made]:
    """The same log drawn again and again."""
    return [replace(made, run=run, alone=run >= runs) for run in range(runs + alone)]


def _published() -> Path | None:
    """The folder of published data; says so where it is missing."""
    folder = Path(os.environ.get("DRIFTLINE_SHARED", ROOT.parent / "shared")) / "data"
    missing = None if folder.is_dir() else "DRIFTLINE_SHARED names no folder with published data in data/"
    missing = missing if rivals.installed("polars") else "polars is not installed"
    if missing:
        print(f"published data are left out: {missing}", file=sys.stderr)
    return None if missing else folder


def _ask(tasks: Sequence[Task]) -> Answers:
    """What every tool says of every log; on all cores."""
    answers = {}
    begin = time.monotonic()
    # Polars must not be forked.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(_watch, task): task for task in tasks}
        for future in as_completed(futures):
            answers[futures[future]] = future.result()
            print(f"{len(answers)} of {len(tasks)} logs, {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return answers


_WATCHES: dict[str, tools.Watch] = {}
"""Loaded once in each process."""


def _watch(task: Task, *, quick: bool = False) -> dict[str, np.ndarray]:
    # Rivals warn of ties and of empty cells, which is what this is about.
    warnings.simplefilter("ignore")
    if not _WATCHES:
        _WATCHES.update({tool.name: tool.judge() for tool in tools.TOOLS if rivals.installed(tool.package)})
    log = task.log()
    if quick and isinstance(task, Published):
        kept = log.day < log.windows[2]
        log = replace(log, rows=log.rows[kept], day=log.day[kept])
    if "Evidently" in _WATCHES and task.run == 0 and not quick:
        _same_as_preset(log)
    asked = [watch for name, watch in _WATCHES.items() if name.startswith("driftline") or not task.alone]
    return {line: flags for watch in asked for line, flags in watch(log).items()}


def _same_as_preset(log: Log) -> None:
    """Evidently's tests alone say what its preset says, of the first window."""
    window = log.window(log.windows[0])
    whole, alone = (judge()(log.reference, window) for judge in (rivals.evidently, rivals.evidently_alone))
    if whole != alone:
        raise RuntimeError(f"Evidently's preset says {whole}, its tests alone {alone}")


def _report(plan: Plan, answers: Answers, present: Sequence[rivals.Tool]) -> Iterator[str]:
    """The tables, one after another."""
    yield f"{rivals.environment(present)}; seed {SEED}."

    for kind in ("numbers", "categories"):
        table: Table = {"accepted by driftline": {}}
        for heading, tasks in plan.unchanged.items():
            _false_alarms(table, heading, [_of_kind(task, answers[task], kind) for task in tasks], len(COLUMNS))
        yield markdown(f"False alarms per 1,000 series-windows, {kind} (windows in alarm)", table)
    if plan.shuffled:
        table = {"accepted by driftline": {}}
        for heading, tasks in plan.shuffled.items():
            _false_alarms(table, heading, [answers[task] for task in tasks])
        yield markdown("False alarms per 1,000 series-windows, published data shuffled in time", table)

    for rows, changes in plan.changed.items():
        for kind in ("numbers", "categories"):
            table = {}
            every = [_of_kind(task, answers[task], kind) for tasks in changes.values() for task in tasks]
            _false_alarms(table, "false alarms before", [_part(flags, slice(None, BEFORE)) for flags in every])
            for (change, share), tasks in changes.items():
                heading = f"{100 * share:g} % {CHANGES[change][kind][1]}"
                _rows_to_detection(table, heading, [_of_kind(task, answers[task], kind) for task in tasks], rows)
            yield markdown(f"Rows to detection, {kind}, windows of {rows:,} rows", table)

    if plan.as_they_are:
        table = {}
        for heading, tasks in plan.as_they_are.items():
            for task in tasks:
                for line, flags in answers[task].items():
                    table.setdefault(line, {})[heading] = (
                        f"{_alarms(flags)} in {flags.any(axis=0).sum()} of {flags.shape[1]} columns "
                        f"({100 * flags.mean():.0f} %)"
                    )
        yield markdown("Alarms in published data as they are (windows in alarm)", table)


def _of_kind(task: Made, lines: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    mine = np.array(task.kinds) == kind
    return {line: flags[:, mine] for line, flags in lines.items()}


def _part(lines: Mapping[str, np.ndarray], windows: slice) -> dict[str, np.ndarray]:
    return {line: flags[windows] for line, flags in lines.items()}


def _alarms(flags: np.ndarray) -> int:
    """Windows in a row that are called drifted are one alarm, whoever says so."""
    return int(np.count_nonzero(flags & ~np.vstack([np.zeros_like(flags[:1]), flags[:-1]])))


def _false_alarms(
    table: Table, heading: str, logs: Sequence[Mapping[str, np.ndarray]], series: int | None = None
) -> None:
    """Writes a column of a table: alarms, and windows in alarm, per 1,000 series-windows."""
    if "accepted by driftline" in table:
        series = series or next(iter(logs[0].values())).shape[1]
        table["accepted by driftline"][heading] = _short(1000 / tools.YEAR / series)
    for line in logs[0]:
        every = [flags[line] for flags in logs if line in flags]
        size = sum(flags.size for flags in every)
        per = [1000 * count / size for count in (sum(map(_alarms, every)), sum(flags.sum() for flags in every))]
        table.setdefault(line, {})[heading] = f"{_short(per[0])} ({_short(per[1])})"


def _rows_to_detection(table: Table, heading: str, logs: Sequence[Mapping[str, np.ndarray]], rows: int) -> None:
    """Writes a column of a table: median and mean of the rows from a change to the end of the first window in alarm."""
    for line in logs[0]:
        after = np.concatenate([flags[line][BEFORE:] for flags in logs], axis=1)
        found = after.any(axis=0)
        taken = [
            rows * int(np.argmax(flags) + 1) if any_ else np.inf for flags, any_ in zip(after.T, found, strict=True)
        ]
        horizon = rows * len(after)
        middle = np.median(taken)
        cell = f"{middle:,.0f}" if middle <= horizon else f"> {horizon:,}"
        mean = np.minimum(taken, horizon).mean()
        table.setdefault(line, {})[heading] = (
            f"{cell} / {'' if found.all() else '≥ '}{mean:,.0f}, {100 * found.mean():.0f} %"
        )


def _short(value: float) -> str:
    """Two figures; whole numbers from 10 on."""
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2g}"


if __name__ == "__main__":
    sys.exit(main())
