"""What every benchmark shares: contenders in turn, medians of ratios, one table.

A machine's speed changes from second to second, so no time is compared with a time of another run: in each round every
contender works once, and only ratios of the same round count.
"""

import argparse
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / ".data"
"""Where generated data stay; ignored by git."""

ROUNDS = 7
"""Rounds of a full run: the median of seven ignores three disturbed ones."""

QUICK_ROUNDS = 2
"""Rounds of a quick run, which only shows that the benchmarks run."""

HEADER = ("what", "driftline", "beside it", "", "ratio", "must be", "")
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "at least": lambda ratio, bound: ratio >= bound,
    "at most": lambda ratio, bound: ratio <= bound,
}

Times = dict[str, list[float]]
"""Seconds of every contender, one a round."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the table.

    `ratio` is how many times faster driftline is where `must` says "at least", and the multiple of what stands
    beside it where `must` says "at most". Lines without `must` are for information.
    """

    what: str
    driftline: float
    rival: str
    rival_value: float
    unit: str
    ratio: float
    must: tuple[str, float] | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept; `None` where there is none."""
        if self.must is None:
            return None
        kind, bound = self.must
        return COMPARISONS[kind](self.ratio, bound)


@dataclass
class Bench:
    """A run of one benchmark: its sizes, and the lines it found."""

    quick: bool
    data: Path
    lines: list[Line] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        return QUICK_ROUNDS if self.quick else ROUNDS

    def size(self, full: int, quick: int) -> int:
        """How many rows: the full size, or one that is done in a moment."""
        return quick if self.quick else full

    def in_turn(self, contenders: Mapping[str, Callable[[], object]], rounds: int | None = None) -> Times:
        """Seconds of every contender in every round; one round before that warms up and is not counted."""
        times: Times = {name: [] for name in contenders}
        for counted in [False] + [True] * (rounds or self.rounds):
            for name, work in contenders.items():
                gc.collect()
                begin = time.perf_counter()
                work()
                seconds = time.perf_counter() - begin
                if counted:
                    times[name].append(seconds)
        return times

    def faster(
        self, what: str, times: Times, rival: str, *, values: int | None = None, at_least: float | None = None
    ) -> None:
        """Adds a line that says how many times faster driftline is than a rival."""
        self._add(what, times, rival, values, None if at_least is None else ("at least", at_least))

    def multiple(
        self, what: str, times: Times, limit: str, *, values: int | None = None, at_most: float | None = None
    ) -> None:
        """Adds a line that says how many times as long as a limit driftline takes."""
        self._add(what, times, limit, values, ("at most", at_most or float("inf")))

    def _add(self, what: str, times: Times, other: str, values: int | None, must: tuple[str, float] | None) -> None:
        ours, theirs = times["driftline"], times[other]
        inverted = must is not None and must[0] == "at most"
        ratios = [(a / b if inverted else b / a) for a, b in zip(ours, theirs, strict=True)]
        scale, unit = (1e9 / values, "ns") if values else (1.0, "s")
        self.add(
            Line(
                what=what,
                driftline=statistics.median(ours) * scale,
                rival=other,
                rival_value=statistics.median(theirs) * scale,
                unit=unit,
                ratio=statistics.median(ratios),
                must=must if must and must[1] < float("inf") else None,
            )
        )

    def add(self, line: Line) -> None:
        """Adds a line, and says it at once to whoever waits."""
        self.lines.append(line)
        print("  ".join(filter(None, _cells(line, self.quick))), file=sys.stderr, flush=True)


def _cells(line: Line, quick: bool) -> tuple[str, ...]:
    must, verdict = "", ""
    if line.must is not None:
        must = f"{line.must[0]} {line.must[1]:g}"
        verdict = "" if quick else "holds" if line.holds else "falls short"
    return (
        line.what,
        f"{line.driftline:.3g} {line.unit}",
        line.rival,
        f"{line.rival_value:.3g} {line.unit}",
        f"{line.ratio:.3g}",
        must,
        verdict,
    )


def table(lines: Sequence[Line], quick: bool) -> str:
    """The lines as text. Of a quick run nothing is judged: its sizes measure start-up, not speed."""
    rows = [HEADER, *(_cells(line, quick) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])


def as_json(lines: Sequence[Line], quick: bool) -> str:
    """The lines for machines."""
    return json.dumps({"quick": quick, "lines": [asdict(line) | {"holds": line.holds} for line in lines]}, indent=2)


def from_json(text: str) -> list[Line]:
    """The lines that `as_json` wrote."""

    def line(fields: dict[str, Any]) -> Line:
        del fields["holds"]
        return Line(**fields | {"must": tuple(fields["must"]) if fields["must"] else None})

    return [line(fields) for fields in json.loads(text)["lines"]]


def parser(description: str | None) -> argparse.ArgumentParser:
    """Options that all benchmarks take."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="tiny sizes: shows that everything runs")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON too")
    options.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="where generated data are kept")
    return options


def main(run: Callable[[Bench], None], *, threads: int | None, description: str | None) -> None:
    """Runs one benchmark as a program; rivals without a setting of their own get `threads` from the environment."""
    if threads is not None:
        # Read once, when the library is first imported: benchmarks import rivals only where they use them.
        os.environ |= {"POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    report(run, parser(description).parse_args())


def report(run: Callable[[Bench], None], given: argparse.Namespace) -> None:
    """Runs one benchmark with the options that were given, and writes its table."""
    given.data.mkdir(parents=True, exist_ok=True)
    bench = Bench(quick=given.quick, data=given.data)
    run(bench)
    if given.json:
        given.json.write_text(as_json(bench.lines, bench.quick))
    else:
        print(table(bench.lines, bench.quick))
