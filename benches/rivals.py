"""Other ways to tell whether a column changed, each with its own defaults, all on the same pandas frames.

A judge takes a reference and a current frame and returns its answers: by the name of a line in the table, of each
column the share of decisions that say "changed", which is 0 or 1 where there is one decision a column.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

Flags = dict[str, float]
Judge = Callable[[pd.DataFrame, pd.DataFrame], dict[str, Flags]]

# Both read these when they are imported: a benchmark has nothing to report to anybody.
os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}

ALPHA = 0.05
PSI_BINS = 10
PSI_LIMIT = 0.1
"""Population stability above 0.1 is "moderate change" in every textbook of credit scoring."""
PSI_EMPTY = 1e-4
"""What the usual recipes put in place of an empty bin's share, so that the logarithm is finite."""


def installed(package: str) -> str | None:
    """The version of a package, `None` where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def driftline(name: str, **options: float) -> Judge:
    """The verdict `drift`."""
    import driftline as dl

    def judge(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Flags]:
        return {name: _flags(dl.compare(reference, current, **options).drifted, reference)}

    return judge


def evidently() -> Judge:
    """The preset for data drift, which chooses a test or a distance by the kind of the column and the rows."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    def drifted(metric: Mapping[str, object]) -> bool:
        score, limit = metric["value"], metric["config"]["threshold"]
        return bool(score < limit if "p_value" in metric["config"]["method"] else score >= limit)

    def judge(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Flags]:
        numbers = list(reference.select_dtypes("number"))
        categories = [name for name in reference if name not in numbers]
        kinds = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
        frames = [Dataset.from_pandas(frame, data_definition=kinds) for frame in (current, reference)]
        count, *metrics = Report([DataDriftPreset()]).run(*frames).dict()["metrics"]
        found = [metric["config"]["column"] for metric in metrics if drifted(metric)]
        if len(found) != count["value"]["count"]:
            raise RuntimeError(f"Evidently counts {count['value']['count']} changed columns, we read {len(found)}")
        return {"Evidently": _flags(found, reference)}

    return judge


def evidently_alone() -> Judge:
    """What the preset asks of each column, without its figures, which take a hundred times as long."""
    from evidently.legacy.calculations.stattests.registry import get_stattest
    from evidently.legacy.core import ColumnType

    def changed(reference: pd.Series, current: pd.Series) -> bool:
        kind = ColumnType.Numerical if pd.api.types.is_numeric_dtype(reference) else ColumnType.Categorical
        test = get_stattest(reference, current, kind, None)
        return bool(test(reference, current, kind, None).drifted)

    return _by_column("Evidently", changed)


def nannyml() -> Judge:
    """Univariate drift: chunks of the current data against the reference, limits from the reference's own chunks."""
    from nannyml import UnivariateDriftCalculator

    def judge(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Flags]:
        calculator = UnivariateDriftCalculator(column_names=list(reference)).fit(reference)
        found = calculator.calculate(current).filter(period="analysis").to_df()
        alerts = {name: found[name, "jensen_shannon", "alert"].astype(bool) for name in reference}
        return {
            "NannyML, a chunk": {name: float(alert.mean()) for name, alert in alerts.items()},
            "NannyML, any chunk": {name: float(alert.any()) for name, alert in alerts.items()},
        }

    return judge


def scipy(levels: Callable[[int], Mapping[str, float]] = lambda _: {f"SciPy, p < {ALPHA}": ALPHA}) -> Judge:
    """Kolmogorov-Smirnov for numbers and chi-square for categories, at 5 % each.

    Args:
        levels: Of the number of columns, lines in the table and the level of each.
    """
    from scipy.stats import chi2_contingency, ks_2samp

    def p_value(reference: pd.Series, current: pd.Series) -> float:
        if pd.api.types.is_numeric_dtype(reference):
            return ks_2samp(reference, current).pvalue
        return chi2_contingency(_table(reference, current)).pvalue

    def judge(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Flags]:
        found = {column: p_value(reference[column], current[column]) for column in reference}
        lines = levels(reference.shape[1]).items()
        return {name: {column: float(p < level) for column, p in found.items()} for name, level in lines}

    return judge


def psi() -> Judge:
    """Population stability index above 0.1: ten bins at quantiles of the reference, or a bin a category."""

    def changed(reference: pd.Series, current: pd.Series) -> bool:
        if pd.api.types.is_numeric_dtype(reference):
            edges = np.unique(np.quantile(reference, np.arange(1, PSI_BINS) / PSI_BINS))
            counts = [np.bincount(edges.searchsorted(side), minlength=len(edges) + 1) for side in (reference, current)]
        else:
            counts = list(_table(reference, current))
        p, q = (np.maximum(side / side.sum(), PSI_EMPTY) for side in counts)
        return float(np.sum((q - p) * np.log(q / p))) > PSI_LIMIT

    return _by_column("PSI > 0.1", changed)


def _by_column(name: str, changed: Callable[[pd.Series, pd.Series], bool]) -> Judge:
    def judge(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Flags]:
        return {name: {column: float(changed(reference[column], current[column])) for column in reference}}

    return judge


def _table(reference: pd.Series, current: pd.Series) -> np.ndarray:
    """Counts of both sides, a column a category that any side has."""
    both = pd.concat([reference.value_counts(), current.value_counts()], axis=1).fillna(0).to_numpy().T
    return both[:, both.sum(axis=0) > 0]


def _flags(found: list[str], frame: pd.DataFrame) -> Flags:
    return {name: float(name in found) for name in frame}


@dataclass(frozen=True)
class Tool:
    """Something that tells whether columns changed.

    Attributes:
        package: What must be installed, under the name by which it is.
        judge: Loads it.
    """

    name: str
    package: str
    judge: Callable[[], Any]


def present(tools: Sequence[Tool]) -> list[Tool]:
    """The tools that are installed; says which are not."""
    for tool in tools:
        if not installed(tool.package):
            told = f"{tool.name} is left out: {tool.package} is not installed (pip install '.[rivals]')"
            print(told, file=sys.stderr)
    return [tool for tool in tools if installed(tool.package)]


def environment(tools: Iterable[Tool]) -> str:
    """Versions and machine, for whoever reads the tables later."""
    versions = ", ".join(f"{package} {installed(package)}" for package in dict.fromkeys(tool.package for tool in tools))
    return f"{versions}; {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


Table = dict[str, dict[str, str]]
"""Cells, by line and by the heading of the column."""


def markdown(title: str, table: Table) -> str:
    """A table under its title; what a tool was not asked is left open."""
    headings = list(dict.fromkeys(heading for cells in table.values() for heading in cells))
    rows = [["", *headings], ["---", *["--:"] * len(headings)]]
    rows += [[line, *(cells.get(heading, "") for heading in headings)] for line, cells in table.items()]
    return f"**{title}**\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


TOOLS = (
    Tool("driftline", "driftline", partial(driftline, "driftline")),
    Tool("driftline, tolerance 0", "driftline", partial(driftline, "driftline, tolerance 0", tolerance=0.0)),
    Tool("Evidently", "evidently", evidently),
    Tool("NannyML", "nannyml", nannyml),
    Tool("SciPy, p < 0.05", "scipy", scipy),
    Tool("PSI > 0.1", "numpy", psi),
)
