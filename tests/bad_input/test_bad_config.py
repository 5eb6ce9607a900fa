"""What a configuration must not say is told in one line each: file, line, key, what was found, what was expected."""

import pathlib
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftline as dl
from driftline._config import config_of, read_config
from driftline._config.yaml_text import YamlError, read_yaml

GOOD = "data: logs\ncolumns: {time: ts}\n"


def told(folder: pathlib.Path, text: str | bytes, name: str = "driftline.yaml") -> list[str]:
    """The mistakes in a file, without its folder."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(dl.errors.ConfigError) as caught:
        read_config(path)
    mistakes = caught.value.mistakes
    assert all(mistake.startswith(f"{path}:") and mistake.isprintable() for mistake in mistakes)
    return [mistake.removeprefix(f"{folder}/") for mistake in mistakes]


def test_all_mistakes_at_once_in_the_order_of_the_lines(tmp_path: pathlib.Path) -> None:
    text = """
monitr: churn
data: 7
columns:
  tme: ts
  id: 3
  segments: [country, [a, a], [], 5]
timezone: Europe/Pariss
segment_limit: 0
window: 24h
tolerance: 2
labels: {data: labels}
window: 2 days
checks:
  age:
    max: 1
    min: 5
  zip:
    uniqe: true
"""
    assert told(tmp_path, text) == [
        "driftline.yaml:2: monitr is no key: did you mean monitor?",
        "driftline.yaml:3: data is 7: write a path or a URL",
        "driftline.yaml:4: columns.time is missing: give it, such as ts",
        "driftline.yaml:5: columns.tme is no key: did you mean time?",
        "driftline.yaml:6: columns.id is 3: write the name of a column, in quotes where it looks like something else",
        "driftline.yaml:7: columns.segments[1][1] is there already, at [0]: keep one",
        "driftline.yaml:7: columns.segments[2] is []: a combination has at least one column",
        "driftline.yaml:7: columns.segments[3] is 5: write the name of a column, in quotes where it looks like "
        "something else",
        'driftline.yaml:8: timezone is "Europe/Pariss": no such time zone: did you mean Europe/Paris?',
        "driftline.yaml:9: segment_limit is 0: write a whole number of 1 or more",
        "driftline.yaml:10: window is there twice, in line 10 and in line 13: keep one",
        'driftline.yaml:10: window is "24h": write 24 hours',
        "driftline.yaml:11: tolerance is 2: write a share of the rows, 0 to below 1, such as 2% or 0.02",
        "driftline.yaml:12: labels is for later: driftline does not join labels yet, take the key out",
        "driftline.yaml:17: checks.age.min is 5, above max, which is 1",
        "driftline.yaml:19: checks.zip.uniqe is no key: did you mean unique?",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("monitor: 2024", "monitor is 2024: write a name, in quotes where it looks like something else"),
        ("monitor: a/b", 'monitor is "a/b": a name has at most 100 of A-Z'),
        ("reference: churn@production", 'reference is "churn@production": versions of models come with the registry'),
        ("reference: frist 8 weeks", 'reference is "frist 8 weeks": write first 8 weeks, trailing 8 weeks'),
        ("reference: []", "reference is []: name at least one path"),
        ("reference: [a.parquet, 3]", "reference[1] is 3: write a path or a URL"),
        ("reference: {a: b}", "reference is a mapping: write a path or a URL"),
        ("timezone: 2", "timezone is 2: write the IANA name of a time zone, such as Europe/Paris"),
        ("timezone: utc", 'timezone is "utc": no such time zone: did you mean UTC?'),
        ("timezone: Europe", 'timezone is "Europe": no such time zone'),
        ("timezone: ../etc/passwd", 'timezone is "../etc/passwd": no such time zone'),
        ("segment_limit: true", "segment_limit is true: write a whole number of 1 or more"),
        ("segment_limit: 1.5", "segment_limit is 1.5: write a whole number of 1 or more"),
        ("segment_limit: " + "9" * 5000, 'segment_limit is "9999'),
        ("window: 3600", "window is 3600: write a count and a unit, such as 1 day"),
        ("window:", "window is empty: write a count and a unit, such as 1 day"),
        ("window: 1:30", 'window is "1:30": write a count and a unit'),
        ("window: 0 days", 'window is "0 days": a window lasts at least 1 second'),
        ("window: 500 ms", 'window is "500 ms": the shortest unit is the second'),
        ("lateness: -1 hour", 'lateness is "-1 hour": a length of time is not negative'),
        ("lateness: 1 month", 'lateness is "1 month": a month is not always as long: write it in weeks, days or hours'),
        ("tolerance: 100%", 'tolerance is "100%": write a share of the rows, 0 to below 1'),
        ("tolerance: -0.1", "tolerance is -0.1: write a share of the rows"),
        ("tolerance: .nan", "tolerance is nan: write a share of the rows"),
        ("tolerance: .inf", "tolerance is inf: write a share of the rows"),
        ("false_alarms: 3", "false_alarms is 3: write a count and a unit of time, such as 1 per year"),
        ("false_alarms: never", 'false_alarms is "never": write a count and a unit of time'),
        ("false_alarms: 0 per year", 'false_alarms is "0 per year": it must be above 0, as no rule that finds'),
        ("checks: 3", "checks is 3: write a mapping, such as {age: {min: 0, max: 120, nulls: 1%}}"),
        ("checks: {age: 3}", "checks.age is 3: write a mapping, such as {min: 0, max: 120, nulls: 1%}"),
        ("checks: {age: {}}", "checks.age checks nothing: give at least one of min, max, nulls, unique, allowed"),
        ("checks: {'': {min: 1}}", 'checks."" is "": write the name of a column'),
        ("checks: {'a.b c': {min: x}}", 'checks."a.b c".min is "x": write a number'),
        ("checks: {age: {min: .inf}}", "checks.age.min is inf: write a finite number"),
        ("checks: {age: {nulls: 1}}", "checks.age.nulls is 1: write a share of the rows, 0 to below 1"),
        ("checks: {age: {unique: yes}}", 'checks.age.unique is "yes": write true or false'),
        ("checks: {age: {unique: 1}}", "checks.age.unique is 1: write true or false"),
        ("checks: {age: {allowed: FR}}", 'checks.age.allowed is "FR": write a list of values, such as [FR, DE]'),
        ("checks: {age: {allowed: []}}", "checks.age.allowed is []: write a list of values"),
        ("checks: {age: {allowed: [1, a]}}", 'checks.age.allowed is [1, "a"]: values of a column are of one kind'),
        ("checks: {age: {allowed: [a, ~]}}", "checks.age.allowed[1] is empty: write a number"),
        ("checks: {age: {allowed: [a], max: 3}}", "checks.age.max is for numbers, and allowed lists none"),
        ("checks: {'[key]': {mn: 3}}", 'checks."[key]".mn is no key: did you mean min?'),
        ("home: 3", "home is 3: write a path or a URL"),
        ("home: ''", 'home is "": write a path or a URL'),
        ("home: ~nobody-of-that-name/x", 'home is "~nobody-of-that-name/x": there is no such user'),
        ("labels: {data: l}", "labels is for later: driftline does not join labels yet, take the key out"),
        ("notify: {}", "notify is for later: driftline does not send messages yet, take the key out"),
        ("on_incident: {}", "on_incident is for later: driftline does not start pipelines yet, take the key out"),
        ("promote: {}", "promote is for later: driftline does not promote models yet, take the key out"),
        ("roles: {}", "roles is for later: driftline does not know people and their roles yet, take the key out"),
        ("database: x", "database is for later: driftline does not use a database yet, take the key out"),
        ("false-alarms: 1 per year", "false-alarms is no key: did you mean false_alarms?"),
        ("segments: [a]", "segments is no key here: did you mean columns.segments?"),
        ("threshold: 3", "threshold is no key: keys are monitor, data, columns, reference, timezone, segment_limit"),
        ("window: !!python/name:os.system x", "window has the tag !!python/name:os.system, which is not read"),
        ("window: !!binary aGk=", "window has the tag !!binary, which is not read: write the plain value"),
        ("? [a, b]\n: c", '"?" is no key: a key is text'),
    ],
)
def test_one_mistake(tmp_path: pathlib.Path, line: str, message: str) -> None:
    (first, *rest) = told(tmp_path, GOOD + line + "\n")
    assert first.startswith(f"driftline.yaml:3: {message}")
    # A tag that is not read leaves nothing to read.
    assert len(rest) == (1 if "!!" in line else 0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("ts", 'columns is "ts": write a mapping, such as {time: ts}'),
        ("{}", "columns.time is missing: give it, such as ts"),
        ("{time: }", "columns.time is empty: write the name of a column"),
        ("{time: ''}", 'columns.time is "": write the name of a column'),
        (
            "{time: ts, segments: country}",
            'columns.segments is "country": write a list of columns, such as [country, device]',
        ),
        ("{time: ts, segments: [a, b, a]}", "columns.segments[2] is there already, at [0]: keep one"),
        ("{time: ts, segments: [[a, b], [b, a]]}", "columns.segments[1] is there already, at [0]: keep one"),
        ("{time: ts, segments: [ts]}", 'columns.segments[0] names "ts", which is the time: nearly every row would be'),
        ("{time: ts, id: r, segments: [[a, r]]}", 'columns.segments[0] names "r", which is the id: nearly every row'),
        ("{time: ts, id: ts}", 'columns.id is "ts", which is the time already: a column is one thing'),
        ("{time: ts, features: [a, ts]}", 'columns.features[1] is "ts", which is the time already'),
        ("{time: ts, prediction: y, ignore: [y]}", 'columns.ignore[0] is "y", which is the prediction already'),
        ("{time: ts, features: [a], ignore: [b]}", "columns.ignore stands beside features, which says all"),
        ("{time: ts, features: [a, a]}", "columns.features[1] is there already, at [0]: keep one"),
        ("{time: ts, window: 1 day}", "columns.window is no key of columns: window stands at the margin"),
        ("{time: ts, foo: a}", "columns.foo is no key: keys are time, id, prediction, probability, version, segments"),
    ],
)
def test_columns_that_cannot_be(tmp_path: pathlib.Path, columns: str, message: str) -> None:
    (mistake,) = told(tmp_path, f"data: logs\ncolumns: {columns}\n")
    assert mistake.startswith(f"driftline.yaml:2: {message}")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"reference": "same hour, 8 weeks", "window": "1 day"},
            'reference is "same hour, 8 weeks": a window of 1 day holds more than one hour: '
            "take windows of 1 hour or shorter",
        ),
        (
            {"reference": "first 1 hour"},
            'reference is "first 1 hour": it is shorter than one window, which is 1 day',
        ),
        (
            {"false_alarms": "3 per day"},
            'false_alarms is "3 per day": that is 3 in each window of 1 day: accept fewer than one a window',
        ),
        ({"false_alarms": "1 per day"}, 'false_alarms is "1 per day": that is 1 in each window of 1 day'),
        ({"window": timedelta(milliseconds=5)}, "window is of type timedelta: the shortest unit is the second"),
        ({"data": object()}, "data is of type object: write a path or a URL"),
        ({"data": ["a", b"b"]}, "data[1] is of type bytes: write a path or a URL"),
        ({"data": "a\0b"}, 'data is "a\N{REPLACEMENT CHARACTER}b": write a path or a URL'),
        ({"checks": {1: {"min": 1}}}, "checks[1] is 1: write the name of a column, in quotes"),
        ({"checks": {"a": {"max": 10**400}}}, "checks.a.max is a number of many digits: write a finite number"),
        ({"segment_limit": -(10**5000)}, "segment_limit is a number of many digits: write a whole number of 1 or more"),
    ],
)
def test_arguments_that_cannot_be(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(dl.errors.ConfigError) as caught:
        config_of({"data": [], "columns": {"time": "ts"}, **keys})
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "driftline.yaml: says nothing: give at least data: logs/**/*.parquet and columns: {time: ts}"),
        ("# nothing yet\n", "driftline.yaml: says nothing"),
        ("{}", "driftline.yaml: says nothing"),
        ("- data\n- columns\n", "driftline.yaml: is no mapping: write a key, a colon and a value on each line"),
        ("data", "driftline.yaml: is no mapping"),
        ("7", "driftline.yaml: is no mapping"),
        ("data: logs\n\twindow: 1 day\n", "driftline.yaml:2: not YAML: found character '\\t' that cannot start any"),
        ("data: logs\ncolumns:\n\ttime: ts\n", "driftline.yaml:3: not YAML: found character '\\t' that cannot start"),
        ("data: *.parquet\n", "driftline.yaml:1: not YAML: expected alphabetic or numeric character"),
        ("data: a: b\n", "driftline.yaml:1: not YAML: mapping values are not allowed here: put a value"),
        ("data: [a, b\nwindow: 1 day\n", "driftline.yaml:2: not YAML: expected ',' or ']'"),
        ("data: a\n---\ndata: b\n", "driftline.yaml:2: not YAML: but found another document: keep one document"),
        ("data: \x00\n", "driftline.yaml:1: the character U+0000 is not allowed: remove it"),
        ("a: 1\nb: \x1b[31m\n", "driftline.yaml:2: the character U+001B is not allowed"),
        ("data: &a [*a]\n", "driftline.yaml:1: data[0] holds itself: write the value instead of an alias"),
        ("[" * 100_000, "driftline.yaml: values are nested too deeply"),
        (b"data: logs\nwindow: caf\xe9\n", "driftline.yaml:2: byte 0xe9 is not UTF-8: save it as UTF-8"),
        (GOOD.encode("utf-16"), "driftline.yaml:1: byte 0xff is not UTF-8: save it as UTF-8"),
        (b"#" * (1 << 20) + b"#", "driftline.yaml: is larger than 1,024 KiB: no configuration is"),
    ],
)
def test_text_that_is_no_configuration(tmp_path: pathlib.Path, text: str | bytes, message: str) -> None:
    (mistake,) = told(tmp_path, text)
    assert mistake.startswith(message)


def test_a_tab_and_a_star_are_told_how_to_mend(tmp_path: pathlib.Path) -> None:
    (tab,) = told(tmp_path, "columns:\n\ttime: ts\n")
    assert tab.endswith("indent with spaces, not with tabs")
    for text in ("data: *.parquet\n", "data: **/*.csv\n", "data: *logs\n"):
        (star,) = told(tmp_path, text)
        assert star.endswith("put a value that begins with * in quotes")


def test_aliases_that_stand_for_too_much(tmp_path: pathlib.Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    began = time.monotonic()
    (mistake,) = told(tmp_path, bomb)
    assert "holds more than 200,000 values, those that aliases repeat included" in mistake
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "driftline.toml: says nothing"),
        ("data = ", "driftline.toml: not TOML: Invalid value (at end of document)"),
        ('data = "a"\n[columns\n', "driftline.toml:2: not TOML: Expected ']' at the end of a table declaration"),
        ('data = "a"\ndata = "b"\n', "driftline.toml:2: not TOML: Cannot overwrite a value"),
        ("a = " + "[" * 100_000, "driftline.toml: values are nested too deeply"),
        ('data = "a"\ncolumns = {time = 2024-01-01}', "driftline.toml: columns.time is the date or time 2024-01-01:"),
    ],
)
def test_toml_that_is_no_configuration(tmp_path: pathlib.Path, text: str, message: str) -> None:
    (mistake,) = told(tmp_path, text, "driftline.toml")
    assert mistake.startswith(message)


def test_files_that_are_none(tmp_path: pathlib.Path) -> None:
    folder, other, missing = tmp_path / "folder.yaml", tmp_path / "driftline.json", tmp_path / "none.yaml"
    folder.mkdir()
    other.write_text("{}")
    for path, message in (
        (folder, "is a folder: name the file in it, such as"),
        (other, "the name tells no format; names end in .yaml, .yml or .toml"),
        (missing, "no such file"),
    ):
        with pytest.raises(dl.errors.ConfigError, match=message) as caught:
            read_config(path)
        assert caught.value.mistakes[0].startswith(f"{path}: ")
    with pytest.raises(dl.errors.ConfigError, match="a configuration is a file on this machine: copy it here"):
        read_config("s3://bucket/driftline.yaml")
    with pytest.raises(TypeError, match="path is of type int: give a str or a Path"):
        read_config(3)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such mode there")
def test_a_file_that_may_not_be_read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "driftline.yaml"
    path.write_text(GOOD)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(pathlib.Path, "open", denied)
    with pytest.raises(dl.errors.ConfigError, match="permission denied"):
        read_config(path)
    monkeypatch.setattr(pathlib.Path, "open", broken)
    with pytest.raises(dl.errors.StorageError, match=f"{path}: Input/output error"):
        read_config(path)


def test_a_device_is_not_read_to_its_end(tmp_path: pathlib.Path) -> None:
    link = tmp_path / "driftline.yaml"
    link.symlink_to("/dev/zero")
    with pytest.raises(dl.errors.ConfigError, match="is larger than"):
        read_config(link)


def test_a_home_around_that_is_none(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_HOME", "~nobody-of-that-name")
    (mistake,) = told(tmp_path, GOOD)
    assert mistake == 'driftline.yaml: DRIFTLINE_HOME is "~nobody-of-that-name": there is no such user'
    with pytest.raises(dl.errors.ConfigError, match="^home is 3: write a path or a URL$"):
        config_of({"data": [], "columns": {"time": "ts"}, "home": 3})


def test_a_list_that_holds_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(dl.errors.ConfigError, match=r"tolerance is \[\[...\]\]: write a share"):
        config_of({"data": [], "columns": {"time": "ts"}, "tolerance": endless})


PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.binary(max_size=4)
)
ANYTHING = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3))
IN_COLUMNS = st.sampled_from(["time", "id", "prediction", "version", "segments", "features", "ignore", "x"])
IN_CHECKS = st.sampled_from(["min", "max", "nulls", "unique", "allowed", "x"])
KEYS = ["monitor", "data", "reference", "timezone", "segment_limit", "window", "lateness", "tolerance", "false_alarms"]


@given(
    st.dictionaries(st.sampled_from([*KEYS, "checks", "columns", "home", "labels", "x"]), ANYTHING),
    st.dictionaries(IN_COLUMNS, ANYTHING),
    st.dictionaries(PLAIN, st.dictionaries(IN_CHECKS, ANYTHING), max_size=2),
)
def test_any_values_are_a_configuration_or_told(
    values: dict[str, Any], columns: dict[str, Any], checks: dict[Any, Any]
) -> None:
    good = {"data": [], "columns": {"time": "t"}}
    for checked in (values, good | values, good | {"columns": columns}, good | {"checks": checks}):
        try:
            config_of(checked)
        except dl.errors.ConfigError as error:
            assert error.mistakes
            assert all(map(str.isprintable, error.mistakes))


@given(st.text() | st.text(alphabet="ab:- \n\t{}[],&*!#|>'\"%@?~"))
def test_any_text_is_yaml_or_told(text: str) -> None:
    try:
        read_yaml(text)
    except YamlError as error:
        assert str(error).isprintable()
