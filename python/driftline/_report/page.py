"""The page: the result, the overview, and a section for each column."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftline._page.document import MOST_BYTES, frame
from driftline._page.tools import style_of, tools
from driftline._report import words
from driftline._report.overview import overview
from driftline._report.section import section
from driftline._report.verdicts import Line, lines

if TYPE_CHECKING:
    from driftline._comparison import Comparison

__all__ = ["render"]

BRIEF = "The columns below are without pictures and tables, to keep this page small. Compare fewer columns to see them."


def render(comparison: "Comparison") -> str:
    """The report as HTML text, the same for the same comparison."""
    listed = lines(comparison)
    result = words.headline(listed)
    head, end = frame("driftline._report", result)
    found = tools("Verdict", words.counts(listed), [("expand", "Expand all"), ("collapse", "Collapse all")])
    means = words.meanings(comparison)
    said = "".join(f"<li><b class={style_of(w)}>{n:,} {w}</b> {means[w]}" for w, n in words.counts(listed))
    above = (
        f"{head}<header><p>Comparison of two data sets, by driftline<h1>{result}</h1>"
        f"<p>{words.rows_compared(comparison)}<ul aria-label=Verdicts>{said}</ul>"
        f"<p>{words.promise(comparison)}</header><main><h2>Overview</h2>{found}"
        f"{overview(listed, comparison.tolerance)}<p>{words.how_measured()}<h2>Columns</h2>"
        f"<p>{words.how_to_read_statistics()}"
    )
    below = f"</main>{end}"
    return f"{above}{_sections(listed, MOST_BYTES - len((above + below).encode()))}{below}"


def _sections(listed: Sequence[Line], most_bytes: int) -> str:
    """A section a column; those at the end are brief where whole ones would need more than `most_bytes`."""
    columns = [(position, line, line.column) for position, line in enumerate(listed) if line.column is not None]
    made = [section(*column, brief=True) for column in columns]
    size = sum(len(part.encode()) for part in made) + len(BRIEF)
    for i, column in enumerate(columns):
        whole = section(*column, brief=False)
        size += len(whole.encode()) - len(made[i].encode())
        if size >= most_bytes:
            made.insert(i, f"<p>{BRIEF}")
            break
        made[i] = whole
    return "".join(made)
