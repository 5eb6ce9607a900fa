"""The page of a monitor in a real browser: what it draws, keyboard, phones, colours, print, screen readers."""

import base64
import pathlib
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import driftline as dl
from driftline._monitor_page import page_of
from tests.pages import CONTRASTS, VISIBLE, problems

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "</script><script>document.title = 'broken'</script>\"'><img src=x onerror=alert(1)>"
READY = "new Promise(r => {const f = () => document.querySelector('.ready') ? r() : setTimeout(f, 10); f()})"
STRIPS = "[...document.querySelectorAll('.strip')].filter(s => s.checkVisibility())"
VALUE = "document.activeElement.getAttribute('aria-valuetext')"
HOURS = 110


def watched(home: pathlib.Path, noise: int, **keys: Any) -> str:
    """The page of a log in which columns move and come back, miss values, and rows fail to come."""
    rng = np.random.default_rng(6)
    every: dict[str, Any] = {"monitor": "shop", "data": [], "columns": {"time": "ts", "segments": ["shop"]}}
    every |= {"window": "1 hour", "reference": "first 40 hours", "home": str(home)}
    with dl.Monitor(**{**every, **keys}) as monitor:
        for hour in range(HOURS):
            if hour == 100:
                continue
            n = 200 + hour % 7
            times = [BEGIN + timedelta(hours=hour, seconds=float(s)) for s in np.sort(rng.uniform(0, 3599, n))]
            batch: dict[str, Any] = {"ts": times, "shop": rng.choice(["Łódź", HOSTILE], n)}
            batch["back"] = rng.normal(2.0 * (60 <= hour < 75), size=n)
            batch["gone"] = rng.normal(size=n) * (np.nan if hour >= 90 else 1)
            batch["missing"] = rng.choice(["a", "b", None], n)
            batch[HOSTILE] = rng.choice(["x", HOSTILE], n, p=[0.5, 0.5] if hour < 80 else [0.1, 0.9])
            batch |= {f"noise_{i:03}": rng.normal(size=n) for i in range(noise)}
            monitor.update(batch, now=BEGIN + timedelta(hours=hour + 1))
        monitor.advance(BEGIN + timedelta(hours=HOURS + 1))
    return page_of(monitor.config, now=BEGIN + timedelta(hours=HOURS + 30))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The page of a few columns in segments."""
    home = tmp_path_factory.mktemp("shop")
    page = home / "shop.html"
    page.write_text(watched(home, 3), "utf-8")
    return page


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The page of more series than are shown at first."""
    home = tmp_path_factory.mktemp("wide")
    page = home / "wide.html"
    page.write_text(watched(home, 70, columns={"time": "ts"}), "utf-8")
    return page


def load(browser: Any, page: pathlib.Path, **how: Any) -> None:
    browser.open(page, **how)
    if how.get("scripts", True):
        browser.run(READY)


def unfold(browser: Any, series: int = 0) -> None:
    browser.run(f"document.querySelectorAll('#overview tbody th button')[{series}].click()")


def arrow(browser: Any, key: str) -> None:
    code = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35, "Escape": 27}[key]
    for kind in ("keyDown", "keyUp"):
        browser("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_nothing_overflows_and_nothing_is_fetched(chromium: Any, shop: pathlib.Path, width: int, scripts: bool) -> None:
    load(chromium, shop, width=width, scripts=scripts)
    if scripts:
        for series in range(4):
            unfold(chromium, series)
    chromium.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert chromium.run("document.documentElement.scrollWidth") == width
    texts = "[...document.querySelectorAll('dt, dd, h1, h3, h4, button, b, figcaption, p')]"
    squeezed = f"{texts}.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
    assert chromium.run(f"{squeezed}.map(e => e.outerHTML.slice(0, 80))") == []
    assert problems(chromium) == []
    assert chromium.run("document.title").startswith("driftline: shop: ")
    assert chromium.run("document.querySelectorAll('img').length") == 0


def test_without_scripts_alarms_series_and_volume_can_be_read(chromium: Any, shop: pathlib.Path) -> None:
    load(chromium, shop, scripts=False)
    assert not chromium.run(f"{VISIBLE}(document.querySelector('#tools'))")
    assert not chromium.run(f"{VISIBLE}(document.querySelector('#legend'))")
    cards = chromium.run(f"[...document.querySelectorAll('.alarms li')].filter({VISIBLE}).length")
    assert cards >= 6
    rows = chromium.run(f"[...document.querySelectorAll('#overview tbody tr')].filter({VISIBLE}).length")
    assert rows == chromium.run("document.querySelectorAll('#overview tbody tr').length") > 20
    assert chromium.run(f"{VISIBLE}(document.querySelector('#volume-plot svg'))")
    chromium.run("document.querySelector('.alarms a').click()")
    assert chromium.run("document.querySelector(':target').tagName") == "TR"


def test_histories_are_drawn(chromium: Any, shop: pathlib.Path) -> None:
    load(chromium, shop)
    rows = "[...document.querySelectorAll('#overview tbody tr')]"
    assert chromium.run(f"{rows}.every(r => r.querySelector('.strip'))")
    back = f"{rows}.find(r => r.querySelector('button').textContent === 'back' && !r.textContent.includes('shop='))"
    assert chromium.run(f"{back}.className") == "closed"
    # Learnt from the first 40 windows, outlined where the alarm was, orange where a window proves a change.
    shares = "(e => [e.offsetLeft / e.parentElement.clientWidth, e.offsetWidth / e.parentElement.clientWidth])"
    hatch = chromium.run(f"{shares}({back}.querySelector('.hatch'))")
    assert hatch == pytest.approx([0, 40 / HOURS], abs=0.01)
    outlined = chromium.run(f"{shares}({back}.querySelector('.alarmed'))")
    assert outlined[0] == pytest.approx(60 / HOURS, abs=0.02)
    assert 15 <= HOURS * outlined[1] < 30
    drawn = chromium.run(f"{back}.querySelector('.p4').getAttribute('d')")
    assert re.match(r"M60,0H75V1H60z", drawn)
    assert "M100" not in "".join(chromium.run(f"[...{back}.querySelectorAll('path')].map(p => p.getAttribute('d'))"))


def test_a_link_from_an_alarm_unfolds_its_series(chromium: Any, shop: pathlib.Path) -> None:
    load(chromium, shop)
    assert chromium.run("document.querySelectorAll('.charts').length") == 0
    link = "document.querySelector('.alarms a[href^=\"#s\"]')"
    chromium.run(f"{link}.focus()")
    chromium.press("Enter")
    chromium.run("new Promise(r => setTimeout(r, 50))")
    row = f"document.querySelector({link}.hash)"
    assert chromium.run(f"{row}.querySelector('button').getAttribute('aria-expanded')") == "true"
    assert chromium.run(f"{row}.nextElementSibling.querySelectorAll('.plot').length") >= 2
    assert chromium.run(f"{row}.getBoundingClientRect().top < innerHeight")
    # And back: into what is folded, too.
    closed = "[...document.querySelectorAll('#overview tbody tr.closed button')][0]"
    chromium.run(f"{closed}.click()")
    chromium.click(f"{closed}.closest('tr').nextElementSibling.querySelector('.charts a')")
    chromium.run("new Promise(r => setTimeout(r, 50))")
    assert chromium.run("document.querySelector('#closed').open")


def test_windows_are_told_by_keyboard(chromium: Any, shop: pathlib.Path) -> None:
    load(chromium, shop)
    assert chromium.run(f"{STRIPS}.filter(s => s.tabIndex === 0).length") == 1
    chromium.run(f"{STRIPS}[0].focus()")
    for key in ("Home", "ArrowRight"):
        arrow(chromium, key)
    assert chromium.run(VALUE) == "2026-01-01 01:00: learning"
    assert chromium.run("document.querySelector('#told').textContent") == chromium.run(VALUE)
    assert chromium.run(f"{VISIBLE}(document.querySelector('#told'))")
    arrow(chromium, "End")
    told = chromium.run(VALUE)
    assert re.match(r"2026-01-05 13:00: .* % moved, at most .* % \(.* times the tolerance\)\nmore than tolerated", told)
    assert re.search(r"evidence: fast .* times, strict .* what raises an alarm\nalarm A\d+$", told)
    arrow(chromium, "ArrowDown")
    assert chromium.run(f"document.activeElement === {STRIPS}[1]")
    assert chromium.run(f"{STRIPS}.filter(s => s.tabIndex === 0).length") == 1
    arrow(chromium, "ArrowUp")
    assert chromium.run(f"document.activeElement === {STRIPS}[0]")
    arrow(chromium, "Escape")
    assert not chromium.run(f"{VISIBLE}(document.querySelector('#told'))")


def test_windows_are_told_under_the_pointer(chromium: Any, shop: pathlib.Path) -> None:
    load(chromium, shop, width=390)
    for place in (f"{STRIPS}[2]", "document.querySelector('#volume-plot .plot')"):
        chromium.run(f"{place}.scrollIntoView({{block: 'center'}})")
        x, y = chromium.run(f"(r => [r.right - 2, r.y + r.height / 2])({place}.getBoundingClientRect())")
        chromium("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        assert chromium.run("document.querySelector('#told').textContent").startswith("2026-01-05 13:00: ")
        box = chromium.run("(r => [r.left, r.right])(document.querySelector('#told').getBoundingClientRect())")
        assert box[0] >= 0
        assert box[1] <= 390
    assert "204 rows\nwindows of the reference had 200 to 206 rows" in chromium.run(
        "document.querySelector('#told').textContent"
    )


def test_evidence_and_figures_of_a_series(chromium: Any, shop: pathlib.Path) -> None:
    load(chromium, shop)
    gone = "[...document.querySelectorAll('#overview tr.changed')].find(r => r.textContent.startsWith('opengone'))"
    chromium.run(f"{gone}.querySelector('button').click()")
    charts = f"{gone}.nextElementSibling.querySelector('.charts')"
    titles = chromium.run(f"[...{charts}.querySelectorAll('h4')].map(h => h.textContent)")
    assert titles == ["Share of the rows that moved", "Evidence of both detectors, in powers of ten"]
    assert chromium.run(f"{charts}.querySelectorAll('path.limit').length") == 1
    assert chromium.run(f"{charts}.querySelectorAll('path.band').length") == 1
    assert "cut off at the top: the most was 10" in chromium.run(f"{charts}.textContent")
    assert "No window has a missing value." in chromium.run(f"{charts}.textContent")
    chromium.run(f"{charts}.querySelector('details').open = true")
    chromium.run("new Promise(r => setTimeout(r, 50))")
    rows = chromium.run(
        f"[...{charts}.querySelectorAll('.figures tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    assert len(rows) == HOURS
    assert rows[0][:4] == ["2026-01-05 13:00", "100 %", "100 %", "0 %"]
    assert float(rows[0][4]) > 0
    assert rows[9][1:7] == ["", "", "", "", "", "no rows"]
    assert rows[-1][6] == "learning"


def test_search_filter_and_show_all(chromium: Any, wide: pathlib.Path) -> None:
    for width in (390, 1280):
        load(chromium, wide, width=width)
        visible = f"[...document.querySelectorAll('#overview tbody tr')].filter({VISIBLE})"
        assert chromium.run(f"{visible}.length") == 50
        assert chromium.run("document.querySelector('#found').textContent") == "50 of 75 series"
        assert chromium.run("document.querySelectorAll('.strip').length") == 50
        chromium.run("document.querySelector('#search').focus()")
        chromium.press(*"SE_06")
        assert chromium.run(f"{visible}.length") == 10
        chromium.press(*["Backspace"] * 5)
        chromium.run("document.querySelector('#more').click()")
        assert chromium.run(f"{visible}.length") == 75
        assert not chromium.run(f"{VISIBLE}(document.querySelector('#more'))")
        chromium.run(
            "v = document.querySelector('#verdict'); v.value = 'changed'; v.dispatchEvent(new Event('change'))"
        )
        assert chromium.run(f"{visible}.every(r => r.className === 'changed')")
        assert problems(chromium) == []


def test_dark_and_light_are_readable(chromium: Any, shop: pathlib.Path) -> None:
    for dark in (False, True):
        load(chromium, shop, dark=dark)
        for series in (0, 8):
            unfold(chromium, series)
        chromium.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = chromium.run(CONTRASTS)
        assert len(found["text"]) > 200
        # WCAG 2.2 AA: 4.5 for text, 3 for the lines of a picture.
        assert [text for text in found["text"] if text[1] < 4.5] == []
        lines = [shape for shape in found["shapes"] if re.search('class="(line|other|limit)"', shape[0])]
        assert len(lines) >= 4
        assert [shape for shape in lines if shape[1] < 3] == []
        # The more moved, the further from the page, in two hues.
        ramp = chromium.run(
            "['u0','u1','u2','u3','u4','p1','p2','p3','p4'].map(c => getComputedStyle(document.querySelector('i.' + c))"
            ".backgroundColor.match(/\\d+/g).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0))"
        )
        for steps in (ramp[:5], ramp[5:]):
            assert all((after > before) == dark for before, after in pairwise(steps))


def test_print_is_light_and_unfolds_what_open_alarms_are_about(chromium: Any, shop: pathlib.Path) -> None:
    load(chromium, shop, dark=True)
    pdf = base64.b64decode(chromium("Page.printToPDF")["data"])
    assert 3 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 30
    opened = chromium.run("document.querySelectorAll('#overview tr.changed').length")
    assert chromium.run("document.querySelectorAll('.charts').length") == opened
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    chromium("Emulation.setEmulatedMedia", media="print", features=dark)
    chromium.resize(720, 1000)
    assert chromium.run("document.documentElement.scrollWidth") == 720
    assert chromium.run("getComputedStyle(document.documentElement).color") == "rgb(28, 33, 38)"
    assert chromium.run("getComputedStyle(document.querySelector('.p4')).fill") == "rgb(138, 45, 5)"


def test_what_a_screen_reader_is_told(chromium: Any, shop: pathlib.Path) -> None:
    for width in (390, 1280):
        load(chromium, shop, width=width)
        unfold(chromium)
        tree = [node for node in chromium("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
        told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree]
        assert {"banner", "main", "search"} <= {role for role, _ in told}
        headings = [
            next(p["value"]["value"] for p in node["properties"] if p["name"] == "level")
            for node in tree
            if node["role"]["value"] == "heading"
        ]
        assert headings[0] == 1
        assert headings.count(1) == 1
        assert headings.count(2) == 3
        assert ("slider", "History of gone") in told
        assert ("slider", "History of gone in shop=Łódź") in told
        assert any(role == "slider" and name.startswith("Rows of 110 windows from") for role, name in told)
        assert ("columnheader", "at most") in told
        assert sum(role == "rowheader" for role, _ in told) > 20
        # What a slider says is its text, which the tree of the protocol leaves out.
        values = chromium.run("[...document.querySelectorAll('[role=slider]')].map(s => s.ariaValueText)")
        assert len(values) == sum(role == "slider" for role, _ in told) > 20
        assert all(value.startswith("2026-01-05 13:00: ") for value in values)
