"""The report in a real browser: layout, colours, keyboard, print, and what a screen reader is told."""

import base64
import pathlib
import re
from importlib.resources import as_file, files
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import driftline as dl
from driftline._report import render
from tests.pages import CONTRASTS, VISIBLE, problems

DEMO = ["reference.parquet", "production"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The report of the bundled log."""
    with as_file(files("driftline") / "demo") as data:
        compared = dl.compare(*(data / name for name in DEMO))
    page = tmp_path_factory.mktemp("report") / "demo.html"
    page.write_text(render(compared), "utf-8")
    return page


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A report of names and values that would like to be something else, and of one of each finding."""
    rng = np.random.default_rng(8)
    n = 3000
    text = "</td></details><script>document.title = 'broken'</script>\"'><img src=x onerror=alert(1)>"
    names = [text, "w" * 10_000, "الإمارات العربية المتحدة", "a b", "_" * 80, "\u202egnp.exe"]
    before = {name: rng.normal(size=n) for name in names}
    now = {name: rng.normal(i % 2, size=n) for i, name in enumerate(names)}
    before |= {"values": [text, "b" * 500] * (n // 2), "gone" + text: [1] * n, "odd": [1] * n}
    now |= {"values": [text, "ج" * 500, text] * (n // 3), "new" + text: [1] * n, "odd": ["1"] * n}
    page = tmp_path_factory.mktemp("report") / "hostile.html"
    before["same"] = now["same"] = before["a b"]
    page.write_text(render(dl.compare(before, now, tolerance=0.05)), "utf-8")
    return page


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A report of a thousand columns."""
    rng = np.random.default_rng(9)
    before, now = ({f"column_{i:04}": rng.normal(size=500) for i in range(1000)} for _ in range(2))
    for i in range(0, 1000, 20):
        now[f"column_{i:04}"] += 1
    page = tmp_path_factory.mktemp("report") / "wide.html"
    page.write_text(render(dl.compare(before, now)), "utf-8")
    return page


def unfold(browser: Any, how: str = "true") -> None:
    browser.run(f"document.querySelectorAll('details').forEach(d => d.open = {how})")


def rows(browser: Any) -> list[str]:
    """The first lines of the overview's visible rows."""
    names = "[...document.querySelectorAll('#overview tbody tr')].filter(r => !r.hidden)"
    return list(browser.run(f"{names}.map(r => r.querySelector('a, span').textContent)"))


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [320, 360, 700, 1280])
@pytest.mark.parametrize("page", ["demo", "hostile"])
def test_nothing_overflows_and_nothing_is_fetched(
    chromium: Any, request: pytest.FixtureRequest, page: str, width: int, scripts: bool
) -> None:
    chromium.open(request.getfixturevalue(page), width=width, scripts=scripts)
    unfold(chromium)
    assert chromium.run("document.documentElement.scrollWidth") == width
    # Nothing hangs out of its place, or hides behind its neighbour's.
    beyond = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert chromium.run(f"{beyond}.map(e => e.outerHTML.slice(0, 80))") == []
    texts = "[...document.querySelectorAll('th, td, dt, dd, h1, h3, button, b')]"
    squeezed = f"{texts}.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
    assert chromium.run(f"{squeezed}.map(e => e.outerHTML.slice(0, 80))") == []
    assert problems(chromium) == []
    assert chromium.run("document.title").startswith("driftline: ")
    assert chromium.run("document.querySelectorAll('script, style, img').length") == 2


def test_the_page_is_complete_without_scripts(chromium: Any, demo: pathlib.Path) -> None:
    chromium.open(demo, scripts=False)
    assert not chromium.run(f"{VISIBLE}(document.querySelector('#tools'))")
    assert len(rows(chromium)) == 12
    assert chromium.run("document.querySelectorAll('thead button').length") == 0
    # A link into what is folded unfolds it.
    link = "document.querySelector('#overview .stable a')"
    section = f"document.querySelector({link}.hash).parentElement"
    assert not chromium.run(f"{section}.open")
    chromium.click(link)
    assert chromium.run(f"{section}.open")
    assert chromium.run(f"{section}.getBoundingClientRect().top < innerHeight")


def test_search_and_filter_by_keyboard(chromium: Any, demo: pathlib.Path) -> None:
    chromium.open(demo)
    chromium.press("Tab")
    assert chromium.run("document.activeElement.id") == "search"
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert chromium.run(outline) == "3px"
    chromium.press(*"LOAN")
    assert rows(chromium) == ["repaid_loan_on_prev_car", "loan_length"]
    assert chromium.run("document.querySelector('#found').textContent") == "2 of 12 columns"
    shown = "[...document.querySelectorAll('main > details')].filter(d => !d.hidden).length"
    assert chromium.run(shown) == 2
    chromium.press(*["Backspace"] * 4, "Tab")
    assert len(rows(chromium)) == 12
    assert chromium.run("document.activeElement.id") == "verdict"
    chromium.press("ArrowDown", "ArrowDown")
    assert chromium.run("document.querySelector('#verdict').value") == "stable"
    assert len(rows(chromium)) == 5
    assert set(chromium.run("[...document.querySelectorAll('#overview tr:not([hidden])')].map(r => r.className)")) == {
        "",
        "stable",
    }
    opened = "document.querySelectorAll('main > details[open]').length"
    chromium.press("Tab", "Enter")
    assert chromium.run(opened) == 12
    chromium.press("Tab", "Space")
    assert chromium.run(opened) == 0
    chromium.press("Tab")
    assert chromium.run("document.activeElement.closest('thead') !== null")


def test_nothing_found_is_said(chromium: Any, demo: pathlib.Path) -> None:
    chromium.open(demo)
    chromium.press("Tab", *"zzz")
    assert rows(chromium) == []
    assert chromium.run("document.querySelector('#found').textContent") == "None of 12 columns"


def test_a_shortened_name_is_found_by_its_end(chromium: Any, hostile: pathlib.Path) -> None:
    chromium.open(hostile)
    chromium.press("Tab", *"alert(1)")
    assert len(rows(chromium)) == 3


def test_columns_without_a_figure_are_sorted_last(chromium: Any, hostile: pathlib.Path) -> None:
    chromium.open(hostile)
    figures = "[...document.querySelectorAll('#overview tbody tr')].map(r => r.cells[3].textContent !== '')"
    assert chromium.run(f"{figures}.lastIndexOf(true) > {figures}.indexOf(false)")
    for _ in range(2):
        chromium.run("document.querySelectorAll('#overview thead button')[3].click()")
        assert chromium.run(f"{figures}.lastIndexOf(true) < {figures}.indexOf(false)")


def test_a_link_unfolds_where_the_browser_does_not(chromium: Any, demo: pathlib.Path) -> None:
    chromium.open(demo)
    chromium.run("addEventListener('click', (event) => event.preventDefault())")
    link = "document.querySelector('#overview .stable a')"
    chromium.click(link)
    assert chromium.run(f"document.querySelector({link}.hash).parentElement.open")


def test_a_phone_shows_cards(chromium: Any, demo: pathlib.Path) -> None:
    chromium.open(demo, width=360)
    widths = "[...document.querySelectorAll('#overview tbody tr')].map(r => [1, 4].map(i => r.cells[i].clientWidth))"
    assert all(width > 300 for row in chromium.run(widths) for width in row)


def test_sorting_by_keyboard(chromium: Any, demo: pathlib.Path) -> None:
    chromium.open(demo)
    order = rows(chromium)
    heads = "[...document.querySelectorAll('#overview thead th')].map(h => h.getAttribute('aria-sort'))"
    assert chromium.run(heads) == ["ascending", None, None, None]
    chromium.run("document.querySelectorAll('#overview thead button')[1].focus()")
    chromium.press("Enter")
    assert rows(chromium) == sorted(order)
    assert chromium.run(heads) == [None, "ascending", None, None]
    chromium.press("Space")
    assert rows(chromium) == sorted(order, reverse=True)
    assert chromium.run(heads) == [None, "descending", None, None]
    chromium.press("Tab", "Enter", "Enter")
    assert chromium.run(heads) == [None, None, "ascending", None]
    moved = chromium.run(
        "[...document.querySelectorAll('#overview tbody tr')].map(r => parseFloat(r.cells[2].textContent))"
    )
    assert moved[:10] == sorted(moved[:10])
    assert moved[0] < 1 < 20 < moved[9]
    # Without a figure: at the end, whichever way.
    assert set(rows(chromium)[10:]) == {"id", "timestamp"}
    chromium.run("document.querySelectorAll('#overview thead button')[0].click()")
    assert rows(chromium) == order


def test_dark_and_light_differ_and_are_readable(chromium: Any, hostile: pathlib.Path, demo: pathlib.Path) -> None:
    pages = {}
    for dark in (False, True):
        for page in (demo, hostile):
            chromium.open(page, dark=dark)
            unfold(chromium)
            found = chromium.run(CONTRASTS)
            assert len(found["text"]) > 100
            # WCAG 2.2 AA: 4.5 for text, 3 for what a picture is made of.
            assert [text for text in found["text"] if text[1] < 4.5] == []
            assert [shape for shape in found["shapes"] if shape[1] < 3] == []
        pages[dark] = chromium.run("getComputedStyle(document.documentElement).backgroundColor")
    assert pages == {False: "rgb(255, 255, 255)", True: "rgb(18, 22, 27)"}


def test_colour_is_never_the_only_sign(chromium: Any, hostile: pathlib.Path) -> None:
    chromium.open(hostile)
    # Verdicts are words; of a distribution one side is an area and one a line.
    badges = chromium.run("[...document.querySelectorAll('#overview b')].map(b => b.textContent)")
    assert set(badges) == {"changed", "gone", "new", "retyped", "stable"}
    fills = chromium.run("[...document.querySelectorAll('figure path')].map(p => getComputedStyle(p).fill)")
    assert set(fills[1::2]) == {"none"}
    assert "none" not in fills[0::2]


def test_print_has_every_verdict_and_the_details_of_what_changed(chromium: Any, demo: pathlib.Path) -> None:
    chromium.open(demo, dark=True)
    unfold(chromium, "false")
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    chromium("Emulation.setEmulatedMedia", media="print", features=dark)
    chromium.resize(720, 1000)
    assert chromium.run("document.documentElement.scrollWidth") == 720
    assert chromium.run(f"[...document.querySelectorAll('#overview tbody tr')].filter({VISIBLE}).length") == 12
    shown = f"[...document.querySelectorAll('main > details')].filter({VISIBLE}).map(d => d.className)"
    assert chromium.run(shown) == ["changed"] * 5
    parts = f"[...document.querySelectorAll('details.changed > div')].every(d => {VISIBLE}(d) && d.clientHeight > 200)"
    assert chromium.run(parts)
    assert not chromium.run(f"{VISIBLE}(document.querySelector('#tools'))")
    assert chromium.run("getComputedStyle(document.documentElement).color") == "rgb(28, 33, 38)"
    pdf = base64.b64decode(chromium("Page.printToPDF")["data"])
    assert 3 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 8


def test_what_a_screen_reader_is_told(chromium: Any, demo: pathlib.Path) -> None:
    for width in (360, 1280):
        chromium.open(demo, width=width)
        tree = [node for node in chromium("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
        told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree]
        roles = [role for role, _ in told]
        assert {"banner", "main", "search"} <= set(roles)
        headings = [
            next(p["value"]["value"] for p in node["properties"] if p["name"] == "level")
            for node in tree
            if node["role"]["value"] == "heading"
        ]
        assert headings[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(headings))
        assert headings.count(1) == 1
        assert headings.count(3) == 12
        # Every picture has words, and is one thing; bars stand beside their figures.
        pictures = [name for role, name in told if role in ("image", "img")]
        assert len(pictures) == 3
        assert all(re.match(r"Shape drawn from .* to .*: reference median .*, now .*", name) for name in pictures)
        # Tables stay tables where they look like cards.
        overview = [name for role, name in told if role == "rowheader"]
        assert {"repaid", "y_pred"} <= set(overview)
        assert ("columnheader", "at most") in told
        assert ("searchbox", "Name") in told
        assert ("combobox", "Verdict") in told
        assert roles.count("DisclosureTriangle") == 12


def test_a_thousand_columns(chromium: Any, wide: pathlib.Path) -> None:
    for width in (360, 1280):
        chromium.open(wide, width=width)
        assert chromium.run("document.documentElement.scrollWidth") == width
        assert len(rows(chromium)) == 1000
        chromium.press("Tab", *"0040")
        assert rows(chromium) == ["column_0040"]
        assert problems(chromium) == []
