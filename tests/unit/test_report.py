"""The report as text: what it says, that it is one file, and that no data can break it."""

import base64
import hashlib
import html
import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftline as dl
from driftline._page.markup import text
from driftline._report import render
from tests.pages import Page, words

N = 20_000


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
    size: str = "5.0 % of rows moved (at most 6.0 %)"
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
    statistics: dict[str, float] = field(default_factory=lambda: {"psi": 0.01})

    @property
    def headline(self) -> Moved | None:
        return self.moved[0] if self.moved else None

    @property
    def all_moved(self) -> list[Moved]:
        return list(self.moved)


class Comparison(dict[str, Column]):
    """A comparison as the report takes it."""

    def __init__(self, *columns: Column, **options: Any) -> None:
        super().__init__({column.name: column for column in columns})
        self.reference_rows = self.current_rows = 1000
        self.reference_name = self.current_name = None
        self.tolerance, self.alpha, self.resolution, self.correction = 0.02, 0.05, 0.05, "bh"
        self.only_in_reference: list[str] = []
        self.only_in_current: list[str] = []
        vars(self).update(options)


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
    assert (
        "3 of 6 columns in common changed, 1 retyped, 1 gone, 1 new 20,000 reference rows, 20,000 current rows." in told
    )
    assert "3 changed it is proved that more than 2 % of the rows moved" in told
    assert "1 gone only the reference has it 1 new only the current data have it" in told
    assert "at most 5 % are expected to be false findings (Benjamini-Hochberg)" in told
    assert Page(page).all("title") == ["driftline: 3 of 6 columns in common changed, 1 retyped, 1 gone, 1 new"]


def test_what_was_compared_is_named_and_why_it_is_undecided(tmp_path: pathlib.Path) -> None:
    names = [tmp_path / f"{name}.csv" for name in ("may", "<june>")]
    for name in names:
        name.write_text("x\n" + "".join(f"{i % 7}\n" for i in range(60)))
    page = render(dl.compare(names[0], [names[1], names[1]], ["x"]))
    assert f"60 reference rows from {names[0]} , 120 current rows from {names[1]} and 1 more ." in words(page)
    told = "Share of the rows that moved, thin up to its upper bound; the mark is the tolerance, 2 %"
    (row,) = rows_of(page, told)[1:]
    assert row[1].startswith("x 60 rows of the reference may show a change, but never exclude 2 %")


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
    return re.findall("<svg role=none>(.*?)</svg>", source.split("<h2>Columns")[0])


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


def test_of_columns_that_are_not_judged_those_that_lack_rows_come_first() -> None:
    quiet = Column(name="quiet", verdict="not judged", reason="a time", explanation="", effect=None, moved=())
    lacking = Column(
        name="lacking", verdict="not judged", reason="a time", effect=None, moved=(Moved("missing", 0, 0.2),)
    )
    page = render(Comparison(quiet, lacking))
    assert Page(page).all("h3") == ["lacking", "quiet"]
    assert "A time." in words(section_of(page, "quiet"))
    assert "a time; missing : 0 % → 20.0 %" in words(page)


def test_times_are_dates(page: str) -> None:
    quantiles = rows_of(section_of(page, "when"), "Quantiles")
    assert quantiles[1] == ["1 %", "2026-01-01 03:18:00", "2026-04-01 03:17:00"]
    assert "time, timestamp[us]" in section_of(page, "when")


def test_statistics_stand_with_what_belongs_to_them() -> None:
    known = {
        "psi": 0.0123,
        "psi_debiased": 0.01,
        "psi_lower": 0.009,
        "psi_upper": 0.02,
        "psi_null_95": 0.004,
        "hellinger": 0.2,
        "hellinger_debiased": 0.1,
        "hellinger_null_95": 0.3,
        "wasserstein": 3.0,
        "wasserstein_lower": 3.0,
        "wasserstein_upper": 3.0,
        "chi_square": 80.0,
        "chi_square_df": 12.0,
        "missing_change": 0.0,
        "a_new<one": 5.0,
    }
    pairs = re.findall("<dt>(.*?)<dd>([^<]*)", render(Comparison(Column(statistics=known, p_value=0.0))))
    assert pairs == [
        ("p-value", "&lt; 1e-300"),
        ("p-value, corrected", "2e-09"),
        ("PSI, nats", "0.0123, debiased 0.01 (0.009 to 0.02)"),
        ("Hellinger", "0.2, chance 0.3"),
        ("Wasserstein", "3"),
        ("chi-square", "80, df 12"),
        ("a new&lt;one", "5"),
    ]
    assert "<dt>missing change<dd>0.25" in render(Comparison(Column(statistics={"missing_change": 0.25})))


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (["drift"], "1 of 1 column changed"),
        (["undecided", "stable", "undecided"], "No change of values is proved, 2 of 3 columns undecided"),
        (["stable", "not judged"], "None of 2 columns changed"),
        (["not judged"], "None of 1 column could be judged"),
    ],
)
def test_the_result_without_changes(verdicts: list[str], told: str) -> None:
    columns = [Column(name=f"c{i}", verdict=verdict, moved=[]) for i, verdict in enumerate(verdicts)]
    assert Page(render(Comparison(*columns))).all("h1") == [told]


def test_an_id_that_lacks_rows_is_in_the_headline() -> None:
    columns = [Column(name="x", verdict="stable", moved=[]), Column(name="id", verdict="not judged")]
    told = "None of 2 columns changed, 1 not judged with other missing rows or lengths"
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
    assert page.count("<rect", page.index("<h2>Columns")) == 2 * (len(rows) - 2)
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


def test_text_can_stand_in_an_attribute() -> None:
    assert text("\" > <'&") == "&quot; &gt; &lt;'&amp;"
    assert text("a" * 300 + "z" * 300) == "a" * 249 + "..." + "z" * 248


def test_long_names_are_shortened_and_written_out_once() -> None:
    name = "a" * 9_990 + "<b>" + "z" * 7
    page = render(Comparison(Column(name=name, verdict="stable")))
    assert Page(page).all("h3") == ["a" * 29 + "..." + "a" * 18 + "<b>" + "z" * 7]
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
    assert page.count("<figure>") > 700


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


def test_a_name_without_letters_can_be_seen() -> None:
    table = {"": [1, 2] * 500, " ": [3] * 1000}
    c = dl.compare(table, {"": [5, 6] * 500})
    assert 'CHANGED  ""' in repr(c)
    assert 'GONE     " "' in repr(c)
    (changed, gone) = rows_of(
        render(c), "Share of the rows that moved, thin up to its upper bound; the mark is the tolerance, 2 %"
    )[1:]
    assert (changed[1].split()[0], gone[1][:3]) == ('""', '" "')
