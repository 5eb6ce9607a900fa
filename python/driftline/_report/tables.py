"""What is known of one column, in figures."""

from typing import TYPE_CHECKING

from driftline._format import number, percent, value_of_type
from driftline._page.markup import VALUE, table, text

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
    "wasserstein": "Wasserstein",
    "wasserstein_scaled": "Wasserstein, scaled",
    "cramer_von_mises": "Cramér-von Mises",
    "kuiper": "Kuiper",
    "w": "w of chi-square",
}
"""Statistics whose name is not what their field is called."""

PARTS = ("debiased", "lower", "upper", "null_95", "df")
"""What a statistic may have beside its value, in fields of their own."""


def moved(column: "ColumnComparison") -> str:
    """The rows whose share provably changed; nothing where there are none."""
    found = column.all_moved
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
    told = {"p-value": _p(column.p_value), "p-value, corrected": _p(column.p_adjusted)}
    known = column.statistics
    for name, value in known.items():
        is_part = any(name.endswith(f"_{part}") and name.removesuffix(f"_{part}") in known for part in PARTS)
        # Rows that are missing as before are the rule, and no news.
        if not is_part and (value or name != "missing_change"):
            told[NAMES.get(name, text(name.replace("_", " ")))] = _statistic(name, known)
    pairs = "".join(f"<dt>{name}<dd>{value}" for name, value in told.items() if value)
    return f"<div class=statistics><h4>Statistics</h4><dl>{pairs}</dl></div>" if pairs else ""


def _statistic(name: str, known: dict[str, float]) -> str:
    """A value with its interval where that has a width, or with the value that chance alone exceeds in 5 % of cases.

    What chance adds to a divergence is no part of its interval, and so the value without it stands before that.
    """
    debiased, lower, upper, chance, df = (known.get(f"{name}_{part}") for part in PARTS)
    told = number(known[name])
    if lower is not None and upper is not None and lower < upper:
        told += "" if debiased is None else f", debiased {number(debiased)}"
        told += f" ({number(lower)} to {number(upper)})"
    elif chance is not None:
        told += f", chance {number(chance)}"
    return told if df is None else f"{told}, df {number(df)}"


def _p(value: float | None) -> str:
    return f"&lt; {SMALLEST_P:g}" if value is not None and value < SMALLEST_P else number(value)
