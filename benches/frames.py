"""A pandas frame, on all cores as a user would, and on one: cells a second beside whylogs, which uses one."""

from functools import partial

import data
import harness
import numpy as np

COLUMNS = ["user", "country", "city", "device", "new_user", "visits", "amount", "feature_a", "feature_b", "score"]

FEW_ROUNDS = 3
"""whylogs takes seconds a round, and nobody doubts a factor of hundreds after three."""


def run(bench: harness.Bench) -> None:
    # whylogs 1.6 asks for a name that NumPy 2 no longer has. Set before the import, or it cannot profile at all.
    np.unicode_ = np.str_
    import whylogs

    import driftline as dl

    rows = bench.size(full=200_000, quick=5_000)
    frame = data.log(rows, seed=0).select(COLUMNS).to_pandas()
    times = bench.in_turn(
        {
            "driftline": partial(dl.profile, frame, progress=False),
            "one thread": partial(dl.profile, frame, threads=1, progress=False),
            "whylogs": partial(whylogs.log, frame),
        },
        rounds=min(bench.rounds, FEW_ROUNDS),
    )
    cells = rows * len(COLUMNS)
    what = f"pandas frame of {len(COLUMNS)} columns, a cell"
    bench.faster(what, times, "whylogs", values=cells, at_least=100)
    bench.faster(what, times, "one thread", values=cells)


if __name__ == "__main__":
    harness.main(run, threads=None, description=__doc__)
