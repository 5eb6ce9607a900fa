"""The command line as a user meets it: output, exit codes, pipes."""

import importlib.resources
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import time

import monitored as log
import polars as pl
import pytest

import driftline as dl

DEMO = str(importlib.resources.files("driftline") / "demo")
DRIFTLINE = [sys.executable, "-c", "import sys; from driftline.cli import main; sys.argv[0] = 'driftline'; main()"]
ENV = {key: value for key, value in os.environ.items() if key not in ("CI", "FORCE_COLOR", "GITHUB_ACTIONS")}


def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*DRIFTLINE, *arguments], capture_output=True, text=True, check=False, env=ENV)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return done


def test_the_entry_point_is_installed() -> None:
    script = pathlib.Path(sys.executable).parent / "driftline"
    out = subprocess.run([script, "--version"], check=True, capture_output=True, text=True).stdout
    assert out == f"driftline {dl.__version__}\n"


def test_demo(tmp_path: pathlib.Path) -> None:
    report = tmp_path / "report.html"
    done = run("demo", "--html", str(report))
    since_training, last_quarter = done.stdout.split("Did it go on?")
    assert "CHANGED     car_value" in since_training
    assert "stable      5 columns" in since_training
    # Both quarters lie after the change: nothing drifted, and what few rows cannot tell is told.
    assert "CHANGED" not in last_quarter
    assert re.search(r"undecided +\w+ +9,826 rows cannot tell 2 % from nothing; about [\d,]+ would", last_quarter)
    assert "driftline compare REFERENCE NEWER_DATA" in last_quarter
    # Five quiet months, then the change, in the week in which it came.
    assert "2019-W14  A1 opened: car_value above" in since_training
    assert since_training.index("A1 opened") < since_training.index("5 alarms in 43 windows of 9 series")
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert report.read_text().startswith("<!doctype html>")
    told = json.loads(run("demo", "--html", str(report), "--json").stdout)
    assert "car_value" in told["since_training"]["drifted"]
    assert told["last_quarter"]["drifted"] == []
    assert {alarm["opened"] for alarm in told["weeks"]["alarms"]} == {"2019-W14"}


def test_profile_save_print_merge(tmp_path: pathlib.Path) -> None:
    saved = str(tmp_path / "a.profile.parquet")
    done = run("profile", DEMO, "-o", saved, "--columns", "car_value,salary_range", "--k", "200", "--threads", "1")
    assert done.stdout == ""
    assert done.stderr == f"saved {saved}\n"
    assert list(dl.Profile.load(saved)) == ["car_value", "salary_range"]
    assert run("profile", saved).stdout.startswith("100,000 rows, 2 columns\n")
    assert run("profile", saved, saved).stdout.startswith("200,000 rows, 2 columns\n")


def test_profile_as_json(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,s\n1.5,a\n2.5,b\nNaN,\ninf,a\n")  # NaN is how pandas writes a missing value
    told = json.loads(run("profile", str(path), "--json", "--redact", "s").stdout)
    assert told["rows"] == 4
    x = told["columns"]["x"]
    assert (x["min"], x["max"], x["null_count"], x["count"]) == (1.5, "inf", 1, 4)
    assert x["quantiles"]["0.5"] == {"value": 2.5, "lower": 2.5, "upper": 2.5}
    assert told["columns"]["s"]["top"] is None
    told = json.loads(run("profile", str(path), "--json", "--collect", "counts").stdout)
    assert told["columns"]["x"]["mean"] is None


def test_what_would_lose_or_leak_data_is_refused(tmp_path: pathlib.Path) -> None:
    data = tmp_path / "data.parquet"
    pl.DataFrame({"email": ["ana@example.org"] * 3}).write_parquet(data)
    before = data.read_bytes()
    told = run("profile", str(data), "-o", str(data), code=2).stderr
    assert "data.parquet: is there and is no profile: remove it or choose another name" in told
    assert data.read_bytes() == before
    assert 'redact names "emial", which is no column' in run("profile", str(data), "--redact", "emial", code=2).stderr
    saved = tmp_path / "saved.profile.parquet"
    run("profile", str(data), "-o", str(saved))
    assert "no option changes" in run("profile", str(saved), "--redact", "email", code=2).stderr
    run("profile", str(saved), "-o", str(saved))


def test_a_gate_fails_on_columns_that_are_gone_or_retyped(tmp_path: pathlib.Path) -> None:
    before, gone, retyped = (tmp_path / f"{name}.parquet" for name in ("before", "gone", "retyped"))
    pl.DataFrame({"x": [1, 2] * 50, "y": [1, 2] * 50}).write_parquet(before)
    pl.DataFrame({"x": [1, 2] * 50}).write_parquet(gone)
    pl.DataFrame({"x": [1, 2] * 50, "y": ["1", "2"] * 50}).write_parquet(retyped)
    assert "GONE" in run("compare", str(before), str(gone), "--fail-on", "drift", code=1).stdout
    told = run("compare", str(before), str(retyped), "--fail-on", "drift", code=1).stdout
    assert "RETYPED" in told
    assert "int64 in the reference, string now" in told


def test_compare(tmp_path: pathlib.Path) -> None:
    before, now = f"{DEMO}/reference.parquet", f"{DEMO}/production"
    done = run("compare", before, now)
    assert done.stdout.startswith("50,000 reference rows, 50,000 current, 12 columns, ")
    run("compare", before, now, "--fail-on", "drift", code=1)
    run("compare", before, before, "--fail-on", "drift")
    report = tmp_path / "report.html"
    done = run("compare", before, now, "--html", str(report), "--fail-on", "drift", code=1)
    assert done.stderr == f"wrote {report}\n"
    assert "car_value" in report.read_text()
    told = json.loads(run("compare", before, now, "--json", "--tolerance", "0.3", "--columns", "car_value").stdout)
    assert told["drifted"] == []
    assert told["columns"][0]["name"] == "car_value"
    assert told["columns"][0]["statistics"]["ks"] > 0.2
    assert (told["tolerance"], told["resolution"], told["correction"]) == (0.3, 0.05, "bh")
    strict = run("compare", before, now, "--json", "--tolerance", "0", "--resolution", "1%", "--correction", "holm")
    told = json.loads(strict.stdout)
    assert (told["tolerance"], told["resolution"], told["correction"]) == (0, 0.01, "holm")


def test_names_with_commas_and_options_given_twice(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "a.parquet")
    pl.DataFrame({"a": [1, 2], "b,c": [3, 4], 'd"': [5, 6], "e": [7, 8]}).write_parquet(path)

    def compared(*options: str) -> list[str]:
        return [
            column["name"] for column in json.loads(run("compare", path, path, "--json", *options).stdout)["columns"]
        ]

    assert compared("--columns", 'a, "b,c"') == ["a", "b,c"]
    assert compared("--columns", 'd"') == ['d"']
    assert compared("--columns", "a", "--columns", "e") == ["a", "e"]
    told = json.loads(run("profile", path, "--json", "--redact", '"b,c"', "--redact", "e").stdout)["columns"]
    assert [name for name, column in told.items() if column["max"] is None] == ["b,c", "e"]


@pytest.mark.parametrize("command", ["profile", "compare"])
def test_help_names_the_exit_codes(command: str) -> None:
    told = " ".join(run(command, "--help").stdout.split())
    assert "Exit codes: 0 fine, " in told
    assert "2 your mistake or bad input, 3 disk or network failed" in told
    assert ("1 something changed and --fail-on drift asks" in told) == (command == "compare")


BROKEN_LOG = (
    "monitor: m\ndata: log\ncolumns: {time: ts}\nwindow: 1 hour\nreference: first 40 hours\nlateness: 0 minutes\n"
)


def test_a_file_that_cannot_be_read_yet_is_tried_again_and_the_others_count(tmp_path: pathlib.Path) -> None:
    def watch(*options: str, code: int) -> subprocess.CompletedProcess[str]:
        return run("monitor", *options, "--config", str(tmp_path / "driftline.yaml"), code=code)

    log.write(tmp_path / "log" / "1.parquet", log.hours(0, 60, rows=100))
    log.write(tmp_path / "log" / "2.parquet", log.hours(60, 80, rows=100, shift=0.4))
    log.write(tmp_path / "log" / "3.parquet", log.hours(80, 90, rows=100, shift=0.4))
    (tmp_path / "driftline.yaml").write_text(BROKEN_LOG)
    bad = tmp_path / "log" / "3.parquet"
    whole = bad.read_bytes()
    bad.write_bytes(whole[:-20])
    done = watch(code=3)
    assert done.stdout.startswith("2 new files, 8,000 rows")
    assert f"could not be read, and is tried again in the next run: {bad}" in done.stdout
    assert done.stderr.startswith(f"driftline: {bad}: ")
    assert done.stderr.endswith("; it is tried again in the next run\n")
    # The answer comes first: an alarm is open in what was read.
    assert "A1 OPEN" in watch("--fail-on", "alarm", code=1).stdout
    bad.write_bytes(whole)
    assert watch(code=0).stdout.startswith("1 new file, 1,000 rows")
    # Where there is nothing else it is a mistake in what was named.
    for path in tmp_path.glob("log/*"):
        path.write_bytes(whole[:-20])
    assert watch("--home", str(tmp_path / "other"), code=2).stdout == ""
    told = " ".join(run("monitor", "--help").stdout.split())
    assert "2 your mistake or bad input, 3 disk or network failed, a file of several cannot be read yet, or" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["profile", "none.parquet"], "driftline: none.parquet: no such file or folder"),
        (["profile"], "driftline: missing argument 'PATHS...': see driftline profile --help"),
        (["profile", DEMO, "--k", "3"], "driftline: k is 3: it must be 8 to 65535"),
        (["profile", DEMO, "--collect", "mean"], 'driftline: collect has "mean": it takes counts'),
        (["profile", DEMO, "--columns", "zip"], 'no column "zip"; columns are "id", "car_value"'),
        (["profile", DEMO, "--columns", '"id'], 'columns is "id: write A,B, and a name with a comma in double quotes'),
        (["profile", DEMO, "--nonsense"], "driftline: there is no option --nonsense: see driftline profile --help"),
        (["compare", DEMO, DEMO, "--tolerence", "1"], "there is no option --tolerence, but --tolerance: see"),
        (["compare", DEMO, DEMO, "--tolerance"], "'--tolerance' requires an argument: see driftline compare --help"),
        (["compare", DEMO, DEMO, DEMO], "driftline: got unexpected extra argument"),
        (["compare", DEMO, DEMO, "--threads", "two"], "driftline: --threads: it takes a whole number: see driftline"),
        (["comapre", DEMO, DEMO], "driftline: no such command 'comapre', but 'compare': see driftline --help"),
        (["compare", DEMO], "driftline: missing argument 'CUR': see driftline compare --help"),
        (["compare", DEMO, DEMO, "--tolerance", "much"], 'tolerance is "much": it is a share of the rows, such as 2%'),
        (["compare", DEMO, DEMO, "--fail-on", "rain"], "driftline: --fail-on: it takes 'drift', not 'rain'"),
        (["profile", DEMO, "-o", "/none/a.parquet"], 'there is no folder "/none"'),
    ],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    done = run(*arguments, code=2)
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_device_is_not_replaced_by_a_file(tmp_path: pathlib.Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "pipe: is there and is no profile" in run("profile", DEMO, "-o", str(pipe), code=2).stderr
    assert pipe.is_fifo()


def test_a_closed_pipe_is_quiet(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "wide.parquet"
    pl.DataFrame({f"column_{i}": [i] for i in range(2000)}).write_parquet(path)
    command = [*DRIFTLINE, "profile", str(path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_a_gate_holds_where_nobody_reads(tmp_path: pathlib.Path) -> None:
    for name, value in (("a", 1), ("b", 2)):
        pl.DataFrame({f"column_{i}": [value] * 500 for i in range(300)}).write_parquet(tmp_path / f"{name}.parquet")
    command = [*DRIFTLINE, "compare", str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet"), "--fail-on", "drift"]
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run([*command, "--json"], stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, b"")


WAITING = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import driftline, driftline.cli._app
def forever(*data, **options):
    print("ready", flush=True)
    time.sleep(60)
driftline.profile = forever
sys.argv = ["driftline", "profile", "x"]
driftline.cli.main()
"""


SAVING = """
import sys, threading
import driftline, driftline._core, driftline.cli
def batches():
    import pyarrow
    yield pyarrow.RecordBatch.from_pydict({"x": [1.0]})
    print("ready", flush=True)
    threading.Event().wait(60)
profile = driftline.profile
driftline.profile = lambda *data, **options: profile(batches())
sys.argv = ["driftline", "profile", "x"]
driftline.cli.main()
"""


def test_what_is_ended_from_outside_ends_as_after_ctrl_c() -> None:
    with subprocess.Popen([sys.executable, "-c", SAVING], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=50)
    assert running.returncode == 143
    assert errors == b""


WRITING = """
import sys
import driftline, driftline.cli
made = driftline.profile({f"c{i}": [float(j) for j in range(3000)] for i in range(40)})
class Again:
    def save(self, path):
        print("ready", flush=True)
        while True:
            made.save(path)
driftline.profile = lambda *data, **options: Again()
sys.argv = ["driftline", "profile", "x", "-o", sys.argv[1]]
driftline.cli.main()
"""


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGINT])
def test_what_is_ended_while_it_writes_leaves_nothing_half(tmp_path: pathlib.Path, ended: signal.Signals) -> None:
    path = tmp_path / "a.profile.parquet"
    for i in range(6):
        command = [sys.executable, "-c", WRITING, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == b"ready\n"
            time.sleep(0.02 + 0.003 * i)
            running.send_signal(ended)
            _, errors = running.communicate(timeout=50)
        assert (running.returncode, errors) == (128 + ended, b"")
        assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_terminal_of_few_characters_gets_what_it_can_show(tmp_path: pathlib.Path) -> None:
    for name, cities in (("a", ["Köln", "東京"]), ("b", ["Köln", "Köln"])):
        pl.DataFrame({"città": cities * 500}).write_parquet(tmp_path / f"{name}.parquet")
    sides = [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")]
    for encoding in ("ascii", "latin-1"):
        env = {**ENV, "PYTHONIOENCODING": encoding}
        for options, code in ((["--fail-on", "drift"], 1), (["--json"], 0)):
            command = [*DRIFTLINE, "compare", *sides, *options]
            done = subprocess.run(command, capture_output=True, check=False, env=env)
            assert (done.returncode, done.stderr) == (code, b"")
            told = done.stdout.decode(encoding)
            assert ("citt? " if encoding == "ascii" else "città ") in told or list(json.loads(told)) != []
    assert "città" in json.loads(told)["drifted"]


@pytest.mark.parametrize(
    "lacking", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}]
)
def test_every_command_tells_what_it_can_in_ascii(tmp_path: pathlib.Path, lacking: dict[str, str]) -> None:
    hours = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 3, 1), "1h", eager=True)
    pl.DataFrame({"когда": hours, "città": ["東京"] * len(hours), "x": range(len(hours))}).write_parquet(
        tmp_path / "log.parquet"
    )
    env = {**ENV, **lacking}
    for command in (
        ["profile", "log.parquet"],
        ["init", "log.parquet"],
        ["monitor"],
        ["monitor", "--replay"],
        ["monitor", "--json"],
        ["status"],
        ["status", "--json"],
        ["status", "--html", "page.html"],
        ["status", "--verify"],
        ["demo", "--html", "demo.html"],
    ):
        done = subprocess.run([*DRIFTLINE, *command], capture_output=True, check=False, env=env, cwd=tmp_path)
        assert (done.returncode, done.stdout != b"") == (0, True), (command, done.stderr)
        assert done.stdout.isascii()
        if command[-1] == "--json":
            assert json.loads(done.stdout)
    assert "когда" in (tmp_path / "driftline.yaml").read_text(encoding="utf-8")


def test_a_gate_that_proved_nothing_says_so(tmp_path: pathlib.Path) -> None:
    pl.DataFrame({"x": [0.1, 0.2, 0.3]}).write_parquet(tmp_path / "few.parquet")
    few = str(tmp_path / "few.parquet")
    done = run("compare", few, few, "--fail-on", "drift")
    assert done.stderr == "driftline: passed, but nothing is proved: 1 column undecided, 0 not judged, none stable\n"
    assert run("compare", few, few).stderr == ""


def test_many_findings_of_a_kind_are_summed_up(tmp_path: pathlib.Path) -> None:
    for name, prefix in (("a", "old"), ("b", "new")):
        columns = {f"{prefix} {i}": [1.0] for i in range(70)} | {f"both {i}": [1.0] for i in range(2)}
        columns |= {f"typed {i}": [1.0 if name == "a" else "one"] for i in range(65)}
        pl.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
    told = run("compare", str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")).stdout
    assert told.count("GONE ") == told.count("NEW ") == told.count("RETYPED ") == 61
    assert re.search(r"GONE +10 more columns\n", told)
    assert re.search(r"RETYPED +5 more columns\n", told)


def test_the_json_of_a_comparison_holds_what_the_table_shows(tmp_path: pathlib.Path) -> None:
    rows = 2000
    a = {"x": [i / rows for i in range(rows)], "id": [f"a{i}" for i in range(rows)], "t": [1] * rows, "old": [1] * rows}
    b = {"x": [i / rows + 0.5 for i in range(rows)], "id": a["id"], "t": ["1"] * rows, "new": [1] * rows}
    for name, columns in (("a", a), ("b", b)):
        pl.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
    sides = [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")]
    told = json.loads(run("compare", *sides, "--alpha", "5%", "--json").stdout)
    assert told["alpha"] == 0.05
    assert (told["changed"], told["drifted"]) == (True, ["x"])
    assert told["not_judged"] == {"id": "nearly all values are distinct"}
    assert told["retyped"]["t"].startswith("int64 in the reference, string now")
    assert (told["only_in_reference"], told["only_in_current"]) == (["old"], ["new"])
    assert [column["name"] for column in told["columns"]] == ["x", "id", "t"]
    assert told["seconds"] > 0
    x, identity, t = told["columns"]
    shown = run("compare", *sides, "--alpha", "5%").stdout
    for row in (
        rf"CHANGED +x +{re.escape(x['size'])} +{re.escape(x['largest']['label'])}: ",
        rf"RETYPED +t +{re.escape(t['size'])}\n",
        rf"not judged +id +{re.escape(identity['size'])}\n",
    ):
        assert re.search(row, shown)


def test_ctrl_c_is_quiet() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate()
    assert running.returncode == 130
    assert errors == b""


def on_terminal(arguments: list[str]) -> str:
    """What a command writes where both of its outputs are a terminal."""
    ours, theirs = pty.openpty()
    env = {**ENV, "TERM": "xterm", "COLUMNS": "150"}
    with subprocess.Popen(arguments, stdout=theirs, stderr=theirs, env=env) as command:
        os.close(theirs)
        told = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            told += piece
        assert command.wait() == 0
    os.close(ours)
    return told.decode()


def test_a_terminal_gets_a_table() -> None:
    assert "─────" in on_terminal([*DRIFTLINE, "profile", DEMO])


PROGRESS = """
import driftline
from driftline import _progress
_progress.PATIENCE_S = 0.0
driftline.profile({"x": [1.0] * 10})
"""


def test_progress_is_for_terminals() -> None:
    command = [sys.executable, "-c", PROGRESS]
    assert "10 rows" in on_terminal(command)
    assert subprocess.run(command, check=True, capture_output=True).stderr == b""


def test_completion() -> None:
    env = {**ENV, "_DRIFTLINE_COMPLETE": "complete_bash", "COMP_WORDS": "driftline pro", "COMP_CWORD": "1"}
    script = pathlib.Path(sys.executable).parent / "driftline"
    done = subprocess.run([script], capture_output=True, text=True, check=False, env=env)
    assert done.stdout.strip() == "profile"
