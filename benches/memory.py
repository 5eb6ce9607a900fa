"""Peak memory, measured in processes that do nothing else: a large Parquet archive, and batches without end."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import data
import harness

MEGABYTE = 1_000_000
ARCHIVE_LIMIT = 500
FLAT = 1.05
"""Ten times as many batches may take one twentieth more: an allocator's noise, not a leak."""


def run(bench: harness.Bench) -> None:
    size = bench.size(full=4_000_000_000, quick=1_000_000)
    files = data.archive(bench.data, bench.size(full=12_000_000, quick=50_000), min_bytes=size)
    peak = _peak("archive", *map(str, files))
    _line(bench, f"peak memory, archive of {size / 1e9:g} GB", peak, "limit", ARCHIVE_LIMIT, at_most=1.0)

    batches = bench.size(full=200, quick=10)
    few, many = _peak("batches", str(batches)), _peak("batches", str(10 * batches))
    _line(bench, "peak memory, endless batches", many, "a tenth of the batches", few, at_most=FLAT)


def _line(bench: harness.Bench, what: str, peak: float, beside: str, other: float, *, at_most: float) -> None:
    bench.add(
        harness.Line(
            what=what,
            driftline=peak,
            rival=beside,
            rival_value=other,
            unit="MB",
            ratio=peak / other,
            must=("at most", at_most),
        )
    )


def _peak(job: str, *arguments: str) -> float:
    """Megabytes that a new process needed at most for a job."""
    command = [sys.executable, __file__, "--child", job, *arguments]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _child(job: str, arguments: list[str]) -> None:
    import driftline as dl

    source: object = arguments if job == "archive" else _batches(int(arguments[0]))
    dl.profile(source, progress=False)
    print(own_peak())


def _batches(count: int) -> Iterator[object]:
    """Batches that are made when they are asked for: numbers, ids that never come back, categories."""
    import numpy as np
    import pyarrow as pa

    rows = 65_536
    rng = np.random.default_rng(0)
    names = pa.array([f"segment-{i}" for i in range(1000)])
    for i in range(count):
        yield pa.record_batch(
            {
                "x": rng.normal(size=rows),
                "y": rng.lognormal(size=rows),
                "id": pa.array(np.arange(i * rows, (i + 1) * rows)).cast(pa.string()),
                "segment": names.take(pa.array(rng.integers(0, 1000, rows))),
            }
        )


def own_peak() -> float:
    """Peak resident megabytes of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would count the parent's peak where the parent was larger: Linux keeps it across exec.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / MEGABYTE
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3:])
    else:
        harness.main(run, threads=None, description=__doc__)
