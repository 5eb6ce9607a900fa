"""What `driftline.yaml` says, read and checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, Field

from driftline._config.checks import Check
from driftline._config.columns import Column, Columns
from driftline._config.mistakes import Mistake, found
from driftline._config.part import Part
from driftline._config.paths import Data, Home, ReferenceField
from driftline._config.reference import impossible
from driftline._config.values import Budget, Lateness, Name, Retention, Share, TimeZone, Whole, Window, name_of_folder

__all__ = ["LATER", "Config"]

LATER: Final = {
    "labels": "join labels",
    "notify": "send messages",
    "on_incident": "start pipelines",
    "promote": "promote models",
    "roles": "know people and their roles",
    "database": "use a database",
}
"""Keys that are agreed and that nothing reads yet, with what driftline does not do."""


class Config(Part):
    """A monitor: what it reads, what it compares with, and what it promises."""

    model_config = ConfigDict(title="driftline.yaml")

    monitor: Name = Field(default_factory=lambda: name_of_folder(Path.cwd()), examples=["churn"])
    """The monitor's name; by default that of the file's folder."""
    data: Data = Field(examples=["logs/**/*.parquet"])
    """Files, folders, globs or URLs of the log, one or a list; an empty list where rows are handed over in Python."""
    columns: Columns = Field(examples=[{"time": "ts"}])
    """What the columns are."""
    reference: ReferenceField = Field(
        default="first quarter", validate_default=True, examples=["first 8 weeks", "same weekday, 8 weeks"]
    )
    """What windows are compared with: a time in words, paths of data, or a saved profile."""
    timezone: TimeZone = Field(default="UTC", examples=["Europe/Paris"])
    """Where days, weeks and months begin and end, and hours of the day are told."""
    segment_limit: Whole = Field(default=50, examples=[50])
    """The most segments that are watched apart; the rows of all others are pooled."""
    window: Window = Field(default="1 day", validate_default=True, examples=["1 day"])
    """How long a window lasts: days and longer follow the calendar, hours and shorter are durations."""
    lateness: Lateness = Field(default="1 hour", validate_default=True, examples=["1 hour"])
    """How long rows may come after their window before it closes; a day is 24 hours here."""
    tolerance: Share = Field(default="2%", validate_default=True, examples=["2%"])
    """The share of the rows up to which a change does not matter."""
    false_alarms: Budget = Field(default="1 per year", validate_default=True, examples=["1 per year"])
    """How many false alarms are accepted of one source, over everything that is watched of it."""
    checks: dict[Column, Check] = Field(default={}, examples=[{"age": {"min": 0, "max": 120, "nulls": "1%"}}])
    """What values of columns may be, whatever the reference says."""
    retention: Retention | None = Field(default=None, examples=["2 years"])
    """How long results and closed alarms are kept, back from the newest row; for ever without it."""
    home: Home = Field(default=".driftline", validate_default=True, examples=[".driftline"])
    """The folder of results, or its URL; `DRIFTLINE_HOME` and a home given in Python come first."""

    @property
    def lateness_s(self) -> int:
        """Seconds that rows may come after their window."""
        return self.lateness.mean_s

    def _contradictions(self) -> Iterator[Mistake]:
        reason = impossible(self.reference, self.window)
        if reason is not None:
            yield Mistake(("reference",), f"is {found(str(self.reference))}: {reason}")
        if self.retention is not None and self.retention.mean_s < self.window.mean_s:
            told = f"results of a window of {self.window} would go before it is over"
            yield Mistake(("retention",), f"is {found(str(self.retention))}: {told}")
        expected = self.false_alarms.expected(self.window.mean_s)
        if expected >= 1:
            told = f"that is {expected:.4g} in each window of {self.window}: accept fewer than one a window"
            yield Mistake(("false_alarms",), f"is {found(str(self.false_alarms))}: {told}")
