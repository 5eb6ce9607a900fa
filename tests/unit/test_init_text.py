"""The file that is written says what was guessed, and is read without mistakes."""

import pathlib
from datetime import datetime, timedelta

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from driftline._config import First, FirstQuarter, config_of, read_config
from driftline._config.yaml_text import read_yaml
from driftline._init.facts import look
from driftline._init.guess import guess
from driftline._init.text import _scalar, config_text

pl = pytest.importorskip("polars")
NOW_US = 1_800_000_000_000_000


def written(frame: "pl.DataFrame", folder: pathlib.Path, **options: str | None) -> str:
    path = folder / "log.parquet"
    frame.write_parquet(path)
    facts = look([str(path)], now_us=NOW_US)
    return config_text(facts, guess(facts, now_us=NOW_US), monitor="m", data=["log.parquet"], home=options.get("home"))


def log(rows: int = 600, **columns: list[object]) -> "pl.DataFrame":
    return pl.DataFrame({"ts": [datetime(2026, 3, 1) + timedelta(hours=4 * i) for i in range(rows)], **columns})


def test_every_key_has_a_comment_and_defaults_are_shown(tmp_path: pathlib.Path) -> None:
    text = written(
        log(
            request_id=[f"r{i}" for i in range(600)],
            y_pred=[i % 2 for i in range(600)],
            score=[i / 600 for i in range(600)],
            model_version=["a", "b"] * 300,
            country=["FR", "DE"] * 300,
            target=[0, 1] * 300,
        ),
        tmp_path,
    )
    lines = text.splitlines()
    for number, line in enumerate(lines):
        is_key = ":" in line and not line.strip().startswith(("#", "-"))
        # Each stands below its comment.
        assert not is_key or lines[number - 1].strip().startswith("#"), line
        assert len(line) <= 100
    path = tmp_path / "driftline.yaml"
    path.write_text(text, encoding="utf-8")
    config = read_config(path)
    assert config.columns.model_dump(exclude_defaults=True) == {
        "time": "ts",
        "id": "request_id",
        "prediction": "y_pred",
        "probability": "score",
        "version": "model_version",
        "ignore": ["target"],
    }
    assert isinstance(config.reference, FirstQuarter)
    plain = config_of({"data": [], "columns": {"time": "ts"}})
    for key in ("lateness", "tolerance", "false_alarms", "segment_limit", "timezone", "checks"):
        assert getattr(config, key) == getattr(plain, key)
    # What is suggested reads as well: take the `#` away.
    path.write_text(text.replace("  # segments:", "  segments:"), encoding="utf-8")
    assert read_config(path).columns.segments == (("country",),)
    path.write_text(text.replace("reference: first quarter", "reference: first 8 weeks"), encoding="utf-8")
    assert isinstance(read_config(path).reference, First)


def test_names_of_columns_may_be_anything(tmp_path: pathlib.Path) -> None:
    odd = ["a: #b", "- c", 'say "no"\n# x', "*", "no", "12", "Länd 🇫🇷", "'", "{d}", "\x85", " "]
    text = written(log(**{name: [f"text {i}" for i in range(600)] for name in odd}), tmp_path)
    path = tmp_path / "driftline.yaml"
    path.write_text(text, encoding="utf-8")
    assert sorted(read_config(path).columns.ignore) == sorted(odd)


@given(st.text(min_size=1))
@example("true")
@example("1e5")
@example(".5")
@example("2026-03-01")
@example("a ")
@example("---")
@example(".inf")
def test_a_scalar_is_read_back(text: str) -> None:
    assert read_yaml(f"key: {_scalar(text)}")[0] == {"key": text}
    assert yaml.safe_load(f"- {_scalar(text)}") == [text]
