"""Alarms in words."""

from collections.abc import Callable, Sequence

from driftline._format import counted, percent
from driftline._monitor import words
from driftline._monitor.alarms import Alarm, how_many, told_together
from driftline._page.markup import NAME, VALUE, text

__all__ = ["alarms"]

MOST_OPEN = 200
"""More than a person reads."""

MOST_CLOSED = 200
"""The latest of them."""

Place = Callable[[Alarm], str | None]
"""The id of what an alarm is about, in the page."""


def alarms(found: Sequence[Alarm], place: Place) -> str:
    """Open ones first, in the order in which they were raised; closed ones folded, the latest first."""
    opened = [alarm for alarm in found if alarm.is_open]
    closed = [alarm for alarm in found if not alarm.is_open]
    closed.sort(key=lambda alarm: -(alarm.closed_us or 0))
    told = _list(opened, MOST_OPEN, place) if opened else "<p>None."
    folded = (
        f"<details id=closed><summary><h3>{counted(len(closed), 'closed alarm')}</h3></summary>"
        f"{_list(closed, MOST_CLOSED, place)}</details>"
        if closed
        else ""
    )
    bars = "<p>Bars: the share in the reference above, since then below." if found else ""
    return f"<section aria-labelledby=alarms><h2 id=alarms>Open alarms</h2>{bars}{told}</section>{folded}"


def _list(listed: Sequence[Alarm], most: int, place: Place) -> str:
    told = told_together(listed)
    more = how_many(told[most:])
    rest = f"<p>and {more:,} more" if more else ""
    return (
        f"<ul class=alarms>{''.join(_alarm(alarm, checks, place(alarm)) for alarm, checks in told[:most])}</ul>{rest}"
    )


def _alarm(alarm: Alarm, checks: Sequence[Alarm], place: str | None) -> str:
    column = text(alarm.column or "rows", NAME)
    name = f"<a href=#{place}>{column}</a>" if place is not None else f"<span>{column}</span>"
    segment = f" <span>in {text(alarm.segment, NAME)}</span>" if alarm.segment else ""
    state = f"<b class={'changed' if alarm.is_open else 'closed'}>{'open' if alarm.is_open else 'closed'}</b>"
    # Folded ones stand below a heading already.
    level = 3 if alarm.is_open else 4
    return (
        f'<li id="{text(alarm.id)}"><h{level}>{state} {text(alarm.id)} {name}{segment}</h{level}>{_moved(alarm)}'
        f"<p>{'. '.join([*_history(alarm), *_checks(checks)])}.<p>{_promise(alarm)}"
    )


def _moved(alarm: Alarm) -> str:
    """What moved, from which share to which, in words and as a pair of bars."""
    what = f"<bdi>{text(alarm.what, 4 * VALUE)}</bdi>"
    points = words.points(alarm)
    if points is None or alarm.reference_share is None or alarm.share is None:
        return f"<p class=what>{what}"
    least, most = points
    bars = "".join(f"<rect width={100 * share:.3g}% />" for share in (alarm.reference_share, alarm.share))
    return (
        f"<p class=what>{what}: {percent(alarm.reference_share)} → {percent(alarm.share)} of the rows, "
        f"a change of {least:.1f} to {most:.1f} points<div class=bars><svg role=none>{bars}</svg></div>"
    )


def _history(alarm: Alarm) -> list[str]:
    told = [f"Since {text(alarm.since)}, raised after {text(alarm.opened)}"]
    if alarm.detector != "rule":
        told[0] += f" by the {text(alarm.detector)} detector from {counted(alarm.rows, 'row')}"
    if alarm.closed is not None:
        told[0] += f", closed after {text(alarm.closed)}"
    if alarm.also:
        told.append(f"Later also: <bdi>{text(words.few(alarm.also))}</bdi>")
    if alarm.reopened:
        told.append(f"Reopened {counted(alarm.reopened, 'time')}")
    if alarm.data_changed:
        told.append("The data of its windows changed since")
    return told


def _checks(broken: Sequence[Alarm]) -> list[str]:
    """Checks that it breaks too, each where links to it lead."""
    told = zip(broken, words.checks(broken), strict=True)
    return [f'<span id="{text(check.id)}">{text(line[:1].upper() + line[1:])}</span>' for check, line in told]


def _promise(alarm: Alarm) -> str:
    if alarm.detector == "rule":
        return f"Promise: {text(alarm.promise)}."
    promise = alarm.promise.removeprefix("none: ").removeprefix("none yet: ")
    if promise != alarm.promise:
        return f"No promise: {text(promise)}."
    return f"The promise of its source holds {text(promise)}."
