"""From two sides, in whatever form they are, to a comparison."""

import os
import time
from collections.abc import Sequence
from typing import Any, Literal

from driftline import _core, _sources
from driftline._comparison import Comparison
from driftline._format import shown, told
from driftline._profile import Profile, _names, _threads, both_there, profile_raw, profile_there
from driftline._shares import read_share

__all__ = ["compare"]

COLLECTED = ["quantiles", "distinct", "top", "length"]
"""What a comparison is made from; moments are no part of it."""

NAME = 60
"""Characters of a name in a sentence."""


def compare(
    reference: object,
    current: object,
    columns: Sequence[str] | None = None,
    tolerance: float | str = 0.02,
    alpha: float | str = 0.05,
    resolution: float | str = 0.05,
    correction: Literal["bh", "holm", "none"] = "bh",
    *,
    threads: int | None = None,
) -> Comparison:
    """Says what changed from a reference to current data, by how much, and whether that is proved.

    Numbers are compared over the bins of the reference (Kolmogorov-Smirnov and a test of the bins), categories by
    their shares (chi-square and a test of the largest change); missing values are part of both. Where both sides are
    raw data that can be read twice, the counts are exact; the error of a profile's sketches is part of every bound and
    p-value.

    Args:
        reference: A profile, the path of a saved one, or anything that `profile` takes.
        current: The same for what came later.
        columns: Columns to compare; by default all that both sides have.
        tolerance: Share of the rows up to which a change does not matter, 0 to below 1; shares are also written `"2%"`.
        alpha: Accepted share of false findings: among all findings with `bh`, of any at all with `holm`, for each
            column with `none`.
        resolution: At tolerance 0, where no amount of data proves that nothing changed: the share of the rows that a
            change may have for a column to be called stable.
        correction: How p-values are corrected for the number of columns: Benjamini-Hochberg, Holm, or not.
        threads: How many to use for data and comparison; all cores by default. A saved profile is read on all.

    Raises:
        TypeError: One side is of a type that cannot be read.
        ValueError: An option is out of range, or a column asked for is on neither side.
        InputError: A side cannot be read or has no rows, or they have no column in common.
        StorageError: The disk or the network fails.

    Example:
        >>> compare({"x": [0, 1] * 500}, {"x": [1, 2] * 500}).drifted
        ['x']
    """
    started = time.perf_counter()
    if not isinstance(correction, str):
        raise TypeError(f'correction is {told(correction)}: it takes "bh", "holm" or "none"')
    options: dict[str, Any] = {
        "tolerance": _share("tolerance", tolerance, "it is a share of the rows, such as 2% or 0.02"),
        "alpha": _share("alpha", alpha, "it is a share of the findings, such as 5% or 0.05"),
        "resolution": _share("resolution", resolution, "it is a share of the rows, such as 5% or 0.05"),
        "correction": correction,
    }
    names = None if columns is None else _names("columns", columns)
    if names == []:
        raise ValueError("columns is empty: name at least one, or leave it out for all")
    workers = _threads(threads)
    reading: dict[str, Any] = {"columns": names, "threads": workers, "may_lack_columns": True}
    both = both_there(reference, current)
    saved = both[0] if both else profile_there(reference)
    before = profile_raw(reference, collect=COLLECTED, **reading) if saved is None else saved
    now = both[1] if both else profile_there(current)
    if now is None:
        # Categories are compared by their frequent values, and times are not judged: their bins would be for nothing.
        now = profile_raw(current, collect=COLLECTED, reference=before._core, bin_numbers_alone=True, **reading)
        if saved is None:
            before = _counted_exactly(reference, before, workers)
    if names is not None:
        _check_there(names, (reference, current), (before, now))
    core = _core.compare(before._core, now._core, columns=names, threads=workers, **options)
    took = time.perf_counter() - started
    return Comparison(core, (before, now), (_name(reference), _name(current)), options, took)


def _name(side: object) -> str | None:
    """The path of a side, of several the first."""
    paths = side if isinstance(side, list | tuple) else [side]
    names = [os.fspath(path) for path in paths if _sources.is_path(path)]
    if not names or len(names) < len(paths):
        return None
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"


def _share(name: str, value: Any, meaning: str) -> float:
    """A share; the engine says whether it is in range."""
    try:
        return read_share(value)
    except ValueError:
        wrong = ValueError if isinstance(value, str) else TypeError
        raise wrong(f"{name} is {told(value)}: {meaning}") from None


def _check_there(names: Sequence[str], sides: tuple[object, object], profiles: tuple[Profile, Profile]) -> None:
    """Refuses columns that neither side has, as the engine does where it has seen all columns.

    Of data it has seen those alone that were asked for.
    """
    before, now = map(_names_of, profiles)
    unknown = next((name for name in names if name not in before and name not in now), None)
    if unknown is not None and all(profile_there(side) is None for side in sides):
        for side in filter(_sources.is_rereadable, sides):
            # Where none may be lacking, the error tells what columns there are.
            profile_raw(side, columns=[unknown], collect=[])
        raise ValueError(f'no column "{shown(unknown, NAME)}" on either side')


def _names_of(profile: Profile) -> set[str]:
    """Columns, and what they lie in: of `a.b[]` also `a.b` and `a`."""
    columns = [*profile, *profile.skipped]
    return {*columns, *(column[:i] for column in columns for i, c in enumerate(column) if c in ".[")}


def _counted_exactly(data: object, profile: Profile, threads: int) -> Profile:
    """Counts the rows of a reference over its own bins, which are only known once it has been read."""
    names = profile._core.estimated_numbers
    if not names or not _sources.is_rereadable(data):
        return profile
    counted = profile_raw(data, columns=names, collect=[], reference=profile._core, threads=threads)
    return Profile(profile._core.with_bins_of(counted._core))
