"""What `driftline.yaml` says is what the model holds, from a file and from arguments."""

import os
import pathlib
import pickle
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftline as dl
from driftline._config import (
    Check,
    Columns,
    Config,
    Every,
    Files,
    First,
    FirstQuarter,
    Rate,
    config_of,
    read_config,
)
from driftline._config.values import name_of_folder
from driftline._config.yaml_text import read_yaml

WHOLE = """
monitor: churn
data: [logs/**/*.parquet, s3://bucket/logs]
columns:
  time: ts
  id: request_id
  prediction: y_pred
  probability: p
  version: model
  segments: [country, [country, device]]
  ignore: [comment]
reference: first 8 weeks
timezone: Europe/Paris
segment_limit: 20
window: 24 hours
lateness: 2 days
tolerance: 5%
false_alarms: 3 per month
checks:
  age: {min: 0, max: 120, nulls: 1%}
  request_id: {unique: true}
  country: {allowed: [FR, DE, NO]}
home: results
"""

AS_TOML = """
monitor = "churn"
data = ["logs/**/*.parquet", "s3://bucket/logs"]
reference = "first 8 weeks"
timezone = "Europe/Paris"
segment_limit = 20
window = "24 hours"
lateness = "2 days"
tolerance = 0.05
false_alarms = "3 per month"
home = "results"
[columns]
time = "ts"
id = "request_id"
prediction = "y_pred"
probability = "p"
version = "model"
segments = ["country", ["country", "device"]]
ignore = ["comment"]
[checks]
age = { min = 0, max = 120, nulls = "1%" }
request_id = { unique = true }
country = { allowed = ["FR", "DE", "NO"] }
"""

SHORTEST = "data: logs\ncolumns: {time: ts}\n"


@pytest.fixture(autouse=True)
def _no_home_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIFTLINE_HOME", raising=False)


def read(folder: pathlib.Path, text: str, name: str = "driftline.yaml") -> Config:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_every_key(tmp_path: pathlib.Path) -> None:
    config = read(tmp_path, WHOLE)
    assert config.monitor == "churn"
    assert config.data == (f"{tmp_path}/logs/**/*.parquet", "s3://bucket/logs")
    assert config.columns == Columns(
        time="ts",
        id="request_id",
        prediction="y_pred",
        probability="p",
        version="model",
        segments=["country", ["country", "device"]],
        ignore=["comment"],
    )
    assert config.columns.segments == (("country",), ("country", "device"))
    assert config.reference == First(Every(8, "week"))
    assert (config.timezone, config.segment_limit, config.tolerance) == ("Europe/Paris", 20, 0.05)
    assert (config.window, config.lateness, config.lateness_s) == (Every(24, "hour"), Every(2, "day"), 172_800)
    assert config.false_alarms == Rate(3, "month")
    assert config.checks["age"] == Check(min=0, max=120, nulls=0.01)
    assert config.checks["country"].allowed == ("FR", "DE", "NO")
    assert config.home == f"{tmp_path}/results"


def test_defaults(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "churn of clients"
    folder.mkdir()
    config = read(folder, SHORTEST)
    assert config.monitor == "churn-of-clients"
    assert (config.window, config.lateness_s, config.false_alarms) == (Every(1, "day"), 3600, Rate(1, "year"))
    assert (config.tolerance, config.segment_limit, config.timezone) == (0.02, 50, "UTC")
    assert (config.reference, config.checks) == (FirstQuarter(), {})
    assert config.columns == Columns(time="ts")
    assert config.home == f"{folder}/.driftline"


def test_toml_says_the_same(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, AS_TOML, "driftline.toml") == read(tmp_path, WHOLE, "driftline.yml")


def test_arguments_say_the_same(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values, _, _ = read_yaml(WHOLE)
    assert config_of(values) == read(tmp_path, WHOLE)
    config = config_of(
        {
            "data": pathlib.Path("logs"),
            "columns": {"time": "ts"},
            "reference": [pathlib.Path("train.parquet")],
            "window": timedelta(hours=6),
            "tolerance": 0.01,
            "timezone": None,
        }
    )
    assert config.data == (f"{tmp_path}/logs",)
    assert config.reference == Files((f"{tmp_path}/train.parquet",))
    assert (config.window, config.tolerance, config.timezone) == (Every(6, "hour"), 0.01, "UTC")
    assert config.monitor == name_of_folder(tmp_path)


def test_rows_handed_over_in_python_need_no_files() -> None:
    assert config_of({"data": [], "columns": {"time": "ts"}}).data == ()


def test_what_is_written_out_is_read_again(tmp_path: pathlib.Path) -> None:
    for text in (WHOLE, SHORTEST, SHORTEST + "reference: [a.parquet, b.parquet]\n"):
        config = read(tmp_path, text)
        for mode in ("python", "json"):
            assert Config.model_validate(config.model_dump(mode=mode, exclude_none=True)) == config


def test_relative_paths_are_relative_to_the_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "driftline.yaml").write_text(
        "data: [../logs, /all/*.csv, 's3://bucket/*', ~/logs]\ncolumns: {time: ts}\nreference: train.parquet\n"
    )
    monkeypatch.chdir(tmp_path)
    config = read_config("conf/driftline.yaml")
    home = pathlib.Path.home()
    assert config.data == (f"{tmp_path}/conf/../logs", "/all/*.csv", "s3://bucket/*", f"{home}/logs")
    assert config.reference == Files((f"{tmp_path}/conf/train.parquet",))
    assert config.home == f"{tmp_path}/conf/.driftline"


def test_the_name_of_the_folder_is_no_glob(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "prod[1]"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "a.csv").write_text("x\n1\n2\n")
    config = read(folder, "data: [logs/*.csv, logs/a.csv]\ncolumns: {time: ts}\n")
    assert config.home == f"{folder}/.driftline"
    assert [dl.profile(path).rows for path in config.data] == [2, 2]


def test_home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "driftline.yaml"
    path.write_text(SHORTEST + "home: results\n")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert read_config(path).home == f"{tmp_path}/results"
    monkeypatch.setenv("DRIFTLINE_HOME", "")
    assert read_config(path).home == f"{tmp_path}/results"
    monkeypatch.setenv("DRIFTLINE_HOME", "around")
    assert read_config(path).home == f"{here}/around"
    assert read_config(path, home="given").home == f"{here}/given"
    assert read_config(path, home="s3://bucket/home").home == "s3://bucket/home"
    arguments: dict[str, Any] = {"data": [], "columns": {"time": "ts"}}
    assert config_of(arguments).home == f"{here}/around"
    assert config_of({**arguments, "home": "given"}).home == f"{here}/given"


def test_text_that_looks_like_something_else_stays_text(tmp_path: pathlib.Path) -> None:
    config = read(
        tmp_path,
        "data: logs\n"
        "columns: {time: on, id: no, version: 2024-01-01, prediction: 1:30, probability: y, segments: [yes, '1']}\n"
        "checks: {no: {allowed: [NO, on, 12:30:00]}, 1: {allowed: [1, 2.5, 1e3, -7]}, 2024-01-01: {allowed: [true]}}\n",
    )
    columns = config.columns
    assert (columns.time, columns.id, columns.version) == ("on", "no", "2024-01-01")
    assert (columns.prediction, columns.probability, columns.segments) == ("1:30", "y", (("yes",), ("1",)))
    assert config.checks["no"].allowed == ("NO", "on", "12:30:00")
    assert config.checks["1"].allowed == (1, 2.5, 1000.0, -7)
    assert config.checks["2024-01-01"].allowed == (True,)


def test_aliases_are_read(tmp_path: pathlib.Path) -> None:
    config = read(tmp_path, SHORTEST + "checks: {a: &share {nulls: 1e-2}, b: *share}\n")
    assert config.checks["a"] == config.checks["b"] == Check(nulls=0.01)


def test_marks_of_other_systems_are_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "driftline.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SHORTEST.replace("\n", "\r\n").encode())
    assert read_config(path).columns.time == "ts"
    path = tmp_path / "driftline.toml"
    path.write_bytes(b"\xef\xbb\xbf" + AS_TOML.replace("\n", "\r\n").encode())
    assert read_config(path).columns.time == "ts"


def test_a_whole_number_keeps_its_digits() -> None:
    config = config_of({"data": [], "columns": {"time": "ts"}, "checks": {"n": {"max": 2**63 - 1}}})
    assert config.checks["n"].max == 2**63 - 1
    assert f'"max":{2**63 - 1}' in config.model_dump_json()


@given(st.text(max_size=120))
def test_any_folder_gives_a_name(name: str) -> None:
    path = pathlib.Path("/") / name.replace("/", "")
    config = config_of({"monitor": name_of_folder(path), "data": [], "columns": {"time": "ts"}})
    assert config.monitor


def test_what_is_just_possible() -> None:
    config = config_of(
        {
            "data": [],
            "columns": {"time": "ts", "version": "model", "segments": ["model"]},
            "checks": {"n": {"min": 3, "max": 3, "nulls": 0}},
            "false_alarms": "0.9 per day",
            "reference": "trailing 1 day",
            "lateness": "0 seconds",
            "tolerance": 0,
            "segment_limit": 1,
        }
    )
    assert config.checks["n"] == Check(min=3, max=3, nulls=0)
    assert (config.lateness_s, config.tolerance) == (0, 0)


def test_a_configuration_does_not_change() -> None:
    config = config_of({"data": [], "columns": {"time": "ts"}})
    with pytest.raises(ValueError, match="frozen"):
        config.window = Every(1, "hour")  # type: ignore[misc]


def test_the_error_keeps_its_lines_through_a_pickle() -> None:
    with pytest.raises(dl.errors.ConfigError) as caught:
        config_of({"windw": "1 day"})
    error = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(error, dl.errors.InputError)
    assert error.mistakes == caught.value.mistakes
    assert len(error.mistakes) == 3


def test_no_variable_of_the_environment_but_one_is_read(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read(tmp_path, SHORTEST)
    for key in ("MONITOR", "DATA", "WINDOW", "HOME_"):
        monkeypatch.setitem(os.environ, f"DRIFTLINE_{key}", "x")
    assert read(tmp_path, SHORTEST) == before
