"""A run that was interrupted goes on with what it had."""

from pathlib import Path

import numpy as np

from simulations.experiments import Tally
from simulations.kept import Kept


def tally(runs: int) -> Tally:
    """Of two columns."""
    return Tally(runs, np.array([1, 2]), np.array([0, 1]), np.array([1, 1]), np.array([3, 0]), 1)


def test_what_was_kept_is_found_again_up_to_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "state"
    kept = Kept(path)
    kept.add((1, 1.0, 0, 0, 25), {"frames": tally(25)})
    kept.add((1, 1.0, 0, 1, 5), {"frames": tally(5), "profiles": tally(5)})
    path.write_text(path.read_text()[:-4])
    again = Kept(path)
    assert list(again.tallies) == [(1, 1.0, 0, 0, 25)]
    assert again.tallies[1, 1.0, 0, 0, 25]["frames"].as_dict() == tally(25).as_dict()
    again.add((1, 1.0, 0, 1, 5), {"frames": tally(5)})
    assert len(Kept(path).tallies) == 2


def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    Kept(None).add((1, 1.0, 0, 0, 25), {"frames": tally(25)})
    assert not list(tmp_path.iterdir())
