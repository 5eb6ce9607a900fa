"""What the report says in sentences."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftline._format import counted, whole_percent
from driftline._page.markup import text
from driftline._page.words import ROWS_MOVED
from driftline._report.verdicts import WORDS, Line

if TYPE_CHECKING:
    from driftline._comparison import Comparison

__all__ = ["counts", "headline", "how_measured", "how_to_read_statistics", "meanings", "promise", "rows_compared"]


def headline(lines: Sequence[Line]) -> str:
    """The result: `5 of 12 columns in common changed, 1 gone`; what is counted adds up to the lines."""
    said = Counter(line.word for line in lines)
    one_sided = said["gone"] + said["new"]
    columns = counted(len(lines) - one_sided, "column") + (" in common" if one_sided else "")
    others = "".join(f", {said[word]:,} {word}" for word in ("retyped", "gone", "new") if said[word])
    # Ids and times are not judged by their values, and may lack rows all the same.
    aside = sum(line.word == "not judged" and line.column is not None and bool(line.column.moved) for line in lines)
    if aside:
        others += f", {aside:,} not judged with other missing rows or lengths"
    if said["changed"]:
        return f"{said['changed']:,} of {columns} changed{others}"
    if said["undecided"]:
        return f"No change of values is proved, {said['undecided']:,} of {columns} undecided{others}"
    return (f"None of {columns} changed" if said["stable"] else f"None of {columns} could be judged") + others


def counts(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """How often each thing is said, without those that are not."""
    said = Counter(line.word for line in lines)
    return [(word, said[word]) for word in WORDS if said[word]]


def rows_compared(comparison: "Comparison") -> str:
    """What was compared."""
    before = f"{counted(comparison.reference_rows, 'reference row')}{_from(comparison.reference_name)}"
    return f"{before}, {counted(comparison.current_rows, 'current row')}{_from(comparison.current_name)}."


def _from(name: str | None) -> str:
    return "" if name is None else f" from <bdi>{text(name)}</bdi>"


def meanings(comparison: "Comparison") -> dict[str, str]:
    """What is meant by what is said of a column."""
    tolerance, resolution = whole_percent(comparison.tolerance), whole_percent(comparison.resolution)
    changed = f"more than {tolerance} of the rows moved" if comparison.tolerance else "some rows moved"
    where = "moved past any one value or into any one bin of numbers, or between categories"
    stable = (
        f"it is proved that no more than {tolerance} of the rows {where}"
        if comparison.tolerance
        else f"no change was found, and it is proved that no more than {resolution} of the rows {where}"
    )
    return {
        "changed": f"it is proved that {changed}",
        "undecided": "the data prove neither",
        "gone": "only the reference has it",
        "new": "only the current data have it",
        "retyped": "its values are of another kind now",
        "stable": stable,
        "not judged": "its values say nothing, as those of ids and times do; missing rows and lengths still count",
    }


def promise(comparison: "Comparison") -> str:
    """How often verdicts may be wrong."""
    alpha = whole_percent(comparison.alpha)
    falsely = {
        "bh": f"Of the columns called changed, at most {alpha} are expected to be false findings (Benjamini-Hochberg).",
        "holm": f"The chance that any column is called changed falsely is at most {alpha} (Holm).",
        "none": f"Each column's chance to be called changed falsely is at most {alpha}, whatever their number.",
    }
    return f"{falsely[comparison.correction]} Each column's chance to be called stable falsely is at most {alpha}."


def how_measured() -> str:
    """What the share of rows that moved is."""
    return (
        f"{ROWS_MOVED} Missing rows count like any others. "
        "At most: the upper bound of that share in all rows that such data could have come from."
    )


def how_to_read_statistics() -> str:
    """What stands beside a statistic."""
    return (
        "PSI, Jensen-Shannon and Hellinger stand with their 95 % interval where one holds, distances of numbers with "
        "what sketches leave open, and some with the value that chance alone exceeds in 5 % of cases in which nothing "
        "changed."
    )
