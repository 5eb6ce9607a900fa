"""Which experiments are run: the full set, whose table stands in the docs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil

from simulations.experiments import COLUMNS, FRAMES, PROFILES, SMALL_PROFILES, SOURCES, Column, Experiment, Source
from simulations.laws import CATEGORIES, LAWS, NUMBERS, ONES, Categories, Change, Numbers

SIZES = (
    (50, 50),
    (200, 200),
    (1_000, 1_000),
    (10_000, 10_000),
    (100_000, 100_000),
    (5_000, 50),
    (50, 5_000),
    (5_000, 500),
    (500, 5_000),
    (5_000, 20_000),
    (20_000, 5_000),
)
"""Rows of the reference, and of the current data."""

RUNS = {1_000: 2_000, 5_000: 2_000, 10_000: 1_000, 20_000: 1_000, 100_000: 300}
"""Tables compared, up to so many rows of the larger side."""

TOLERANCE = 0.02
EDGES = (("past", "across"), ("into", "into the first"), ("missing", "new"))
"""Changes at the edge of the tolerance: of numbers, and of categories in the same tables."""

LAW = {law.name: law for law in LAWS}

TWICE = (*NUMBERS, *NUMBERS)
"""A table of numbers alone: `k` says nothing about categories."""

MANY = (*(f"{values} values, {law}" for law in ("uniform", "Zipf") for values in (3, 30, 300)), "2 of 45 % among 300")
"""Categories as the promise of power names them."""


EVEN = ("300 values, uniform", "300 values, Zipf", "3,000 values, Zipf")
"""Among so many values another half percent may hide, at a million rows too, and what frequent items do not hold."""


def full(share: float = 1.0) -> list[Experiment]:
    """Everything that is promised, and what cannot be; with a share of the runs where a first look is enough."""
    experiments = [*no_change(), *edges(), *power(), *harmless(), *few_rows()]
    return [replace(experiment, runs=ceil(share * experiment.runs)) for experiment in experiments]


def runs(reference_rows: int, current_rows: int) -> int:
    """How many tables of such sizes are compared."""
    return next(count for rows, count in RUNS.items() if max(reference_rows, current_rows) <= rows)


def no_change() -> Iterator[Experiment]:
    """Nothing changed, tolerance 0."""
    for sizes in SIZES:
        for columns, sources in ((LAWS, (FRAMES, PROFILES)), (TWICE, (SMALL_PROFILES,))):
            unchanged = [Column(law) for law in columns]
            yield experiment("no change", "nothing", unchanged, sizes, runs(*sizes), 0.0, sources)


def edges() -> Iterator[Experiment]:
    """The effect is the tolerance."""
    for of_numbers, of_categories in EDGES:
        mixed = [*changed(NUMBERS, of_numbers, TOLERANCE), *changed(CATEGORIES, of_categories, TOLERANCE)]
        numbers = changed(TWICE, of_numbers, TOLERANCE)
        for sizes in SIZES:
            for columns, sources in ((mixed, (FRAMES, PROFILES)), (numbers, (SMALL_PROFILES,))):
                name = f"{of_numbers}, {of_categories}"
                yield experiment("edge", name, columns, sizes, runs(*sizes), TOLERANCE, sources)
    # Of numbers, a change that is spread over all cut points and bins has a far smaller effect than its share.
    spread = changed([law for law in CATEGORIES if len(law.shares) > 2], "spread", TOLERANCE)
    for sizes in SIZES:
        yield experiment("edge", "spread", spread, sizes, runs(*sizes), TOLERANCE, [FRAMES])


def changed(laws: Sequence[Numbers | Categories], how: str, share: float) -> list[Column]:
    """Columns of these laws after a change."""
    return [Column(law, Change(how, share)) for law in laws]


def power() -> Iterator[Experiment]:
    """Changes that are to be found, each in a column of its own."""
    for tolerance, rows, ones in ((0.0, 10_000, 0.05), (TOLERANCE, 30_000, 0.07)):
        numbers = [*numbers_that_matter(), Column(LAW["3 % ones"], Change("into", ones - ONES))]
        categories = [*categories_that_matter(), Column(LAW["3 % yes"], Change("into the last", ones - ONES))]
        for claim, name, columns, sources in (
            ("power", "numbers", numbers, (FRAMES, PROFILES)),
            # An even number of both parts, so that no table is padded much.
            ("power", "categories", categories[::2], (FRAMES,)),
            ("power", "more categories", categories[1::2], (FRAMES,)),
            ("hard", "numbers and categories", hard_changes(), (FRAMES, PROFILES)),
        ):
            # How many permutations are drawn depends on the number of columns.
            padded = [*columns, *(Column(law) for law in TWICE[: COLUMNS - len(columns)])]
            yield experiment(claim, name, padded, (rows, rows), 200, tolerance, sources)


def numbers_that_matter() -> list[Column]:
    """5 % of the rows move past a value, or into one value or bin."""
    normal, lognormal, poisson = LAW["normal"], LAW["lognormal, sigma 2"], LAW["Poisson, mean 3"]
    zeros, rounded = LAW["70 % zeros"], LAW["rounded"]
    return [
        Column(law, Change(how, 0.05))
        for law, how in (
            (normal, "past"),
            (normal, "just past"),
            (replace(normal, name="normal, tail", cut=0.95), "past"),
            (poisson, "past"),
            (zeros, "past"),
            (rounded, "past"),
            (normal, "into"),
            # The middle one of the 33 bins of a reference holds the shares from 0.485 to 0.515.
            (replace(normal, name="normal, one bin", value=(0.495, 0.505)), "into"),
            (replace(normal, name="normal, minimum", value=(0.0, 0.0)), "into"),
            (replace(lognormal, name="lognormal, maximum", value=(1.0, 1.0)), "into"),
            (poisson, "into"),
            (zeros, "into"),
            (rounded, "into"),
            (normal, "missing"),
        )
    ]


def categories_that_matter() -> list[Column]:
    """5 % of the rows move from one category to another or to a new one, or from all into one."""
    large = {name: law for name, law in LAW.items() if isinstance(law, Categories) and law.shares[0] >= 0.1}
    return [
        Column(LAW[name], Change(how, 0.05))
        for name in MANY
        for how in (*(("across", "first to new") if name in large else ()), "into the first", "into the last", "new")
    ]


def hard_changes() -> list[Column]:
    """5 % of the rows move, and no test finds them all."""
    spread = [
        Column(LAW[f"{values} values, {law}"], Change("spread", 0.05))
        for values in (30, 300)
        for law in ("uniform", "Zipf")
    ]
    return [Column(NUMBERS[0], Change("neighbours", 0.05)), *spread]


def harmless() -> Iterator[Experiment]:
    """A million rows a side, of which few moved."""
    for source, share, hidden in ((FRAMES, 0.015, EVEN), (PROFILES, 0.01, EVEN[2:])):
        for of_numbers, of_categories in EDGES:
            laws = [law for law in CATEGORIES if law.name not in hidden]
            columns = [*changed(NUMBERS, of_numbers, share), *changed(laws, of_categories, share)]
            name = f"{of_numbers}, {of_categories}"
            yield experiment("harmless", name, columns, (1_000_000, 1_000_000), 100, TOLERANCE, [source])
            columns = changed([LAW[name] for name in hidden], of_categories, share)
            yield experiment("hidden", of_categories, columns, (1_000_000, 1_000_000), 10, TOLERANCE, [source])


def few_rows() -> Iterator[Experiment]:
    """50 rows, beside as few and beside very many."""
    for sizes in ((50, 50), (50, 100_000), (100_000, 50)):
        yield experiment("few rows", "nothing", [Column(law) for law in LAWS], sizes, 100, TOLERANCE)


def experiment(
    claim: str,
    name: str,
    columns: Sequence[Column],
    sizes: tuple[int, int],
    runs: int,
    tolerance: float,
    sources: Sequence[Source] = SOURCES,
) -> Experiment:
    """An experiment, its sides written as a pair."""
    return Experiment(
        claim=claim,
        name=name,
        columns=columns,
        reference_rows=sizes[0],
        current_rows=sizes[1],
        runs=runs,
        tolerance=tolerance,
        sources=sources,
    )
