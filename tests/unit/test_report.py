"""The report as text: what it says, that it is one file, and that no data can break it."""

import base64
import hashlib
import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftline as dl
from driftline._report import render
from driftline._report.picture import picture, ticks

N = 20_000
VOID = {"meta", "link", "br", "input"}
OPTIONAL_END = {"p", "li", "tr", "td", "th", "thead", "tbody", "caption", "option", "h1", "dt", "dd"}


class Moved(NamedTuple):
    label: str
    reference: float
    current: float


class Cell(NamedTuple):
    label: str
    low: float | None
    high: float | None
    reference: int
    current: int


@dataclass
class Column:
    """A column as the report takes it."""

    name: str = "x"
    kind: str = "category"
    reference_type: str = "string"
    current_type: str = "string"
    verdict: str = "drift"
    reason: str | None = None
    explanation: str = "5.0 % of rows moved (at most 6.0 %)."
    effect: float | None = 0.05
    effect_bound: float | None = 0.06
    p_value: float | None = 1e-9
    p_adjusted: float | None = 2e-9
    rows_to_decide: int | None = None
    reference_rows: int = 1000
    current_rows: int = 1000
    moved: tuple[Moved, ...] = (Moved("'a'", 0.4, 0.45),)
    cells: Sequence[Cell] = (Cell("'a'", None, None, 400, 450), Cell("'b'", None, None, 600, 550))
    quantiles: list[tuple[float, float, float]] | None = None
    statistics: dict[str, float | None] = field(default_factory=lambda: {"psi": 0.01, "ks": None})

    @property
    def headline(self) -> Moved | None:
        return self.moved[0] if self.moved else None


class Comparison(dict[str, Column]):
    """A comparison as the report takes it."""

    def __init__(self, *columns: Column, **options: Any) -> None:
        super().__init__({column.name: column for column in columns})
        self.reference_rows = self.current_rows = 1000
        self.tolerance, self.alpha, self.resolution, self.correction = 0.02, 0.05, 0.05, "bh"
        self.only_in_reference: list[str] = []
        self.only_in_current: list[str] = []
        vars(self).update(options)


class Page(HTMLParser):
    """Elements of a page in order, and the text that each begins with."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self._begun = False
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        self._begun = True
        if tag not in VOID | OPTIONAL_END:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        self._begun = True

    def handle_endtag(self, tag: str) -> None:
        self._begun = False
        if tag not in OPTIONAL_END:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._begun:
            self.texts[-1] += data

    def all(self, tag: str, **attributes: str) -> list[str]:
        """The texts of elements of that kind."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        pairs = zip(self.elements, self.texts, strict=True)
        return [text for (name, attrs), text in pairs if name == tag and wanted.items() <= attrs.items()]


def words(source: str) -> str:
    """What a page says, without its elements."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", source, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


def rows_of(source: str, caption: str) -> list[list[str]]:
    """The rows of the first table of that caption."""
    table = source.split(f"<caption>{caption}<", 1)[1].split("</table>")[0]
    rows = re.split("<tr[^>]*>", table)[1:]
    return [[words(cell).strip() for cell in re.split("<t[hd][^>]*>", row)[1:]] for row in rows]


def section_of(source: str, name: str) -> str:
    """What unfolds under a name."""
    return next(part for part in re.findall("<details.*?</details>", source) if f"<h3>{html.escape(name)}</h3>" in part)


@pytest.fixture(scope="module")
def compared() -> dl.Comparison:
    """Columns of each verdict and kind."""
    rng = np.random.default_rng(5)
    when = np.datetime64("2026-01-01T00:00:00", "us") + np.arange(N) * np.timedelta64(60, "s")
    before = {
        "small": np.repeat([1, 2, 3, 4], N // 4),
        "plan": ["free", "pro"] * (N // 2),
        "large": rng.normal(size=N),
        "same": rng.normal(size=N),
        "when": when,
        "odd": np.arange(N),
        "gone": np.arange(N),
    }
    now = {
        "small": np.repeat([1, 2, 3, 3, 4], N // 5),
        "plan": ["free", "pro"] * (N // 2 - 1000) + ["team"] * 2000,
        "large": rng.normal(1, size=N),
        "same": rng.normal(size=N),
        "when": when + np.timedelta64(90, "D"),
        "odd": [f"{i % 7}" for i in range(N)],
        "new": np.arange(N),
    }
    return dl.compare(before, now)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def page(compared: dl.Comparison) -> str:
    return render(compared)


def test_the_result_comes_first_in_words(page: str) -> None:
    told = words(page)
    assert "3 of 6 columns changed 20,000 reference rows, 20,000 current rows." in told
    assert "3 changed it is proved that more than 2 % of the rows moved" in told
    assert "1 gone only the reference has it 1 new only the current data have it" in told
    assert "at most 5 % are expected to be false findings (Benjamini-Hochberg)" in told
    assert Page(page).all("title") == ["driftline: 3 of 6 columns changed"]


def test_what_matters_most_is_on_top(page: str, compared: dl.Comparison) -> None:
    header, *rows = rows_of(
        page, "Share of the rows that moved, thin up to its upper bound; the mark is the tolerance, 2 %"
    )
    assert header[:4] == ["verdict", "column", "moved", "at most"]
    assert [(row[0], row[1].split()[0]) for row in rows] == [
        ("changed", "large"),
        ("changed", "small"),
        ("changed", "plan"),
        ("gone", "gone"),
        ("new", "new"),
        ("retyped", "odd"),
        ("stable", "same"),
        ("not judged", "when"),
    ]
    large = compared["large"]
    assert rows[0][2:4] == [f"{100 * large.effect:.1f} %", f"{100 * large.effect_bound:.1f} %"]
    assert rows[2][1] == "plan 'team' (new) : 0 % → 10.0 %"
    assert rows[5][1].startswith("odd int64 in the reference, string now")
    assert rows[7][1:4] == ["when a time", "", ""]


def overview_bars(source: str) -> list[str]:
    return re.findall("<svg aria-hidden=true>(.*?)</svg>", source.split("<h2>Columns")[0])


def test_bars_show_effect_bound_and_tolerance() -> None:
    column = Column(effect=0.1, effect_bound=0.2)
    drawn = "<rect width=50% /><rect x=50% width=50% />"
    assert overview_bars(render(Comparison(column))) == [drawn + "<rect x=10% />"]
    assert overview_bars(render(Comparison(column, tolerance=0))) == [drawn]
    # Small changes look small: the tolerance is never beyond half of the width.
    assert "<rect x=50% />" in overview_bars(render(Comparison(Column(effect_bound=0.01))))[0]


def test_each_column_is_told_in_full(page: str, compared: dl.Comparison) -> None:
    for name, column in compared.items():
        section = section_of(page, name)
        assert column.explanation in words(section)
        assert section.startswith("<details class=changed open>") == (column.verdict == "drift")
    plan = section_of(page, "plan")
    assert rows_of(plan, "Share of the rows") == [
        ["", "reference", "current", ""],
        ["'free'", "50.0 %", "45.0 %", ""],
        ["'pro'", "50.0 %", "45.0 %", ""],
        ["'team' (new)", "0 %", "10.0 %", ""],
    ]
    assert rows_of(plan, "What moved, the surest first")[:2] == [
        ["rows", "from", "to", "points"],
        ["'team' (new)", "0 %", "10.0 %", "+10.0"],
    ]
    # Few values are told one by one, in their order.
    assert [row[0] for row in rows_of(section_of(page, "small"), "Share of the rows")] == ["", "1", "2", "3", "4"]
    large = section_of(page, "large")
    assert rows_of(large, "Quantiles")[0] == ["up to", "reference", "current"]
    median = next(row for row in rows_of(large, "Quantiles") if row[0] == "median")
    assert float(median[1]) == pytest.approx(0, abs=0.03)
    assert float(median[2]) == pytest.approx(1, abs=0.03)
    assert "<h4>Statistics</h4>" in large
    assert f"{compared['same'].p_adjusted:.4g}" in words(section_of(page, "same"))


def test_times_are_dates(page: str) -> None:
    quantiles = rows_of(section_of(page, "when"), "Quantiles")
    assert quantiles[1] == ["1 %", "2026-01-01 03:18:00", "2026-04-01 03:17:00"]
    assert "time, timestamp[us]" in section_of(page, "when")


def test_statistics_have_names_an_interval_and_what_chance_gives() -> None:
    found = {"psi": 0.0123, "psi_lower": 0.01, "psi_upper": 0.02, "psi_null_95": 0.004, "wasserstein": 2.0}
    exact = {"wasserstein_lower": 2.0, "wasserstein_upper": 2.0}
    section = render(Comparison(Column(statistics=found | exact, p_value=0.0)))
    pairs = re.findall("<dt>(.*?)<dd>(.*?)(?=<dt>|</dl>)", section)
    assert pairs == [
        ("p-value", "&lt; 1e-300"),
        ("p-value, corrected", "2e-09"),
        ("PSI, nats", "0.0123<small>0.01 to 0.02; by chance up to 0.004</small>"),
        ("Wasserstein", "2"),
    ]


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (["drift"], "1 of 1 column changed"),
        (["undecided", "stable", "undecided"], "No change is proved, 2 of 3 columns undecided"),
        (["stable", "not judged"], "None of 2 columns changed"),
        (["not judged"], "None of 1 column could be judged"),
    ],
)
def test_the_result_without_changes(verdicts: list[str], told: str) -> None:
    columns = [Column(name=f"c{i}", verdict=verdict) for i, verdict in enumerate(verdicts)]
    assert Page(render(Comparison(*columns))).all("h1") == [told]


def test_options_are_told() -> None:
    columns = [Column(name=verdict, verdict=verdict) for verdict in ("drift", "stable")]
    exact = words(render(Comparison(*columns, tolerance=0, resolution=0.04, alpha=0.01, correction="holm")))
    assert "it is proved that some rows moved" in exact
    assert "no change was found, and it is proved that no more than 4 % of the rows moved" in exact
    assert "The chance that any column is called changed falsely is at most 1 % (Holm)." in exact
    each = words(render(Comparison(*columns, correction="none")))
    assert "Each column's chance to be called changed falsely is at most 5 %, whatever their number." in each


def test_many_categories_are_summed() -> None:
    cells = [Cell(f"'v{i}'", None, None, 10 + i, 20 + i) for i in range(40)]
    cells += [Cell("other values", None, None, 30, 40), Cell("missing", None, None, 50, 60)]
    moved = tuple(Moved(f"'v{i}'", 0.1, 0.2) for i in range(25))
    page = render(Comparison(Column(cells=cells, moved=moved)))
    rows = rows_of(page, "Share of the rows")
    assert len(rows) == 1 + 12 + 2
    assert [row[0] for row in rows[1:4]] == ["'v39'", "'v38'", "'v37'"]
    assert [row[0] for row in rows[-3:]] == ["29 more, each at most 3.0 %", "other values", "missing"]
    assert sum(float(row[2].split()[0]) for row in rows[1:]) == pytest.approx(100, abs=0.5)
    # The rest has no bar, or its many small values would dwarf all others.
    assert Page(page).elements.count(("rect", {"width": "100%"})) == 1
    shown = rows_of(page, "What moved, the surest first")
    assert len(shown) == 1 + 20 + 1
    assert shown[-1][0] == "5 more"


def test_one_file_without_network(page: str) -> None:
    parsed = Page(page)
    policy = next(attrs["content"] for tag, attrs in parsed.elements if "http-equiv" in attrs)
    assert policy is not None
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed.pop("default-src") == "'none'"
    for kind in ("style", "script"):
        [source] = parsed.all(kind)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert allowed.pop(f"{kind}-src") == f"'sha256-{digest}'"
    assert allowed == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    links = {attrs[name] for _, attrs in parsed.elements for name in ("src", "href", "action") if name in attrs}
    assert {link for link in links if link and link[0] != "#"} == {"data:,"}
    assert not re.search(r"url\(|@import|https?:|//[a-z]", page)
    assert not any(name.startswith("on") or name == "style" for _, attrs in parsed.elements for name in attrs)


def test_the_same_data_give_the_same_text() -> None:
    before, now = ({"x": np.arange(3000) % k, "c": ["a", "b", "c"] * 1000} for k in (40, 50))
    assert render(dl.compare(before, now)) == render(dl.compare(before, now))


HOSTILE = [
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}",
    "--><!-- ]]> <![CDATA[",
    '"\'> onload=alert(1) x="',
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp; &#x3c;script>",
    "\0\x01\x1f\x7f\x85 ￾￿",
    "\ud800 alone",
    "\u202egnp.exe\u2066\u200f",
    "الإمارات العربية",
    "</td></tr></table></details></main>",
    "",
    " ",
    "<svg onload=alert(1)>",
    "javascript:alert(1)",
]


def described(name: str) -> Comparison:
    """Every text of a page, made of one."""
    cells = [Cell(f"'{name}'", None, None, 400, 450), Cell("missing", None, None, 600, 550)]
    texts: dict[str, Any] = {"name": name, "reference_type": name, "current_type": f"{name}!"}
    column = Column(**texts, explanation=name, reason=name, moved=(Moved(name, 0.1, 0.2),), cells=cells)
    return Comparison(column, only_in_reference=[name], only_in_current=[name])


def skeleton(source: str) -> list[tuple[str, list[str]]]:
    """Elements and their attributes' names."""
    return [(tag, list(attrs)) for tag, attrs in Page(source).elements]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_is_taken_for_markup(name: str) -> None:
    harmless = "x" if name else ""
    page = render(described(name))
    assert skeleton(page) == skeleton(render(described(harmless)))
    assert page.encode()
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


@given(st.text(min_size=1, max_size=50))
def test_no_text_at_all_is_taken_for_markup(name: str) -> None:
    page = render(described(name))
    assert skeleton(page) == SKELETON
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    assert Page(page).all("h3") == [shown]


SKELETON = skeleton(render(described("x")))


def test_long_names_are_shortened_and_written_out_once() -> None:
    name = "a" * 9_990 + "<b>" + "z" * 7
    page = render(Comparison(Column(name=name, verdict="stable")))
    assert Page(page).all("h3") == ["a" * 57 + "..."]
    assert Page(page).all("span", class_="name") == [name]
    assert len(page) < 2 * len(name) + 25_000


def test_a_thousand_columns_are_below_2_mb(rng: np.random.Generator) -> None:
    words = [
        f"{word}_{i}" for i in range(3) for word in ("north", "south", "premium", "basic", "trial", "web", "mobile")
    ]
    shapes: list[Any] = [
        lambda n: rng.normal(50, 10, n),
        lambda n: rng.lognormal(3, 1.5, n),
        lambda n: rng.poisson(40, n),
        lambda n: [words[i] for i in rng.integers(0, 21, n)],
    ]
    before, now = ({f"customer_{i:04}": shapes[i % 4](2000) for i in range(1000)} for _ in range(2))
    for i in range(0, 1000, 12):
        now[f"customer_{i:04}"] += 5
    compared = dl.compare(before, now)
    assert 80 <= len(compared.drifted) <= 90
    page = render(compared)
    assert len(page.encode()) < 2_000_000
    # Hardly any of them has to be brief for it.
    assert page.count("<details") == 1000
    assert page.count("<h4>Statistics") > 900
    assert page.count("<figure>") > 650


def test_what_would_be_larger_than_2_mb_is_brief_at_its_end() -> None:
    cells = [Cell(f"'{'数' * 60}{i}'", None, None, 10, 10) for i in range(30)]
    columns = [
        Column(name=f"{'列' * 55}{i:04}", cells=cells, verdict="stable" if i % 4 else "drift", effect=1 / (i + 1))
        for i in range(1000)
    ]
    page = render(Comparison(*columns))
    assert 1_900_000 < len(page.encode()) < 2_000_000
    whole, brief = page.split("The columns below are without pictures and tables")
    assert whole.count("<details class=changed") == 250
    assert whole.count("<details") == whole.count("<h4>Statistics")
    assert brief.count("<details class=stable") == 1000 - whole.count("<details") > 0
    assert "<h4>" not in brief
    assert page.count("<tr class=") == 1000


def shares(values: Any, edges: Sequence[float]) -> Any:
    return np.histogram(values, edges)[0] / len(values)


def drawn(before: Any, now: Any) -> Any:
    column = dl.compare({"x": before}, {"x": now})["x"]
    return picture(column.cells, column.quantiles)


def edges_of(shown: Any) -> Any:
    return np.linspace(shown.low, shown.high, shown.intervals + 1)


def test_a_distribution_is_drawn_as_it_is(rng: np.random.Generator) -> None:
    before, now = rng.normal(size=N), rng.normal(0.5, 1.2, N)
    shown = drawn(before, now)
    assert (shown.intervals, shown.step, shown.below, shown.cut) == (33, 0, None, [])
    for side, values in zip(shown.sides, (before, now), strict=True):
        # A bin of the reference holds 3 % of its rows, and is spread evenly.
        np.testing.assert_allclose(side, shares(values, edges_of(shown)), atol=0.012)
    assert shown.low == pytest.approx(before.min())


def test_whole_numbers_are_drawn_exactly(rng: np.random.Generator) -> None:
    before, now = rng.poisson(9, N), rng.poisson(10, N)
    shown = drawn(before, now)
    assert shown.step == 1
    assert [shown.numbers(i)[0] for i in range(3)] == [shown.low + 0.5 + i for i in range(3)]
    frequent = [i for i in range(shown.intervals) if 4 <= shown.numbers(i)[0] <= 14]
    for side, values in zip(shown.sides, (before, now), strict=True):
        exact = shares(values, edges_of(shown))
        assert [side[i] for i in frequent] == [pytest.approx(exact[i]) for i in frequent]


@pytest.mark.parametrize("step", [0.5, 0.01, 0.1])
def test_a_lattice_is_found(step: float, rng: np.random.Generator) -> None:
    shown = drawn(*(rng.integers(0, 21, N) * step for _ in range(2)))
    assert shown.step == pytest.approx(step)
    assert shown.intervals == 21
    np.testing.assert_allclose(shown.sides[0], 1 / 21, atol=0.01)


def test_heavy_tails_do_not_squash_the_picture(rng: np.random.Generator) -> None:
    before, now = (rng.standard_cauchy(N) for _ in range(2))
    shown = drawn(before, now)
    # Quartiles are at -1 and 1.
    assert -7.2 < shown.low < -4
    assert 4 < shown.high < 7.2
    for outside, beyond in ((shown.below, before < shown.low), (shown.above, before > shown.high)):
        assert outside.shares[0] == pytest.approx(beyond.mean(), abs=0.003)
    page = render(dl.compare({"x": before}, {"x": now}))
    assert re.search(r"<br>Not drawn: below -\d\.\d+ \d\.\d % → \d\.\d %; above \d\.\d+ \d\.\d % → \d\.\d %", page)


def test_a_frequent_value_is_cut_off_so_that_the_others_show(rng: np.random.Generator) -> None:
    before, now = (np.where(rng.random(N) < zeros, 0, rng.exponential(50, N)) for zeros in (0.8, 0.7))
    shown = drawn(before, now)
    assert shown.cut == [0]
    assert shown.sides[0][0] == pytest.approx(0.8, abs=0.03)
    assert shown.high > 150
    assert max(max(side[1:]) for side in shown.sides) > shown.top / 4
    page = render(dl.compare({"x": before}, {"x": now}))
    assert re.search(r"<br>Higher than drawn \(↑\): 0 to \d\.\d+ 8\d\.\d % → 7\d\.\d %", page)
    assert len(re.findall("<text[^>]*>↑</text>", page)) == 1


def test_what_lies_beyond_the_reference_is_drawn_by_its_quantiles(rng: np.random.Generator) -> None:
    before, now = rng.normal(size=N), rng.normal(100, 1, N)
    shown = drawn(before, now)
    assert 101 < shown.high < 104
    assert sum(shown.sides[1][-2:]) == pytest.approx(0.99, abs=0.03)
    assert shown.above.shares == (0, pytest.approx(0.01, abs=0.001))


def test_few_values_are_bars_and_no_picture(rng: np.random.Generator) -> None:
    for values in (np.ones(N), rng.integers(0, 12, N), rng.choice([0.1, 0.7, 3.14], N), np.full(N, np.nan)):
        assert drawn(values, values) is None
    assert drawn(rng.integers(0, 14, N), rng.integers(0, 14, N)) is not None


def test_numbers_as_large_or_small_as_can_be_break_nothing(rng: np.random.Generator) -> None:
    for scale in (1.7e308, 1e307, 1e-310, 5e-324, 1e16):
        before, now = (np.append(rng.uniform(-1, 1, 2000) * scale, [scale, -scale]) for _ in range(2))
        page = render(dl.compare({"x": before}, {"x": now + scale / 10 * (scale < 1e308)}))
        assert not re.search(r"=[^>]*\b(inf|nan)\b", page)


numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.tuples(st.integers(0, 1000), st.integers(0, 1000))


@st.composite
def columns(draw: Any) -> tuple[list[Cell], list[tuple[float, float, float]] | None]:
    """Bins as an engine might give, with gaps, and with edges just below values."""
    edges = set(draw(st.lists(numbers | st.integers(-50, 50).map(float), min_size=1, max_size=30)))
    for edge in draw(st.lists(st.sampled_from(sorted(edges)), max_size=5)):
        edges.add(math.nextafter(edge, -math.inf))
    ends = [-math.inf, *sorted(edge for edge in edges if math.isfinite(edge)), math.inf]
    cells = [Cell("bin", low, high, *draw(counts)) for low, high in pairwise(ends)]
    cells = [cell for cell in cells if cell.reference + cell.current]
    cells.append(Cell("missing", None, None, 1, 1))
    values = [sorted(draw(st.lists(numbers, min_size=3, max_size=3))) for _ in range(2)]
    quantiles = [(q, *pair) for q, pair in zip((0.05, 0.5, 0.95), zip(*values, strict=True), strict=True)]
    return cells, draw(st.sampled_from([quantiles, None]))


@given(columns())
def test_a_picture_holds_every_row_once(column: tuple[list[Cell], list[tuple[float, float, float]] | None]) -> None:
    cells, quantiles = column
    shown = picture(cells, quantiles)
    if shown is None:
        return
    for side, name in enumerate(("reference", "current")):
        rows = sum(getattr(cell, name) for cell in cells)
        numbers = sum(getattr(cell, name) for cell in cells if cell.low is not None)
        outside = sum(part.shares[side] for part in (shown.below, shown.above) if part is not None)
        assert sum(shown.sides[side]) + outside == pytest.approx(numbers / rows)
        assert min(shown.sides[side]) >= -1e-12
    assert 2 <= shown.intervals <= 33
    assert shown.top > 0
    assert shown.low < shown.high


@given(numbers, numbers, st.sampled_from([0.0, 1.0, 0.5]))
def test_ticks_are_few_round_and_inside(low: float, width: float, step: float) -> None:
    high = low + max(abs(width), abs(low) * 1e-9, 4 * step, 1e-290)
    if not math.isfinite(high - low):
        return
    found = ticks(low, high, step)
    slack = (high - low) * 1e-6
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert 1 <= len(found) <= 6
    if step:
        assert all((tick / step).is_integer() for tick in found)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (0.3, 1.2, [0.4, 0.6, 0.8, 1.0, 1.2]),
        (-7, 7, [-5, 0, 5]),
        (10_011, 109_564, [20_000, 40_000, 60_000, 80_000, 100_000]),
    ],
)
def test_ticks_are_round(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high, 0) == pytest.approx(found)


def test_profiles_lists_and_missing_rows(tmp_path: Any) -> None:
    table = pa.table(
        {
            "tags": pa.array([[float(i % 9)] * (i % 3) for i in range(3000)]),
            "part": pa.array([None if i % 3 else float(i) for i in range(3000)]),
            "none": pa.nulls(3000),
        }
    )
    dl.profile(table).save(tmp_path / "p.parquet")
    page = render(dl.compare(tmp_path / "p.parquet", table))
    assert rows_of(section_of(page, "part"), "Rows without a number")[1][:3] == ["missing", "66.7 %", "66.7 %"]
    assert {name for name in ("tags", "tags[]", "part", "none") if f">{name}</a>" in page} >= {"tags", "part", "none"}
    assert Page(page)
