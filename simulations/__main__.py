"""Runs the simulations and writes their tables."""

import argparse
import csv
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

from simulations import plan
from simulations.claims import Figure, figures
from simulations.experiments import Experiment, Tally
from simulations.kept import Block, Kept
from simulations.report import report

SEED = 20_261


def main() -> int:
    """The command; its exit code tells whether every share keeps its limit."""
    options = argparse.ArgumentParser(prog="python -m simulations", description=__doc__)
    options.add_argument("--seed", type=int, default=SEED, help=f"of all random numbers, {SEED} by default")
    options.add_argument("--only", metavar="CLAIM", help="experiments of one claim")
    options.add_argument("--share", type=float, default=1.0, help="of the runs, for a first look; 1 by default")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there too")
    options.add_argument("--csv", type=Path, metavar="FILE", help="write every single figure there")
    options.add_argument("--state", type=Path, metavar="FILE", help="keep what is done there, and go on from it")
    given = options.parse_args()

    found = run(given.seed, given.share, given.only, given.state)
    text = report(found, given.seed)
    print(text, end="")
    if given.markdown:
        given.markdown.write_text(text)
    if given.csv:
        with given.csv.open("w", newline="") as file:
            rows = [{**asdict(figure), "holds": figure.holds} for figure in found]
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return 0 if all(figure.holds for figure in found) else 1


def run(seed: int, share: float, only: str | None, state: Path | None) -> list[Figure]:
    """The figures of all experiments, whose blocks are shared out over all cores."""
    experiments = {i: experiment for i, experiment in enumerate(_plan(share)) if only in (None, experiment.claim)}
    blocks = [(seed, share, i, *block) for i, experiment in experiments.items() for block in experiment.blocks()]
    # The longest first, so that no core is left with one at the end.
    blocks.sort(key=lambda block: -block[4] * _rows(experiments[block[2]]))
    kept = Kept(state)
    left = [block for block in blocks if block not in kept.tallies]
    begin = told = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, (block, found) in enumerate(zip(left, pool.map(_run, left), strict=True), 1):
            kept.add(block, found)
            if time.perf_counter() - told > 10 or done == len(left):
                told = time.perf_counter()
                print(f"{done:,} of {len(left):,} blocks, {told - begin:.0f} s", file=sys.stderr, flush=True)
    tallies: dict[int, dict[str, Tally]] = {i: {} for i in experiments}
    for block in blocks:
        of_experiment = tallies[block[2]]
        for source, tally in kept.tallies[block].items():
            of_experiment[source] = of_experiment[source] + tally if source in of_experiment else tally
    return [figure for i, experiment in experiments.items() for figure in figures(experiment, tallies[i])]


@cache
def _plan(share: float) -> list[Experiment]:
    """The plan, made anew in each process: laws are functions, which do not travel between them."""
    return plan.full(share)


def _rows(experiment: Experiment) -> int:
    return experiment.reference_rows + experiment.current_rows


def _run(block: Block) -> dict[str, Tally]:
    seed, share, i, position, runs = block
    return _plan(share)[i].run(seed, position, runs)


if __name__ == "__main__":
    sys.exit(main())
