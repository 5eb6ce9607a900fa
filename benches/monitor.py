"""A monitor over an archive beside profiling it: speed, peak memory, state between windows, size of the store."""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import data
import harness
import memory

COLUMNS = (100, 1_000)
DAYS = 30
"""720 windows of an hour."""
HOUR_ROWS = 1_400
"""About a billion values of 1,000 columns."""
ROUNDS = 3
"""A round of 1,000 columns takes minutes."""

SLOWER = 2.5
STATE_KB = 64
STORE_KB = 6


def run(bench: harness.Bench, columns: tuple[int, ...] | None = None) -> None:
    for number in columns or ((20,) if bench.quick else COLUMNS):
        _archive(bench, number)


def _archive(bench: harness.Bench, columns: int) -> None:
    days, hour_rows = bench.size(DAYS, quick=8), bench.size(HOUR_ROWS, quick=50)
    files = data.hours(bench.data, columns, days, hour_rows)
    values, windows = days * 24 * hour_rows * columns, days * 24
    found: dict[str, list[dict[str, float]]] = {"monitor": [], "profile": []}
    for counted in [False] + [True] * min(bench.rounds, ROUNDS):
        for job, runs in found.items():
            one = _run(job, bench.data, files)
            # The first round brings the files into memory.
            if counted:
                runs.append(one)
    what = f"{columns:,} columns x {windows} windows"

    def mean(job: str, name: str) -> float:
        return statistics.median(one[name] for one in found[job])

    pairs = zip(found["monitor"], found["profile"], strict=True)
    bench.add(
        harness.Line(
            what=f"monitor, {what}, values a second",
            driftline=values / mean("monitor", "seconds") / 1e6,
            rival="profile, values a second",
            rival_value=values / mean("profile", "seconds") / 1e6,
            unit="million",
            ratio=statistics.median(monitor["seconds"] / profile["seconds"] for monitor, profile in pairs),
            must=("at most", SLOWER),
        )
    )
    line = partial(_line, bench)
    line(f"peak memory, {what}", mean("monitor", "peak_mb"), "profile", mean("profile", "peak_mb"), "MB")
    state = mean("monitor", "state_bytes") / columns / 1e3
    line(f"state of a series between windows, {what}", state, "limit", STATE_KB, "KB", at_most=1.0)
    store = mean("monitor", "store_bytes") / columns / windows / 1e3
    line(f"store on disk, a window of a column, {what}", store, "limit", STORE_KB, "KB", at_most=1.0)


def _line(
    bench: harness.Bench, what: str, ours: float, beside: str, other: float, unit: str, at_most: float | None = None
) -> None:
    must = None if at_most is None else ("at most", at_most)
    bench.add(
        harness.Line(
            what=what, driftline=ours, rival=beside, rival_value=other, unit=unit, ratio=ours / other, must=must
        )
    )


def _run(job: str, folder: Path, files: list[Path]) -> dict[str, float]:
    """What a new process measures that does nothing but this job."""
    command = [sys.executable, __file__, "--child", job, str(folder), *map(str, files)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def _child(job: str, folder: str, files: list[str]) -> None:
    import driftline as dl

    home = tempfile.mkdtemp(prefix="home-", dir=folder)
    try:
        begin = time.perf_counter()
        if job == "profile":
            dl.profile(files, progress=False)
        else:
            _watch(home, files)
        found = {"seconds": time.perf_counter() - begin, "peak_mb": memory.own_peak()}
        sizes = {path: path.stat().st_size for path in Path(home).rglob("*") if path.is_file()}
        found["state_bytes"] = sum(size for path, size in sizes.items() if path.name == "checkpoint")
        found["store_bytes"] = sum(size for path, size in sizes.items() if path.suffix == ".parquet")
    finally:
        shutil.rmtree(home)
    print(json.dumps(found))


def _watch(home: str, files: list[str]) -> None:
    """All that a user gets by reading an archive for the first time."""
    import driftline as dl

    with dl.Monitor(data=files, columns={"time": "time"}, monitor="bench", window="1 hour", home=home) as monitor:
        monitor.read(progress=False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        options = harness.parser(__doc__)
        options.add_argument("--columns", type=int, nargs="+", metavar="N", help="of how many columns; 100 and 1,000")
        given = options.parse_args()
        harness.report(partial(run, columns=given.columns), given)
