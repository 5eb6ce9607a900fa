"""What a monitor that has just begun cannot do: told before it disappoints."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from driftline._format import count, counted, percent, shown
from driftline._init.guess import Guess
from driftline._init.window import ENOUGH_WINDOWS
from driftline._monitor.status import Status

__all__ = ["Reach", "reach_of", "warnings_of"]

COVERS: Final = re.compile(r"tolerance of (\d+) %")

SMALL_REFERENCE: Final = 400
"""Independent rows from which a share is known to within about 5 points with 95 % confidence."""

MOST_NAMED: Final = 5


class Reach:
    """What the reference is, and what can be found with it."""

    def __init__(self, status: Status) -> None:
        watched = [row for row in status.series if row["values"] and row["status"] in ("watching", "calibrating")]
        self.series = watched
        self.rows: int = max((row["reference_rows"] for row in status.series), default=0)
        self.windows: int = max((row["reference_windows"] for row in status.series), default=0)
        found = sorted(
            (row for row in watched if row["smallest_change"] is not None), key=lambda r: r["smallest_change"]
        )
        self.best = found[0] if found else None
        self.median = found[len(found) // 2] if found else None
        self.worst = found[-1] if found else None


def reach_of(status: Status) -> Reach:
    """What can be found."""
    return Reach(status)


def series_name(row: dict[str, Any]) -> str:
    """A series as people read it."""
    return " in ".join(shown(part, 40) for part in (row["column"], row["segment"]) if part)


def warnings_of(status: Status, guess: Guess) -> Iterator[str]:
    """A sentence or two for each thing that limits what the monitor can do."""
    reach = reach_of(status)
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
    yield from _small(reach.series)
    yield from _without_promise(status)


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


def _without_promise(status: Status) -> Iterator[str]:
    wobbling: dict[int, list[str]] = {}
    for row in status.without_promise:
        covers = COVERS.search(row["promise"])
        if covers is not None:
            wobbling.setdefault(int(covers[1]), []).append(series_name(row))
    if not wobbling:
        return
    names = [name for tolerance in sorted(wobbling, reverse=True) for name in wobbling[tolerance]]
    told = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    largest = max(wobbling)
    does = "covers how it wobbles" if len(names) == 1 else "covers how they all wobble"
    where = f"tolerance: {largest}%" if largest < 100 else ""
    cure = (
        f"`{where}` {does}" if where else "no tolerance covers how they wobble: ignore them, or compare like with like"
    )
    half = [name for tolerance, listed in wobbling.items() if tolerance <= 5 for name in listed]
    some = f"; `tolerance: 5%` covers {len(half)} of them" if half and largest > 5 and len(names) > 1 else ""
    promised = percent(status.config.tolerance)
    yield (
        f"no promise for {len(names)} of {len(status.series)} series, whose windows wobble by more than {promised} by "
        f"themselves and long: {told}; {cure}{some}"
    )
