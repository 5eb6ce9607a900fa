"""A save that fails or is killed leaves the old file as it was."""

import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import driftline as dl

SAVING = """
import sys, numpy as np, driftline as dl
path = sys.argv[1]
rng = np.random.default_rng(1)
p = dl.profile({f"c{i}": rng.random(20_000) for i in range(40)})
print("ready", flush=True)
while True:
    p.save(path)
"""


def test_killed_while_saving(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.profile.parquet"
    dl.profile({"old": [1.0]}).save(path)
    for i in range(12):
        command = [sys.executable, "-c", SAVING, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as saving:
            assert saving.stdout is not None
            assert saving.stdout.readline() == b"ready\n"
            try:
                saving.wait(0.003 * i)
            except subprocess.TimeoutExpired:
                saving.kill()
        # Either the old profile or the whole new one.
        assert list(dl.Profile.load(path)) in (["old"], [f"c{i}" for i in range(40)])


FULL = """
import resource, signal, sys, numpy as np, driftline as dl
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
p = dl.profile({f"c{i}": np.random.default_rng(i).random(20_000) for i in range(40)})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    p.save(sys.argv[1])
except dl.errors.StorageError as error:
    print(error)
"""


def test_no_room_left(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.profile.parquet"
    dl.profile({"old": [1.0]}).save(path)
    before = path.read_bytes()
    out = subprocess.run([sys.executable, "-c", FULL, str(path)], check=True, capture_output=True, text=True).stdout
    assert "a.profile.parquet: File too large" in out
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_folder_that_may_not_be_written(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(dl.errors.DriftlineError, match="file"):
        dl.profile({"x": np.arange(3)}).save(file / "a.parquet")


def test_many_threads_saving_to_one_path_leave_a_whole_profile(tmp_path: pathlib.Path) -> None:
    profile = dl.profile({"x": [float(i) for i in range(5000)], "s": [f"v{i % 50}" for i in range(5000)]})
    path = tmp_path / "p.parquet"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: profile.save(path), range(200)))
    assert dl.Profile.load(path).rows == 5000
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]
