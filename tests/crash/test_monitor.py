"""A monitor that is killed, or has no room, goes on as if nothing had been."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import monitored as log
import polars as pl
import pytest

import driftline as dl
from driftline.store import Store

KILLS = 50
FILES = 20

# Runs the command in a process of its own for each line, which is a home; with a commit when some windows closed,
# so that a crash may fall before, in and after many, while the next rows are read, and within files that were begun;
# and with so little room for windows that wait that some rows come late. Each run begins with all imports done: what is
# killed is the work.
RUNS = """
import os, sys
from driftline.cli import main
import driftline.cli._app, driftline.cli._monitor, driftline._monitor.status
driftline._monitor.archive.MOST_RESULTS = 40
driftline._monitor.archive.MOST_HELD = 30
config = sys.argv[1]
for line in sys.stdin:
    run = os.fork()
    if run == 0:
        sys.argv = ["driftline", "monitor", "--config", config, "--home", line.strip(), "--threads", "2"]
        sys.stdout = open(os.devnull, "w")
        try:
            main()
        finally:
            os._exit(0)
    print(run, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]), flush=True)
"""


class Runs:
    """Runs of the command, one after another."""

    def __init__(self, config: pathlib.Path) -> None:
        command = [sys.executable, "-c", RUNS, str(config)]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, home: pathlib.Path, *, kill_after_s: float | None = None) -> int:
        """One run; its exit code, or -9 where it was killed."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(home, file=self.server.stdin, flush=True)
        process = int(self.server.stdout.readline())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            # It may have ended; its number is not given away before the server has told so.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return int(self.server.stdout.readline())


@pytest.fixture(scope="module")
def runs(config: pathlib.Path) -> Iterator[Runs]:
    made = Runs(config)
    yield made
    made.server.communicate()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """An archive of two shards of many files, with a change, rows that come late, and a file of no time."""
    return archive(tmp_path_factory.mktemp("log"))


def archive(folder: pathlib.Path) -> pathlib.Path:
    for part in range(FILES):
        rows = log.hours(part * 5, part * 5 + 5, rows=50, shift=0.4 if 15 <= part < 18 else 0.0)
        late = log.hours(part * 5 - 20, part * 5 - 19, rows=3, seed=9) if part % 5 == 4 else rows.clear()
        number = part * 7 % FILES
        log.write(folder / "data" / f"{number:02}.parquet", pl.concat([rows.gather_every(2), late]))
        log.write(folder / "data" / f"{number:02}.csv", rows.gather_every(2, 1))
    log.write(
        folder / "data" / "none.parquet", log.hours(0, 1).with_columns(ts=pl.lit(None, dtype=pl.Datetime("us", "UTC")))
    )
    path = folder / "driftline.yaml"
    path.write_text(
        "monitor: m\ndata: data\ncolumns: {time: ts, segments: [c]}\nsegment_limit: 1\nwindow: 1 hour\n"
        "lateness: 15 minutes\nreference: first 60 hours\nfalse_alarms: 1 per month\n"
    )
    return path


def said(home: pathlib.Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, Any]:
    """Results, alarms, the counts of profiles, and where each series stands."""
    from driftline._config import read_config
    from driftline._monitor.status import status_of

    store = Store(home)
    profiles = store.profiles("m").to_polars()
    counts = [name for name in profiles.columns if name in log.IDENTITY or profiles[name].dtype.is_integer()]
    results, alarms = store.results("m").to_polars(), store.alarms("m").to_polars()
    (source,) = status_of(read_config(next(home.parent.glob("*.yaml")), home=home)).sources
    return (
        results.sort(log.IDENTITY),
        alarms.sort("alarm", "event"),
        profiles.select(counts).sort(log.IDENTITY),
        (source.series, source.open_windows, source.counts),
    )


@pytest.fixture(scope="module")
def undisturbed(config: pathlib.Path, runs: Runs) -> tuple[Any, float]:
    """What one run says, and how long it takes."""
    begin = time.monotonic()
    assert runs.run(config.parent / "undisturbed") == 0
    return said(config.parent / "undisturbed"), time.monotonic() - begin


def test_killed_at_any_instant(config: pathlib.Path, runs: Runs, undisturbed: tuple[Any, float]) -> None:
    expected, lasts_s = undisturbed
    rng = random.Random(6)
    kills, homes = 0, [config.parent / "killed 0"]
    begun = 0
    while kills < KILLS:
        if runs.run(homes[-1], kill_after_s=rng.uniform(0.0, 0.3 * lasts_s)) == -signal.SIGKILL:
            kills += 1
            begun += len(begun_in(homes[-1]))
            # Logs are rotated.
            path = rng.choice(sorted((config.parent / "data").iterdir()))
            path.rename(path.with_stem(f"{path.stem.partition('.')[0]}.{kills}"))
        else:
            homes.append(config.parent / f"killed {len(homes)}")
    assert runs.run(homes[-1]) == 0
    assert begun > KILLS / 5
    for home in homes:
        compare(said(home), expected)
        assert Store(home).verify() == []


def begun_in(home: pathlib.Path) -> set[str]:
    """Files in the middle of which a home was left."""
    from driftline._monitor.state import State

    _, data = Store(home).checkpoint("m", "main")
    return set(State.from_bytes(data)[0].begun) if data else set()


CHANGES = 20


def test_killed_beside_files_that_change(tmp_path: pathlib.Path, undisturbed: tuple[Any, float]) -> None:
    """Files are rewritten, grow and move between runs that are killed: each row counts once in the end."""
    config, rng, home = archive(tmp_path), random.Random(7), tmp_path / "killed"
    made = Runs(config)
    for change in range(CHANGES):
        made.run(home, kill_after_s=rng.uniform(0.0, 0.5 * undisturbed[1]))
        path = rng.choice(sorted(path for path in (tmp_path / "data").iterdir() if path.stem != "none"))
        match rng.choice(["moves", "is rewritten", "grows"]):
            case "moves":
                path.rename(path.with_stem(f"{path.stem.partition('.')[0]}.{change}"))
            case "is rewritten":
                frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
                keep = [rng.random() < 0.8 for _ in range(len(frame))]
                frame = frame.filter(pl.Series(keep, dtype=pl.Boolean))
                if path.suffix == ".parquet":
                    log.write(path, frame)
                else:
                    frame.write_csv(path)
            case "grows" if path.suffix == ".csv":
                first = rng.randrange(FILES * 5)
                rows = log.hours(first, first + 3, rows=7, seed=change + 50)
                path.write_text(path.read_text() + rows.write_csv(include_header=False))
            case "grows":
                first = rng.randrange(FILES * 5)
                log.write(
                    path, pl.concat([pl.read_parquet(path), log.hours(first, first + 3, rows=7, seed=change + 50)])
                )
    log.write(tmp_path / "data" / "last.parquet", log.hours(FILES * 5, FILES * 5 + 3))
    for folder in (home, tmp_path / "scratch"):
        assert made.run(folder) == 0
        # What came late is written when the next window closes.
        with dl.Monitor(config, home=folder) as monitor:
            monitor.advance(log.hour(FILES * 5 + 9))
    made.server.communicate()
    ours, theirs = (rows_by_window(folder) for folder in (home, tmp_path / "scratch"))
    assert ours == theirs
    assert Store(home).verify() == []


def rows_by_window(home: pathlib.Path) -> dict[str, int]:
    rows = log.rows_by_window(Store(home).results("m").to_polars())
    return {window: rows[window] for window in sorted(rows) if rows[window]}


def compare(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    assert len(theirs[0]) > 500
    assert len(theirs[1]) > 2
    assert theirs[0]["revision"].max() > 1
    log.same(ours[:3], theirs[:3])
    assert ours[3] == theirs[3]


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from driftline._monitor import archive
archive.COMMIT_S = -1.0
size = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
sys.argv[0] = "driftline"
from driftline.cli import main
main()
"""


def test_a_full_disk_is_told_and_loses_nothing(
    config: pathlib.Path, runs: Runs, undisturbed: tuple[Any, float]
) -> None:
    home = config.parent / "full"
    sizes = []
    # The larger the limit, the later a file comes that has no room.
    for size in (100, 4_000, 40_000):
        command = [sys.executable, "-c", FULL, str(size), "monitor", "--config", str(config), "--home", str(home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3)
        if done.returncode == 3:
            assert done.stdout == ""
            (line,) = done.stderr.splitlines()
            assert line.startswith(f"driftline: {home}/store/")
            assert line.endswith("File too large (os error 27): make room, and run again; nothing is lost")
            sizes.append(size)
    assert sizes == [100, 4_000, 40_000]
    assert runs.run(home) == 0
    compare(said(home), undisturbed[0])
    assert Store(home).verify() == []


HANDED_OVER = """
import sys
sys.path.insert(0, sys.argv[2])
import monitored as log, pathlib
with log.monitor(pathlib.Path(sys.argv[1])) as made:
    made.update(log.hours(0, 60, rows=100), now=log.NOW)
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_killed_process_frees_its_source(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-c", HANDED_OVER, str(tmp_path), str(pathlib.Path(log.__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.readline()
        with pytest.raises(dl.errors.StorageError):
            log.monitor(tmp_path)
        run.kill()
    with log.monitor(tmp_path) as made:
        made.update(log.hours(60, 62, rows=100), now=log.NOW)
        rows = log.rows_by_window(log.results(made))
    assert (len(rows), set(rows.values())) == (61, {100})
