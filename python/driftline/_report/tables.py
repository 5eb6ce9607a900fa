"""What is known of one column, in figures."""

from typing import TYPE_CHECKING

from driftline._format import number, percent, value_of_type
from driftline._report.markup import VALUE, table, text

if TYPE_CHECKING:
    from driftline._column_comparison import ColumnComparison

__all__ = ["MEDIAN", "moved", "quantiles", "statistics"]

MOST_MOVED = 20
"""Of a thousand categories that moved, the surest tell the story."""

SMALLEST_P = 1e-300
"""Below, floats end."""

MEDIAN = 0.5
"""The share of rows up to it."""

NAMES = {
    "ks": "Kolmogorov-Smirnov",
    "psi": "PSI, nats",
    "jensen_shannon": "Jensen-Shannon, nats",
    "hellinger": "Hellinger",
    "total_variation": "total variation",
    "chi_square": "chi-square",
    "chi_square_df": "its df",
    "w": "its effect w",
    "wasserstein": "Wasserstein",
    "wasserstein_scaled": "Wasserstein, scaled",
    "cramer_von_mises": "Cramér-von Mises",
    "kuiper": "Kuiper",
    "energy": "energy",
}
"""Statistics by the names of their fields, in the order they are shown."""


TOLD_IN_FULL = ("psi", "wasserstein")
"""Statistics whose interval the report has room for."""


def moved(column: "ColumnComparison") -> str:
    """The rows whose share provably changed; nothing where there are none."""
    first = column.headline
    found = [m for m in column.moved if first is None or m.label != first.label]
    found = found if first is None else [first, *found]
    rows = [
        (text(m.label, VALUE), percent(m.reference), percent(m.current), f"{100 * (m.current - m.reference):+.1f}")
        for m in found[:MOST_MOVED]
    ]
    more = len(found) - MOST_MOVED
    if more > 0:
        rows.append((f"{more:,} more", "", "", ""))
    header = ("rows", "from", "to", "points")
    return table("What moved, the surest first", header, rows, "moved") if rows else ""


def quantiles(column: "ColumnComparison", known: list[tuple[float, float, float]] | None) -> str:
    """Values that a share of the rows lies at or below, on both sides; nothing for what has no order."""
    if not known:
        return ""
    rows = [
        (
            "median" if q == MEDIAN else f"{100 * q:.4g} %",
            text(value_of_type(before, column.reference_type)),
            text(value_of_type(now, column.current_type)),
        )
        for q, before, now in known
    ]
    return table("Quantiles", ("up to", "reference", "current"), rows)


def statistics(column: "ColumnComparison") -> str:
    """P-values, and the statistics that others know; nothing where values are not judged."""
    known = {"p-value": _p(column.p_value), "p-value, corrected": _p(column.p_adjusted)}
    known |= {name: _told(column.statistics, field) for field, name in NAMES.items()}
    pairs = "".join(f"<dt>{name}<dd>{value}" for name, value in known.items() if value)
    return f"<div class=statistics><h4>Statistics</h4><dl>{pairs}</dl></div>" if pairs else ""


def _told(statistics: dict[str, float], field: str) -> str:
    """A statistic; of those that are read most, also its interval and how large it gets by chance alone."""
    if field not in TOLD_IN_FULL:
        return number(statistics.get(field))
    lower, upper, chance = (statistics.get(f"{field}{part}") for part in ("_lower", "_upper", "_null_95"))
    beside = []
    if lower is not None and upper is not None and lower < upper:
        beside.append(f"{number(lower)} to {number(upper)}")
    if chance is not None:
        beside.append(f"by chance up to {number(chance)}")
    told = number(statistics.get(field))
    return f"{told}<small>{'; '.join(beside)}</small>" if beside else told


def _p(value: float | None) -> str:
    return f"&lt; {SMALLEST_P:g}" if value is not None and value < SMALLEST_P else number(value)
