"""The page: its title, open alarms, series over time, volume."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final
from zoneinfo import ZoneInfo

from driftline._config import Config
from driftline._format import count, counted, whole_percent
from driftline._format import shown as one_line
from driftline._monitor import words
from driftline._monitor.alarms import Alarm
from driftline._monitor.status import Status, status_of
from driftline._monitor_page.alarms import alarms
from driftline._monitor_page.history import History, history_of
from driftline._monitor_page.overview import legend, overview, unit
from driftline._monitor_page.packed import binned, packed
from driftline._monitor_page.ranked import WORDS, Line, key_of, lines
from driftline._monitor_page.volume import bins_of, reference_range, volume
from driftline._page.document import MOST_BYTES, frame
from driftline._page.markup import LONGEST, NAME, text
from driftline._page.tools import style_of, tools
from driftline._page.words import ROWS_MOVED

__all__ = ["looked_at", "page_of", "render"]

MOST_SERIES: Final = 1_500
"""Those that matter least are left out, so that of each that is shown there is enough to see."""

MOST_BINS: Final = 720
"""More than a screen has room for."""

SAMPLE: Final = 50
"""Series that are packed to guess how much all need."""

ROOM: Final = 1_500_000
"""Bytes for histories: the rest of a page with as many series and alarms as there may be."""


def page_of(config: Config, *, now: datetime | None = None) -> str:
    """The page of a monitor as it stands in its home.

    Args:
        config: The monitor.
        now: When the page is made, by default the system's clock.

    Raises:
        InputError: The home cannot be read; files of it that are damaged are told on the page.
        StorageError: The disk fails.
    """
    return render(*looked_at(config), now or datetime.now(UTC))


def looked_at(config: Config) -> tuple[Status, History]:
    """How a monitor stands and what its series were like, with all damage that was met on the way.

    Raises:
        InputError: The home cannot be read.
        StorageError: The disk fails.
    """
    status = status_of(config)
    history = history_of(status)
    return replace(status, damaged=sorted({*status.damaged, *history.damaged})), history


def render(status: Status, history: History, now: datetime) -> str:
    """The page as HTML text, the same for the same arguments."""
    ranked = lines(status, history)
    shown = ranked[:MOST_SERIES]
    windows = len(history.starts)
    width = max(-(-windows // MOST_BINS), 1)
    # A few series tell about how large all are.
    sample = shown[:: max(len(shown) // SAMPLE, 1)]
    size = len(_data(status, history, sample, width)) * len(shown) / max(len(sample), 1)
    while True:
        width = max(min(ceil(width * size / ROOM), windows), width)
        page = _page(status, history, ranked, shown, width, now)
        if len(page.encode()) <= MOST_BYTES or width >= windows:
            return page
        width, size = width + 1, ROOM


def _page(
    status: Status, history: History, ranked: Sequence[Line], shown: Sequence[Line], width: int, now: datetime
) -> str:
    config = status.config
    said = f"{text(config.monitor)}: {words.summary(status)}"
    above, end = frame("driftline._monitor_page", said)
    places = {line.series.key: f"s{i}" for i, line in enumerate(shown)}

    def place(alarm: Alarm) -> str | None:
        return places.get(key_of(alarm)) if alarm.column else "volume"

    labels = history.labels
    # Of those that are left out too, as the title counts them.
    counts = Counter(line.word for line in ranked)
    listed = [(word, counts[word]) for word in WORDS if counts[word]]
    # Rows of open alarms look like those of what changed in a comparison.
    found = tools("Alarm", listed, [("more", "Show all")]).replace("<option value=open>", "<option value=changed>")
    meant = "".join(
        f"<li><b class={'changed' if word == 'open' else style_of(word)}>{n:,} {word}</b> {WORDS[word]}"
        for word, n in listed
    )
    series = (
        f"<p>{_how_to_read(status, history, width)}<ul class=meant>{meant}</ul>{legend(config.tolerance)}{found}"
        f"{overview(shown, labels)}"
        if shown
        else "<p>None so far: windows are shown once there is a reference to compare them with."
    )
    left_out = len(ranked) - len(shown)
    made = now.astimezone(ZoneInfo(config.timezone))
    rest = f"<p>{count(left_out)} series that matter least are left out." if left_out else ""
    return (
        f"{above}<header><p>Monitor <bdi>{text(config.monitor)}</bdi>, by driftline, "
        f"{made:%Y-%m-%d %H:%M %Z}<h1>{words.summary(status)}</h1>{_title(status, now)}</header>"
        f"<main>{alarms(status.alarms, place)}<section aria-labelledby=series><h2 id=series>Series over time</h2>"
        f"{series}{rest}</section>"
        f"<section aria-labelledby=volume><h2 id=volume>Volume and freshness</h2>"
        f"{volume(status, history, width, now)}</section></main><div id=told hidden></div>"
        f"<script type=application/octet-stream id=data>{_data(status, history, shown, width)}</script>{end}"
    )


def _title(status: Status, now: datetime) -> str:
    told = list(words.damaged(status))
    if not status.sources and not told:
        return "<p>Nothing was read yet: run driftline monitor."
    for source in status.sources:
        name = f"From {source.writer}: " if len(status.sources) > 1 else ""
        state = words.learning(source) or "watching"
        told.append(f"{name}{words.rows_of(source, now)}; {state}")
        pooled = words.segments(source, status.config.segment_limit)
        told += [pooled] if pooled is not None else []
    told += words.promise(status)
    return "".join(f"<p>{_sentence(text(line))}" for line in told)


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."


def _how_to_read(status: Status, history: History, width: int) -> str:
    tolerance = status.config.tolerance
    measured = f"the tolerance is {whole_percent(tolerance)}" if tolerance else "the tolerance is 0"
    grouped = f" Each step of a history stands for {width} windows, and shows the one in which most moved."
    return (
        f"A line for each column and segment, the worst first, over {counted(len(history.starts), 'window')} of "
        f"{status.config.window}; {measured}. {ROWS_MOVED}{grouped if width > 1 else ''}"
    )


def _data(status: Status, history: History, shown: Sequence[Line], width: int) -> str:
    """What the script draws."""
    labels, windows = history.labels, len(history.labels)
    known = reference_range(status, history)
    promises: dict[str, int] = {}
    header = {
        "width": width,
        "unit": unit(status.config.tolerance),
        "tolerance": status.config.tolerance,
        "from": labels[::width],
        "to": [labels[min(i + width, windows) - 1] for i in range(0, windows, width)],
        "rows": bins_of(history, width),
        "usual": known[1] if known else "",
        "series": [_series(line, history, width, promises) for line in shown],
        "promises": list(promises),
    }
    return packed(header, [binned(line.series, width) for line in shown], tolerance=status.config.tolerance)


def _series(line: Line, history: History, width: int, promises: dict[str, int]) -> dict[str, Any]:
    """What is said of a series where it is unfolded."""
    told: dict[str, Any] = {"alarms": [_period(alarm, history, width) for alarm in line.alarms]}
    if line.series.key.segment:
        told["segment"] = one_line(line.series.key.segment, NAME)
    standing = line.standing
    if standing is not None:
        kind = f"{standing['kind']}, {standing['type']}" if standing["kind"] != standing["type"] else standing["kind"]
        told |= {
            "kind": one_line(kind, 80),
            "rows": standing["reference_rows"],
            "windows": standing["reference_windows"],
            "promises": standing["promises"],
            "promise": promises.setdefault(standing["promise"], len(promises)),
            "smallest": standing["smallest_change"],
            "deff": standing["deff"],
        }
    return told


def _period(alarm: Alarm, history: History, width: int) -> tuple[str, int, int, bool]:
    """Id, first bin and the bin after the last, and whether it is open."""
    first = bisect_left(history.starts, alarm.since_us)
    last = len(history.starts) if alarm.closed_us is None else bisect_left(history.starts, alarm.closed_us) + 1
    return one_line(alarm.id, LONGEST), first // width, -(-last // width), alarm.is_open
