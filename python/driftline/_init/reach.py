"""What a monitor that has just begun can find and what not: told before it disappoints."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from driftline._format import count, counted, shown
from driftline._init.facts import Facts
from driftline._init.guess import Guess
from driftline._init.window import ENOUGH_WINDOWS
from driftline._monitor.status import Status

__all__ = ["Reach", "reach_of", "warnings_of"]

SMALL_REFERENCE: Final = 400
"""Independent rows from which a share is known to within about 5 points with 95 % confidence."""

MOST_TOLERABLE: Final = 20
"""Percent of the rows that may change unseen before a series is hardly watched."""

LIKE_WITH_LIKE: Final = {
    "1 hour": ", or compare hours with the same hour: `reference: same hour, 4 weeks`",
    "1 day": ", or compare days with the same weekday: `reference: same weekday, 8 weeks`",
    "1 week": ", or compare with the same time of the year: `reference: same month, 2 years`",
    "1 month": ", or compare with the same time of the year: `reference: same month, 2 years`",
}
"""What to do where windows follow a cycle."""

MOST_NAMED: Final = 5


class Reach:
    """What the reference is, and what can be found with it."""

    def __init__(self, status: Status) -> None:
        watched = [
            row
            for row in status.series
            # In its own segment a column is constant.
            if row["values"] and row["status"] in ("watching", "calibrating") and not _is_own(row)
        ]
        self.series = watched
        # Of lists the elements are counted, which are more than rows.
        whole = [row for row in status.series if not row["segment"] and not row["column"].endswith("[]")]
        self.rows: int = max((row["reference_rows"] for row in whole), default=0)
        self.windows: int = max((row["reference_windows"] for row in whole), default=0)
        found = sorted(
            (row for row in watched if row["smallest_change"] is not None), key=lambda r: r["smallest_change"]
        )
        self.best = found[0] if found else None
        self.median = found[len(found) // 2] if found else None
        self.worst = found[-1] if found else None


def _is_own(row: dict[str, Any]) -> bool:
    return row["column"] in (part.partition("=")[0] for part in row["segment"].split(","))


def reach_of(status: Status) -> Reach:
    """What can be found."""
    return Reach(status)


def series_name(row: dict[str, Any]) -> str:
    """A series as people read it."""
    return " in ".join(shown(part, 40) for part in (row["column"], row["segment"]) if part)


def _few(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(shown(name, 40) for name in names[:MOST_NAMED]) + rest


def warnings_of(status: Status, facts: Facts, guess: Guess) -> Iterator[str]:
    """A sentence or two for each thing that limits what the monitor can do."""
    reach = reach_of(status)
    for why in list(facts.unreadable.values())[:MOST_NAMED]:
        yield f"left out, and tried again in the next run: {why}"
    if len(facts.unreadable) > MOST_NAMED:
        yield f"{len(facts.unreadable) - MOST_NAMED} more files are left out, which could not be read"
    for name, types in list(facts.retyped.items())[:MOST_NAMED]:
        yield f"{shown(name, 40)} is {' and '.join(types)} in different files: it is watched by its first type"
    learning = any(source.learning for source in status.sources)
    if guess.stray_times is not None:
        yield guess.stray_times
    for source in status.sources:
        lost = {"without a time": source.counts["without_time"], "with an absurd time": source.counts["absurd"]}
        for what, rows in lost.items():
            if rows:
                yield f"{counted(rows, 'row')} of {count(source.counts['rows'])} {what}: counted, and in no window"
    if learning:
        yield "the reference is not complete yet: until it is, nothing is watched but rules; more data are needed"
        return
    if reach.windows < ENOUGH_WINDOWS:
        yield (
            f"the reference has {counted(reach.windows, 'window')}, fewer than {ENOUGH_WINDOWS}: it cannot show how "
            f"windows vary, so the first {ENOUGH_WINDOWS} monitored ones do, and until then no promise is made; "
            "a longer log, a longer reference or shorter windows help"
        )
    unwatched = [
        row
        for row in status.series
        if not row["values"] and row["kind"] in ("number", "category") and not row["segment"]
    ]
    # NaN is a value to the monitor, and none to whoever reads this.
    nowhere = {column.name for column in facts.columns if not column.values}
    ids = [row["column"] for row in unwatched if row["reference_values"] and row["column"] not in nowhere]
    if ids:
        yield (
            f"of {_few(ids)} only missing values are watched: in the reference nearly every row has a value of its "
            "own, as an id has; numbers that measure something are watched where they are written as floats"
        )
    empty = [row["column"] for row in unwatched if row["column"] not in ids]
    if empty:
        yield f"of {_few(empty)} only missing values are watched: in the reference no row has a value of them"
    yield from _small(reach.series)
    yield from _without_promise(reach.series, status.config.tolerance, guess.window.window)
    unknown = [row for row in status.series if row["status"] in ("no reference", "retyped") and not row["segment"]]
    if unknown:
        names = _few([series_name(row) for row in unknown])
        yield f"{len(unknown)} series are not watched, as the reference lacks them or has another type: {names}"


def _small(series: Sequence[dict[str, Any]]) -> Iterator[str]:
    """References that are smaller than they look: rows that vary together count as fewer."""
    worth = [(row["reference_rows"] / max(row["deff"] or 1.0, 1.0), row) for row in series]
    small = sorted(((rows, row) for rows, row in worth if rows < SMALL_REFERENCE), key=lambda item: item[0])
    if not small:
        return
    rows, row = small[0]
    least = f"{series_name(row)} {count(row['reference_rows'])} rows"
    deff = row["deff"] or 1.0
    if deff > 1.5:
        least += f", which count as {count(rows)}, as its windows vary {deff:.0f} times more than independent rows"
    yield (
        f"the reference is small for {len(small)} of {len(series)} series ({least}): only large changes can be found "
        "there; a longer reference helps, or longer windows where days differ"
    )


def _without_promise(series: Sequence[dict[str, Any]], tolerance: float, window: str) -> Iterator[str]:
    covers: dict[str, int | None] = {}
    for row in series:
        if row["promise_kind"] == "none":
            needed = None if row["covering_percent"] is None else int(row["covering_percent"])
            # What is no more than it has already does not help, and what is very large finds nothing.
            helps = needed is not None and 100 * tolerance < needed <= MOST_TOLERABLE
            covers[series_name(row)] = needed if helps else None
    if not covers:
        return
    names = sorted(covers, key=lambda name: -(covers[name] or 100))
    needed_by = [needed for needed in covers.values() if needed is not None]
    cures = []
    if needed_by:
        which = "all of them" if len(needed_by) == len(covers) else f"{len(needed_by)} of them"
        cures.append(
            f"`tolerance: {max(needed_by)}%` covers how {'it varies' if len(covers) == 1 else f'{which} vary'}"
        )
    if len(needed_by) < len(covers):
        which = "it" if len(covers) == 1 else "them" if not needed_by else "the others"
        like = LIKE_WITH_LIKE[window]
        cures.append(
            f"to cover {which}, a tolerance would have to be so large that it finds little: ignore such columns{like}"
        )
    yield (
        f"no promise for {len(names)} of {len(series)} series, whose windows wobble and stay off for long with nothing "
        f"wrong: {_few(names)}; {'; '.join(cures)}"
    )
