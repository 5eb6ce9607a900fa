"""`driftline init` as a user meets it: from data to a monitor that goes on."""

import json
import os
import pathlib
import random
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from s3_bucket import settings_of

from driftline._config import read_config
from driftline._remote import write_bytes

pl = pytest.importorskip("polars")

DRIFTLINE = [sys.executable, "-c", "import sys; from driftline.cli import main; sys.argv[0] = 'driftline'; main()"]
ENV = {key: value for key, value in os.environ.items() if key not in ("CI", "FORCE_COLOR", "DRIFTLINE_HOME")}


def run(folder: pathlib.Path, *arguments: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*DRIFTLINE, *arguments], cwd=folder, capture_output=True, text=True, check=False, env={**ENV, **env}
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return done


def requests(days: int, begin: datetime, *, seed: int = 0, broken: bool = False) -> "pl.DataFrame":
    """About 200 rows a day."""
    chance = random.Random(seed)
    rows = 200 * days
    return pl.DataFrame(
        {
            "ts": [begin + timedelta(minutes=7.2 * i) for i in range(rows)],
            "request_id": [f"{begin:%m}{i:06}" for i in range(rows)],
            "amount": [None if broken else chance.lognormvariate(3, 1) for _ in range(rows)],
            "channel": chance.choices(["app", "web", "shop"], [5, 3, 2], k=rows),
            "y_pred": chance.choices([0, 1], k=rows),
        },
        schema_overrides={"amount": pl.Float64},
    )


@pytest.fixture
def log(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a log of 140 days in two files."""
    (tmp_path / "logs").mkdir()
    requests(70, datetime(2026, 1, 1)).write_parquet(tmp_path / "logs" / "1.parquet")
    requests(70, datetime(2026, 3, 12), seed=1).write_parquet(tmp_path / "logs" / "2.parquet")
    return tmp_path


def test_from_data_to_a_monitor_that_goes_on(log: pathlib.Path) -> None:
    told = run(log, "init", "logs").stdout
    for word in ("28,000 rows", "time", "request_id", "y_pred", "1 day", "wrote driftline.yaml", "no alarm"):
        assert word in told
    assert "reference: the first quarter, 2026-01-01 to 2026-02-04 23:58: 6,800 rows, 34 windows of 1 day" in told
    assert "finds: the smallest change, however long it lasts, is " in told
    assert "promise: at most 1 per year that is false" in told
    assert "warning" not in told
    assert "\x1b" not in told
    config = read_config(log / "driftline.yaml")
    assert config.data == (str(log / "logs"),)
    assert (config.columns.time, config.columns.id, config.columns.prediction) == ("ts", "request_id", "y_pred")
    # All is read; what comes later goes on from there.
    assert run(log, "monitor").stdout.startswith("0 new files, 0 rows")
    requests(3, datetime(2026, 5, 21), seed=2, broken=True).write_parquet(log / "logs" / "3.parquet")
    told = run(log, "monitor").stdout
    assert told.startswith("1 new file, 600 rows")
    assert "OPEN, since 2026-05-21: amount" in told


def test_a_glob_that_a_shell_expanded_finds_new_files(log: pathlib.Path) -> None:
    run(log, "init", "logs/1.parquet", "logs/2.parquet")
    assert read_config(log / "driftline.yaml").data == (str(log / "logs" / "*.parquet"),)
    run(log, "init", "logs/1.parquet", "--config", "one.yaml")
    assert read_config(log / "one.yaml").data == (str(log / "logs" / "1.parquet"),)
    assert read_config(log / "one.yaml").monitor == "one"
    # Not all that are there: then it is these.
    requests(3, datetime(2026, 5, 21)).write_parquet(log / "logs" / "3.parquet")
    run(log, "init", "logs/1.parquet", "logs/2.parquet", "--config", "two.yaml")
    assert read_config(log / "two.yaml").data == tuple(str(log / "logs" / f"{i}.parquet") for i in (1, 2))


def test_a_file_elsewhere_names_the_same_data(log: pathlib.Path) -> None:
    (log / "conf").mkdir()
    run(log, "init", "logs", "--config", "conf/driftline.yaml", "--home", "results")
    config = read_config(log / "conf" / "driftline.yaml")
    assert config.data == (str(log / "logs"),)
    assert config.home == str(log / "results")
    assert run(log, "monitor", "--config", "conf/driftline.yaml").stdout.startswith("0 new files")


def test_as_json(log: pathlib.Path) -> None:
    told = json.loads(run(log, "init", "logs", "--json").stdout)
    assert told["config"] == "driftline.yaml"
    assert told["rows"] == told["read"]["rows"] == 28_000
    guesses = {guess["key"]: guess["value"] for guess in told["guesses"]}
    assert guesses == {
        "time": "ts",
        "id": "request_id",
        "prediction": "y_pred",
        "possible_segments": "channel",
        "window": "1 day",
    }
    assert told["reference"] == {"rows": 6800, "windows": 34}
    assert 0.02 < told["smallest_change"]["best"]["share"] < told["smallest_change"]["worst"]["share"] < 0.1
    assert told["warnings"] == told["alarms"] == []


def test_text_formats(log: pathlib.Path) -> None:
    frame = pl.read_parquet(log / "logs" / "*.parquet")
    frame.write_csv(log / "log.csv")
    frame.with_columns(pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_ndjson(log / "log.jsonl")
    found = []
    for name in ("log.csv", "log.jsonl"):
        told = json.loads(run(log, "init", name, "--config", f"{name[4:]}.yaml", "--json").stdout)
        found.append(([(g["key"], g["value"]) for g in told["guesses"]], told["reference"]))
    assert found[0] == found[1]
    assert found[0][1] == {"rows": 6800, "windows": 34}


def test_a_file_is_never_overwritten(log: pathlib.Path) -> None:
    (log / "driftline.yaml").write_text("mine", encoding="utf-8")
    error = run(log, "init", "logs", code=2).stderr
    assert error.startswith("driftline: driftline.yaml: is there already, and is not overwritten: ")
    assert "--config other.yaml" in error
    assert (log / "driftline.yaml").read_text(encoding="utf-8") == "mine"
    assert not (log / ".driftline").exists()
    (log / "dangling.yaml").symlink_to(log / "nowhere.yaml")
    assert "is there already" in run(log, "init", "logs", "--config", "dangling.yaml", code=2).stderr


def test_a_home_in_use_is_left_alone(log: pathlib.Path) -> None:
    run(log, "init", "logs")
    (log / "driftline.yaml").unlink()
    error = run(log, "init", "logs", code=2).stderr
    assert "holds results of a monitor" in error
    assert "--home" in error
    run(log, "init", "logs", "--home", "other")
    assert run(log, "monitor").stdout.startswith("0 new files")
    (log / "driftline.yaml").unlink()
    run(log, "init", "logs", DRIFTLINE_HOME=str(log / "third"))
    assert (log / "third").is_dir()


def test_a_short_log_is_warned_of(tmp_path: pathlib.Path) -> None:
    requests(1, datetime(2026, 1, 1)).write_parquet(tmp_path / "log.parquet")
    told = run(tmp_path, "init", "log.parquet").stdout
    assert "fewer than 30: it cannot show how windows vary" in told
    assert "the reference is small for" in told
    assert "promise: none yet" in told


def test_columns_that_wobble_are_warned_of(tmp_path: pathlib.Path) -> None:
    frame = requests(150, datetime(2026, 1, 1))
    slow = [1.0 if (i // 2000) % 2 else 0.0 for i in range(frame.height)]
    frame.with_columns(pl.Series("mood", slow)).write_parquet(tmp_path / "log.parquet")
    told = run(tmp_path, "init", "log.parquet").stdout
    assert "no promise for 1 of 4 series" in told
    assert "mood" in told.partition("no promise")[2]


def test_a_time_that_is_named(tmp_path: pathlib.Path) -> None:
    frame = requests(150, datetime(2026, 1, 1))
    frame.with_columns(updated_at=pl.col("ts") + pl.duration(hours=1)).write_parquet(tmp_path / "log.parquet")
    run(tmp_path, "init", "log.parquet", "--time", "updated_at")
    assert read_config(tmp_path / "driftline.yaml").columns.time == "updated_at"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "no-time.csv",
            b"age,amount\n30,1.5\n40,2.5\n",
            "no column holds the time of the rows; columns are age, amount",
        ),
        ("empty.csv", b"", "empty.csv: is empty"),
        ("header.csv", b"ts,amount\n", "header.csv: has no rows"),
        ("torn.csv", b"ts,amount\n2026-03-01,1\n2026-0", "torn.csv: line 3 has 1 field, and the header 2: the file is"),
        ("none.jsonl", b"", "none.jsonl: has no rows"),
        ("one.csv", b"ts,amount\n2026-03-01T10:00:00,1\n", "all rows have the same time, 2026-03-01 in column ts"),
        ("half.parquet", b"PAR1 and no more", "half.parquet: is not a readable Parquet file"),
        ("log.txt", b"hello", "log.txt: the name tells no format"),
        (
            "odd.csv",
            b"date,amount\n01.03.2026,1\n02.03.2026,2\n",
            "date is named like one, but its text is not ISO 8601",
        ),
        (
            "in.jsonl",
            b'{"a": {"ts": "2026-03-01"}}\n{"a": {"ts": "2026-03-02"}}\n',
            "a.ts is named like one, but is a field",
        ),
        ("number.csv", b"date,amount\n20260301,1\n20260302,2\n", "20260301 to 20260302 are no seconds since 1970"),
        ("far.csv", b"ts,amount\n2999-01-01,1\n2999-01-02,2\n", "no column holds the time of the rows"),
    ],
)
def test_bad_input(tmp_path: pathlib.Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    done = run(tmp_path, "init", name, code=2)
    assert done.stdout == ""
    assert says in done.stderr
    # No file, no folder: nothing was begun.
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_files_that_cannot_be_read_are_left_out(log: pathlib.Path) -> None:
    (log / "logs" / "3.parquet").write_bytes((log / "logs" / "2.parquet").read_bytes()[:-9])
    (log / "logs" / "4.parquet").write_bytes(b"")
    told = run(log, "init", "logs").stdout
    assert "28,000 rows, 5 columns, 2 files" in told
    for name in ("3", "4"):
        assert f"warning: left out, and tried again in the next run: logs/{name}.parquet: " in told
    assert "logs/3.parquet: " in run(log, "monitor", code=3).stderr


def test_columns_that_change_their_type_or_have_no_values(log: pathlib.Path) -> None:
    for name, values in (("1", pl.lit(7)), ("2", pl.lit("seven"))):
        path = log / "logs" / f"{name}.parquet"
        pl.read_parquet(path).with_columns(k=values, nan=float("nan"), none=pl.lit(None, pl.Float64)).write_parquet(
            path
        )
    told = run(log, "init", "logs").stdout
    assert "warning: k is int32 and string in different files: it is watched by its first type" in told
    assert "A1 OPEN, since 2026-03-12: k the column is string now, and int32 in the reference" in told
    assert "of nan, none only missing values are watched: in the reference no row has a value of them" in told


def test_bad_arguments(log: pathlib.Path) -> None:
    (log / "nothing").mkdir()
    for arguments, says in (
        (["nowhere"], "nowhere: no such file or folder"),
        (["*.csv"], "*.csv: matches no"),
        (["nothing"], "nothing: no Parquet, CSV or JSON-lines file in this folder or below it"),
        (["logs", "--config", "driftline.toml"], "init writes YAML"),
        (["logs", "--config", "no/driftline.yaml"], "there is no folder no: make it first"),
        (["logs", "--time", "when"], "no column 'when'; columns are ts, request_id"),
        (["logs", "--time", "amount"], "is float64"),
        ([], "missing argument"),
    ):
        assert says in run(log, "init", *arguments, code=2).stderr
    assert not (log / "driftline.yaml").exists()
    run(log, "profile", "logs", "-o", "saved.profile.parquet")
    assert "is a saved profile, which holds no rows" in run(log, "init", "saved.profile.parquet", code=2).stderr


def test_results_do_not_lie_among_the_data(log: pathlib.Path) -> None:
    for home in ("results", "logs/results"):
        error = run(log, "init", ".", "--home", home, code=2).stderr
        assert f"{home}: lies in ., so that results would be read as data" in error
    run(log, "init", ".")
    assert run(log, "monitor").stdout.startswith("0 new files")


def test_results_in_a_bucket(log: pathlib.Path, s3: str, s3_server: str) -> None:
    env, home = settings_of(s3_server), f"{s3}/a home"
    run(log, "init", "logs", "--home", f"{home}/", **env)
    assert read_config(log / "driftline.yaml").home == f"{home}/"
    assert not (log / ".driftline").exists()
    assert "28,000 rows" in run(log, "status", **env).stdout
    requests(3, datetime(2026, 5, 21), seed=2, broken=True).write_parquet(log / "logs" / "3.parquet")
    assert run(log, "monitor", **env).stdout.startswith("1 new file, 600 rows")
    assert "OPEN, since 2026-05-21: amount" in run(log, "status", "--html", "page.html", **env).stdout
    assert run(log, "status", "--verify", **env).stdout == "the store is whole\n"
    # Other homes come before it.
    elsewhere = f"{s3}/elsewhere"
    assert run(log, "monitor", **env, DRIFTLINE_HOME=elsewhere).stdout.startswith("3 new files")
    assert run(log, "monitor", "--home", elsewhere, **env).stdout.startswith("0 new files")
    (log / "driftline.yaml").unlink()
    error = run(log, "init", "logs", code=2, **env, DRIFTLINE_HOME=elsewhere).stderr
    assert f"{elsewhere}: holds results of a monitor" in error


def test_results_do_not_lie_among_data_in_a_bucket(log: pathlib.Path, s3: str, s3_server: str) -> None:
    env = settings_of(s3_server)
    for file in (log / "logs").iterdir():
        write_bytes(f"{s3}/logs/{file.name}", file.read_bytes())
    for home in (f"{s3}/logs", f"{s3}/logs/", f"{s3}/logs/results"):
        error = run(log, "init", f"{s3}/logs", "--home", home, code=2, **env).stderr
        assert f"{home.rstrip('/')}: lies in {s3}/logs, so that results would be read as data" in error
    run(log, "init", f"{s3}/logs", "--home", f"{s3}/logs/.results", **env)
    assert run(log, "monitor", **env).stdout.startswith("0 new files")
    run(log, "init", f"{s3}/logs", "--config", "other.yaml", "--home", f"{s3}/logs-of-us", **env)


def test_a_folder_with_the_signs_of_a_glob(log: pathlib.Path) -> None:
    odd = (log / "logs").rename(log / "logs [new]")
    run(log, "init", *map(str, sorted(odd.iterdir())))
    assert run(log, "monitor").stdout.startswith("0 new files")
    requests(3, datetime(2026, 5, 21)).write_parquet(odd / "3.parquet")
    assert run(log, "monitor").stdout.startswith("1 new file")


def test_the_same_data_named_twice_are_one(log: pathlib.Path) -> None:
    assert json.loads(run(log, "init", "logs", "logs", "--json").stdout)["rows"] == 28_000


def test_a_home_that_cannot_be_is_told(log: pathlib.Path) -> None:
    (log / "file").write_text("", encoding="utf-8")
    for home in ("file", "file/home", "https://host/home", "s3:///home"):
        done = run(log, "init", "logs", "--home", home, code=2)
        assert home in done.stderr
        assert not (log / "driftline.yaml").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable(log: pathlib.Path) -> None:
    log.chmod(0o500)
    try:
        assert "driftline.yaml" in run(log, "init", "logs", code=2).stderr
    finally:
        log.chmod(0o700)


def test_one_file_without_the_time_is_told(log: pathlib.Path) -> None:
    requests(3, datetime(2026, 5, 21)).drop("ts").write_parquet(log / "logs" / "3.parquet")
    error = run(log, "init", "logs", code=2).stderr
    assert "ts is named like one, but" in error
    assert "3.parquet: no column" in error


REAL = {
    "hotel_production": ("timestamp", "customer_id", "y_pred", "y_pred_proba", "1 day", []),
    "hotel_reference": ("timestamp", "customer_id", "y_pred", "y_pred_proba", "1 day", []),
    "bike_sharing_hour": ("dteday", "instant", None, None, "1 day", ["mnth", "season", "weekday", "yr"]),
    "electricity": ("time", None, None, None, "1 week", ["class"]),
    "nannyml_california_housing_analysis": ("timestamp", "id", "y_pred", "y_pred_proba", "1 day", ["clf_target"]),
    "nannyml_car_loan_analysis": ("timestamp", "id", "y_pred", "y_pred_proba", "1 day", []),
    "nannyml_car_price_regression_analysis": ("timestamp", "id", "y_pred", None, "1 hour", ["y_true"]),
    "nannyml_credit_card_multiclass_analysis": ("timestamp", "id", "y_pred", None, "1 day", ["y_true"]),
    "nannyml_work_home_analysis": ("timestamp", "id", "y_pred", "y_pred_proba", "1 week", ["work_home_actual"]),
}


@pytest.mark.parametrize("name", REAL)
def test_real_data(name: str, shared: pathlib.Path, tmp_path: pathlib.Path) -> None:
    run(tmp_path, "init", str(shared / "data" / f"{name}.parquet"))
    config = read_config(tmp_path / "driftline.yaml")
    c = config.columns
    assert (c.time, c.id, c.prediction, c.probability, str(config.window), sorted(c.ignore)) == REAL[name]


@pytest.mark.parametrize(
    "name", ["adult", "hotel_labels", "river_shuttle", "river_trump_approval", "sklearn_digits_64d", "weather"]
)
def test_real_data_without_times(name: str, shared: pathlib.Path, tmp_path: pathlib.Path) -> None:
    error = run(tmp_path, "init", str(shared / "data" / f"{name}.parquet"), code=2).stderr
    assert error.startswith("driftline: no column holds the time of the rows; columns are ")
    assert "--time COLUMN" in error
