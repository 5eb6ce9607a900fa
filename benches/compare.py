"""Comparisons beside the profiles they are made from: two saved profiles of many columns, and daily files."""

from functools import partial

import data
import harness
import numpy as np
import pyarrow as pa

BATCH_ROWS = 10_000
"""Rows of a batch: one of 1,000 columns takes 80 MB, so that no side is ever in memory as a whole."""

DAYS = 4
"""Days beside the first."""


def run(bench: harness.Bench) -> None:
    _wide(bench)
    _daily(bench)
    _permutations(bench)


def _wide(bench: harness.Bench) -> None:
    """Saved profiles of many numbers: a comparison is to be cheap beside the profile of a tenth of the rows."""
    import driftline as dl

    rows, columns = bench.size(full=1_000_000, quick=20_000), bench.size(full=1_000, quick=20)
    paths = []
    for seed in (0, 1):
        path = bench.data / f"wide-{seed}.profile.parquet"
        # Made anew in each run: a profile is the work of the code that is measured.
        dl.profile(data.numbers(rows, columns, BATCH_ROWS, seed), progress=False).save(path)
        paths.append(path)
    reference, current = map(dl.Profile.load, paths)
    sample = pa.Table.from_batches(data.numbers(rows // 10, columns, BATCH_ROWS, seed=0))
    times = bench.in_turn(
        {
            "profile": partial(dl.profile, sample, progress=False),
            "loaded": partial(dl.compare, reference, current),
            "saved": lambda: dl.compare(*paths),
            "load": lambda: [dl.Profile.load(path) for path in paths],
        }
    )
    beside = f"profile of {rows // 10:,} rows"
    what = f"{columns:,} numeric columns, {rows:,} rows a side"
    bench.multiple(f"profiles compared, {what}", _of(times, "loaded", beside), beside, at_most=0.1)
    bench.multiple("the same, loaded and compared", _of(times, "saved", beside), beside, at_most=0.1)
    bench.multiple("the same, loaded alone", _of(times, "load", beside), beside)


def _daily(bench: harness.Bench) -> None:
    """Each day against the first, in every form the first may have, beside profiling what is read."""
    import pyarrow.parquet as pq

    import driftline as dl

    first, *days = data.days(bench.data, bench.size(full=500_000, quick=5_000), 1 + DAYS)
    saved = bench.data / "first-day.profile.parquet"
    dl.profile(first, progress=False).save(saved)
    frame = pq.read_table(first)
    profile = partial(dl.profile, progress=False)
    times = bench.in_turn(
        {
            "saved": lambda: [dl.compare(saved, day) for day in days],
            "frame": lambda: [dl.compare(frame, day) for day in days],
            "path": lambda: [dl.compare(first, day) for day in days],
            "days profiled": lambda: [profile(day) for day in days],
            "frame and days profiled": lambda: [(profile(frame), profile(day)) for day in days],
            "both files profiled": lambda: [(profile(first), profile(day)) for day in days],
        }
    )
    for form, words, beside in (
        ("saved", "saved profile", "days profiled"),
        ("frame", "frame", "frame and days profiled"),
        ("path", "path", "both files profiled"),
    ):
        named = {"driftline": times[form], beside: times[beside]}
        bench.multiple(f"daily files, day 1 as a {words}", named, beside, at_most=1.2)


def _of(times: harness.Times, name: str, beside: str) -> harness.Times:
    return {"driftline": times[name], beside: times["profile"]}


def _permutations(bench: harness.Bench) -> None:
    """Categories that many rows have once, at tolerance 0: without permutations their p-values would be wrong."""
    import driftline as dl

    columns, rows = bench.size(full=100, quick=5), 1_000
    tables = {
        what: pa.table({f"x{i}": _codes(rng, rows, values) for i in range(columns)})
        for what, rng, values in (
            ("reference", np.random.default_rng(0), 300),
            ("unchanged", np.random.default_rng(1), 300),
            ("changed", np.random.default_rng(2), 200),
        )
    }
    profiles = {what: dl.profile(table, progress=False) for what, table in tables.items()}
    times = bench.in_turn(
        {
            "profile": partial(dl.profile, tables["reference"], progress=False),
            "unchanged": partial(dl.compare, profiles["reference"], profiles["unchanged"], tolerance=0.0),
            "changed": partial(dl.compare, profiles["reference"], profiles["changed"], tolerance=0.0),
        }
    )
    for what in ("unchanged", "changed"):
        beside = "profile of one side"
        name = f"profiles compared by permutation, {columns} columns of 300 values, {what}"
        bench.multiple(name, _of(times, what, beside), beside)


def _codes(rng: np.random.Generator, rows: int, values: int) -> pa.Array:
    names = pa.array([f"value-{i}" for i in range(300)])
    return pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, values, rows, dtype=np.int16)), names)


if __name__ == "__main__":
    harness.main(run, threads=None, description=__doc__)
