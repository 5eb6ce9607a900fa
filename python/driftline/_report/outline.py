"""Distributions of numbers: the reference as an area, what came later as a line over it."""

from collections.abc import Sequence

from driftline._format import percent, value_of_type
from driftline._page.markup import text
from driftline._report.picture import Picture, ticks

__all__ = ["figure"]

HEIGHT = 99
"""Units of a picture's height: about as many as it has lines, in two digits each."""

LEAST = 0.0005
"""Shares below are written as 0.0 %."""


def figure(picture: Picture, type_name: str, medians: tuple[float, float] | None) -> str:
    """The picture with its axis, and in words what it does not show."""
    area, line = (_steps(side, picture.top) for side in picture.sides)
    labels = []
    for tick in ticks(picture.low, picture.high, picture.step):
        place = 100 * ((tick - picture.low) / (picture.high - picture.low))
        labels.append(f"<text x={place:.3g}%>{text(value_of_type(tick, type_name))}</text>")
    cut = [f"<text class=cut x={100 * (i + 0.5) / picture.intervals:.3g}%>↑</text>" for i in picture.cut]
    return (
        f'<figure><svg role=img aria-label="{_words(picture, type_name, medians)}">'
        f'<svg viewBox="0 0 {picture.intervals} {HEIGHT}" preserveAspectRatio=none height=86%>'
        f"<path d={area} /><path d={line} /></svg>{''.join(cut)}{''.join(labels)}</svg>"
        f"<figcaption><i></i>reference <i></i>current{_aside(picture, type_name)}</figcaption></figure>"
    )


def _steps(shares: Sequence[float], top: float) -> str:
    """The outline of a side from left to right, a step an interval, back on the ground at its end."""
    path = f"M0,{HEIGHT}"
    last = run = 0
    for share in shares:
        # What is higher leaves the picture at its upper end.
        height = round(HEIGHT * min(share / top, 2.0))
        if height != last:
            path += (f"h{run}" if run else "") + f"v{last - height}"
            last, run = height, 0
        run += 1
    return f"{path}h{run}v{last}"


def _words(picture: Picture, type_name: str, medians: tuple[float, float] | None) -> str:
    """What can be seen."""
    ends = (picture.numbers(0)[0], picture.numbers(picture.intervals - 1)[1])
    low, high = (value_of_type(end, type_name) for end in ends)
    told = f"Shape drawn from {low} to {high}"
    if medians is not None:
        before, now = (value_of_type(median, type_name) for median in medians)
        told += f": reference median {before}, now {now}"
    return text(told)


def _aside(picture: Picture, type_name: str) -> str:
    """What lies outside, and what is cut off."""
    outside = []
    for word, part in (("below", picture.below), ("above", picture.above)):
        # Fewer are no part of what a picture can show.
        if part is not None and max(part.shares) >= LEAST:
            outside.append(f"{word} {value_of_type(part.edge, type_name)} {_from_to(*part.shares)}")
    cut = []
    for i in picture.cut:
        ends = [value_of_type(end, type_name) for end in picture.numbers(i)]
        where = ends[0] if ends[0] == ends[1] else " to ".join(ends)
        cut.append(f"{where} {_from_to(picture.sides[0][i], picture.sides[1][i])}")
    told = {"Not drawn": outside, "Higher than drawn (↑)": cut}
    return "".join(f"<br>{name}: {text('; '.join(parts))}" for name, parts in told.items() if parts)


def _from_to(before: float, now: float) -> str:
    return f"{percent(before)} → {percent(now)}"
