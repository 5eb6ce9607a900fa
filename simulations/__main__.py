"""Runs all simulations and writes their tables."""

import argparse
import csv
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from simulations import plan
from simulations.claims import Figure, figures
from simulations.experiments import Experiment, Tally

SEED = 20_261


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m simulations", description=__doc__)
    options.add_argument("--claim", help="only experiments of one claim")
    options.add_argument("--seed", type=int, default=SEED, help=f"where all random numbers come from, {SEED} by default")
    options.add_argument("--share", type=float, default=1.0, help="share of the runs, to look at something quickly")
    options.add_argument("--csv", type=Path, metavar="FILE", help="write every figure")
    given = options.parse_args()
    experiments = [e for e in plan.full() if given.claim in (None, e.claim)]
    found = run(experiments, given.seed)
    for f in found:
        if not f.holds: print(f)
    with given.csv.open("w") as file:
        w = csv.DictWriter(file, list(asdict(found[0])) + ["holds"]); w.writeheader()
        w.writerows({**asdict(f), "holds": f.holds} for f in found)


def run(experiments: Sequence[Experiment], seed: int) -> list[Figure]:
    """The figures of all experiments; blocks of runs are shared out over all cores."""
    jobs = [(i, *block) for i, experiment in enumerate(experiments) for block in experiment.blocks()]
    tallies: list[dict[str, Tally]] = [{} for _ in experiments]
    begin = time.perf_counter()
    spent = [0.0] * len(experiments)
    with ProcessPoolExecutor(os.cpu_count(), initializer=_begin, initargs=(experiments, seed)) as pool:
        for done, ((i, _, _), (found, seconds)) in enumerate(zip(jobs, pool.map(_block, jobs), strict=True), 1):
            spent[i] += seconds
            for source, tally in found.items():
                tallies[i][source] = tallies[i][source] + tally if source in tallies[i] else tally
    for e, s in zip(experiments, spent): print(f"{s:.0f} s {e.claim} {e.name} {e.reference_rows} {e.current_rows} {e.tolerance}", file=sys.stderr)
    print(time.perf_counter() - begin, file=sys.stderr)
    return [figure for e, found in zip(experiments, tallies, strict=True) for figure in figures(e, found)]


_work: tuple = ()


def _begin(experiments, seed):
    global _work
    _work = experiments, seed

def _block(job):
    i, b, r = job
    t = time.perf_counter()
    experiments, seed = _work
    return experiments[i].run(seed, b, r), time.perf_counter() - t


if __name__ == "__main__":
    sys.exit(main())
