"""A configuration as the engine takes it."""

from typing import Final

from driftline import _core
from driftline._config import Config, Files, First, FirstQuarter, Same, Trailing

__all__ = ["core_of"]

WINDOW_K: Final = 128
"""Accuracy of the quantiles kept of a window, 1.9 % of a rank: alarms rest on exact counts."""


def core_of(
    config: Config,
    writer: str,
    *,
    until_us: int | None = None,
    bins: _core.Profile | None = None,
    state: bytes | None = None,
    threads: int = 0,
) -> _core.Monitor:
    """The engine's monitor.

    Args:
        config: What to watch.
        writer: The source that the rows come from.
        until_us: The end of the reference, where that is a part of an archive's span.
        bins: The profile that tells how columns are watched; the first rows do without it.
        state: What the engine's checkpoint gave.
        threads: How many to use; 0 for all cores.
    """
    columns, every = config.columns, config.window
    checked = set(config.checks)
    # What names a row or a version says nothing by its values.
    apart = {name for name in (columns.id, columns.version) if name is not None}
    outputs = [name for name in (columns.prediction, columns.probability) if name is not None]
    kind, span, cycle = _reference(config)
    return _core.Monitor(
        name=config.monitor,
        writer=writer,
        time=columns.time,
        named=_named(config),
        features=[*columns.features, *outputs] if columns.features else None,
        ignore=sorted(({*columns.ignore} | apart) - ({*columns.features} if columns.features else set())),
        segments=[list(names) for names in columns.segments],
        segment_limit=config.segment_limit,
        window=(every.count, every.unit),
        timezone=config.timezone,
        lateness_us=config.lateness_s * 1_000_000,
        tolerance=config.tolerance,
        false_alarms=config.false_alarms.count,
        per=config.false_alarms.unit,
        reference=kind,
        span=span,
        span_us=until_us,
        cycle=cycle,
        checks={name: _check(config, name) for name in sorted(checked)},
        k=WINDOW_K,
        threads=threads,
        bins=bins,
        state=state,
    )


def _named(config: Config) -> list[tuple[str, str]]:
    """Columns that the rows must have, each after where it is named."""
    columns = config.columns
    named = [(f"columns.features[{i}]", name) for i, name in enumerate(columns.features)]
    for key in ("prediction", "probability", "id", "version"):
        name = getattr(columns, key)
        if name is not None:
            named.append((f"columns.{key}", name))
    return named + [(f"checks.{name}", name) for name in config.checks]


def _reference(config: Config) -> tuple[str, tuple[int, str] | None, str | None]:
    match config.reference:
        case FirstQuarter():
            return "until", None, None
        case First(span):
            return "first", (span.count, span.unit), None
        case Trailing(span):
            return "trailing", (span.count, span.unit), None
        case Same(cycle, span):
            return "first", (span.count, span.unit), cycle
        case Files():
            return "given", None, None


def _check(config: Config, name: str) -> tuple[float | None, float | None, float | None, bool, set[str] | None]:
    check = config.checks[name]
    allowed = None if check.allowed is None else {_text(value) for value in check.allowed}
    return check.min, check.max, check.nulls, check.unique, allowed


def _text(value: str | float | bool) -> str:
    """A value as the engine writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
