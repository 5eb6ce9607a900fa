"""What `driftline init` says."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from driftline._format import count, counted, percent, shown, text_table, whole_percent
from driftline._init.begin import Begun
from driftline._init.reach import Reach, reach_of, series_name, warnings_of
from driftline._init.text import day
from driftline._monitor.alarms import how_many, told_together
from driftline.cli._monitor import MOST_ALARMS, alarm_lines, status_as_json

__all__ = ["begun_as_json", "tell_begun"]

KEYS = {"segments?": "possible_segments", "a label?": "possible_label"}
"""What machines call what people are asked."""

MOST_IGNORED = 8
"""Ignored columns that are told; the file has them all."""


def tell_begun(begun: Begun) -> Iterator[str]:
    """What was guessed, what the monitor can do, what it found, and what to do next."""
    guess, status = begun.guess, begun.status
    span = f"{day(guess.first_us)} to {day(guess.last_us)}"
    rows, columns, files = begun.facts.rows, len(begun.facts.columns), begun.facts.files
    yield f"{counted(rows, 'row')}, {counted(columns, 'column')}, {counted(files, 'file')}, {span}"
    yield ""
    table = [(key, shown(value, 40), shown(why, 160)) for key, value, why in _guesses(begun)]
    listed = [row for row in table if row[0] != "ignore"]
    ignored = [row for row in table if row[0] == "ignore"]
    told = [*listed, *ignored[:MOST_IGNORED]]
    # Without the header, which says nothing that the rows do not.
    yield "\n".join(text_table(("", "", ""), told, (True, True, True)).splitlines()[1:])
    if len(ignored) > MOST_IGNORED:
        yield f"and {len(ignored) - MOST_IGNORED} more under ignore"
    yield f"wrote {begun.path}, with what was weighed beside each key"
    yield ""
    reach = reach_of(status)
    yield _reference(begun, reach)
    yield from _finds(begun, reach)
    yield from (f"warning: {warning}" for warning in warnings_of(status, begun.facts, guess))
    yield ""
    yield from _alarms(begun)
    yield from _next(begun)


def _guesses(begun: Begun) -> Iterator[tuple[str, str, str]]:
    """Key, value and reason."""
    guess = begun.guess
    yield "time", guess.time.value, guess.time.why
    if guess.timezone.value != "UTC":
        yield "timezone", guess.timezone.value, guess.timezone.why
    for role in ("id", "prediction", "probability", "version"):
        if (choice := guess.roles.get(role)) is not None:
            yield role, choice.value, choice.why
    for choice in guess.segments:
        yield "segments", choice.value, choice.why
    for choice in guess.suggested:
        yield "segments?", choice.value, f"off, {choice.why}: say in {begun.path} whether it matters"
    for name in guess.perhaps_labels:
        yield "a label?", name, "watched; it has the values of the prediction: if it is the truth, ignore it"
    for choice in guess.ignored:
        yield "ignore", choice.value, choice.why
    yield "window", guess.window.window, guess.window.why


def _reference(begun: Begun, reach: Reach) -> str:
    guess = begun.guess
    until = guess.first_us + (guess.last_us - guess.first_us) // 4
    span = f"{day(guess.first_us)} to {day(until)}"
    windows = f"{counted(reach.windows, 'window')} of {guess.window.window}"
    return f"reference: the first quarter, {span}: {counted(reach.rows, 'row')}, {windows}"


def _finds(begun: Begun, reach: Reach) -> Iterator[str]:
    if reach.best is None or reach.median is None or reach.worst is None:
        yield "finds: nothing yet, as no series has a reference"
        return
    config = begun.config
    yield (
        f"finds: the smallest change, however long it lasts, is {_share(reach.best)}, {_share(reach.worst)}, and "
        f"{_share(reach.median)} in the middle of {len(reach.series)} series"
    )
    kept = sum(row["promises"] for row in reach.series)
    if not kept:
        yield "promise: none yet, as the warnings say; breakages, such as a column that is empty, are told at once"
        return
    are = "is" if config.false_alarms.count == 1 else "are"
    part = "all series" if kept == len(reach.series) else f"{kept} of {len(reach.series)} series"
    yield (
        f"promise: at most {config.false_alarms} that {are} false, on average and over {part} of a source; "
        f"changes up to {whole_percent(config.tolerance)} of the rows do not matter"
    )


def _share(row: dict[str, Any]) -> str:
    return f"{percent(row['smallest_change'])} of the rows ({series_name(row)})"


def _alarms(begun: Begun) -> Iterator[str]:
    status = begun.status
    if not status.alarms and reach_of(status).best is not None:
        yield "no alarm since the reference"
    opened = told_together(status.open)
    for alarm, checks in opened[:MOST_ALARMS]:
        yield from alarm_lines(alarm, checks)
    if len(opened) > MOST_ALARMS:
        yield f"and {counted(how_many(opened[MOST_ALARMS:]), 'more open alarm')}"
    if status.alarms:
        yield f"{counted(len(status.open), 'alarm')} open, {count(len(status.closed))} closed"
    yield ""


def _next(begun: Begun) -> Iterator[str]:
    option = "" if begun.path == "driftline.yaml" else f" --config {begun.path}"
    yield f"next: read {begun.path}, and correct what is wrong; after a change there, give the monitor another name"
    yield f"      driftline monitor{option}   reads what is new, again and again"
    yield f"      driftline status{option}    says how things stand"


def begun_as_json(begun: Begun) -> dict[str, Any]:
    """The same for machines."""
    guess, reach = begun.guess, reach_of(begun.status)
    smallest = {"best": reach.best, "median": reach.median, "worst": reach.worst}
    return {
        "config": begun.path,
        "monitor": begun.config.monitor,
        "home": begun.config.home,
        "rows": begun.facts.rows,
        "files": begun.facts.files,
        "guesses": [{"key": KEYS.get(key, key), "value": value, "why": why} for key, value, why in _guesses(begun)],
        "reference": {"rows": reach.rows, "windows": reach.windows},
        "smallest_change": {
            name: None if row is None else {"series": series_name(row), "share": row["smallest_change"]}
            for name, row in smallest.items()
        },
        "warnings": list(warnings_of(begun.status, begun.facts, guess)),
        "read": asdict(begun.summary),
        **{key: value for key, value in status_as_json(begun.status).items() if key != "monitor"},
    }
