"""Everything that the documentation shows is run, and must print what is shown there.

A page is one test: its examples build on each other, in a folder that is empty when the page begins.
"""

import doctest
import importlib
import json
import pathlib
import pkgutil
import re
import shutil
import subprocess
import sysconfig

import pytest
from s3_bucket import make_bucket
from sybil import Document, Example
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.myst import CodeBlockParser
from sybil.parsers.myst import PythonCodeBlockParser as PythonParser

import driftline as dl
from driftline._config import Check, Columns, Config, Every, Rate, config_of, read_config
from driftline._config.units import parse_share

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

DATA_OF = {
    "guides/monitor-bikes.md": "bike_sharing_hour.parquet",
    "guides/monitor-electricity.md": "electricity.parquet",
    "guides/monitor-weather.md": "weather.parquet",
}
"""Published data that pages show, which lie beside the repository; without them these pages are skipped."""


BUCKET_OF = {"reference/store.md": "our-bucket"}
"""Buckets that pages write into, on a server of this machine."""


class PyconParser:
    """Python sessions: `>>>` and what it prints."""

    def __init__(self) -> None:
        self._sessions = DocTestStringParser(DocTestEvaluator(FLAGS))
        self._blocks = CodeBlockParser("pycon", lambda example: None)

    def __call__(self, document: Document):
        for block in self._blocks(document):
            for region in self._sessions(block.parsed, document.path):
                region.adjust(block, block.parsed)
                yield region


def run_console(example: Example) -> str | None:
    """Runs the `$ ` lines of a block and compares what each prints, errors included, with the lines below it."""
    for session in re.split(r"^\$ ", str(example.parsed), flags=re.MULTILINE)[1:]:
        command, _, expected = session.partition("\n")
        done = subprocess.run(
            ["sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            env={"PATH": f"{sysconfig.get_path('scripts')}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        if not doctest.OutputChecker().check_output(expected.rstrip("\n") + "\n", done.stdout, FLAGS):
            return f"$ {command}\nexpected:\n{expected}\ngot:\n{done.stdout}"
        # A page that shows no output does not show an error either.
        if not expected.strip() and done.returncode:
            return f"$ {command}\nended with {done.returncode}"
    return None


PARSERS = (PyconParser(), PythonParser(doctest_optionflags=FLAGS), CodeBlockParser("console", run_console))


def run_page(page: pathlib.Path) -> int:
    """Runs all examples of a page; tells how many there are."""
    examples = list(Document.parse(str(page), *PARSERS).examples())
    for example in examples:
        example.evaluate()
    return len(examples)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_page(
    page: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    if (data := DATA_OF.get(str(page.relative_to(ROOT / "docs")))) is not None:
        shutil.copy(request.getfixturevalue("shared") / "data" / data, tmp_path)
    if (bucket := BUCKET_OF.get(str(page.relative_to(ROOT / "docs")))) is not None:
        request.getfixturevalue("s3")
        make_bucket(request.getfixturevalue("s3_server"), bucket)
    shown = len(re.findall(r"^```(?:pycon|python|console)$", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert run_page(page) >= shown


def test_readme(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README speaks of the reader's own files; here they are a few rows with its columns."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.chdir(tmp_path)
    rows = pyarrow.table({"amount": [float(i) for i in range(200)], "country": ["FR", "DE"] * 100})
    pathlib.Path("logs").mkdir()
    for name in ("logs/monday.parquet", "logs/tuesday.parquet", "train.parquet"):
        parquet.write_table(rows, name)
    assert run_page(ROOT / "README.md") >= 1


def modules() -> list[str]:
    return ["driftline", *(module.name for module in pkgutil.walk_packages(dl.__path__, "driftline."))]


@pytest.mark.parametrize("name", modules())
def test_docstrings(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name), optionflags=FLAGS).failed == 0


def test_docstrings_have_examples() -> None:
    found = [t for name in modules() for t in doctest.DocTestFinder().find(importlib.import_module(name))]
    assert sum(len(test.examples) for test in found) >= 10


def test_a_wrong_page_fails(tmp_path: pathlib.Path) -> None:
    for wrong in ("```pycon\n>>> 1 + 1\n3\n```\n", "```console\n$ echo one\ntwo\n```\n", "```console\n$ exit 3\n```\n"):
        page = tmp_path / "wrong.md"
        page.write_text(wrong, encoding="utf-8")
        with pytest.raises(Exception, match=r"(?s)(3|two|ended)"):
            run_page(page)


@pytest.mark.skipif(shutil.which("sphinx-build") is None, reason="sphinx is not installed: pip install '.[docs]'")
def test_the_site_builds(tmp_path: pathlib.Path) -> None:
    command = ["sphinx-build", "-W", "-n", "--keep-going", "-q", "-b", "html", ROOT / "docs", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_profile_table_page_names_every_column() -> None:
    page = (ROOT / "docs" / "reference" / "profile-table.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", page, re.MULTILINE)
    schema = dl.profile({"x": [1.0]}).to_arrow().schema
    assert documented == [(field.name, str(field.type)) for field in schema]
    assert {key.decode() for key in schema.metadata} == set(
        re.findall(r"^\| `(driftline\.\w+)` \|", page, re.MULTILINE)
    )


@pytest.mark.parametrize("command", ["profile", "compare", "init", "monitor", "status", "demo"])
def test_the_command_line_page_names_every_option(command: str) -> None:
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    section = page.split(f"## driftline {command}\n")[1].split("\n## ")[0]
    documented = {word for line in section.splitlines() if line.startswith("| `") for word in option_names(line[:40])}
    script = pathlib.Path(sysconfig.get_path("scripts")) / "driftline"
    shown = subprocess.run([script, command, "--help"], capture_output=True, text=True, check=True).stdout
    assert documented == option_names(shown)


def option_names(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


def configuration_blocks(kind: str) -> list[str]:
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_the_files_on_the_configuration_page_are_read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIFTLINE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    path = pathlib.Path("driftline.yaml")
    shortest, whole, wrong = configuration_blocks("yaml")
    path.write_text(shortest, encoding="utf-8")
    defaults = read_config(path)
    path.write_text(whole, encoding="utf-8")
    config = read_config(path)
    shown = ("window", "lateness", "tolerance", "false_alarms", "timezone", "segment_limit", "home")
    assert [getattr(config, key) for key in shown] == [getattr(defaults, key) for key in shown]
    assert set(Config.model_fields) == config.model_fields_set
    path.write_text(wrong, encoding="utf-8")
    with pytest.raises(dl.errors.ConfigError) as caught:
        read_config(path)
    assert [f"{caught.value}\n"] == configuration_blocks("text")
    (toml,) = configuration_blocks("toml")
    pathlib.Path("driftline.toml").write_text(toml, encoding="utf-8")
    assert read_config("driftline.toml").tolerance == 0.05


@pytest.mark.parametrize(("section", "model"), [("Keys", Config), ("columns", Columns), ("checks", Check)])
def test_the_configuration_page_names_every_key(section: str, model: type) -> None:
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    rows = page.split(f"## {section}\n")[1].split("\n## ")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", rows, re.MULTILINE))
    assert list(documented) == list(model.model_fields)
    for name, field in model.model_fields.items():
        if field.is_required():
            assert documented[name] == "required"
        elif isinstance(field.default, str | bool | int):
            assert documented[name] == f"`{json.dumps(field.default).strip(chr(34))}`"


def test_the_configuration_page_reads_every_reference_and_unit() -> None:
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    written = re.findall(r"^\| (`.+?) \|", page.split("## reference\n")[1].split("\n## ")[0], re.MULTILINE)
    for reference in re.findall(r"`([^`]+)`", " ".join(written)):
        config_of({"data": [], "columns": {"time": "t"}, "window": "1 hour", "reference": reference.strip("[]")})
    values = page.split("## How values are written\n")[1].split("\n## ")[0]
    for kind, parse in (("length of time", Every.parse), ("rate", Rate.parse), ("share", parse_share)):
        (row,) = re.findall(rf"^\| {kind} \| (.+?) \|", values, re.MULTILINE)
        assert all(parse(text) for text in re.findall(r"`([^`]+)`", row))
