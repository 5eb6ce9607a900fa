"""Tallies of blocks that are done, kept in a file so that a long run can go on where it ended."""

import json
from collections.abc import Mapping
from pathlib import Path

from simulations.experiments import Tally

Block = tuple[int, float, int, int, int]
"""Seed, share of the runs, number of the experiment, of the block in it, and its runs."""


class Kept:
    """What a file holds, and what is added to it: one line a block. It is of one version of the code."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.tallies: dict[Block, dict[str, Tally]] = {}
        if path is not None and path.exists():
            # The last line may have been cut off.
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    block, tallies = json.loads(line)
                    self.tallies[tuple(block)] = {source: Tally.of(fields) for source, fields in tallies.items()}
            path.write_text("".join(_line(block, tallies) for block, tallies in self.tallies.items()))

    def add(self, block: Block, tallies: Mapping[str, Tally]) -> None:
        """Adds a block."""
        self.tallies[block] = dict(tallies)
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(_line(block, tallies))


def _line(block: Block, tallies: Mapping[str, Tally]) -> str:
    return json.dumps([block, {source: tally.as_dict() for source, tally in tallies.items()}]) + "\n"
