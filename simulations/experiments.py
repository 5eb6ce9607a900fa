"""Tables of columns whose change is known, drawn and compared again and again."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa

import driftline as dl
from simulations.laws import Categories, Change, Numbers

ALPHA = 0.05

IDS = "nearly all values are distinct"
"""Why a column is taken for ids."""

COLUMNS = 20
"""Columns of a table, as the promise for comparisons of many columns has it."""

BLOCK = 25
"""Tables that are drawn with one seed: the piece of work that a process takes."""


@dataclass(frozen=True)
class Column:
    """A column of a table, and what happens to it."""

    law: Numbers | Categories
    change: Change | None = None


class Answer(Protocol):
    """What is said of one column; one that is not judged has no p-value."""

    @property
    def p_value(self) -> float | None:
        """The chance of such a change where there is none, before the correction."""

    @property
    def verdict(self) -> str:
        """`drift`, `stable`, or neither."""

    @property
    def reason(self) -> str | None:
        """Why it is not judged."""


@dataclass(frozen=True)
class Source:
    """The form of both sides, and how they are compared: from two tables and a tolerance to an answer a column."""

    name: str
    compare: Callable[[pa.Table, pa.Table, float], Mapping[str, Answer]] = field(repr=False)


def _of_profiles(k: int | None) -> Callable[[pa.Table, pa.Table, float], Mapping[str, Answer]]:
    options = {} if k is None else {"k": k}

    def compare(reference: pa.Table, current: pa.Table, tolerance: float) -> Mapping[str, Answer]:
        sides = [dl.profile(side, threads=1, progress=False, **options) for side in (reference, current)]
        return dl.compare(*sides, tolerance=tolerance, alpha=ALPHA, threads=1)

    return compare


def _of_frames(reference: pa.Table, current: pa.Table, tolerance: float) -> Mapping[str, Answer]:
    return dl.compare(reference, current, tolerance=tolerance, alpha=ALPHA, threads=1)


FRAMES = Source("frames", _of_frames)
PROFILES = Source("profiles", _of_profiles(None))
SMALL_PROFILES = Source("profiles, k = 200", _of_profiles(200))
SOURCES = (FRAMES, PROFILES, SMALL_PROFILES)


@dataclass
class Tally:
    """How often tables, and their columns by position, were called what.

    Attributes:
        runs: Tables that were compared.
        small: Columns with a p-value of at most alpha: `drift` without correction.
        tiny: Columns with a p-value that passes a correction over all columns by itself.
        drift: Columns called `drift`, with correction.
        stable: Columns called `stable`.
        any: Tables with any column called `drift`.
    """

    runs: int
    small: np.ndarray
    tiny: np.ndarray
    drift: np.ndarray
    stable: np.ndarray
    any: int

    @classmethod
    def empty(cls, columns: int) -> "Tally":
        """Nothing was compared yet."""
        return cls(0, *(np.zeros(columns, dtype=np.int64) for _ in range(4)), 0)

    def add(self, answers: Sequence[Answer]) -> None:
        """Counts one table."""
        # Of 50 rows of 300 values nearly all are distinct, which is how ids look. Anything else that is not judged
        # would keep every promise by saying nothing.
        if any(answer.p_value is None and answer.reason != IDS for answer in answers):
            raise ValueError("a column was not judged")
        p = np.array([1.0 if answer.p_value is None else answer.p_value for answer in answers])
        verdicts = np.array([answer.verdict for answer in answers])
        self.runs += 1
        self.small += p <= ALPHA
        self.tiny += p <= ALPHA / COLUMNS
        self.drift += verdicts == "drift"
        self.stable += verdicts == "stable"
        self.any += int(np.any(verdicts == "drift"))

    @classmethod
    def of(cls, fields: Mapping[str, int | list[int]]) -> "Tally":
        """From plain numbers."""
        return cls(**{name: value if isinstance(value, int) else np.array(value) for name, value in fields.items()})

    def as_dict(self) -> dict[str, int | list[int]]:
        """Plain numbers."""
        return {name: value if isinstance(value, int) else value.tolist() for name, value in vars(self).items()}

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """So many pairs of tables, compared in every form.

    Attributes:
        claim: What is promised of it, and so which figures it gives.
        name: Tells experiments of one claim apart.
    """

    claim: str
    name: str
    columns: Sequence[Column]
    reference_rows: int
    current_rows: int
    runs: int
    tolerance: float = 0.0
    sources: Sequence[Source] = SOURCES

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Number and size of each block of runs."""
        for number, start in enumerate(range(0, self.runs, BLOCK)):
            yield number, min(BLOCK, self.runs - start)

    def run(self, seed: int, block: int, runs: int) -> dict[str, Tally]:
        """One block of runs, by source. It draws the same rows whatever other experiments there are."""
        key = f"{self.claim} {self.name} {self.reference_rows} {self.current_rows} {self.tolerance}"
        rng = np.random.default_rng([seed, zlib.crc32(key.encode()), block])
        tallies = {source.name: Tally.empty(len(self.columns)) for source in self.sources}
        for _ in range(runs):
            reference, current = self.tables(rng)
            for source in self.sources:
                answers = source.compare(reference, current, self.tolerance)
                tallies[source.name].add([answers[name] for name in reference.column_names])
        return tallies

    def tables(self, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
        """One pair of tables; columns are named by their position."""
        names = [str(i) for i in range(len(self.columns))]
        reference = [column.law.draw(rng, self.reference_rows) for column in self.columns]
        current = [column.law.draw(rng, self.current_rows, column.change) for column in self.columns]
        return pa.table(reference, names=names), pa.table(current, names=names)
