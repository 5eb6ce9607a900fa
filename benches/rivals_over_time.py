"""The tools of `rivals.py`, each asked of every window of a log whether its columns differ from the reference.

A watch takes a log and returns its answers: by the name of a line in the table, a row a window and a column a column.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import cached_property, partial

import numpy as np
import pandas as pd
import rivals
from rivals import Judge, Tool

FALSE_ALARMS = "1 per year"
"""What driftline is told to accept over all columns of a log; windows are days."""

YEAR = 365.2425
"""The windows of a year."""

TIME = "time"


@dataclass(frozen=True)
class Log:
    """Rows in the order of their days, each of which is a window.

    Attributes:
        rows: The columns that are watched.
        day: The day of each row.
        begin: The first day that is watched; those before it are the reference.
        monthly: Whether a day is compared with the days of its month alone, of a reference of one year.
    """

    rows: pd.DataFrame
    day: np.ndarray
    begin: np.datetime64
    monthly: bool = False

    @cached_property
    def reference(self) -> pd.DataFrame:
        return self.rows[self.day < self.begin]

    @cached_property
    def windows(self) -> np.ndarray:
        """Days that are watched and have rows."""
        return np.unique(self.day[self.day >= self.begin])

    def window(self, day: np.datetime64) -> pd.DataFrame:
        return self.rows[slice(*self.day.searchsorted([day, day + 1]))]

    def of_month(self, month: int) -> "Log":
        mine = pd.DatetimeIndex(self.day).month == month
        return replace(self, rows=self.rows[mine], day=self.day[mine], monthly=False)


Watch = Callable[[Log], dict[str, np.ndarray]]


def driftline(name: str, **options: object) -> Watch:
    """A monitor; a window is called drifted while an alarm is open at its end.

    Rules, such as half of the usual number of rows, are outside of the budget and left out.
    """
    import driftline as dl

    def watch(log: Log) -> dict[str, np.ndarray]:
        days = int((log.begin - log.day[0]) / np.timedelta64(1, "D"))
        how = {"reference": "same month, 1 year" if log.monthly else f"first {days} days", **options}
        with tempfile.TemporaryDirectory() as home:
            columns = {"time": TIME}
            monitor = dl.Monitor(
                data=[], columns=columns, monitor="m", false_alarms=FALSE_ALARMS, home=home, threads=1, **how
            )
            with monitor:
                monitor.update(log.rows.assign(**{TIME: log.day.astype("datetime64[us]")}))
                last = log.day[-1].astype("datetime64[s]").item().replace(tzinfo=UTC)
                # The last window closes when time is past its end and the lateness.
                monitor.advance(last + timedelta(days=3))
                events = monitor.alarms().to_dicts()
        flags = np.zeros((len(log.windows), log.rows.shape[1]), bool)
        for event in sorted(events, key=lambda event: event["event"]):
            if event["detector"] == "rule":
                continue
            after = log.windows >= np.datetime64(event["window_start"].replace(tzinfo=None), "D")
            if event["happened"] in ("opened", "reopened", "closed"):
                flags[after, log.rows.columns.get_loc(event["column"])] = event["happened"] != "closed"
        return {name: flags}

    return watch


def nannyml() -> Watch:
    """Univariate drift, a chunk a day; limits from the chunks of the reference."""
    from nannyml import UnivariateDriftCalculator

    def watch(log: Log) -> dict[str, np.ndarray]:
        rows = log.rows.assign(**{TIME: log.day.astype("datetime64[ns]")})
        reference = log.day < log.begin
        names = list(log.rows)
        calculator = UnivariateDriftCalculator(column_names=names, timestamp_column_name=TIME, chunk_period="D")
        found = calculator.fit(rows[reference]).calculate(rows[~reference]).filter(period="analysis").to_df()
        if len(found) != len(log.windows):
            raise RuntimeError(f"NannyML has {len(found)} chunks of {len(log.windows)} days")
        return {"NannyML": np.stack([found[name, "jensen_shannon", "alert"] for name in names], axis=1).astype(bool)}

    return _by_month(watch)


def each_window(load: Callable[[], Judge]) -> Watch:
    """Whatever judges two tables, of the reference and each window."""
    judge = load()

    def watch(log: Log) -> dict[str, np.ndarray]:
        lines: dict[str, list[list[bool]]] = {}
        for day in log.windows:
            for line, flags in judge(log.reference, log.window(day)).items():
                lines.setdefault(line, []).append([flags[name] > 0 for name in log.rows])
        return {line: np.array(flags) for line, flags in lines.items()}

    return _by_month(watch)


def _by_month(watch: Watch) -> Watch:
    """Asks of each month apart, where a log is to be compared so."""

    def monthly(log: Log) -> dict[str, np.ndarray]:
        if not log.monthly:
            return watch(log)
        lines: dict[str, np.ndarray] = {}
        month = pd.DatetimeIndex(log.windows).month
        for number in np.unique(month):
            for line, flags in watch(log.of_month(number)).items():
                lines.setdefault(line, np.zeros((len(log.windows), log.rows.shape[1]), bool))[month == number] = flags
        return lines

    return monthly


def _levels(columns: int) -> dict[str, float]:
    """The usual level, and the one by which a year of windows has one false alarm in all columns together."""
    return {"SciPy, p < 0.05": 0.05, "SciPy, p for 1 per year": 1 / (YEAR * columns)}


TOOLS = (
    Tool("driftline", "driftline", partial(driftline, "driftline")),
    Tool("driftline, tolerance 0", "driftline", partial(driftline, "driftline, tolerance 0", tolerance=0.0)),
    Tool("Evidently", "evidently", partial(each_window, rivals.evidently_alone)),
    Tool("NannyML", "nannyml", nannyml),
    Tool("SciPy", "scipy", partial(each_window, partial(rivals.scipy, _levels))),
    Tool("PSI > 0.1", "numpy", partial(each_window, rivals.psi)),
)
