"""Which experiments are run: the full set, whose table stands in the docs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from simulations.experiments import FRAMES, PROFILES, SOURCES, Column, Experiment, Source
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


def full() -> list[Experiment]:
    """Everything that is promised, and what cannot be."""
    return [*no_change(), *edges(), *power(), *harmless(), *few_rows()]


def runs(reference_rows: int, current_rows: int) -> int:
    """How many tables of such sizes are compared."""
    return next(count for rows, count in RUNS.items() if max(reference_rows, current_rows) <= rows)


def no_change() -> Iterator[Experiment]:
    """Nothing changed, tolerance 0."""
    for sizes in SIZES:
        yield experiment("no change", "nothing", [Column(law) for law in LAWS], sizes, runs(*sizes), 0.0)


def edges() -> Iterator[Experiment]:
    """The effect is the tolerance."""
    for of_numbers, of_categories in EDGES:
        columns = [*changed(NUMBERS, of_numbers, TOLERANCE), *changed(CATEGORIES, of_categories, TOLERANCE)]
        for sizes in SIZES:
            yield experiment("edge", f"{of_numbers}, {of_categories}", columns, sizes, runs(*sizes), TOLERANCE)
    # Spread over all cut points and bins, a change of numbers would have a far smaller effect.
    columns = changed([law for law in CATEGORIES if len(law.shares) > 2], "spread", TOLERANCE)
    for sizes in SIZES:
        yield experiment("edge", "spread", columns, sizes, runs(*sizes), TOLERANCE)


def changed(laws: Sequence[Numbers | Categories], how: str, share: float) -> list[Column]:
    """Columns of these laws after a change."""
    return [Column(law, Change(how, share)) for law in laws]


def power() -> Iterator[Experiment]:
    """Changes that are to be found, each in a column of its own."""
    for tolerance, rows, ones in ((0.0, 10_000, 0.05), (TOLERANCE, 30_000, 0.07)):
        more = [
            Column(LAW["3 % ones"], Change("into", ones - ONES)),
            Column(LAW["3 % yes"], Change("into the last", ones - ONES)),
        ]
        for claim, columns in (("power", [*changes_that_matter(), *more]), ("hard", hard_changes())):
            yield experiment(claim, "one of each", columns, (rows, rows), 200, tolerance, (FRAMES, PROFILES))


def changes_that_matter() -> list[Column]:
    """5 % of the rows move in a way that is promised to be found."""
    normal, zeros, poisson, rounded = (NUMBERS[i] for i in (0, 5, 4, 6))
    numbers = [
        (normal, "past"),
        (normal, "just past"),
        (replace(normal, name="normal, tail", cut=0.95), "past"),
        (poisson, "past"),
        (zeros, "past"),
        (rounded, "past"),
        (normal, "into"),
        (replace(normal, name="normal, a bin", value=(0.5, 0.53)), "into"),
        (replace(normal, name="normal, minimum", value=(0.0, 0.0)), "into"),
        (replace(NUMBERS[1], name="lognormal, maximum", value=(1.0, 1.0)), "into"),
        (poisson, "into"),
        (zeros, "into"),
        (rounded, "into"),
        (normal, "missing"),
    ]
    categories = [
        (law, how)
        for law in CATEGORIES[:7]
        for how in ("across", "first to new", "into the first", "into the last", "new")
        if law.shares[0] >= 0.1 or how not in ("across", "first to new")
    ]
    return [Column(law, Change(how, 0.05)) for law, how in (*numbers, *categories)]


def hard_changes() -> list[Column]:
    """5 % of the rows move, and no test finds them all."""
    spread = [
        Column(LAW[f"{values} values, {law}"], Change("spread", 0.05))
        for values in (30, 300)
        for law in ("uniform", "Zipf")
    ]
    return [Column(NUMBERS[0], Change("neighbours", 0.05)), *spread]


def one_of_twenty(claim: str, column: Column, rows: int, tolerance: float, runs: int = 500) -> Experiment:
    """A changed column, and 19 that are not."""
    unchanged = [Column(law) for law in (*NUMBERS, *NUMBERS)[:19]]
    name = f"{column.law.name}, {column.change}"
    return experiment(claim, name, [column, *unchanged], (rows, rows), runs, tolerance, (FRAMES, PROFILES))


def harmless() -> Iterator[Experiment]:
    """A million rows a side, of which few moved."""
    for source, share in ((FRAMES, 0.015), (PROFILES, 0.01)):
        for of_numbers, of_categories in EDGES:
            columns = [*changed(NUMBERS, of_numbers, share), *changed(CATEGORIES, of_categories, share)]
            name = f"{of_numbers}, {of_categories}"
            yield experiment("harmless", name, columns, (1_000_000, 1_000_000), 10, TOLERANCE, [source])


def few_rows() -> Iterator[Experiment]:
    """50 rows, beside as few and beside very many."""
    for sizes in ((50, 50), (50, 100_000), (100_000, 50)):
        yield experiment("few rows", "nothing", [Column(law) for law in LAWS], sizes, 300, TOLERANCE)


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
