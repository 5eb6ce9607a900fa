"""The same pairs of tables through driftline and four other ways to detect drift: false alarms, power, seconds.

Every tool judges by its own defaults. What is not installed is left out, and said to be.
"""

import argparse
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean, median

import numpy as np
import pandas as pd
import rivals
from rivals import Table, markdown

# The laws of the data are those of the simulations, whose folder lies beside this one.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from simulations.laws import LAWS, Change, Numbers

SEED = 20_262

NAMES = (
    "normal",
    "lognormal, sigma 2",
    "Poisson, mean 3",
    "70 % zeros",
    "rounded",
    "3 % ones",
    "3 values, uniform",
    "30 values, uniform",
    "300 values, uniform",
    "3 values, Zipf",
    "30 values, Zipf",
    "300 values, Zipf",
)
COLUMNS = [law for law in LAWS if law.name in NAMES]
KINDS = {law.name: "numbers" if isinstance(law, Numbers) else "categories" for law in COLUMNS}

PAIRS = {200: 100, 1_000: 100, 10_000: 30, 100_000: 5, 1_000_000: 1}
"""Pairs of tables, by the rows of each side."""

SLOW = ("Evidently", "NannyML")
"""A pair of a million rows takes them a quarter to half a minute: they are shown the unchanged one alone."""

CHANGES = (
    {"numbers": ("past", "past one value"), "categories": ("across", "one to another")},
    {"numbers": ("into", "into one value"), "categories": ("new", "into a new one")},
)
"""What happens to the columns of a table, by their kind."""

Answers = dict[str, dict[str, list[float]]]
"""By line and column: of each pair, the share of decisions that called the column changed."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="two pairs of 200 rows: shows that everything runs")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there too")
    given = options.parse_args()
    # Rivals warn of ties and of empty cells, which is what this is about.
    warnings.simplefilter("ignore")

    judges = {tool.name: tool.judge() for tool in rivals.present(rivals.TOOLS)}
    # What is loaded on first use is not timed.
    _ask(judges, 100, 1)

    parts = list(_report(judges, {200: 2} if given.quick else PAIRS))
    text = "\n\n".join(parts) + "\n"
    print(text, end="")
    if given.markdown:
        given.markdown.write_text(text)
    return 0


def _report(judges: Mapping[str, rivals.Judge], pairs: Mapping[int, int]) -> Iterator[str]:
    """The tables, one after another."""
    yield f"{rivals.environment(tool for tool in rivals.TOOLS if tool.name in judges)}; seed {SEED}."

    false: dict[str, Table] = {"numbers": {}, "categories": {}}
    seconds: Table = {}
    for rows, count in pairs.items():
        answers, spent = _ask(judges, rows, count)
        for kind, table in false.items():
            _fill(table, f"{rows:,} rows", answers, kind)
        for name, taken in spent.items():
            ratio = median(a / b for a, b in zip(taken, spent["driftline"], strict=True))
            seconds.setdefault(name, {})[f"{rows:,} rows"] = f"{median(taken):.2g} s ({ratio:.2g})"
    for kind, table in false.items():
        yield markdown(f"Unchanged {kind} called changed", table)

    for rows in [rows for rows in pairs if rows in (10_000, 100_000)] or pairs:
        yield markdown(f"5 % of {rows:,} rows moved: called changed", _changed(judges, rows, pairs[rows], 0.05))
    most = max(pairs)
    fast = {name: judge for name, judge in judges.items() if name not in SLOW}
    yield markdown(f"0.5 % of {most:,} rows moved: called changed", _changed(fast, most, 1, 0.005))
    yield markdown(f"Time for a pair of {len(COLUMNS)} columns, and as a multiple of driftline's", seconds)


def _changed(judges: Mapping[str, rivals.Judge], rows: int, count: int, share: float) -> Table:
    """How often a change was found, by change."""
    table: Table = {}
    for change in CHANGES:
        answers, _ = _ask(judges, rows, count, {kind: Change(how, share) for kind, (how, _) in change.items()})
        for kind, (_, words) in change.items():
            _fill(table, f"{kind}, {words}", answers, kind)
    return table


def _ask(
    judges: Mapping[str, rivals.Judge], rows: int, pairs: int, changes: Mapping[str, Change] | None = None
) -> tuple[Answers, dict[str, list[float]]]:
    """The answers of every tool to the same pairs of tables, and the seconds that each took."""
    rng = np.random.default_rng([SEED, rows, *str(changes).encode()])
    answers: Answers = defaultdict(lambda: defaultdict(list))
    seconds = defaultdict(list)
    for _ in range(pairs):
        reference, current = _frame(rng, rows, {}), _frame(rng, rows, changes or {})
        for name, judge in judges.items():
            begin = time.perf_counter()
            lines = judge(reference, current)
            seconds[name].append(time.perf_counter() - begin)
            for line, flags in lines.items():
                for column, flag in flags.items():
                    answers[line][column].append(flag)
    return answers, seconds


def _frame(rng: np.random.Generator, rows: int, changes: Mapping[str, Change]) -> pd.DataFrame:
    """A table of one column a law."""
    return pd.DataFrame({law.name: law.draw(rng, rows, changes.get(KINDS[law.name])).to_pandas() for law in COLUMNS})


def _fill(table: Table, heading: str, answers: Answers, kind: str) -> None:
    """Writes a column of a table: the share of the columns of a kind that were called changed."""
    for line, columns in answers.items():
        share = fmean(flag for column, flags in columns.items() if KINDS[column] == kind for flag in flags)
        table.setdefault(line, {})[heading] = f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
