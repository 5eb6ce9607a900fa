"""From what is known of columns to what they are; each guess with its reason, in words for the file."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from driftline._format import count, shown
from driftline._init import names
from driftline._init.facts import ColumnFacts, Facts
from driftline._init.window import ENOUGH_ROWS, WINDOWS, WindowChoice, choose_window
from driftline.errors import InputError

__all__ = ["Choice", "Guess", "guess"]

DAY_US: Final = 86_400_000_000

MOST_SEGMENTS: Final = 20
"""More values than that are no groups that anybody looks at one after another."""

MOST_VERSIONS: Final = 50

MANY_VALUES: Final = 1000
"""An id of things that come again, such as a customer's, has at least so many values or it is a category."""

LONG_TEXT: Final = 40
"""Mean characters from which text is written rather than chosen."""

MOST_NAMED: Final = 5
"""Columns that a comment names."""

FAR: Final = 4
"""A span that is so many times as long as that of all rows but a few is made by those few."""

CYCLES_S: Final = {"day": 86_400, "week": 604_800, "month": 2_629_746, "year": 31_556_952, "century": 10**10}


@dataclass(frozen=True, slots=True)
class Choice:
    """A column, or another value, and why."""

    value: str
    why: str


@dataclass(slots=True)
class Guess:
    """What the columns are taken for."""

    time: Choice
    first_us: int
    last_us: int
    window: WindowChoice
    timezone: Choice
    roles: dict[str, Choice] = field(default_factory=dict)
    """`id`, `prediction`, `probability` and `version`, those that were found."""
    segments: list[Choice] = field(default_factory=list)
    """Columns whose values are watched apart."""
    suggested: list[Choice] = field(default_factory=list)
    """Columns whose values could be."""
    ignored: list[Choice] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    """Those of the ignored columns that seem to be the truth."""
    perhaps_labels: list[str] = field(default_factory=list)
    """Columns that look like the prediction by their values, and by their names like anything."""
    notes: dict[str, str] = field(default_factory=dict)
    """Why there is nothing for a role, where there might have been."""
    stray_times: str | None = None
    """What is odd about the times."""


def guess(facts: Facts, *, now_us: int, time: str | None = None) -> Guess:
    """Guesses what the columns are.

    Args:
        facts: What is known of them.
        now_us: What the clock says.
        time: The column of the times, where the user said so.

    Raises:
        InputError: No column holds the time of the rows.
    """
    whole = [column for column in facts.columns if _is_whole_column(column)]
    when, why = _time(facts, now_us, time)
    first_us, last_us = when.span_us or (0, 0)
    if first_us == last_us:
        raise InputError(
            f"all rows have the same time, {_date(first_us)} in column {shown(when.name, 40)}: a monitor compares "
            "windows of time with those before: name a log of some days or weeks"
        )
    stray = _stray(when)
    if stray is None or when.bulk_us is None:
        span_us, early_share = last_us - first_us, when.early_share
    else:
        # A few odd times say nothing about how long a window should be.
        span_us, early_share = when.bulk_us[1] - when.bulk_us[0], None
    window = choose_window(
        span_us / 1e6,
        when.values,
        early_share=0.25 if early_share is None else early_share,
        times=when.distinct,
    )
    made = Guess(Choice(when.name, why), first_us, last_us, window, _timezone(when))
    made.stray_times = stray
    left = [column for column in whole if column.name != when.name]
    left = _outputs(made, left)
    left = _labels(made, left)
    left = _version(made, left)
    left = _id(made, left)
    left = _moving_times(made, left)
    left = _calendar(made, left)
    left = _texts(made, left)
    _segments(made, left)
    _perhaps_labels(made, facts, left)
    return made


def _is_whole_column(column: ColumnFacts) -> bool:
    """Not the elements of a list, nor the norm of an embedding: those are columns of a profile alone."""
    return not column.name.endswith("[]") and column.kind in ("number", "time", "category")


# The time


def _time(facts: Facts, now_us: int, named: str | None) -> tuple[ColumnFacts, str]:
    if named is not None:
        for column in facts.columns:
            if column.name == named:
                if column.span_us is None:
                    raise InputError(f"column {shown(named, 40)!r} holds no times, or none until tomorrow")
                return column, "you named it"
        raise InputError(f"no column {shown(named, 40)!r}; columns are {_listed(c.name for c in facts.columns)}")
    able = [column for column in facts.columns if column.span_us is not None]
    # Numbers may be read as times by chance, so that their names have to agree.
    able = [
        column
        for column in able
        if column.kind == "time"
        or column.is_text
        or (names.time_rank(column.name) != 1 and names.calendar_part(column.name) is None)
    ]
    if not able:
        raise InputError(_no_time(facts))

    def rank(column: ColumnFacts) -> tuple[bool, bool, int, bool, float]:
        is_sparse = column.missing > column.rows / 2
        is_future = column.most is not None and column.kind == "time" and _ends_after(column, now_us)
        varies = (column.distinct or 0) > 1
        return (
            not (is_sparse or is_future),
            varies,
            names.time_rank(column.name),
            column.kind == "time",
            column.distinct or 0,
        )

    best = max(able, key=rank)
    others = [column.name for column in able if column is not best]
    told = f"{_type_words(best)} with {_about(best)} different times"
    if names.time_rank(best.name) > 1:
        told += ", and named like the time of a row"
    if others:
        told += f"; rather than {_listed(others)}"
    return best, told


def _ends_after(column: ColumnFacts, now_us: int) -> bool:
    """Whether its times go on into the future, as those of a plan or an expiry do."""
    return column.bulk_us is not None and column.bulk_us[1] > now_us + DAY_US


def _type_words(column: ColumnFacts) -> str:
    if column.kind == "time":
        return f"a {column.type.partition('[')[0]}"
    return "text in ISO 8601" if column.is_text else "whole numbers since 1970"


def _no_time(facts: Facts) -> str:
    """What to do where no column is a time."""
    lines = [f"no column holds the time of the rows; columns are {_listed((c.name for c in facts.columns), 40)}"]
    lines += [
        f"   {shown(column.name, 40)} is named like one, but {_no_times(column)}"
        for column in facts.columns
        if column.span_us is None and names.time_rank(column.name) > 1 and column.kind != "null"
    ]
    lines.append(
        "a monitor needs a column of timestamps, dates, text in ISO 8601 (2026-11-03T14:00:00Z) or whole numbers since "
        "1970: add one, or name it with --time COLUMN; without times, driftline compare tells two data sets apart"
    )
    return "\n".join(lines)


def _no_times(column: ColumnFacts) -> str:
    if not column.values:
        return "has no value in any row"
    if "." in column.name and column.refused is not None and "no column" in column.refused:
        return "is a field of a struct: write the time of the row as a column of its own"
    if column.refused is not None and not column.refused.partition("is the time, is ")[2].startswith("text"):
        return column.refused
    if column.kind == "number" and column.least is not None and column.most is not None:
        if not column.is_whole:
            return f"holds {column.type}: cast it to whole seconds, or to a timestamp"
        return (
            f"{column.least:.0f} to {column.most:.0f} are no seconds since 1970 that a log would have: make them dates"
        )
    if column.is_text:
        return "its text is not ISO 8601: write it as 2026-11-03T14:00:00Z"
    return f"is {column.type}"


def _stray(column: ColumnFacts) -> str | None:
    """Times of a few rows that lie far from all others."""
    if column.span_us is None or column.bulk_us is None:
        return None
    (first, last), (low, high) = column.span_us, column.bulk_us
    if last - first <= FAR * max(high - low, DAY_US):
        return None
    where = f"{_date(first)} to {_date(last)}, though all but a few lie in {_date(low)} to {_date(high)}"
    return (
        f"times span {where}: the first quarter of the span is then no quarter of the rows; take the odd rows out, "
        "or name data as the reference"
    )


def _date(us: int) -> str:
    from driftline._format import value_of_type

    return value_of_type(us, "timestamp[us]").partition(" ")[0]


def _timezone(column: ColumnFacts) -> Choice:
    zone = column.type.partition(",")[2].strip(" ]")
    if zone and zone.upper() != "UTC":
        try:
            return Choice(ZoneInfo(zone).key, f"the zone of {shown(column.name, 40)}")
        except (OSError, ValueError, KeyError):
            return Choice("UTC", f"{shown(column.name, 40)} has the offset {zone}, which is no zone with a name")
    if zone:
        return Choice("UTC", f"the zone of {shown(column.name, 40)}")
    return Choice("UTC", "times without a zone are read as UTC")


# What a model said, and what became true


def _outputs(made: Guess, columns: list[ColumnFacts]) -> list[ColumnFacts]:
    shares = [c for c in columns if names.probability_rank(c.name) and _is_share(c)]
    rank = max((names.probability_rank(c.name) for c in shares), default=0)
    best = [c for c in shares if names.probability_rank(c.name) == rank]
    if rank == 1 and len(best) > 1:
        # One for each class; of two, that of the positive one says it all.
        positive = [c for c in best if names.words(c.name)[-1] in ("1", "pos", "positive", "true", "yes")]
        if len(positive) == 1 and len(best) == 2:
            best = positive
        else:
            made.notes["probability"] = (
                f"{_listed(c.name for c in best)} are one for each class, and this key is for the one of a positive "
                "class; they are watched like all other columns"
            )
            best = []
    if best:
        made.roles["probability"] = Choice(
            best[0].name, f"named like one, with values from {best[0].least:.3g} to {best[0].most:.3g}"
        )
        columns = [c for c in columns if c is not best[0]]
    said = [c for c in columns if c not in shares and names.prediction_rank(c.name) and _is_output(c)]
    # A score beyond 0 to 1 is a prediction.
    scores = [c for c in columns if c not in shares and names.joined(c.name) in ("score", "y_score", "model_score")]
    found = max(said, key=lambda c: names.prediction_rank(c.name), default=None) or next(iter(scores), None)
    if found is not None and _is_output(found):
        values = f"{_about(found)} different values" if found.distinct else "its values"
        made.roles["prediction"] = Choice(found.name, f"named like what a model says, {values}")
        columns = [c for c in columns if c is not found]
    return columns


def _is_share(column: ColumnFacts) -> bool:
    """Whether all values lie in 0 to 1, and not all at its ends."""
    if column.kind != "number" or column.least is None or column.most is None:
        return False
    return not column.is_whole and column.least >= 0 and column.most <= 1 and (column.distinct or 0) > 2


def _is_output(column: ColumnFacts) -> bool:
    """Numbers, or classes: not text of its own for each row, such as an id of the prediction."""
    return column.kind == "number" or (column.kind == "category" and not column.is_distinct)


def _labels(made: Guess, columns: list[ColumnFacts]) -> list[ColumnFacts]:
    found = {c.name: why for c in columns if (why := names.label_why(c.name)) is not None and _is_output(c)}
    whole = {names.joined(c.name) for c in columns}
    for c in columns:
        # `y` beside `x` is a place. A class at the end of a table is what is to be told; elsewhere, that of a ticket.
        is_y = names.joined(c.name) == "y" and "x" not in whole
        is_class = names.joined(c.name) in ("class", "klass") and c is columns[-1] and _few(c, MOST_SEGMENTS)
        if (is_y or is_class) and not found:
            found[c.name] = names.joined(c.name)
    for name, why in found.items():
        made.ignored.append(Choice(name, f"the truth, by its name ({why}): labels come later, and are not watched"))
        made.labels.append(name)
    return [c for c in columns if c.name not in found]


def _version(made: Guess, columns: list[ColumnFacts]) -> list[ColumnFacts]:
    named = [c for c in columns if names.version_rank(c.name) and _few(c, MOST_VERSIONS) and c.kind != "time"]
    best = max(named, key=lambda c: names.version_rank(c.name), default=None)
    if best is None:
        return columns
    whole = names.joined(best.name)
    if whole in ("model", "version"):
        # A car and a telephone have a model too, and an app has a version.
        said = "prediction" in made.roles or "probability" in made.roles
        things = {"make", "brand", "manufacturer", "car_make", "vendor", "app"} & {
            names.joined(c.name) for c in columns
        }
        if not said or things:
            return columns
    made.roles["version"] = Choice(best.name, f"named like one, {_about(best)} different")
    return [c for c in columns if c is not best]


def _few(column: ColumnFacts, most: int) -> bool:
    return column.distinct is not None and 1 <= column.distinct <= most


# What names a row, and what else says nothing by its values


def _id(made: Guess, columns: list[ColumnFacts]) -> list[ColumnFacts]:
    able = [c for c in columns if (c.is_text or c.is_whole) and c.is_distinct and not c.missing]
    named = [c for c in able if names.id_rank(c.name)]
    counters = [c for c in able if _is_counter(c)]
    best = max(named, key=lambda c: names.id_rank(c.name), default=None)
    if best is not None:
        made.roles["id"] = Choice(best.name, "named like one, and nearly every row has its own")
    elif counters:
        best = counters[0]
        made.roles["id"] = Choice(best.name, "whole numbers without a gap: it counts the rows")
    left = [c for c in columns if c is not best]
    for c in list(left):
        if c in named or c in counters:
            made.ignored.append(Choice(c.name, "another id: nearly every row has its own"))
        elif names.id_rank(c.name) and (c.is_text or c.is_whole) and (c.distinct or 0) >= MANY_VALUES:
            made.ignored.append(Choice(c.name, f"an id: {_about(c)} different, and new ones come by themselves"))
        else:
            continue
        left.remove(c)
    return left


def _is_counter(column: ColumnFacts) -> bool:
    """Whether whole numbers go up one by one."""
    if not column.is_whole or column.least is None or column.most is None or column.values < ENOUGH_ROWS:
        return False
    return column.most - column.least <= 1.01 * column.values


def _moving_times(made: Guess, columns: list[ColumnFacts]) -> list[ColumnFacts]:
    """Times in text and numbers always move on; of timestamps the monitor knows that itself."""
    moving = [
        c for c in columns if c.kind != "time" and c.span_us is not None and (c.is_text or names.time_rank(c.name) != 1)
    ]
    made.ignored += [Choice(c.name, "a time too: it moves on whatever happens") for c in moving]
    return [c for c in columns if c not in moving]


def _calendar(made: Guess, columns: list[ColumnFacts]) -> list[ColumnFacts]:
    """Parts of the date: they follow from the time, and from one window to the next they change by themselves."""
    found = []
    for c in columns:
        part = names.calendar_part(c.name)
        if part is None or c.kind != "number" or c.least is None or c.most is None:
            continue
        low, high, cycle = part
        if low <= c.least and c.most <= high and CYCLES_S[cycle] > WINDOWS[made.window.window]:
            found.append(c)
            made.ignored.append(Choice(c.name, "part of the date: it changes from window to window by itself"))
    return [c for c in columns if c not in found]


def _texts(made: Guess, columns: list[ColumnFacts]) -> list[ColumnFacts]:
    left = []
    for c in columns:
        if c.is_text and c.values and (c.distinct or 0) > MOST_VERSIONS:
            mean = 0.0 if c.length is None else c.length[1]
            if mean >= LONG_TEXT and (c.distinct or 0) > 0.1 * c.values:
                made.ignored.append(Choice(c.name, f"free text, {mean:.0f} characters on average"))
                continue
            if c.is_distinct:
                made.ignored.append(
                    Choice(c.name, "text that differs in nearly every row: no value comes often enough")
                )
                continue
        left.append(c)
    return left


# Groups of rows


def _segments(made: Guess, columns: list[ColumnFacts]) -> None:
    able = [c for c in columns if _is_segment(c)]
    if "version" not in made.roles:
        able = [c for c in able if not names.version_rank(c.name)]
    for c in sorted(able, key=lambda c: -names.segment_rank(c.name)):
        rows = [n * made.window.rows / max(c.rows, 1) for _, n in c.top]
        large = sum(n >= ENOUGH_ROWS for n in rows)
        is_clear = names.segment_rank(c.name) == 2 and large >= 2 and sum(rows[:large]) >= 0.8 * made.window.rows
        values = f"{_about(c)} values"
        if is_clear and not made.segments:
            why = f"a usual group by its name, {values}, of which {large} have {ENOUGH_ROWS} rows or more in a window"
            made.segments.append(Choice(c.name, why))
        elif len(made.suggested) < MOST_NAMED:
            made.suggested.append(Choice(c.name, values))


def _is_segment(column: ColumnFacts) -> bool:
    if not names.segment_rank(column.name) or not _few(column, MOST_SEGMENTS) or (column.distinct or 0) < 2:
        return False
    return column.kind == "category" or column.is_whole


def _perhaps_labels(made: Guess, facts: Facts, columns: Iterable[ColumnFacts]) -> None:
    said = made.roles.get("prediction")
    if said is None or made.labels:
        return
    output = next(c for c in facts.columns if c.name == said.value)
    if _few(output, MOST_SEGMENTS) and (output.distinct or 0) > 1:
        made.perhaps_labels = [c.name for c in columns if _looks_like(c, output)][:MOST_NAMED]


def _looks_like(column: ColumnFacts, output: ColumnFacts) -> bool:
    if column.kind != output.kind or column.distinct != output.distinct or column.missing > column.rows / 2:
        return False
    if output.kind == "number":
        return (column.least, column.most) == (output.least, output.most)
    return {value for value, _ in column.top} == {value for value, _ in output.top}


def _about(column: ColumnFacts) -> str:
    """How many different values there are."""
    told = count(column.distinct or 0)
    return told if column.distinct_most is None else f"about {told}"


def _listed(values: Iterable[str], most: int = MOST_NAMED) -> str:
    told = [shown(value, 40) for value in values]
    rest = f" and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(told[:most]) + rest
