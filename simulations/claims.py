"""Figures of experiments beside what is promised of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import binom

from simulations.experiments import ALPHA, COLUMNS, Experiment, Tally

FOUND = 0.99
"""A promise that something is found, or called stable, is kept where it happens in so many of the cases."""

OF_CHANGES = ("power", "hard", "one of 20")
"""Claims about changed columns, whose tables hold unchanged ones beside them."""

UNLUCKY = 0.00135
"""Chance of more than 3 standard errors above the mean: a limit on small counts, which are not normal, has the same."""


@dataclass(frozen=True)
class Figure:
    """One row of the full table; `limit` is `None` where nothing is promised."""

    claim: str
    what: str
    law: str
    change: str
    reference_rows: int
    current_rows: int
    tolerance: float
    source: str
    runs: int
    share: float
    bound: str
    limit: float | None

    @property
    def holds(self) -> bool:
        """Whether the promise is kept, where there is one."""
        if self.limit is None:
            return True
        return self.share <= self.limit if self.bound == "at most" else self.share >= self.limit


def figures(experiment: Experiment, tallies: Mapping[str, Tally]) -> Iterator[Figure]:
    """All figures of an experiment."""
    for source, tally in tallies.items():
        for what, counts, bound, limit in _promises(experiment.claim, tally):
            if isinstance(counts, int):
                names = [(f"any of {len(experiment.columns)}", experiment.name)]
            else:
                names = [(column.law.name, str(column.change or "none")) for column in experiment.columns]
            for (law, change), count in zip(names, np.atleast_1d(counts), strict=True):
                if experiment.claim in OF_CHANGES and change == "none":
                    continue
                yield Figure(
                    claim=experiment.claim,
                    what=what,
                    law=law,
                    change=change,
                    reference_rows=experiment.reference_rows,
                    current_rows=experiment.current_rows,
                    tolerance=experiment.tolerance,
                    source=source,
                    runs=tally.runs,
                    share=float(count / tally.runs),
                    bound=bound,
                    limit=limit,
                )


def _promises(claim: str, tally: Tally) -> list[tuple[str, np.ndarray | int, str, float | None]]:
    """What is counted, the counts by column or of tables, and the limit."""
    error = sqrt(ALPHA * (1 - ALPHA) / tally.runs)
    by_chance = ALPHA + 3 * error
    by_chance_tiny = float(binom.isf(UNLUCKY, tally.runs, ALPHA / COLUMNS)) / tally.runs
    false: list[tuple[str, np.ndarray | int, str, float | None]] = [
        ("p small", tally.small, "at most", by_chance),
        ("p tiny", tally.tiny, "at most", by_chance_tiny),
        ("any drift", tally.any, "at most", by_chance),
    ]
    return {
        "no change": false,
        "edge": [*false, ("stable", tally.stable, "at most", by_chance)],
        "power": [("p tiny", tally.tiny, "at least", FOUND)],
        "hard": [("p tiny", tally.tiny, "", None), ("p small", tally.small, "", None)],
        "one of 20": [("drift", tally.drift, "at least", FOUND)],
        "harmless": [("stable", tally.stable, "at least", FOUND)],
        "hidden": [("stable", tally.stable, "", None)],
        "few rows": [("stable", tally.stable, "at most", 0.0)],
    }[claim]
