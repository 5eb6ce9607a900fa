"""Results told to machines."""

from typing import Any

import driftline as dl
from driftline._column_comparison import QUANTILES

__all__ = ["comparison_as_json", "profile_as_json"]

COUNTS = ("absent", "null", "nan", "pos_inf", "neg_inf", "zero", "negative", "empty")
MOMENTS = ("min", "max", "mean", "std", "skewness", "kurtosis")


def profile_as_json(profile: dl.Profile) -> dict[str, Any]:
    """A profile's plain numbers."""
    columns = {name: _column(column) for name, column in profile.items()}
    return {"rows": profile.rows, "columns": columns, "skipped": profile.skipped}


def _column(column: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"type": column.type, "kind": column.kind, "count": column.count}
    values |= {f"{name}_count": getattr(column, f"{name}_count") for name in COUNTS}
    values |= {name: getattr(column, name) for name in MOMENTS}
    quantiles, distinct, top = column.quantiles(QUANTILES), column.distinct, column.top(10)
    values["quantiles"] = quantiles and {str(q): e._asdict() for q, e in zip(QUANTILES, quantiles, strict=True)}
    values["distinct"] = distinct and distinct._asdict()
    values["top"] = None if top is None else [item._asdict() for item in top]
    values["length"] = column.length and {name: getattr(column.length, name) for name in MOMENTS}
    return values


def comparison_as_json(comparison: dl.Comparison) -> dict[str, Any]:
    """A comparison as plain data."""
    return {
        "reference": comparison.reference_name,
        "current": comparison.current_name,
        "reference_rows": comparison.reference_rows,
        "current_rows": comparison.current_rows,
        "seconds": comparison.seconds,
        "tolerance": comparison.tolerance,
        "alpha": comparison.alpha,
        "resolution": comparison.resolution,
        "correction": comparison.correction,
        "changed": comparison.changed,
        "drifted": comparison.drifted,
        "undecided": comparison.undecided,
        "stable": comparison.stable,
        "retyped": comparison.retyped,
        "not_judged": comparison.not_judged,
        "only_in_reference": comparison.only_in_reference,
        "only_in_current": comparison.only_in_current,
        "columns": comparison.to_dicts(),
    }
