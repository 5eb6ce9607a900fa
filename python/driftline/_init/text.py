"""The text of a `driftline.yaml`: what was guessed, and a comment on every key."""

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from driftline._format import counted, shown, value_of_type
from driftline._init.facts import Facts
from driftline._init.guess import Guess

__all__ = ["config_text", "day"]

WIDTH: Final = 100

PLAIN: Final = re.compile(r"[A-Za-z_./][\w./@+-]*( [\w./@+-]+)*")
"""Text that YAML reads as text without quotes, and as nothing else."""

NUMERIC: Final = re.compile(r"[.\d][\d.eE+-]*")

SPECIAL: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})

ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def config_text(facts: Facts, guess: Guess, *, monitor: str, data: Sequence[str], home: str | None) -> str:
    """The file.

    Args:
        facts: What is known of the data.
        guess: What the columns are taken for.
        monitor: The name of the monitor.
        data: Paths, relative to the file where they lie below its folder.
        home: The folder of results, or its URL, where it is not the default.
    """
    return "\n".join(_lines(facts, guess, monitor, data, home)) + "\n"


def day(us: int) -> str:
    """A time as a date, with the time of day where it has one."""
    date, _, time = value_of_type(us, "timestamp[us]").partition(" ")
    return date if time in ("00:00:00", "") else f"{date} {time[:5]}"


def _lines(facts: Facts, guess: Guess, monitor: str, data: Sequence[str], home: str | None) -> Iterator[str]:
    when = f"{day(guess.first_us)} to {day(guess.last_us)}"
    yield from _comment(
        f"What driftline watches here, guessed by `driftline init` from {counted(facts.rows, 'row')} in "
        f"{counted(facts.files, 'file')}, {when}. Look at the guesses, and correct what is wrong.",
        "What the monitor promises holds for the columns, reference, timezone, segment_limit, window, lateness, "
        "tolerance and false_alarms that it began with. After a change of these, give it another name under "
        "`monitor`, and it begins anew.",
    )
    yield ""
    yield from _comment("The monitor's name: its results are found by it.")
    yield f"monitor: {_scalar(monitor)}"
    yield ""
    yield from _comment(
        "The log: files, folders or globs, relative to this file. `driftline monitor` reads what is new in them."
        + (" This is a single file: name a folder or a glob, and new files are found." if _is_one_file(data) else "")
    )
    yield from _listed("data", data, "")
    yield ""
    yield from _columns(guess)
    yield from _time_keys(guess)
    yield from _promises(guess)
    yield from _comment("How long results and closed alarms are kept, back from the newest row: without it for ever.")
    yield "# retention: 2 years"
    yield ""
    yield from _comment("Where results are, a folder or a URL; DRIFTLINE_HOME and --home come before it.")
    yield f"home: {_scalar(home or '.driftline')}"


def _columns(guess: Guess) -> Iterator[str]:
    yield from _comment("What the columns are. All that stand nowhere here are features, and watched.")
    yield "columns:"
    yield from _comment(f"The time of each row: {guess.time.why}.", indent="  ")
    yield f"  time: {_scalar(guess.time.value)}"
    told = {
        "id": "What names a row; its values are not watched",
        "prediction": "What the model said; watched like a feature",
        "probability": "The probability of the positive class, as the model said; watched like a feature",
        "version": "The version of the model that said it",
    }
    for role, meaning in told.items():
        choice = guess.roles.get(role)
        if choice is not None:
            yield from _comment(f"{meaning}. Taken for it: {choice.why}.", indent="  ")
            yield f"  {role}: {_scalar(choice.value)}"
        elif role in guess.notes:
            yield from _comment(f"{role}: {guess.notes[role]}.", indent="  ")
    yield from _segments(guess)
    if guess.perhaps_labels:
        one = len(guess.perhaps_labels) == 1
        yield from _comment(
            f"By {'its' if one else 'their'} values {_names(guess.perhaps_labels)} could be the truth that the "
            f"prediction was about. If {'it is' if one else 'one of them is'}, put it under ignore: labels come later.",
            indent="  ",
        )
    if guess.ignored:
        yield from _comment("Columns that are not watched:", indent="  ")
        yield "  ignore:"
        for choice in guess.ignored:
            yield from _comment(f"{choice.why}", indent="    ")
            yield f"    - {_scalar(choice.value)}"
    else:
        yield from _comment("Columns that are not to be watched: none was found.", indent="  ")
        yield "  # ignore: [comment]"
    yield ""


def _segments(guess: Guess) -> Iterator[str]:
    if guess.segments:
        choice = guess.segments[0]
        yield from _comment(
            f"Groups of rows that are watched apart, too. {shown(choice.value, 40)} is {choice.why}.", indent="  "
        )
        yield f"  segments: [{_scalar(choice.value)}]"
    if guess.suggested:
        could = ", ".join(f"{shown(c.value, 40)} ({c.why})" for c in guess.suggested)
        more = "More columns" if guess.segments else "Columns"
        yield from _comment(
            f"{more} whose values could be watched apart: {could}. That is off: it is for you to say which groups "
            "matter. In each of them every column is a series of its own, with fewer rows and a smaller part "
            "of the false alarms, so that only larger changes are found there.",
            indent="  ",
        )
        every = [c.value for c in (*guess.segments, *guess.suggested[:1])]
        yield f"  # segments: [{', '.join(map(_scalar, every))}]"


def _time_keys(guess: Guess) -> Iterator[str]:
    until = guess.first_us + (guess.last_us - guess.first_us) // 4
    yield from _comment(
        f"What windows are compared with. The first quarter of the span is {day(guess.first_us)} to {day(until)}; "
        "what is monitored comes after it. If something was wrong in that time, it passes for normal: then write "
        "another, such as first 8 weeks, trailing 8 weeks, or the path of good data."
    )
    yield "reference: first quarter"
    yield ""
    yield from _comment(
        f"How long a window lasts: 1 hour, 1 day, 1 week or 1 month. Of {guess.window.window} {guess.window.why}. From "
        "30 windows one sees how they vary, from 100 whether rows are independent; longer windows smooth more, shorter "
        "ones tell sooner."
    )
    yield f"window: {guess.window.window}"
    yield ""
    yield from _comment(
        f"Where days, weeks and months begin and end: an IANA name, such as Europe/Paris. Here: {guess.timezone.why}."
    )
    yield f"timezone: {guess.timezone.value}"
    yield ""
    yield from _comment("How long rows may come after their window before it closes; later ones amend it.")
    yield "lateness: 1 hour"
    yield ""


def _promises(guess: Guess) -> Iterator[str]:
    yield from _comment(
        "The share of the rows up to which a change does not matter. Larger: fewer and graver alarms, and a promise "
        "for columns that wobble by themselves."
    )
    yield "tolerance: 2%"
    yield ""
    yield from _comment(
        "How many false alarms you accept, over everything that is watched of one source. Fewer: changes have to be "
        "larger, or to last longer, before they are told."
    )
    yield "false_alarms: 1 per year"
    yield ""
    few = guess.segments
    yield from _comment(
        "The most segments that are watched apart; the rows of all others are pooled. The false alarms are shared out "
        "over as many as there may be"
        + (
            ", so it is not much larger here than the values that there are."
            if few
            else "; without segments it changes nothing."
        )
    )
    yield f"segment_limit: {20 if few else 50}"
    yield ""


def _is_one_file(data: Sequence[str]) -> bool:
    return (
        len(data) == 1
        and re.search(r"\.(parquet|csv|jsonl|ndjson|json)(\.gz|\.zst)?$", data[0]) is not None
        and "*" not in data[0]
    )


def _listed(key: str, values: Sequence[str], indent: str) -> Iterator[str]:
    if len(values) == 1:
        yield f"{indent}{key}: {_scalar(values[0])}"
    else:
        yield f"{indent}{key}:"
        yield from (f"{indent}  - {_scalar(value)}" for value in values)


def _names(values: Iterable[str]) -> str:
    return " or ".join(shown(value, 40) for value in values)


def _comment(*paragraphs: str, indent: str = "") -> Iterator[str]:
    for paragraph in paragraphs:
        # Names of columns may hold anything, a line break too.
        text = shown(paragraph, 10_000)
        for line in wrap(text, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False):
            yield f"{indent}# {line}"


def _scalar(text: str) -> str:
    """Text as YAML reads it back, without quotes where it needs none."""
    is_special = text.lower() in SPECIAL or text.lower().startswith((".inf", ".nan")) or NUMERIC.fullmatch(text)
    if PLAIN.fullmatch(text) and text.isascii() and not is_special:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if character.isprintable():
        return character
    return f"\\U{ord(character):08X}"
