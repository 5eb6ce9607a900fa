"""The JSON Schema of `driftline.yaml` takes what the models take, and editors find words in it."""

import json
import pathlib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import driftline as dl
from driftline._config import config_of, json_schema
from driftline._config.model import LATER
from driftline._config.yaml_text import read_yaml

COMMITTED = pathlib.Path(__file__).parents[2] / "docs" / "reference" / "driftline.schema.json"
VALIDATOR = Draft202012Validator(json_schema())

AGREED = """
monitor: churn
data: logs/**/*.parquet                          # Parquet, JSON lines, CSV, a Delta table; s3:// and friends
columns: {time: ts, id: request_id, prediction: y_pred, probability: p, version: model, segments: [country]}
reference: first 8 weeks                         # default: first quarter of the span
timezone: UTC                                    # `1 day` is a calendar day there, `24 hours` a duration
segment_limit: 50                                # the rest is pooled
window: 1 day
lateness: 1 hour
tolerance: 2%                                    # of the rows; smaller changes do not matter
false_alarms: 1 per year                         # over everything this monitor watches
checks: {age: {min: 0, max: 120, nulls: 1%}, request_id: {unique: true}}
"""


def values(text: str) -> Any:
    return read_yaml(text)[0]


def test_it_is_a_schema() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["required"]) == {"data", "columns"}


def test_the_committed_file_is_the_generated_one() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == json_schema(), "run: make schema"


def test_every_key_is_described() -> None:
    schema = json_schema()
    for model in (schema, *schema["$defs"].values()):
        assert model["additionalProperties"] is False
        for name, field in model["properties"].items():
            told = field if "$ref" not in field else schema["$defs"][field["$ref"].rpartition("/")[2]]
            assert told["description"].endswith("."), name
            assert told["title"], name
            assert field["examples"], name


def test_examples_and_defaults_are_valid() -> None:
    schema = json_schema()
    for model in (schema, *schema["$defs"].values()):
        for name, field in model["properties"].items():
            validator = Draft202012Validator({**field, "$defs": schema["$defs"]})
            for example in field["examples"]:
                validator.validate(example)
            if "default" in field:
                validator.validate(field["default"])
                if model is schema:
                    config_of({"data": [], "columns": {"time": "t"}, name: field["default"]})


@pytest.mark.parametrize(
    "text",
    [
        AGREED,
        "data: [a.csv, b.csv]\ncolumns: {time: ts, segments: [a, [a, b]], features: [x]}\n",
        "data: []\ncolumns: {time: ts}\ntolerance: 0.05\nreference: [a.parquet]\nchecks: {a: {allowed: [1, 2]}}\n",
        "data: a\ncolumns: {time: ts}\nwindow: 15 minutes\nlateness: 0 seconds\nfalse_alarms: 0.5 per week\n",
    ],
)
def test_what_the_models_take_is_valid(text: str) -> None:
    config_of(values(text))
    VALIDATOR.validate(values(text))


@pytest.mark.parametrize(
    "text",
    [
        "window: 24h",
        "window: 3600",
        "window: 1 fortnight",
        "tolerance: 2",
        "tolerance: much",
        "false_alarms: 3",
        "segment_limit: 0",
        "segment_limit: '5'",
        "monitor: a/b",
        "checks: {a: {min: x}}",
        "checks: {a: {mn: 3}}",
        "checks: {a: {unique: yes}}",
        "checks: {a: {min: }}",
        "columns: {tme: ts}",
        "columns: {time: ts, segments: country}",
        "columns: {time: ts, segments: [[]]}",
        "reference: 3",
        "home: 3",
        "nonsense: 3",
        *(f"{key}: x" for key in LATER),
    ],
)
def test_what_the_models_refuse_is_invalid(text: str) -> None:
    refused = {"data": "logs", "columns": {"time": "ts"}} | values(text)
    with pytest.raises(dl.errors.ConfigError):
        config_of(refused)
    assert not VALIDATOR.is_valid(refused)
