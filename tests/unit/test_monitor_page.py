"""The page of a monitor as text: what it says, what is packed into it, and that it stays small."""

import base64
import dataclasses
import json
import math
import pathlib
import re
import zlib
from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftline as dl
from driftline._config import Config, config_of
from driftline._monitor.alarms import Alarm
from driftline._monitor.status import Source, Status, status_of
from driftline._monitor_page import page_of, render
from driftline._monitor_page.history import AMENDED, DRIFT, STATUSES, History, Key, Latest, Series, axis, history_of
from driftline._monitor_page.packed import binned, packed
from driftline._monitor_page.ranked import lines
from driftline._page.document import MOST_BYTES
from tests.pages import Page, words

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 6, tzinfo=UTC)
LEARNING, WATCHING = STATUSES.index("learning"), STATUSES.index("watching")
PROMISE = "if rows stay independent of each other, as in 48 windows of the reference"
HOSTILE = "</script></td><script>document.title = 'broken'</script>\"'><img src=x onerror=alert(1)>\u202e"


def made(columns: int, windows: int, *, seed: int = 1, **changes: Any) -> History:
    """A history of noise, the first quarter learnt."""
    rng = np.random.default_rng(seed)
    learnt = windows // 4
    labels = [f"{BEGIN + timedelta(hours=i):%Y-%m-%d %H:%M}" for i in range(windows)]
    starts = [int((BEGIN + timedelta(hours=i)).timestamp()) * 10**6 for i in range(windows)]
    rows = [int(n) for n in rng.integers(1000, 1300, windows)]
    history = History(labels, starts, rows, [i < learnt for i in range(windows)])
    for c in range(columns):
        numbers = np.full((5, windows), np.nan)
        effect = np.abs(rng.normal(0.02, 0.008, windows - learnt))
        numbers[0, learnt:], numbers[1, learnt:] = effect, effect + 0.03 + rng.normal(0, 0.001, len(effect))
        numbers[2] = rng.binomial(1000, 0.05, windows) / 1000
        numbers[3, learnt:], numbers[4, learnt:] = (rng.normal(m, 0.7, len(effect)) for m in (-6, -5))
        flags = bytearray([LEARNING] * learnt + [WATCHING] * (windows - learnt))
        latest = Latest(windows - 1, numbers[0, -1], numbers[1, -1], "above 3", 0.1, 0.12)
        key = Key("main", "", f"a_column_with_a_name_{c:04}")
        history.series.append(Series(key, *(array("d", row) for row in numbers), flags, latest))
    return dataclasses.replace(history, **changes)


def standing(column: str, segment: str = "", **changes: Any) -> dict[str, Any]:
    known = {"segment": segment, "column": column, "kind": "number", "type": "float64", "status": "watching"}
    known |= {"reference_rows": 48_000, "reference_windows": 48, "deff": 1.2, "memory": 0.1, "promises": True}
    return {**known, "promise": PROMISE, "smallest_change": 0.03, "alarm": None, **changes}


def status(history: History, *alarms: Alarm, monitor: str = "loans", **config: Any) -> Status:
    counts = {"rows": 123_456, "late": 7, "without_time": 3, "absurd": 1}
    series = [standing(one.key.column, one.key.segment) for one in history.series]
    source = Source("main", series, NOW - timedelta(hours=2), [("2026-01-05", 12)], False, None, counts)
    every = {"monitor": monitor, "data": [], "columns": {"time": "ts"}, "window": "1 hour", "reference": "first 2 days"}
    return Status(config_of({**every, **config}), [source], list(alarms))


def alarm(history: History, series: int, window: int, number: int = 1, **changes: Any) -> Alarm:
    at = {"opened": history.labels[window], "opened_us": history.starts[window]}
    at |= {"since": history.labels[window], "since_us": history.starts[window]}
    shares = {"reference_share": 0.576, "share": 0.959, "change_at_least": 0.364, "change_at_most": 0.401}
    known = {"id": f"A{number}", "segment": "", "column": history.series[series].key.column, "detector": "fast"}
    return Alarm(**{**known, **at, "rows": 1156, "what": "above 19069", **shares, "promise": PROMISE, **changes})


def unpacked(page: str) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Header, measures and flags as the script reads them."""
    data = zlib.decompress(base64.b64decode(re.search("id=data>([^<]*)<", page)[1]))
    head, _, rest = data.partition(b"\0")
    header = json.loads(head)
    shape = (len(header["series"]), len(header["from"]))
    planes = np.frombuffer(rest, np.uint8).reshape(11, *shape)
    wholes = planes[0:10:2] + 256.0 * planes[1:10:2]
    wholes[wholes == 0xFFFF] = np.nan
    wholes[:3] /= header["shares"]
    wholes[3:] = (wholes[3:] - header["lowest"]) / header["evidence"]
    return header, wholes, planes[10]


def test_title_alarms_series_and_volume_in_this_order() -> None:
    history = made(3, 48)
    closed = alarm(history, 2, 20, 2, closed=history.labels[30], closed_us=history.starts[30], also=["'b'"])
    page = render(status(history, alarm(history, 1, 40), closed), history, NOW)
    told = words(page)
    for part in (
        "Monitor loans , by driftline, 2026-01-06 00:00 UTC 1 alarm open, 1 closed; 1 series quiet, 1 quiet again",
        "123,456 rows, 7 rows late, 3 rows without a time, 1 row with an absurd time; newest row 2026-01-05 22:00 UTC, "
        "2 hours ago; still open: 2026-01-05 (12 rows); watching.",
        f"Promise: 1 per year false at most, on average, over all series of a source; {PROMISE}.",
        "Finds: changes above 3.0 % of the rows, however long it takes, by column",
        "Open alarms Bars: the share in the reference above, since then below. ",
        "open A1 a_column_with_a_name_0001 above 19069 : 57.6 % → 95.9 % of the rows, a change of 36.4 to "
        "40.1 points Since 2026-01-02 16:00, raised after 2026-01-02 16:00 by the fast detector from 1,156 rows. "
        f"The promise of its source holds {PROMISE}.",
        "1 closed alarm closed A2 a_column_with_a_name_0002",
        "closed after 2026-01-02 06:00. Later also: 'b' .",
        "Series over time",
        "Volume and freshness",
    ):
        assert part in told
        told = told[told.index(part) :]
    assert Page(page).all("title") == ["driftline: loans: 1 alarm open, 1 closed; 1 series quiet, 1 quiet again"]


def test_alarms_link_to_their_series_and_the_worst_comes_first() -> None:
    history = made(4, 48)
    history.series[3].fast[40] = -0.5
    ended = {"closed": history.labels[30], "closed_us": history.starts[30]}
    given_status = status(history, alarm(history, 2, 40), alarm(history, 1, 20, 2, **ended))
    order = [line.series.key.column[-1] for line in lines(given_status, history)]
    assert order == ["2", "1", "3", "0"]
    page = render(given_status, history, NOW)
    assert "<a href=#s0>a_column_with_a_name_0002</a>" in page
    assert re.findall("<tr id=(s.) class=([a-z]+)>", page) == [
        ("s0", "changed"),
        ("s1", "closed"),
        ("s2", "quiet"),
        ("s3", "quiet"),
    ]


@pytest.mark.parametrize("columns", [4, 1_600])
def test_series_are_counted_in_one_way(columns: int) -> None:
    history = made(columns, 8)
    ended = {"closed": history.labels[6], "closed_us": history.starts[6]}
    alarms = [alarm(history, 0, 4), alarm(history, 1, 4, 2, **ended), alarm(history, 1, 3, 3, **ended)]
    given_status = status(history, *alarms)
    given_status.series[2]["status"] = "learning"
    page = render(given_status, history, NOW)
    quiet = columns - 3
    assert f"1 alarm open, 2 closed; {quiet:,} series quiet, 1 quiet again, 1 learning" in words(page)
    for word, n in (("open", 1), ("closed", 1), ("quiet", quiet), ("learning", 1)):
        # As a filter, and where it is said what it means.
        assert f">{word} ({n:,})" in page
        assert re.search(rf"<li><b class=[a-z]+>{n:,} {word}</b>", page)


def test_an_alarm_about_whole_rows_leads_to_the_volume() -> None:
    history = made(1, 48)
    rule = alarm(history, 0, 40, column="", detector="rule", what="no rows; the reference has 1 to 2 a window")
    rule = dataclasses.replace(rule, reference_share=None, share=None, promise="a rule, outside of the budget")
    page = render(status(history, rule), history, NOW)
    assert "<a href=#volume>rows</a>" in page
    assert "<h2 id=volume>" in page
    assert "Promise: a rule, outside of the budget." in words(page)


def test_series_of_several_sources_stand_apart() -> None:
    history = made(2, 48)
    column = history.series[0].key.column
    for series, writer in zip(history.series, "ab", strict=True):
        series.key = Key(writer, "", column)
    one = status(history).sources[0]
    sources = [dataclasses.replace(one, writer=writer, series=[standing(column)]) for writer in "ab"]
    raised = [alarm(history, 0, 40, id="A1@b")]
    page = render(Status(status(history).config, sources, raised), history, NOW)
    told = words(page)
    assert "From a: 123,456 rows" in told
    assert "1 alarm open, 0 closed; 1 series quiet" in told
    assert "<a href=#s0>" in page
    assert re.search(r"<tr id=s0 class=changed>.*?from <bdi>b</bdi>.*?<tr id=s1 class=quiet>.*?from <bdi>a</bdi>", page)


def test_what_has_no_promise_says_so() -> None:
    history = made(1, 48)
    bare = alarm(history, 0, 40, promise="none yet: 3 of 30 windows have shown how they vary")
    page = render(status(history, bare), history, NOW)
    assert "No promise: 3 of 30 windows have shown how they vary." in words(page)


def test_volume_is_told_without_scripts() -> None:
    history = made(1, 8)
    history.rows[:] = [100, 120, 90, 0, 80, 110, 7, 90]
    page = render(status(history), history, NOW)
    assert (
        "Rows of 8 windows from 2026-01-01 00:00 to 2026-01-01 07:00: 0 to 120; windows of the reference had 100 to"
        in page
    )
    rows = re.findall("<tr><th scope=row>([^<]*)<td>([^<]*)", page[page.index("Rows of each window") :])
    assert rows[:2] == [("2026-01-01 07:00", "90"), ("2026-01-01 06:00", "7")]
    assert len(rows) == 8


def test_packed_histories_are_what_was_stored() -> None:
    history = made(5, 60)
    history.series[1].flags[50] |= DRIFT | AMENDED
    history.series[2].fast[50] = 191.6
    header, measures, flags = unpacked(render(status(history, alarm(history, 1, 40)), history, NOW))
    order = [line.series for line in lines(status(history, alarm(history, 1, 40)), history)]
    want = np.array([[one.effect, one.bound, one.missing, one.fast, one.strict] for one in order]).swapaxes(0, 1)
    want[1] -= want[0]
    np.testing.assert_allclose(measures[[0, 2]], want[[0, 2]], atol=0.0005001)
    np.testing.assert_allclose(measures[1], want[1], atol=0.001001)
    np.testing.assert_allclose(measures[3:], want[3:], atol=0.0501)
    assert flags.tolist() == [list(one.flags) for one in order]
    assert header["series"][0]["alarms"] == [["A1", 40, 60, True]]
    assert header["from"] == header["to"] == history.labels


def test_a_small_tolerance_is_drawn_finer() -> None:
    history = made(1, 60)
    header, measures, _ = unpacked(render(status(history, tolerance=0.001), history, NOW))
    assert header["shares"] == 20_000
    np.testing.assert_allclose(measures[0, 0], history.series[0].effect, atol=0.0000251)


numbers = st.one_of(st.floats(0, 1), st.just(math.nan))


@given(st.lists(st.tuples(numbers, numbers, st.integers(0, 31)), min_size=1, max_size=40), st.integers(1, 9))
def test_no_binning_hides_the_worst(windows: list[tuple[float, float, int]], width: int) -> None:
    series = Series.empty(Key("main", "", "x"), len(windows))
    for i, (effect, missing, flags) in enumerate(windows):
        series.effect[i] = series.bound[i] = effect
        series.missing[i] = missing
        series.flags[i] = flags
    effect, bound, missing, *_, flags = binned(series, width)
    for i in range(0, len(windows), width):
        part = windows[i : i + width]
        for found, side in ((effect, 0), (bound, 0), (missing, 1)):
            most = max((one[side] for one in part if not math.isnan(one[side])), default=math.nan)
            assert found[i // width] == most or math.isnan(found[i // width]) == math.isnan(most) is True
        either = 0
        for one in part:
            either |= one[2]
        assert flags[i // width] >> 3 == either >> 3
    assert len(flags) == -(-len(windows) // width)


@given(st.lists(st.floats(-1e9, 1e9), max_size=20))
def test_any_evidence_can_be_packed(evidence: list[float]) -> None:
    one = array("d", evidence)
    nothing = array("d", [math.nan]) * len(one)
    values = [(nothing, nothing, nothing, one, one, bytes(len(one)))]
    page = f"id=data>{packed({'series': [0], 'from': evidence}, values, tolerance=0.02)}<"
    _, measures, _ = unpacked(page)
    np.testing.assert_allclose(measures[3, 0], np.clip(evidence, -100, 6453.4), atol=0.0501)


def test_a_thousand_columns_over_720_windows_are_below_2_mb() -> None:
    history = made(1000, 720)
    alarms = [alarm(history, i, 600, i + 1) for i in range(300)]
    page = render(status(history, *alarms), history, NOW)
    assert len(page.encode()) < MOST_BYTES
    header, measures, _ = unpacked(page)
    assert header["width"] == 2
    assert measures.shape == (5, 1000, 360)
    assert "Each step of a history stands for 2 windows" in words(page)
    assert "and 100 more" in page


def test_many_windows_are_grouped() -> None:
    history = made(2, 3000)
    header, measures, _ = unpacked(render(status(history), history, NOW))
    assert header["width"] == 5
    assert measures.shape == (5, 2, 600)
    assert header["rows"][0] == [min(history.rows[:5]), max(history.rows[:5])]


def test_names_cannot_break_the_page() -> None:
    history = made(2, 12)
    history.series[0].key = Key(HOSTILE, f"r={HOSTILE}", HOSTILE)
    history.series[0].latest = Latest(11, 0.1, 0.2, HOSTILE, 0.1, 0.2)
    one = alarm(
        history, 0, 8, id=f"A1@{HOSTILE}", segment=f"r={HOSTILE}", what=HOSTILE, promise=HOSTILE, also=[HOSTILE]
    )
    page = render(status(history, one), history, NOW)
    found = Page(page)
    assert [tag for tag, _ in found.elements].count("script") == 2
    assert [tag for tag, _ in found.elements].count("img") == 0
    assert {name for _, attrs in found.elements for name in attrs if name.startswith("on")} == set()
    assert f"A1@{HOSTILE}".replace("\u202e", "\N{REPLACEMENT CHARACTER}") in [a.get("id") for _, a in found.elements]
    assert unpacked(page)[0]["series"][0]["alarms"]
    assert "\u202e" not in page
    assert "</script></td>" not in page


def test_one_file_that_asks_for_nothing_and_is_the_same_each_time() -> None:
    history = made(3, 24)
    page = render(status(history, alarm(history, 0, 12)), history, NOW)
    assert page == render(status(history, alarm(history, 0, 12)), history, NOW)
    assert re.findall(r"https?://[^\"' ]*", page) == ["http://www.w3.org/2000/svg"]
    assert "default-src 'none'" in page
    ids = [attrs["id"] for _, attrs in Page(page).elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_a_monitor_that_has_read_nothing() -> None:
    empty = Status(status(made(1, 4)).config, [], [])
    page = render(empty, History([], [], [], []), NOW)
    assert "Nothing was read yet: run driftline monitor." in words(page)
    assert "None so far: windows are shown once there is a reference" in words(page)
    Page(page)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A monitor with an alarm, a window without rows and one late row."""
    rng = np.random.default_rng(4)
    home = tmp_path_factory.mktemp("home")
    keys: dict[str, Any] = {"monitor": "shop", "data": [], "columns": {"time": "ts"}, "window": "1 hour"}
    keys |= {"reference": "first 40 hours", "home": str(home)}
    with dl.Monitor(**keys) as monitor:
        for hour in range(60):
            if hour == 50:
                continue
            n = 200 + hour % 7
            times = [BEGIN + timedelta(hours=hour, seconds=float(s)) for s in np.sort(rng.uniform(0, 3599, n))]
            x = rng.normal(3.0 * (hour >= 52), size=n)
            kind = rng.choice(["a", None], n)
            monitor.update({"ts": times, "x": x, "kind": kind}, now=BEGIN + timedelta(hours=hour + 1))
        monitor.update({"ts": [BEGIN + timedelta(hours=45)], "x": [0.0], "kind": ["a"]}, now=NOW)
        monitor.advance(BEGIN + timedelta(hours=62))
        monitor.to_html(home / "monitor.html")
        assert monitor.config.home == str(home)
        return monitor.config


def test_history_is_read_from_the_store(watched: Config) -> None:
    history = history_of(status_of(watched))
    assert len(history.labels) == 60
    assert history.labels[50] == "2026-01-03 02:00"
    assert history.rows[49:52] == [200, 0, 202]
    assert sum(history.learning) == 40
    assert sorted(series.key.column for series in history.series) == ["kind", "x"]
    x = next(series for series in history.series if series.key.column == "x")
    assert {STATUSES[flag & 7] for flag in x.flags} == {"", "learning", "watching"}
    assert x.flags[45] & AMENDED
    assert not x.flags[44] & AMENDED
    assert x.flags[55] & DRIFT
    assert x.latest is not None
    assert x.latest.window == 59
    assert x.latest.effect > 0.8
    assert x.fast[55] > 0 > x.fast[44]
    kind = next(series for series in history.series if series.key.column == "kind")
    assert 0.35 < kind.missing[10] < 0.65


def test_from_python_and_from_a_shell(watched: Config, tmp_path: pathlib.Path) -> None:
    page = pathlib.Path(watched.home, "monitor.html").read_text("utf-8")
    assert "2 alarms open, 1 closed; 1 series quiet" in words(page)
    assert words(page_of(watched, now=NOW)).split("UTC", 1)[1].startswith(" 2 alarms open")
    (tmp_path / "notes.txt").write_text("mine")
    with dl.Monitor(watched) as monitor, pytest.raises(ValueError, match="is there and is no page"):
        monitor.to_html(tmp_path / "notes.txt")


def test_one_wrong_time_makes_no_endless_axis(watched: Config) -> None:
    first, *rest = (int((BEGIN + timedelta(hours=hour)).timestamp()) * 10**6 for hour in (-(10**5), 0, 1, 4))
    labels, starts, has_gaps = axis(watched, [*rest, first])
    assert has_gaps
    assert starts == [first, *(rest[0] + hour * 3600 * 10**6 for hour in range(5))]
    assert labels[1:3] == ["2026-01-01 00:00", "2026-01-01 01:00"]
    history = made(1, 8, has_gaps=True)
    assert "long stretches without rows are left out" in render(status(history), history, NOW)
